"""What a formula gives for a record, in memory: the reference for the SQL that computes the same.

Values are those that SQL sees: numbers are doubles, dates the texts that are stored, references ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, TypeAlias, assert_never

from entities.formulas.checking import FormulaScope
from entities.formulas.numbers_and_dates import date_between, date_plus, now_text, scaled_number
from entities.formulas.parsing import parse_formula
from entities.formulas.tree import (
    MEASURING,
    MOVING,
    Arithmetic,
    Called,
    Compared,
    Either,
    Expression,
    HasData,
    Joined,
    Literal,
    Negative,
    Operand,
    Opposite,
)
from entities.metadata.columns import (
    BooleanType,
    Column,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    MoneyType,
    StringType,
)
from entities.metadata.tables import Table
from entities.text import fold
from entities.values import EntityReference, Guid, Record, Value, utc_text

Plain: TypeAlias = float | str | bool | None

MONEY_DIGITS: Final = 4
"""Digits behind the point of a stored amount of money."""

_LARGEST: Final = 9.2e18
"""What a stored whole number can be at most, with room for rounding."""

_LARGEST_INTEGER: Final = 2_147_483_647

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], object]]] = {
    "=": eq,
    "<>": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A record, the table it is of, and how to find the record behind a lookup."""

    scope: FormulaScope
    record: Record
    related: Callable[[str, Guid], Record | None]

    @property
    def table(self) -> Table:
        """The record's table."""
        return self.scope.table


def calculated(column: Column, source: Source) -> Value:
    """Return the value of a calculated column of a record."""
    found = evaluated(parse_formula(column.formula), source)
    match column.type, found:
        case _, None:
            return None
        case BooleanType(), bool():
            return found
        case StringType(max_length=longest), str():
            return found[:longest]
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY), str():
            return date.fromisoformat(found)
        case DateTimeType(), str():
            return datetime.fromisoformat(found).astimezone(UTC)
        case _:
            return _number(column, float(found))


def _number(column: Column, value: float) -> Value:
    digits, limit = rounding(column)
    scaled = scaled_number(value, digits, limit)
    match column.type:
        case _ if scaled is None:
            return None
        case MoneyType():
            return Decimal(scaled * 10 ** (MONEY_DIGITS - digits)).scaleb(-MONEY_DIGITS)
        case DecimalType():
            return Decimal(scaled).scaleb(-digits)
        case _:
            return scaled


def rounding(column: Column) -> tuple[int, float]:
    """Return to how many digits a calculated number is rounded, and beyond which whole number it is none."""
    match column.type:
        case DecimalType(precision=precision):
            return precision, _LARGEST
        case MoneyType(precision=precision):
            return precision, _LARGEST / 10 ** (MONEY_DIGITS - precision)
        case _:
            return 0, _LARGEST_INTEGER


def evaluated(expression: Expression, source: Source) -> Plain:
    """Return the value of an expression for a record; a missing operand makes the result missing."""
    match expression:
        case Literal(value):
            return value
        case Operand():
            return _operand(expression, source)
        case Called(function, arguments):
            return _called(function, [evaluated(argument, source) for argument in arguments])
        case Either(condition, then, otherwise):
            return evaluated(then if evaluated(condition, source) is True else otherwise, source)
        case Negative(operand) | Opposite(operand) | HasData(operand):
            return _of_one(expression, evaluated(operand, source))
        case Arithmetic(_, left, right) | Compared(_, left, right) | Joined(_, left, right):
            return _of_two(expression, evaluated(left, source), evaluated(right, source))
        case _:
            assert_never(expression)


def _of_one(expression: Negative | Opposite | HasData, operand: Plain) -> Plain:
    if isinstance(expression, HasData):
        return operand is not None
    if operand is None:
        return None
    return -float(operand) if isinstance(expression, Negative) else not operand


def _of_two(expression: Arithmetic | Compared | Joined, left: Plain, right: Plain) -> Plain:
    match expression:
        case Arithmetic(operator):
            return _arithmetic(operator, left, right)
        case Compared(operator):
            return _compared(operator, left, right)
        case Joined(operator):
            return _joined(operator, left, right)
        case _:
            assert_never(expression)


def _operand(operand: Operand, source: Source) -> Plain:
    _, column = source.scope.column(operand)
    if operand.lookup:
        found = source.record.get(operand.lookup)
        if not isinstance(found, EntityReference):
            return None
        record = source.related(found.table, found.id)
        if record is None:
            return None
        scope = FormulaScope(source.scope.tables, source.scope.tables[found.table])
        return _operand(Operand(operand.column), Source(scope, record, source.related))
    if column.formula:
        return plain(column, calculated(column, source))
    return plain(column, source.record.get(column.logical_name))


def plain(column: Column, value: Value) -> Plain:
    """Return a value as formulas compute with it."""
    match value:
        case None | bool() | str() | float():
            return value
        case int():
            return _exact(column, Decimal(value))
        case Decimal():
            return _exact(column, value)
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case EntityReference():
            return value.id
        case _:
            return None


def _exact(column: Column, value: Decimal) -> float:
    digits = stored_digits(column)
    return float(int(value.scaleb(digits))) / float(10**digits)


def stored_digits(column: Column) -> int:
    """Return how many digits behind the point the stored whole number of a column carries."""
    match column.type:
        case MoneyType():
            return MONEY_DIGITS
        case DecimalType(precision=precision):
            return precision
        case _:
            return 0


def _arithmetic(operator: str, left: Plain, right: Plain) -> Plain:
    if left is None or right is None:
        return None
    first, second = float(left), float(right)
    match operator:
        case "+":
            return first + second
        case "-":
            return first - second
        case "*":
            return first * second
        case _:
            return None if second == 0 else first / second


def _compared(operator: str, left: Plain, right: Plain) -> Plain:
    if left is None or right is None:
        return None
    first, second = (fold(value) if isinstance(value, str) else value for value in (left, right))
    return bool(_COMPARISONS[operator](first, second))


def _joined(operator: str, left: Plain, right: Plain) -> Plain:
    decisive = operator == "OR"
    if decisive in (left, right):
        return decisive
    return None if None in (left, right) else not decisive


def _called(function: str, given: list[Plain]) -> Plain:
    if function == "NOW":
        return now_text()
    if function == "CONCAT":
        return "".join(str(text) for text in given if text is not None)
    first, second = given
    if first is None or second is None:
        return None
    if function in MOVING:
        sign, unit = MOVING[function]
        return date_plus(str(second), sign * float(first), unit)
    if function in MEASURING:
        return date_between(str(first), str(second), MEASURING[function])
    count = int(float(second))
    text = str(first)
    return text[count:] if function == "TRIMLEFT" else text[: max(len(text) - count, 0)]
