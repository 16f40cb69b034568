"""Merge: two records of a table become one; the other is deactivated (Learn: "Merge table rows").

What belongs to the subordinate record goes to the target where the relationship cascades merges, and so do its
many-to-many relations; the target gets the values that the caller chose; the subordinate says what it was merged into.
"""

from __future__ import annotations

from collections.abc import Iterator

from entities.errors import InvalidArgument, InvalidOperation
from entities.messages import Associate, Disassociate, Update
from entities.metadata.catalog import CollectionNavigation, ManyToManyNavigation
from entities.metadata.columns import LookupType
from entities.metadata.relationships import Cascade, OneToMany
from entities.metadata.tables import Table, TableKind
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.lookups import by_id
from entities.values import EntityReference, EntityValue, Guid, KeyReference, Record

_INACTIVE = 1
_PARENTS = ("parentaccountid", "parentcustomerid")
"""The lookups to a parent of the tables that have records merged."""


def merging_steps() -> tuple[Step, ...]:
    """Return the handler of the action Merge."""
    return (Step("Merge", None, Stage.MAIN, merge),)


def merge(context: ExecutionContext) -> None:
    """Merge the record `Subordinate` into the record `Target`, which gets the values of `UpdateContent`.

    Raises:
        InvalidOperation: records of the table are not merged (0x80040800).
        InvalidArgument: the two are the same (0x80045305), one is inactive (0x80045304), the target is below the other
            (0x80045300), or, where that is to be checked, their parents differ (0x80045316, 0x80045317).
        RecordNotFound: one does not exist.
    """
    system, parameters = context.system, context.parameters
    target, subordinate = (_named(parameters.get(name), name) for name in ("Target", "Subordinate"))
    table = system.catalog.tables[target.table]
    if "merged" not in table.by_name or "masterid" not in table.by_name:
        raise InvalidOperation(
            f"The 'Merge' method does not support entities of type '{table.logical_name}'. "
            "MessageProcessorCache returned MessageProcessor.Empty. ",
            code="0x80040800",
        )
    rows = _checked(system, target, subordinate)
    if parameters.get("PerformParentingChecks") is True:
        _check_parents(*rows)
    for change in _moved(system, target, subordinate):
        system.execute(change, context.caller)
    for relation in _related_anew(system, target, subordinate):
        system.execute(relation, context.caller)
    system.execute(Update(subordinate, {"statecode": _INACTIVE, "merged": True, "masterid": target}), context.caller)
    chosen = _chosen(parameters.get("UpdateContent"), table)
    if chosen:
        system.execute(Update(target, chosen), context.caller)


def _named(value: object, name: str) -> EntityReference:
    found = value.target if isinstance(value, EntityValue) else value
    match found:
        case EntityReference():
            return found
        case KeyReference():
            raise InvalidArgument(f"The parameter '{name}' must name its record by id.")
        case _:
            raise InvalidArgument(f"The parameter '{name}' must name a record.")


def _checked(system: Operations, target: EntityReference, subordinate: EntityReference) -> tuple[Record, Record]:
    """Return both records, which must be different active ones of one table."""
    if target.table != subordinate.table:
        raise InvalidArgument("The records that are merged must be of one table.")
    if target == subordinate:
        text = "Merge cannot be performed on master and sub-entities that are identical."
        raise InvalidArgument(text, code="0x80045305")
    rows = by_id(system, target), by_id(system, subordinate)
    if any(row.get("statecode") for row in rows):
        raise InvalidArgument("Merge cannot be performed on entity that is inactive.", code="0x80045304")
    return rows


def _check_parents(target: Record, subordinate: Record) -> None:
    for name in _PARENTS:
        kept, lost = target.get(name), subordinate.get(name)
        if lost is None or lost == kept:
            continue
        if kept is None:
            raise InvalidArgument("Merge warning: sub-entity might lose parenting", code="0x80045317")
        raise InvalidArgument("Merge warning: sub-entity will be differently parented.", code="0x80045316")


def _moved(system: Operations, target: EntityReference, subordinate: EntityReference) -> Iterator[Update]:
    """Yield what gives the subordinate's records to the target."""
    for navigation in tuple(system.catalog.navigations[target.table].values()):
        if not isinstance(navigation, CollectionNavigation) or not _moves(system, navigation.relationship):
            continue
        child, column = system.catalog.tables[navigation.target], navigation.relationship.referencing_column
        query = QueryExpression(child.logical_name, (child.primary_id,), filter=equals(column, subordinate))
        for row in system.records(query):
            reference = EntityReference(child.logical_name, Guid(str(row[child.primary_id])))
            if reference == target:
                raise InvalidArgument("Merge could create cyclical parenting.", code="0x80045300")
            yield Update(reference, {column: target})


def _related_anew(
    system: Operations, target: EntityReference, subordinate: EntityReference
) -> Iterator[Associate | Disassociate]:
    """Yield what relates the target to the records that the subordinate has many-to-many relations to.

    A relation between the two records ends, and one that both have stays that of the target.
    """
    for navigation in tuple(system.catalog.navigations[target.table].values()):
        if not isinstance(navigation, ManyToManyNavigation):
            continue
        kept = set(_related(system, navigation, target))
        for other in _related(system, navigation, subordinate):
            yield Disassociate(subordinate, navigation.name, other)
            if other not in kept and other != target:
                yield Associate(target, navigation.name, other)


def _related(
    system: Operations, navigation: ManyToManyNavigation, record: EntityReference
) -> tuple[EntityReference, ...]:
    pairs = QueryExpression(
        navigation.relationship.intersect_table, (navigation.far,), filter=equals(navigation.near, record.id)
    )
    found = system.records(pairs)
    return tuple(EntityReference(navigation.target, Guid(str(row[navigation.far]))) for row in found)


def _moves(system: Operations, relationship: OneToMany) -> bool:
    child = system.catalog.tables[relationship.referencing_table]
    column = child.by_name[relationship.referencing_column]
    return (
        relationship.cascade.merge is Cascade.CASCADE
        and child.kind is TableKind.STANDARD
        and isinstance(column.type, LookupType)
    )


def _chosen(value: object, table: Table) -> Record:
    """Return the values for the target: those of columns that a caller may change."""
    if value is None or isinstance(value, EntityReference | KeyReference):
        return {}
    if not isinstance(value, EntityValue) or value.table != table.logical_name:
        raise InvalidArgument("The parameter 'UpdateContent' must be a record of the table that is merged.")
    if "ownerid" in value.record:
        raise InvalidArgument("A merge gives the record to no other owner: 'ownerid' in 'UpdateContent'.")
    return {name: chosen for name, chosen in value.record.items() if table.by_name[name].valid_for_update}
