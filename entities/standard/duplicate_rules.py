"""Rules of duplicate detection: what they may say, and how they are published (Learn: "Duplicate rule tables").

```
unpublished ──PublishDuplicateRule──▶ publishing ──job──▶ published
     ▲                                                       │
     └────────────────UnpublishDuplicateRule─────────────────┘
```

Only an unpublished rule and its conditions change.
"""

from __future__ import annotations

from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Update
from entities.metadata.columns import BooleanType, Column, DateTimeType, StringType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Handler, Operations, Stage, Step
from entities.query import And, ColumnRef, Condition, ConditionOperator, QueryExpression, equals
from entities.standard.duplicate_detection import check_detectable, check_enabled, condition_of
from entities.standard.duplicate_matching import COMPARED, OPTIONS, TEXT, RuleCondition
from entities.standard.duplicate_tables import CONDITION, RULE, MatchOperator, RuleStatus
from entities.standard.identifiers import system_user_id
from entities.standard.lookups import by_id
from entities.standard.system_jobs import JOB_TABLE, SystemJob, queue
from entities.values import EntityReference, Guid, Record, Value

RULE_PUBLICATION: Final = "duplicate rule publication"
MOST_PUBLISHED: Final = 5
"""So many rules of one table may be published at a time (Learn: "Duplicate rule tables")."""

_OPERATION_TYPE: Final = 7
_LONGEST_MATCH_CODE: Final = 450
"""The characters that all conditions of a rule may compare together."""
_LENGTH_OF_NO_TEXT: Final = 20


def duplicate_rule_steps(organization_id: Guid) -> tuple[Step, ...]:
    """Return the steps of rules and conditions, and the handlers of the actions on rules.

    Args:
        organization_id: the environment's organization; what its user SYSTEM does is not checked.
    """
    system = system_user_id(organization_id)

    def unless_system(check: Handler) -> Handler:
        return lambda context: None if context.caller.user_id == system else check(context)

    return (
        Step("Create", RULE, Stage.PRE_OPERATION, complete_rule),
        Step("Create", RULE, Stage.PRE_OPERATION, unless_system(refuse_status)),
        Step("Update", RULE, Stage.PRE_OPERATION, unless_system(refuse_status)),
        Step("Update", RULE, Stage.PRE_OPERATION, unless_system(check_unpublished)),
        Step("Delete", RULE, Stage.PRE_OPERATION, unless_system(check_unpublished)),
        Step("Create", CONDITION, Stage.PRE_OPERATION, unless_system(check_rule_of_condition)),
        Step("Create", CONDITION, Stage.PRE_OPERATION, complete_condition),
        Step("Update", CONDITION, Stage.PRE_OPERATION, unless_system(check_rule_of_condition)),
        Step("Update", CONDITION, Stage.PRE_OPERATION, complete_condition),
        Step("Delete", CONDITION, Stage.PRE_OPERATION, unless_system(check_rule_of_condition)),
        Step("PublishDuplicateRule", RULE, Stage.MAIN, lambda context: publish(context, system)),
        Step("UnpublishDuplicateRule", None, Stage.MAIN, lambda context: unpublish(context, system)),
    )


def complete_rule(context: ExecutionContext) -> None:
    """Complete a new rule: without a matching table, duplicates are records of the same one.

    Raises:
        InvalidArgument: a table is unknown or none whose duplicates are detected.
    """
    record = context.record
    base = check_detectable(context.system, str(record.get("baseentityname") or ""))
    matching = check_detectable(context.system, str(record.get("matchingentityname") or base.logical_name))
    record["baseentityname"], record["baseentitytypecode"] = base.logical_name, base.object_type_code
    record["matchingentityname"], record["matchingentitytypecode"] = matching.logical_name, matching.object_type_code


def refuse_status(context: ExecutionContext) -> None:
    """Refuse to publish a rule by its columns: that takes the action.

    Raises:
        InvalidArgument: the state or its reason is to change (0x80048408).
    """
    before: Record = context.pre_image or {"statecode": 0, "statuscode": RuleStatus.UNPUBLISHED.value}
    if any(context.record.get(name, value) != value for name, value in before.items() if name in _STATUS):
        raise InvalidArgument(
            "State code is invalid or state code is valid but status code is invalid for a specified state code.",
            code="0x80048408",
        )


_STATUS: Final = ("statecode", "statuscode")


def check_unpublished(context: ExecutionContext) -> None:
    """Refuse to change or delete a rule that is published, or about to be.

    Raises:
        InvalidArgument: it is (0x80048428).
    """
    if context.pre_image is not None:
        _check_unpublished(context.pre_image)


def _check_unpublished(rule: Record) -> None:
    if rule["statuscode"] != RuleStatus.UNPUBLISHED:
        raise InvalidArgument(
            "The duplicate detection rule is currently in use and cannot be updated or deleted. Please try again"
            " later.",
            code="0x80048428",
        )


def check_rule_of_condition(context: ExecutionContext) -> None:
    """Refuse a condition without a rule, and a change of the conditions of a rule that is published.

    Raises:
        InvalidArgument: there is no rule, or it is published (0x80048428).
    """
    _check_unpublished(_rule_of({**(context.pre_image or {}), **context.record}, context.system))


def _rule_of(condition: Record, system: Operations) -> Record:
    rule = condition.get("regardingobjectid")
    if not isinstance(rule, EntityReference):
        raise InvalidArgument("A condition must have its rule: 'regardingobjectid' is missing.", code="0x80040203")
    return by_id(system, rule)


def complete_condition(context: ExecutionContext) -> None:
    """Complete a condition: whose it is, and which column of the matching table it compares.

    Raises:
        InvalidArgument: a column is unknown (0x80041103) or cannot be compared (0x80048430), the operator does not fit
            the columns (0x80048415), or the rule would compare too much text (0x80048429).
    """
    record, system = context.record, context.system
    whole: dict[str, Value] = {**(context.pre_image or {}), **record}
    rule = _rule_of(whole, system)
    if not whole.get("matchingattributename"):
        record["matchingattributename"] = whole["matchingattributename"] = whole.get("baseattributename")
    if context.pre_image is None:
        record["ownerid"] = rule["ownerid"]
        for column in ("owninguser", "owningbusinessunit"):
            owner = rule[column]
            record[column] = owner.id if isinstance(owner, EntityReference) else None
    condition = condition_of(whole)
    base = _column(system.catalog.tables[str(rule["baseentityname"])], condition.base)
    matching = _column(system.catalog.tables[str(rule["matchingentityname"])], condition.matching)
    _check_operator(condition, base, matching)
    _check_length(context, rule, _length(condition, base))


def _column(table: Table, name: str) -> Column:
    column = table.by_name.get(name)
    if column is None:
        raise InvalidArgument(
            f"'{table.logical_name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = "
            "'Logical'.",
            code="0x80041103",
        )
    if not isinstance(column.type, COMPARED):
        raise InvalidArgument(
            "The rule condition cannot be created or updated because duplicate detection is not supported on the data"
            " type of the selected attribute.",
            code="0x80048430",
        )
    return column


def _check_operator(condition: RuleCondition, base: Column, matching: Column) -> None:
    """Check that an operator fits both columns, and has a length where it takes one and only there."""
    takes_length = condition.operator in {MatchOperator.FIRST_CHARACTERS, MatchOperator.LAST_CHARACTERS}
    is_same = _kind(base) is _kind(matching)
    if not is_same or not _fits(condition.operator, base) or takes_length is not (condition.length is not None):
        raise InvalidArgument("The operator is not valid or it is not supported.", code="0x80048415")


def _kind(column: Column) -> type:
    """Return what tells the columns that can be compared: all texts can, and all choices."""
    if isinstance(column.type, TEXT):
        return StringType
    return BooleanType if isinstance(column.type, OPTIONS) else type(column.type)


def _fits(operator: MatchOperator, column: Column) -> bool:
    match operator:
        case MatchOperator.EXACT:
            return True
        case MatchOperator.FIRST_CHARACTERS | MatchOperator.LAST_CHARACTERS:
            return isinstance(column.type, TEXT)
        case MatchOperator.SAME_DATE | MatchOperator.SAME_DATE_AND_TIME:
            return isinstance(column.type, DateTimeType)
        case MatchOperator.PICK_LIST_LABEL | MatchOperator.PICK_LIST_VALUE:
            return isinstance(column.type, OPTIONS)


def _length(condition: RuleCondition, base: Column) -> int:
    if isinstance(base.type, TEXT):
        return condition.length or base.type.max_length
    return _LENGTH_OF_NO_TEXT


def _check_length(context: ExecutionContext, rule: Record, own: int) -> None:
    reference = EntityReference(RULE, Guid(str(rule["duplicateruleid"])))
    mine = context.reference.id if context.reference is not None else None
    columns = context.system.catalog.tables[str(rule["baseentityname"])].by_name
    others = [
        condition_of(row)
        for row in context.system.records(QueryExpression(CONDITION, filter=equals("regardingobjectid", reference)))
        if row["duplicateruleconditionid"] != mine
    ]
    if own + sum(_length(other, columns[other.base]) for other in others) > _LONGEST_MATCH_CODE:
        raise InvalidArgument(
            "The rule condition cannot be created or updated because it would cause the matchcode length to exceed the"
            " maximum limit.",
            code="0x80048429",
        )


def publish(context: ExecutionContext, system_user: Guid) -> None:
    """Queue the job that publishes a rule, and answer with its row.

    Args:
        context: the action on the rule.
        system_user: who sets the status of rules.

    Raises:
        InvalidArgument: it is being published already (0x80048434), has no conditions (0x80048414), or its table has
            as many published rules as it may (0x80048419).
    """
    system, rule = context.system, context.reference
    assert rule is not None
    check_enabled(system)
    row = by_id(system, rule)
    if row["statuscode"] == RuleStatus.PUBLISHING:
        raise InvalidArgument("The selected duplicate detection rule is already being published.", code="0x80048434")
    if not system.records(QueryExpression(CONDITION, filter=equals("regardingobjectid", rule), top=1)):
        raise InvalidArgument(
            "No criteria have been specified. Add criteria, and then publish the duplicate detection rule.",
            code="0x80048414",
        )
    _check_number(system, rule, str(row["baseentityname"]))
    system.execute_as(Update(rule, {"statecode": 0, "statuscode": RuleStatus.PUBLISHING.value}), system_user)
    job = SystemJob(str(row["name"]), "PublishDuplicateRule", _OPERATION_TYPE)
    job_id = queue(context, RULE_PUBLICATION, _work(rule, row), job)
    context.result = {"value": EntityReference(JOB_TABLE, job_id)}


def _work(rule: EntityReference, row: Record) -> dict[str, object]:
    return {"rule": rule.id, "table": row["matchingentityname"]}


def _check_number(system: Operations, rule: EntityReference, table: str) -> None:
    in_use = (RuleStatus.PUBLISHING.value, RuleStatus.PUBLISHED.value)
    others = And(
        (
            equals("baseentityname", table),
            Condition(ColumnRef("statuscode"), ConditionOperator.IN, in_use),
            Condition(ColumnRef("duplicateruleid"), ConditionOperator.NOT_EQUAL, (rule.id,)),
        )
    )
    if len(system.records(QueryExpression(RULE, ("duplicateruleid",), filter=others))) >= MOST_PUBLISHED:
        raise InvalidArgument(
            "The selected record type already has the maximum number of published rules. Unpublish or delete existing"
            " rules for this record type, and then try again.",
            code="0x80048419",
        )


def unpublish(context: ExecutionContext, system_user: Guid) -> None:
    """Unpublish a rule at once; its index goes later.

    Args:
        context: the action.
        system_user: who sets the status of rules.

    Raises:
        InvalidArgument: it is not published (0x80048423).
        RecordNotFound: there is no such rule.
    """
    rule = EntityReference(RULE, Guid(str(context.parameters["DuplicateRuleId"])))
    row = by_id(context.system, rule)
    if row["statuscode"] != RuleStatus.PUBLISHED:
        raise InvalidArgument(
            "One or more rules cannot be unpublished, either because they are in the process of being published, or are"
            " in a state where they cannot be unpublished.",
            code="0x80048423",
        )
    unpublished = Update(rule, {"statecode": 0, "statuscode": RuleStatus.UNPUBLISHED.value})
    context.system.execute_as(unpublished, system_user)
    context.system.enqueue(RULE_PUBLICATION, _work(rule, row))
