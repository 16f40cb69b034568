"""BulkDelete: a job that deletes the records of queries in the background (Learn: "Delete data in bulk").

The queries come as the complex type QueryExpression; the job keeps them as FetchXML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, tostring

from entities.errors import InvalidArgument, NotSupported
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.system_jobs import SystemJob, queue

BULK_DELETION = "bulk deletion"
_OPERATION_TYPE = 13
_LONGEST_NAME = 256

_OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "Equal": "eq",
        "NotEqual": "ne",
        "GreaterThan": "gt",
        "LessThan": "lt",
        "GreaterEqual": "ge",
        "LessEqual": "le",
        "Like": "like",
        "NotLike": "not-like",
        "In": "in",
        "NotIn": "not-in",
        "Between": "between",
        "NotBetween": "not-between",
        "Null": "null",
        "NotNull": "not-null",
        "BeginsWith": "begins-with",
        "DoesNotBeginWith": "not-begin-with",
        "EndsWith": "ends-with",
        "DoesNotEndWith": "not-end-with",
        "On": "on",
        "OnOrBefore": "on-or-before",
        "OnOrAfter": "on-or-after",
        "Yesterday": "yesterday",
        "Today": "today",
        "Tomorrow": "tomorrow",
        "Last7Days": "last-seven-days",
        "LastWeek": "last-week",
        "ThisWeek": "this-week",
        "LastMonth": "last-month",
        "ThisMonth": "this-month",
        "LastYear": "last-year",
        "ThisYear": "this-year",
        "LastXHours": "last-x-hours",
        "LastXDays": "last-x-days",
        "LastXWeeks": "last-x-weeks",
        "LastXMonths": "last-x-months",
        "LastXYears": "last-x-years",
        "OlderThanXDays": "olderthan-x-days",
        "OlderThanXMonths": "olderthan-x-months",
        "OlderThanXYears": "olderthan-x-years",
        "EqualUserId": "eq-userid",
        "NotEqualUserId": "ne-userid",
        "EqualBusinessId": "eq-businessid",
        "NotEqualBusinessId": "ne-businessid",
    }
)
_LISTED = frozenset({"In", "NotIn", "Between", "NotBetween"})
_NOT_THERE = ("LinkEntities", "SubQueryExpression")


def bulk_deletion_steps() -> tuple[Step, ...]:
    """Return the handler of the action."""
    return (Step("BulkDelete", None, Stage.MAIN, bulk_delete),)


def bulk_delete(context: ExecutionContext) -> None:
    """Queue a job that deletes what its queries select, as the caller.

    Raises:
        InvalidArgument: there is no query, or one of another form, or the name is missing or too long.
        NotSupported: the job is to run again and again, or a query has links.
    """
    given = context.parameters
    queries = given.get("QuerySet")
    if not isinstance(queries, list) or not queries:
        raise InvalidArgument("The parameter 'QuerySet' of BulkDelete holds no queries.")
    name = str(given["JobName"])
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InvalidArgument("The parameter 'JobName' of BulkDelete must be a text of up to 256 characters.")
    if given["RecurrencePattern"]:
        raise NotSupported("A bulk deletion that recurs (RecurrencePattern) is not supported yet.")
    payload = {"queries": [kept(context, query) for query in queries], "user": context.caller.user_id}
    start = given["StartDateTime"]
    is_later = isinstance(start, datetime) and start > context.system.now and not given.get("RunNow")
    job = SystemJob(name, "BulkDelete", _OPERATION_TYPE)
    due = start if is_later and isinstance(start, datetime) else None
    context.result = {"JobId": queue(context, BULK_DELETION, payload, job, due)}


def kept(context: ExecutionContext, query: object) -> dict[str, str]:
    """Return a QueryExpression as the job keeps it: its table, and FetchXML that selects ids.

    Raises:
        InvalidArgument: it is no QueryExpression, or names a table that is not there.
        NotSupported: it has links or an operator that is not there.
    """
    members = _mapping(query, "QuerySet")
    table = context.system.catalog.tables.get(str(members.get("EntityName")))
    if table is None:
        raise InvalidArgument(
            f"The entity with a name = '{members.get('EntityName')}' with namemapping = 'Logical' was not found in the "
            "MetadataCache.",
            code="0x80041102",
        )
    for name in _NOT_THERE:
        if members.get(name):
            raise NotSupported(f"A bulk deletion whose query has {name} is not supported yet.")
    root = Element("fetch")
    entity = SubElement(root, "entity", name=table.logical_name)
    SubElement(entity, "attribute", name=table.primary_id)
    if members.get("Criteria") is not None:
        _add_filter(entity, _mapping(members["Criteria"], "Criteria"))
    return {"table": table.logical_name, "fetch": tostring(root, encoding="unicode")}


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"'{name}' of a QueryExpression has another form.")
    return value


def _items(members: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    found = members.get(name) or []
    if not isinstance(found, list):
        raise InvalidArgument(f"'{name}' of a QueryExpression has another form.")
    for item in found:
        yield _mapping(item, name)


def _add_filter(parent: Element, criteria: Mapping[str, object]) -> None:
    operator = str(criteria.get("FilterOperator", "And"))
    if operator not in {"And", "Or"}:
        raise InvalidArgument(f"'{operator}' is not a member of the enumeration LogicalOperator.")
    added = SubElement(parent, "filter", type=operator.lower())
    for condition in _items(criteria, "Conditions"):
        _add_condition(added, condition)
    for inner in _items(criteria, "Filters"):
        _add_filter(added, inner)


def _add_condition(parent: Element, condition: Mapping[str, object]) -> None:
    name = str(condition.get("Operator"))
    if name not in _OPERATORS:
        raise NotSupported(f"A bulk deletion with the condition operator '{name}' is not supported yet.")
    given = condition.get("Values") or []
    if not isinstance(given, list):
        raise InvalidArgument("'Values' of a QueryExpression has another form.")
    values = [_text(item.get("Value") if isinstance(item, Mapping) else item) for item in given]
    added = SubElement(parent, "condition", attribute=str(condition.get("AttributeName")), operator=_OPERATORS[name])
    if name in _LISTED:
        for value in values:
            SubElement(added, "value").text = value
    elif values:
        added.set("value", values[0])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
