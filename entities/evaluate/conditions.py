"""What two values are compared by, and what each operator says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeAlias, cast

from entities.errors import EngineFault, NotSupported
from entities.hierarchy import HIERARCHICAL
from entities.metadata.columns import (
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    MemoType,
    MoneyType,
    StringType,
)
from entities.query import ComparisonOperator, ConditionOperator
from entities.relative import RELATIVE
from entities.relative.fiscal import period_at
from entities.text import fold
from entities.values import ChoiceSet, EntityReference, KeyReference, Value
from entities.wildcards import expression, matches

Comparable: TypeAlias = str | int | float | Decimal | date | bytes
"""What two values of one column are compared by."""

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_MONEY_DIGITS = 4


def comparable(type_: ColumnType, value: Value) -> Comparable | None:
    """Return what a value of a column is compared by.

    Text compares by its fold, exact numbers with the digits of their column, a lookup by its id, date-times by the
    second, several choices as the list of their numbers.
    """
    match value:
        case None:
            return None
        case str() if isinstance(type_, StringType | MemoType | EntityNameType):
            return fold(value)
        case float() | int() | Decimal():
            return _number(type_, value)
        case datetime() | date():
            return _moment(type_, value)
        case EntityReference():
            return value.id
        case ChoiceSet():
            return ",".join(str(option) for option in value.options)
        case KeyReference():
            raise NotSupported("A record in a query is named by its id.")
        case _:
            return value


def _number(type_: ColumnType, value: float | Decimal) -> Comparable:
    match type_:
        case MoneyType():
            return _EXACT.quantize(Decimal(value), Decimal(1).scaleb(-_MONEY_DIGITS))
        case DecimalType(precision=digits):
            return _EXACT.quantize(Decimal(value), Decimal(1).scaleb(-digits))
        case DoubleType():
            return float(value)
        case _:
            return value


def _moment(type_: ColumnType, value: date) -> Comparable:
    if not isinstance(value, datetime):
        return value
    if isinstance(type_, DateTimeType) and type_.behavior is DateTimeBehavior.DATE_ONLY:
        return value.date()
    return value.astimezone(UTC).replace(microsecond=0)


def _below(left: Comparable, right: Comparable) -> bool:
    """Say whether a value is less than another one of the same column."""
    return cast("str", left) < cast("str", right)


def _at_most(left: Comparable, right: Comparable) -> bool:
    return left == right or _below(left, right)


COMPARISONS: Mapping[ComparisonOperator, Callable[[Comparable, Comparable], bool]] = {
    ComparisonOperator.EQUAL: lambda left, right: left == right,
    ComparisonOperator.NOT_EQUAL: lambda left, right: left != right,
    ComparisonOperator.GREATER_THAN: lambda left, right: _below(right, left),
    ComparisonOperator.GREATER_EQUAL: lambda left, right: _at_most(right, left),
    ComparisonOperator.LESS_THAN: _below,
    ComparisonOperator.LESS_EQUAL: _at_most,
}

_Test: TypeAlias = Callable[["Comparable | None", "list[Comparable]"], bool]


def _known(test: Callable[[Comparable, list[Comparable]], bool]) -> _Test:
    """Return the test of an operator that is never true of a missing value."""
    return lambda value, wanted: value is not None and test(value, wanted)


def _opposite(test: _Test) -> _Test:
    """Return the test of a negative operator, which is true of a missing value."""
    return lambda value, wanted: not test(value, wanted)


def _elsewhere(operator: ConditionOperator) -> _Test:
    """Return the test of an operator that must have been replaced, or answered from the records, before."""

    def refuse(value: Comparable | None, wanted: list[Comparable]) -> bool:
        del value, wanted
        raise EngineFault(f"The condition operator '{operator.value}' was not made concrete.")

    return refuse


def _in_fiscal_period(value: Comparable, wanted: list[Comparable]) -> bool:
    """Say whether a moment lies in a fiscal period; the calendar comes with the number."""
    assert isinstance(value, date)
    number, start, period_type, zone = wanted
    return period_at(value, str(start), cast("int", period_type), str(zone)) == number


_equal = _known(lambda value, wanted: value == wanted[0])
_contains = _known(lambda value, wanted: str(wanted[0]) in str(value))
_begins = _known(lambda value, wanted: str(value).startswith(str(wanted[0])))
_ends = _known(lambda value, wanted: str(value).endswith(str(wanted[0])))
_among = _known(lambda value, wanted: value in wanted)
_like = _known(lambda value, wanted: matches(expression(str(wanted[0])), str(value)))
_holds_any = _known(lambda value, wanted: not {str(option) for option in wanted}.isdisjoint(str(value).split(",")))
_has = _known(lambda value, wanted: not cast("int", wanted[0]) & ~cast("int", value))
_between = _known(lambda value, wanted: _at_most(wanted[0], value) and _at_most(value, wanted[1]))

OPERATORS: Mapping[ConditionOperator, _Test] = {
    **{operator: _elsewhere(operator) for operator in RELATIVE | HIERARCHICAL},
    ConditionOperator.EQUAL: _equal,
    ConditionOperator.NOT_EQUAL: _opposite(_equal),
    ConditionOperator.GREATER_THAN: _known(lambda value, wanted: _below(wanted[0], value)),
    ConditionOperator.GREATER_EQUAL: _known(lambda value, wanted: _at_most(wanted[0], value)),
    ConditionOperator.LESS_THAN: _known(lambda value, wanted: _below(value, wanted[0])),
    ConditionOperator.LESS_EQUAL: _known(lambda value, wanted: _at_most(value, wanted[0])),
    ConditionOperator.LIKE: _like,
    ConditionOperator.NOT_LIKE: _opposite(_like),
    ConditionOperator.CONTAINS: _contains,
    ConditionOperator.NOT_CONTAINS: _opposite(_contains),
    ConditionOperator.BEGINS_WITH: _begins,
    ConditionOperator.NOT_BEGINS_WITH: _opposite(_begins),
    ConditionOperator.ENDS_WITH: _ends,
    ConditionOperator.NOT_ENDS_WITH: _opposite(_ends),
    ConditionOperator.IN: _among,
    ConditionOperator.NOT_IN: _opposite(_among),
    ConditionOperator.BETWEEN: _between,
    ConditionOperator.NOT_BETWEEN: _opposite(_between),
    ConditionOperator.CONTAIN_VALUES: _holds_any,
    ConditionOperator.NOT_CONTAIN_VALUES: _opposite(_holds_any),
    ConditionOperator.HAS: _has,
    ConditionOperator.IN_FISCAL_PERIOD: _known(_in_fiscal_period),
    ConditionOperator.NULL: lambda value, _: value is None,
    ConditionOperator.NOT_NULL: lambda value, _: value is not None,
}
