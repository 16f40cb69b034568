"""CompoundUpdateDuplicateDetectionRule: a rule and its conditions change together (Learn: the action of that name)."""

from __future__ import annotations

from entities.errors import InvalidArgument
from entities.messages import Create, Update
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.duplicate_tables import CONDITION, RULE
from entities.standard.lookups import by_id, named_record
from entities.values import EntityReference, EntityValue, Record


def duplicate_rule_change_steps() -> tuple[Step, ...]:
    """Return the handler of the action."""
    return (Step("CompoundUpdateDuplicateDetectionRule", None, Stage.MAIN, change_together),)


def change_together(context: ExecutionContext) -> None:
    """Change the rule `Entity` and those conditions of `ChildEntities` that it has; the others become conditions of it.

    Raises:
        InvalidArgument: they are no rule and no conditions, a condition is one of another rule, or the rule is
            published (0x80048428) or would make no sense.
        RecordNotFound: one that is named is not there.
    """
    system, caller = context.system, context.caller
    given, children = context.parameters["Entity"], context.parameters["ChildEntities"]
    rule = named_record(system, given, "Entity")
    _check_table(rule.table, RULE, "Entity")
    values = _values(given, system.catalog.tables[RULE])
    if values:
        system.execute(Update(rule, values), caller)
    assert isinstance(children, list)
    for child in children:
        _check_table(child.table, CONDITION, "ChildEntities")
        record = _values(child, system.catalog.tables[CONDITION])
        if isinstance(child, EntityValue) and child.target is None:
            system.execute(Create(CONDITION, {**record, "regardingobjectid": rule}), caller)
        else:
            system.execute(Update(_own(system, rule, child), record), caller)


def _check_table(found: str, wanted: str, parameter: str) -> None:
    if found != wanted:
        raise InvalidArgument(f"The parameter '{parameter}' must hold records of '{wanted}', not of '{found}'.")


def _values(given: object, table: Table) -> Record:
    """Return the values that a caller may change."""
    record: Record = given.record if isinstance(given, EntityValue) else {}
    return {name: value for name, value in record.items() if table.by_name[name].valid_for_update}


def _own(system: Operations, rule: EntityReference, child: object) -> EntityReference:
    condition = named_record(system, child, "ChildEntities")
    if by_id(system, condition, "regardingobjectid")["regardingobjectid"] != rule:
        raise InvalidArgument("A condition of 'ChildEntities' belongs to another rule than 'Entity'.")
    return condition
