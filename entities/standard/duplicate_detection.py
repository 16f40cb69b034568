"""Duplicates of a record: refused when it is written, where that was asked for, and told by RetrieveDuplicates.

Learn: "Detect duplicate data using the Web API", "Run duplicate detection", "Enable and disable duplicate detection".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from entities.errors import DuplicateRecordsFound, InvalidArgument
from entities.messages import Create, RetrieveMultiple, Rows, Update
from entities.metadata.tables import Table, TableKind
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import ColumnRef, Condition, ConditionOperator, Filter, QueryExpression, both, equals
from entities.standard.duplicate_matching import DetectionRule, RuleCondition, duplicates_query, is_duplicate
from entities.standard.duplicate_tables import CONDITION, RULE, MatchOperator, RuleStatus
from entities.standard.lookups import by_id, first, named_record
from entities.values import EntityReference, EntityValue, Guid, Record

MOST_FOUND: Final = 5_000
"""More duplicates are not told (Learn: "Run duplicate detection")."""

_ENABLED: Final = "isduplicatedetectionenabled"
_ON_WRITING: Final = "isduplicatedetectionenabledforonlinecreateupdate"
_LAST_RANK: Final = 1_000
_OPERATORS: Final[Mapping[object, MatchOperator]] = {operator.value: operator for operator in MatchOperator}


def detection_steps() -> tuple[Step, ...]:
    """Return the check of written records, behind all rules that change them, and the function's handler."""
    return (
        Step("Create", None, Stage.PRE_OPERATION, refuse_duplicate, _LAST_RANK),
        Step("Update", None, Stage.PRE_OPERATION, refuse_duplicate, _LAST_RANK),
        Step("RetrieveDuplicates", None, Stage.MAIN, retrieve_duplicates),
    )


def refuse_duplicate(context: ExecutionContext) -> None:
    """Refuse a record that is going to be a duplicate, where the message asks for it.

    The published rules of the whole organization count, whatever the caller may read.

    Raises:
        DuplicateRecordsFound: a published rule finds a duplicate.
    """
    message = context.message
    if not isinstance(message, Create | Update) or not message.detects_duplicates:
        return
    own, system = context.reference, context.system
    assert own is not None
    if not is_enabled(system, _ON_WRITING):
        return
    record = {**(context.pre_image or {}), **context.record}
    for rule in published_rules(system, own.table):
        if next(duplicates(system, rule, record, own), None) is not None:
            raise DuplicateRecordsFound(
                "A record was not created or updated because a duplicate of the current record already exists."
            )


def retrieve_duplicates(context: ExecutionContext) -> None:
    """Answer with the records of the table `MatchingEntityName` that are duplicates of `BusinessEntity`.

    A record that is named gets the values that are given with it; one without a name is one that is not there yet.

    Raises:
        InvalidArgument: the record is none of a table with duplicates, or the page is none.
        RecordNotFound: there is no such record.
    """
    system, parameters = context.system, context.parameters
    check_enabled(system)
    given, matching = parameters["BusinessEntity"], str(parameters["MatchingEntityName"])
    values: Record = given.record if isinstance(given, EntityValue) else {}
    is_stored = not isinstance(given, EntityValue) or given.target is not None
    own = named_record(system, given, "BusinessEntity") if is_stored else None
    base = given.table if isinstance(given, EntityValue) else _table_of(own)
    key = check_detectable(system, matching).primary_id
    check_detectable(system, base)
    record = {**(by_id(system, own) if own else {}), **values}
    ids: dict[Guid, None] = {}
    for rule in published_rules(system, base, matching):
        ids.update(dict.fromkeys(duplicates(system, rule, record, own)))
    number, size = _page(parameters.get("PagingInfo"))
    wanted = Condition(ColumnRef(key), ConditionOperator.IN, tuple(ids))
    readable = system.execute_as(
        RetrieveMultiple(QueryExpression(matching, (key,), filter=wanted)), context.caller.user_id
    )
    assert isinstance(readable, Rows)
    page = tuple(Guid(str(row[key])) for row in readable.records[(number - 1) * size : number * size])
    shown = Condition(ColumnRef(key), ConditionOperator.IN, page)
    context.result = {"value": QueryExpression(matching, filter=shown)}


def _table_of(reference: EntityReference | None) -> str:
    return "" if reference is None else reference.table


def _page(info: object) -> tuple[int, int]:
    """Return the number of a page, from 1, and the number of records on it."""
    given: Mapping[str, object] = info if isinstance(info, Mapping) else {}
    page, size = given.get("PageNumber"), given.get("Count")
    number, count = (default if value is None else value for value, default in ((page, 1), (size, MOST_FOUND)))
    if not isinstance(number, int) or not isinstance(count, int) or number < 1 or not 0 <= count <= MOST_FOUND:
        raise InvalidArgument(
            f"'PagingInfo' must have a PageNumber from 1 and a Count of up to {MOST_FOUND}.", code="0x80040203"
        )
    return number, count or MOST_FOUND


def duplicates(system: Operations, rule: DetectionRule, record: Record, own: EntityReference | None) -> Iterator[Guid]:
    """Yield the ids of the records that a rule finds to be duplicates of a record, which may be stored or not."""
    query = duplicates_query(rule, record, own, system.catalog)
    if query is None:
        return
    key = system.catalog.tables[rule.matching_table].primary_id
    for found in system.records(query):
        if is_duplicate(rule, record, found, system.catalog):
            yield Guid(str(found[key]))


def published_rules(
    system: Operations, base_table: str | None, matching_table: str | None = None
) -> tuple[DetectionRule, ...]:
    """Return the published rules about records of a table.

    Args:
        system: the transaction's operations.
        base_table: the table whose records are looked at; None: any.
        matching_table: the table whose records would be duplicates; None: any.
    """
    about: Filter = equals("statuscode", RuleStatus.PUBLISHED.value)
    for column, table in (("baseentityname", base_table), ("matchingentityname", matching_table)):
        if table is not None:
            about = both(about, equals(column, table))
    rules = system.records(QueryExpression(RULE, filter=about))
    if not rules:
        return ()
    ids = tuple(Guid(str(rule["duplicateruleid"])) for rule in rules)
    theirs = Condition(ColumnRef("regardingobjectid"), ConditionOperator.IN, ids)
    conditions: dict[Guid, list[RuleCondition]] = {}
    for row in system.records(QueryExpression(CONDITION, filter=theirs)):
        parent = row["regardingobjectid"]
        assert isinstance(parent, EntityReference)
        conditions.setdefault(parent.id, []).append(condition_of(row))
    return tuple(
        _rule(row, identifier, tuple(conditions.get(identifier, ())))
        for row, identifier in zip(rules, ids, strict=True)
    )


def _rule(row: Record, identifier: Guid, conditions: tuple[RuleCondition, ...]) -> DetectionRule:
    return DetectionRule(
        identifier,
        str(row["baseentityname"]),
        str(row["matchingentityname"]),
        row["iscasesensitive"] is True,
        row["excludeinactiverecords"] is True,
        conditions,
    )


def condition_of(row: Record) -> RuleCondition:
    """Return the condition that a row of the table of conditions describes.

    Raises:
        InvalidArgument: there is no such operator (0x80048415).
    """
    length, operator = row.get("operatorparam"), _OPERATORS.get(row.get("operatorcode") or 0)
    if operator is None:
        raise InvalidArgument("The operator is not valid or it is not supported.", code="0x80048415")
    return RuleCondition(
        str(row["baseattributename"]),
        str(row.get("matchingattributename") or row["baseattributename"]),
        operator,
        length if isinstance(length, int) else None,
        row.get("ignoreblankvalues") is True,
    )


def is_enabled(system: Operations, *settings: str) -> bool:
    """Say whether the organization has duplicates detected, and in all of some further ways."""
    found = system.records(QueryExpression("organization", (_ENABLED, *settings)))
    return bool(found) and all(found[0][setting] is True for setting in (_ENABLED, *settings))


def check_enabled(system: Operations) -> None:
    """Refuse to look for duplicates where the organization does not have them detected.

    Raises:
        InvalidArgument: it does not (0x80048412).
    """
    if not is_enabled(system):
        raise InvalidArgument(
            "Duplicate detection is not enabled. To enable duplicate detection, click Settings, click Data Management,"
            " and then click Duplicate Detection Settings.",
            code="0x80048412",
        )


def check_detectable(system: Operations, name: str) -> Table:
    """Return a table, whose records may have duplicates.

    Raises:
        InvalidArgument: there is no such table (0x80041102), or duplicates of its records are not detected: virtual
            tables and those of relations (0x80048410).
    """
    table = system.catalog.tables.get(name)
    if table is None:
        raise InvalidArgument(
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code="0x80041102",
        )
    if table.kind is not TableKind.STANDARD:
        raise InvalidArgument("Duplicate detection is not supported on this record type.", code="0x80048410")
    return table


def has_published(system: Operations, table: str) -> bool:
    """Say whether there is a published rule about records of a table."""
    about = both(equals("baseentityname", table), equals("statuscode", RuleStatus.PUBLISHED.value))
    return first(system, RULE, about, "duplicateruleid") is not None
