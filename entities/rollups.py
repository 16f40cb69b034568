"""Rollup columns: is a definition sound, and which query gives its value? (Learn: "Define rollup columns")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from entities.errors import InvalidArgument
from entities.hierarchy import HIERARCHICAL
from entities.metadata.columns import (
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    IntegerType,
    LookupType,
    MoneyType,
    Rollup,
    RollupCondition,
    StateType,
    StatusType,
    StringType,
)
from entities.metadata.tables import Table
from entities.query import (
    Aggregate,
    AggregateFunction,
    And,
    ColumnRef,
    Condition,
    ConditionOperator,
    Filter,
    QueryExpression,
)
from entities.relative import RELATIVE
from entities.values import Guid, Value, guid

VALUE = "value"
"""The name of the aggregate in the answer of `rollup_query`."""

_FUNCTIONS: Mapping[str, AggregateFunction] = {
    "SUM": AggregateFunction.SUM,
    "COUNT": AggregateFunction.COUNT,
    "MIN": AggregateFunction.MINIMUM,
    "MAX": AggregateFunction.MAXIMUM,
    "AVG": AggregateFunction.AVERAGE,
}
_OF_NUMBERS = ("SUM", "AVG")
_NO_VALUES = (ConditionOperator.NULL, ConditionOperator.NOT_NULL)
_LISTED = (ConditionOperator.IN, ConditionOperator.NOT_IN)
_PAIRED = (ConditionOperator.BETWEEN, ConditionOperator.NOT_BETWEEN)


def check_rollups(tables: Mapping[str, Table], table: Table) -> None:
    """Check the definitions of all rollup columns of a table.

    Args:
        tables: all tables by name, with this one.
        table: the table.

    Raises:
        InvalidArgument: a definition names what is not there, or aggregates what cannot be.
    """
    for column in table.columns:
        if column.rollup is not None:
            _check(tables, table, column, column.rollup)


def _check(tables: Mapping[str, Table], table: Table, column: Column, rollup: Rollup) -> None:
    if not isinstance(column.type, IntegerType | DecimalType | MoneyType | DateTimeType):
        raise _refused(f"The {_shown(column.type)} data type isn't valid for the rollup field.", "0x8006053e")
    if rollup.function not in _FUNCTIONS:
        raise _refused(f"The aggregate function {rollup.function} isn't allowed.", "0x80060546")
    related = tables.get(rollup.table)
    if related is None or related.source is not None:
        raise _refused(f"Related entity {rollup.table} is not allowed for rollups.", "0x80060552")
    if related is table or related.logical_name == table.logical_name:
        raise _refused("Self referential 1:N relationships are not allowed for the rollup field.", "0x80060551")
    if not _points_to(related, rollup.lookup, table.logical_name):
        raise _refused(
            f"1:N relationship {rollup.lookup} from the source entity {table.logical_name} to the related entity"
            f" {related.logical_name} doesn't exist.",
            "0x80060534",
        )
    if rollup.hierarchy and not _points_to(table, rollup.hierarchy, table.logical_name):
        raise _refused(f"The source entity {table.logical_name} hierarchy doesn't exist.", "0x80060535")
    _check_aggregated(related, column, rollup)
    for condition in rollup.conditions:
        condition_of(related, condition)


def _points_to(table: Table, lookup: str, target: str) -> bool:
    column = table.by_name.get(lookup)
    return column is not None and isinstance(column.type, LookupType) and target in column.type.targets


def _check_aggregated(related: Table, column: Column, rollup: Rollup) -> None:
    if rollup.function == "COUNT":
        if not isinstance(column.type, IntegerType):
            raise _mismatch(rollup.function, column.type)
        return
    aggregated = related.by_name.get(rollup.column)
    if aggregated is None:
        raise _refused(
            f"The aggregated field {rollup.column} doesn't belong to the related entity {related.logical_name}.",
            "0x80060540",
        )
    if aggregated.rollup is not None or "." in aggregated.formula:
        raise _refused("The aggregated field must be either a simple field or a basic calculated field.", "0x8006053c")
    if isinstance(aggregated.type, DateTimeType):
        if rollup.function in _OF_NUMBERS or not isinstance(column.type, DateTimeType):
            raise _mismatch(rollup.function, aggregated.type)
        if aggregated.type.behavior is not column.type.behavior:
            raise _mismatch(rollup.function, aggregated.type)
    elif not isinstance(aggregated.type, IntegerType | DecimalType | MoneyType):
        raise _mismatch(rollup.function, aggregated.type)
    elif isinstance(column.type, DateTimeType) or _is_finer(aggregated.type, column.type):
        raise _refused(
            f"The {_shown(aggregated.type)} data type isn't allowed for the aggregated field when the rollup field is a"
            f" {_shown(column.type)} data type.",
            "0x8006053d",
        )


def _is_finer(aggregated: ColumnType, kept: ColumnType) -> bool:
    """Say whether a whole-number column is to keep amounts or decimal numbers."""
    return isinstance(kept, IntegerType) and not isinstance(aggregated, IntegerType)


def _mismatch(function: str, type_: ColumnType) -> InvalidArgument:
    return _refused(
        f"The {_shown(type_)} data type isn't allowed for the aggregated field when the aggregate function is"
        f" {function}.",
        "0x8006053a",
    )


def _shown(type_: ColumnType) -> str:
    return type(type_).__name__.removesuffix("Type")


def _refused(message: str, code: str) -> InvalidArgument:
    return InvalidArgument(message, code=code)


def condition_of(table: Table, condition: RollupCondition) -> Condition:
    """Return a condition of a rollup column as a query has it.

    Raises:
        InvalidArgument: the column or the operator is not there, or a value is not of the column's type (0x80060539).
    """
    column = table.by_name.get(condition.column)
    try:
        operator = ConditionOperator(condition.operator)
        if column is None or column.rollup is not None or operator in RELATIVE or operator in HIERARCHICAL:
            raise _invalid(table, condition)
        values = tuple(_typed(column.type, text) for text in condition.values)
    except (ValueError, InvalidOperation) as error:
        raise _invalid(table, condition) from error
    if operator not in _LISTED and len(values) != (0 if operator in _NO_VALUES else 2 if operator in _PAIRED else 1):
        raise _invalid(table, condition)
    return Condition(ColumnRef(column.logical_name), operator, values)


def _invalid(table: Table, condition: RollupCondition) -> InvalidArgument:
    shown = " ".join((condition.column, condition.operator, *condition.values))
    return _refused(f"The related entity {table.logical_name} filter condition {shown} isn't valid.", "0x80060539")


def _typed(type_: ColumnType, text: str) -> Value:
    """Return a value of a column's type.

    Raises:
        ValueError: the text is none, or columns of the type are not filtered.
        InvalidOperation: it is no number.
    """
    match type_:
        case StringType():
            return text
        case IntegerType() | ChoiceType() | StateType() | StatusType():
            return int(text)
        case DecimalType() | MoneyType():
            return Decimal(text)
        case BooleanType():
            return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), False)
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return date.fromisoformat(text)
        case DateTimeType():
            return datetime.fromisoformat(text).astimezone()
        case LookupType() if (found := guid(text)) is not None:
            return found
        case _:
            raise ValueError(text)


def rollup_text(rollup: Rollup) -> str:
    """Return what a rollup column adds up, for people."""
    what = f"{rollup.table}.{rollup.column}" if rollup.column else rollup.table
    conditions = " and ".join(" ".join((c.column, c.operator, *c.values)) for c in rollup.conditions)
    parts = (
        f"{rollup.function}({what}) by {rollup.lookup}",
        f" below {rollup.hierarchy}" if rollup.hierarchy else "",
        f" where {conditions}" if conditions else "",
    )
    return "".join(parts)


_WRITTEN: Final = re.compile(
    r"(?P<function>[A-Za-z]+)\((?P<table>\w+)(?:\.(?P<column>\w+))?\) by (?P<lookup>\w+)(?: below (?P<hierarchy>\w+))?"
    r"(?: where (?P<conditions>.+))?\Z",
    re.ASCII | re.DOTALL,
)


def read_rollup(text: str) -> Rollup:
    """Return what a rollup column adds up, from what `rollup_text` writes of it.

    Raises:
        InvalidArgument: the text is of another form (0x80060424).
    """
    found = _WRITTEN.match(text)
    if found is None:
        raise _refused(f"The definition '{text[:200]}' of a rollup field cannot be read.", "0x80060424")
    parts = [part.split(" ") for part in (found["conditions"] or "").split(" and ") if part]
    if any(len(words) < len(("column", "operator")) for words in parts):
        raise _refused(f"The conditions '{found['conditions'][:200]}' of a rollup field cannot be read.", "0x80060424")
    conditions = (RollupCondition(column, operator, tuple(values)) for column, operator, *values in parts)
    return Rollup(
        found["function"].upper(),
        found["table"],
        found["lookup"],
        found["column"] or "",
        tuple(conditions),
        found["hierarchy"] or "",
    )


def rollup_query(table: Table, related: Table, rollup: Rollup, owners: Sequence[Guid], column: str) -> QueryExpression:
    """Return the query for the value of a rollup column.

    Args:
        table: the table that has the column.
        related: the table whose records it adds up.
        rollup: the definition.
        owners: the record, and those below it where their records count too.
        column: the column to aggregate.
    """
    function = _FUNCTIONS[rollup.function]
    ref = ColumnRef(column) if column else ColumnRef(related.primary_id)
    counted = function is AggregateFunction.COUNT
    aggregate = Aggregate(function, VALUE, None if counted else ref)
    return QueryExpression(
        related.logical_name, filter=And(tuple(_filters(table, related, rollup, owners))), aggregates=(aggregate,)
    )


def _filters(table: Table, related: Table, rollup: Rollup, owners: Sequence[Guid]) -> Iterator[Filter]:
    lookup = related.by_name[rollup.lookup].type
    yield Condition(ColumnRef(rollup.lookup), ConditionOperator.IN, tuple(owners))
    if isinstance(lookup, LookupType) and lookup.is_polymorphic:
        yield Condition(ColumnRef(rollup.lookup, part="table"), ConditionOperator.EQUAL, (table.logical_name,))
    for condition in rollup.conditions:
        yield condition_of(related, condition)
