"""Comparisons of v2's functions of values, as conditions of the query form: the extended mode has them.

    length(Name) eq 3               like '___'                indexof(Name,'x') ne -1         contains 'x'
    substring(Name,1,2) eq 'bc'     like '_bc%'               year(CreatedOn) eq 2020         from January to December

What no condition can say (arithmetic, month, replace, …) is refused. A function of null is null: a comparison with it
is never true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.columns import DateTimeType
from entities.query import NO_ROWS, And, ColumnRef, Condition, ConditionOperator, Filter, Not
from entities.values import Value
from odata_server.bind.coerce import is_date_only
from odata_server.bind.scope import Found
from odata_server.edm.naming import edm_type
from odata_server.syntax import trees
from odata_server.syntax.trees import Operator

_LONGEST: Final = 4_000
_FIRST_YEAR, _LAST_YEAR = 1, 9998


@dataclass(frozen=True, slots=True)
class Comparison:
    """A function, how it is compared, and with what."""

    call: trees.Call
    operator: Operator
    value: trees.Expression

    def refusal(self) -> MalformedRequest:
        """Return the refusal of a comparison that has no counterpart in the query form."""
        return MalformedRequest(
            f"The function '{self.call.name}' is supported in $filter for some comparisons only: not for this one."
        )

    @property
    def number(self) -> int:
        """The whole number that the function is compared with."""
        if isinstance(self.value, trees.Literal) and self.value.kind is trees.LiteralKind.INTEGER:
            return int(self.value.text)
        raise self.refusal()

    def text(self, expression: trees.Expression) -> str:
        """Return a literal's text."""
        if isinstance(expression, trees.Literal) and expression.kind is trees.LiteralKind.STRING:
            return str(expression.value)
        raise self.refusal()


_Resolve = Callable[[trees.Expression], Found]


def bind_function(comparison: Comparison, resolve: _Resolve) -> Filter:
    """Return the condition that the comparison of a function means.

    Args:
        comparison: a call of one of `VALUE_FUNCTIONS`.
        resolve: finds the column that an argument names.

    Raises:
        MalformedRequest: no condition can say it, or the arguments are not of their types.
    """
    return VALUE_FUNCTIONS[comparison.call.name](comparison, resolve)


def _text_column(comparison: Comparison, argument: trees.Expression, resolve: _Resolve) -> ColumnRef:
    found = resolve(argument)
    if edm_type(found.column.type) != "Edm.String":
        raise comparison.refusal()
    return found.ref


def _given(ref: ColumnRef, condition: Filter) -> Filter:
    """Return the rows that have a value and for which the condition does not hold."""
    return And((Condition(ref, ConditionOperator.NOT_NULL), Not(condition)))


def _like(ref: ColumnRef, pattern: str) -> Condition:
    return Condition(ref, ConditionOperator.LIKE, (pattern,))


def _escaped(text: str) -> str:
    """Return a text as a LIKE pattern that matches nothing else."""
    return "".join(f"[{character}]" if character in "%_[" else character for character in text)


def _length(comparison: Comparison, resolve: _Resolve) -> Filter:
    if len(comparison.call.arguments) != 1:
        raise comparison.refusal()
    ref, number = _text_column(comparison, comparison.call.arguments[0], resolve), comparison.number

    def at_least(length: int) -> Filter:
        if length <= 0:
            return Condition(ref, ConditionOperator.NOT_NULL)
        return _like(ref, "_" * length + "%") if length <= _LONGEST else NO_ROWS

    def exactly() -> Filter:
        return _like(ref, "_" * number) if 0 <= number <= _LONGEST else NO_ROWS

    match comparison.operator:
        case Operator.EQ:
            return exactly()
        case Operator.NE:
            return _given(ref, exactly())
        case Operator.GE:
            return at_least(number)
        case Operator.GT:
            return at_least(number + 1)
        case Operator.LT:
            return _given(ref, at_least(number))
        case _:
            return _given(ref, at_least(number + 1))


def _index_of(comparison: Comparison, resolve: _Resolve) -> Filter:
    match comparison.call.arguments:
        case (column, sought):
            ref, text = _text_column(comparison, column, resolve), comparison.text(sought)
        case _:
            raise comparison.refusal()
    contains = Condition(ref, ConditionOperator.CONTAINS, (text,))
    begins = Condition(ref, ConditionOperator.BEGINS_WITH, (text,))
    match comparison.operator, comparison.number:
        case (Operator.NE | Operator.GT, -1) | (Operator.GE, 0):
            return contains
        case (Operator.EQ | Operator.LE, -1) | (Operator.LT, 0):
            return _given(ref, contains)
        case Operator.EQ, 0:
            return begins
        case Operator.NE, 0:
            return _given(ref, begins)
        case Operator.GT, 0:
            return And((contains, Not(begins)))
        case _:
            raise comparison.refusal()


def _from_and_length(comparison: Comparison, numbers: Sequence[trees.Expression]) -> tuple[int, int | None]:
    """Return the second and the third argument of `substring`, which may be missing."""
    texts = [number.text for number in numbers if isinstance(number, trees.Literal) and number.text.isdecimal()]
    match texts if len(texts) == len(numbers) else []:
        case [start]:
            return int(start), None
        case [start, length]:
            return int(start), int(length)
        case _:
            raise comparison.refusal()


def _substring(comparison: Comparison, resolve: _Resolve) -> Filter:
    column, *numbers = comparison.call.arguments or (comparison.value,)
    start, length = _from_and_length(comparison, numbers)
    ref, text = _text_column(comparison, column, resolve), comparison.text(comparison.value)
    if not 0 <= start <= _LONGEST:
        raise comparison.refusal()
    pattern = "_" * start + _escaped(text)
    if length is not None and length == len(text):
        pattern += "%"
    equal: Filter = _like(ref, pattern) if length is None or len(text) <= length else NO_ROWS
    match comparison.operator:
        case Operator.EQ:
            return equal
        case Operator.NE:
            return _given(ref, equal)
        case _:
            raise comparison.refusal()


def _year(comparison: Comparison, resolve: _Resolve) -> Filter:
    if len(comparison.call.arguments) != 1:
        raise comparison.refusal()
    found, number = resolve(comparison.call.arguments[0]), comparison.number
    type_ = found.column.type
    if not isinstance(type_, DateTimeType) or not _FIRST_YEAR <= number <= _LAST_YEAR:
        raise comparison.refusal()

    def beginning(year: int) -> Value:
        return date(year, 1, 1) if is_date_only(type_) else datetime(year, 1, 1, tzinfo=UTC)

    def bound(operator: ConditionOperator, year: int) -> Condition:
        return Condition(found.ref, operator, (beginning(year),))

    from_year, until_next = (
        bound(ConditionOperator.GREATER_EQUAL, number),
        bound(ConditionOperator.LESS_THAN, number + 1),
    )
    match comparison.operator:
        case Operator.EQ:
            return And((from_year, until_next))
        case Operator.NE:
            return _given(found.ref, And((from_year, until_next)))
        case Operator.GE:
            return from_year
        case Operator.GT:
            return bound(ConditionOperator.GREATER_EQUAL, number + 1)
        case Operator.LT:
            return bound(ConditionOperator.LESS_THAN, number)
        case _:
            return until_next


VALUE_FUNCTIONS: Final[Mapping[str, Callable[[Comparison, _Resolve], Filter]]] = {
    "indexof": _index_of,
    "length": _length,
    "substring": _substring,
    "year": _year,
}
