"""The texts of a FetchXML condition as the values that its operator takes.

FetchXML writes every value as text (Learn: "Condition operators"): GUIDs with or without braces, yes/no as 1 or true,
date-times with or without time and zone, options by number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final

from entities.errors import InvalidArgument, MalformedRequest
from entities.hierarchy import HIERARCHICAL
from entities.metadata.columns import Column, DateTimeType, MultiChoiceType
from entities.query import ConditionOperator
from entities.relative.periods import DATE_OPERATORS, operands
from entities.values import ChoiceSet, Guid, Value, guid
from odata_server.bind.coerce import INT32, INT64, day, is_date_only, moment
from odata_server.edm.naming import WEB_API_ALIAS, edm_type

UNSUPPORTED_OPERATOR: Final = "0x80041120"
BAD_CONDITION: Final = "0x80041106"

_NOT_FETCH: Final = frozenset({ConditionOperator.CONTAINS, ConditionOperator.NOT_CONTAINS, ConditionOperator.HAS})
"""OData's alone."""

_ANY_NUMBER: Final = frozenset(
    {
        ConditionOperator.IN,
        ConditionOperator.NOT_IN,
        ConditionOperator.CONTAIN_VALUES,
        ConditionOperator.NOT_CONTAIN_VALUES,
    }
)
_COUNTS: Final[Mapping[ConditionOperator, int]] = {
    **{operator: operands(operator) for operator in DATE_OPERATORS},
    ConditionOperator.NULL: 0,
    ConditionOperator.NOT_NULL: 0,
    ConditionOperator.EQUAL_USER: 0,
    ConditionOperator.NOT_EQUAL_USER: 0,
    ConditionOperator.EQUAL_USER_TEAMS: 0,
    ConditionOperator.EQUAL_USER_OR_TEAMS: 0,
    ConditionOperator.EQUAL_USER_OR_HIERARCHY: 0,
    ConditionOperator.EQUAL_USER_OR_HIERARCHY_AND_TEAMS: 0,
    ConditionOperator.EQUAL_BUSINESS: 0,
    ConditionOperator.NOT_EQUAL_BUSINESS: 0,
    ConditionOperator.EQUAL_USER_LANGUAGE: 0,
    ConditionOperator.BETWEEN: 2,
    ConditionOperator.NOT_BETWEEN: 2,
}
WITH_WILDCARDS: Final = frozenset(
    {
        ConditionOperator.LIKE,
        ConditionOperator.NOT_LIKE,
        ConditionOperator.BEGINS_WITH,
        ConditionOperator.NOT_BEGINS_WITH,
        ConditionOperator.ENDS_WITH,
        ConditionOperator.NOT_ENDS_WITH,
    }
)
"""Operators on text; they read wildcards, `eq` does not (Learn: "Use wildcard characters in conditions")."""

_DAYS: Final = frozenset({ConditionOperator.ON, ConditionOperator.ON_OR_AFTER, ConditionOperator.ON_OR_BEFORE})
_OPTIONS: Final = frozenset({ConditionOperator.CONTAIN_VALUES, ConditionOperator.NOT_CONTAIN_VALUES})
_INTEGER: Final = re.compile(r"[+-]?\d{1,19}\Z", re.ASCII)
_LOCAL: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,12})?\Z", re.ASCII)
_FLAGS: Final[Mapping[str, bool]] = {"1": True, "true": True, "0": False, "false": False}
_MOST_DIGITS: Final = 30


def operator_named(name: str) -> ConditionOperator:
    """Return the operator of a FetchXML name.

    Raises:
        MalformedRequest: there is none.
    """
    try:
        found = ConditionOperator(name)
    except ValueError:
        found = None
    if found is None or found in _NOT_FETCH:
        raise MalformedRequest(f"Unsupported condition operator. '{name}'", code=UNSUPPORTED_OPERATOR)
    return found


def condition_values(
    operator: ConditionOperator, texts: tuple[str, ...], column: Column, entity: str
) -> tuple[Value, ...]:
    """Return the values of a condition.

    Args:
        operator: what is asked.
        texts: the values as written.
        column: the column they are compared with.
        entity: the column's table, for refusals.

    Raises:
        MalformedRequest: the operator takes another number of values, or another kind of column.
        InvalidArgument: a text is no value of the column.
    """
    wanted = _COUNTS.get(operator, 1)
    if operator in _ANY_NUMBER:
        if not texts:
            raise _bad(operator, column, entity, "needs at least one value")
    elif wanted == 0:
        return ()
    elif len(texts) != wanted:
        raise _bad(operator, column, entity, f"takes {wanted} value{'s' if wanted > 1 else ''}")
    read = _reader(operator, column, entity)
    return tuple(read(text.strip() if read is not _as_text else text, column, entity) for text in texts)


_Read = Callable[[str, Column, str], Value]


def _reader(operator: ConditionOperator, column: Column, entity: str) -> _Read:
    if operator in WITH_WILDCARDS:
        if edm_type(column.type) != "Edm.String" or isinstance(column.type, MultiChoiceType):
            raise _bad(operator, column, entity, "needs a column of text")
        return _as_text
    if operator in _DAYS:
        return _as_day
    if operator in DATE_OPERATORS or operator in _OPTIONS:
        return _as_int32
    if operator in HIERARCHICAL:
        return _as_guid
    return _as_choices if isinstance(column.type, MultiChoiceType) else _READERS[edm_type(column.type)]


def _bad(operator: ConditionOperator, column: Column, entity: str, why: str) -> MalformedRequest:
    return MalformedRequest(
        f"Incorrect filter condition or conditions. The operator '{operator.value}' {why}; it stands on "
        f"'{entity}.{column.logical_name}'.",
        code=BAD_CONDITION,
    )


def _refused(text: str, column: Column, entity: str, type_name: str) -> InvalidArgument:
    return InvalidArgument(
        f"An exception System.FormatException was thrown while trying to convert input value '{text[:200]}' to"
        f" attribute '{entity}.{column.logical_name}'. Expected type of attribute value: {type_name}."
    )


def _as_text(text: str, column: Column, entity: str) -> Value:
    del column, entity
    return text


def _as_int32(text: str, column: Column, entity: str) -> Value:
    number = int(text) if _INTEGER.match(text) else INT32
    if not -INT32 <= number < INT32:
        raise _refused(text, column, entity, "System.Int32")
    return number


def _as_int64(text: str, column: Column, entity: str) -> Value:
    number = int(text) if _INTEGER.match(text) else INT64
    if not -INT64 <= number < INT64:
        raise _refused(text, column, entity, "System.Int64")
    return number


def _as_decimal(text: str, column: Column, entity: str) -> Value:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # A bound beyond every column's range would only cost memory when it is scaled.
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise _refused(text, column, entity, "System.Decimal")
    return number


def _as_double(text: str, column: Column, entity: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise _refused(text, column, entity, "System.Double")
    return number


def _as_boolean(text: str, column: Column, entity: str) -> Value:
    found = _FLAGS.get(text.lower())
    if found is None:
        raise _refused(text, column, entity, "System.Boolean")
    return found


def _as_guid(text: str, column: Column, entity: str) -> Guid:
    bare = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    found = guid(bare)
    if found is None:
        raise _refused(text, column, entity, "System.Guid")
    return found


def _as_moment(text: str, column: Column, entity: str) -> Value:
    found = _moment(text)
    if found is None:
        raise _refused(text, column, entity, "System.DateTime")
    if isinstance(found, datetime):
        return found
    only = isinstance(column.type, DateTimeType) and is_date_only(column.type)
    return found if only else datetime.combine(found, time(), UTC)


def _as_date(text: str, column: Column, entity: str) -> Value:
    found = _moment(text)
    if found is None:
        raise _refused(text, column, entity, "System.DateTime")
    return found.date() if isinstance(found, datetime) else found


def _as_day(text: str, column: Column, entity: str) -> Value:
    """Return a day as it was written: an instant's day depends on the caller's clock."""
    found = _moment(text)
    if found is None:
        raise _refused(text, column, entity, "System.DateTime")
    return found


def _moment(text: str) -> date | datetime | None:
    """Return a date, or an instant (UTC where no zone is written)."""
    found = day(text)
    if found is not None:
        return found
    local = _LOCAL.match(text)
    return moment(f"{local[1]}T{local[2]}Z") if local else moment(text)


def _as_choices(text: str, column: Column, entity: str) -> Value:
    parts = [part.strip() for part in text.split(",")]
    if not all(_INTEGER.match(part) for part in parts):
        raise _refused(text, column, entity, "Microsoft.Xrm.Sdk.OptionSetValueCollection")
    return ChoiceSet(tuple(sorted({int(part) for part in parts})))


def _as_binary(text: str, column: Column, entity: str) -> Value:
    raise _refused(text, column, entity, "System.Byte[]")


_READERS: Final[Mapping[str, _Read]] = {
    "Edm.String": _as_text,
    "Edm.Int32": _as_int32,
    "Edm.Int64": _as_int64,
    "Edm.Decimal": _as_decimal,
    "Edm.Double": _as_double,
    "Edm.Boolean": _as_boolean,
    f"{WEB_API_ALIAS}.BooleanManagedProperty": _as_boolean,
    "Edm.Guid": _as_guid,
    "Edm.DateTimeOffset": _as_moment,
    "Edm.Date": _as_date,
    "Edm.Binary": _as_binary,
}
