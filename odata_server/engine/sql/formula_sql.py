"""Calculated columns as SQL: a table that has some is read through a query that adds them to its rows.

Every place that names a table asks `table_sql`, so that filters, orders, groups and rows see a calculated column as any
other one, in the form in which its type is stored. What a formula gives is what `entities.formulas.evaluation` gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, assert_never

from entities.formulas.checking import FormulaScope, kind_of
from entities.formulas.evaluation import MONEY_DIGITS, rounding, stored_digits
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
    Kind,
    Literal,
    Negative,
    Operand,
    Opposite,
)
from entities.metadata.catalog import Catalog
from entities.metadata.columns import BooleanType, Column, MoneyType, StringType
from entities.text import fold
from odata_server.engine.dialect import quoted
from odata_server.engine.schema import comparable
from odata_server.engine.storage import fold_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entities.metadata.tables import Table


def table_sql(catalog: Catalog, name: str) -> str:
    """Return what stands behind FROM or JOIN for a table: its name, or its rows with what is calculated of them."""
    table = catalog.tables[name]
    if not table.calculated:
        return quoted(name)
    place = _Place(FormulaScope(catalog.tables, table), "b", count())
    added = ", ".join(f"{sql} AS {quoted(own)}" for column in table.calculated for own, sql in _parts(column, place))
    return f"(SELECT b.*, {added} FROM {quoted(name)} AS b)"


@dataclass(frozen=True, slots=True)
class _Place:
    """The row that an expression is about: its table, its SQL alias, and numbers for the aliases below it."""

    scope: FormulaScope
    alias: str
    numbers: Iterator[int]

    @property
    def table(self) -> Table:
        return self.scope.table


def _parts(column: Column, place: _Place) -> Iterator[tuple[str, str]]:
    """Yield the physical columns of a calculated column, with their SQL."""
    value = _column_sql(column, place)
    yield column.logical_name, value
    if comparable(column) != column.logical_name:
        yield fold_of(column.logical_name), f"folded_text({value})"


def _column_sql(column: Column, place: _Place) -> str:
    """Return the SQL of a calculated column's value as it would be stored."""
    found = _sql(parse_formula(column.formula), place)
    if isinstance(column.type, BooleanType):
        return f"(CASE WHEN {found} THEN 1 WHEN NOT {found} THEN 0 END)"
    if isinstance(column.type, StringType):
        return f"substr({found}, 1, {column.type.max_length})"
    if kind_of(parse_formula(column.formula), place.scope) is not Kind.NUMBER:
        return found
    digits, limit = rounding(column)
    number = f"scaled_number({found}, {digits}, {_double(limit)})"
    return f"({number} * {10 ** (MONEY_DIGITS - digits)})" if isinstance(column.type, MoneyType) else number


def _sql(expression: Expression, place: _Place) -> str:
    """Return the SQL of an expression: a double, a text, a boolean, or the text of a date."""
    match expression:
        case Literal():
            return _constant(expression)
        case Operand():
            return _operand(expression, place)
        case Called(function, arguments):
            return _called(function, arguments, place)
        case Either(condition, then, otherwise):
            choice, first, second = (_sql(part, place) for part in (condition, then, otherwise))
            return f"(CASE WHEN {choice} THEN {first} ELSE {second} END)"
        case Negative(operand) | Opposite(operand) | HasData(operand):
            return _of_one(expression, _sql(operand, place))
        case Arithmetic() | Compared() | Joined():
            return _of_two(expression, place)
        case _:
            assert_never(expression)


def _of_one(expression: Negative | Opposite | HasData, operand: str) -> str:
    match expression:
        case Negative():
            return f"(- {operand})"
        case Opposite():
            return f"(NOT {operand})"
        case HasData():
            return f"({operand} IS NOT NULL)"
        case _:
            assert_never(expression)


def _of_two(expression: Arithmetic | Compared | Joined, place: _Place) -> str:
    read = _compared if isinstance(expression, Compared) else _sql
    left, right = read(expression.left, place), read(expression.right, place)
    return f"({left} {expression.operator} {f'nullif({right}, 0)' if expression.operator == '/' else right})"


def _constant(literal: Literal) -> str:
    match literal.value:
        case None:
            return "NULL"
        case bool() as value:
            return "TRUE" if value else "FALSE"
        case str() as value:
            return _text(value)
        case value:
            return _double(value)


def _text(value: str) -> str:
    # A bare literal has no type in PostgreSQL.
    return "CAST('" + value.replace("'", "''") + "' AS TEXT)"


def _double(value: float) -> str:
    return f"CAST({value!r} AS DOUBLE PRECISION)"


def _operand(operand: Operand, place: _Place) -> str:
    """Return a column of the row, or of the record that a lookup of the row points to, as formulas compute with it."""
    table, column = place.scope.column(operand)
    if not operand.lookup:
        return _read(column, place)
    behind = _Place(FormulaScope(place.scope.tables, table), f"b{next(place.numbers)}", place.numbers)
    found = f"SELECT {_read(column, behind)} FROM {quoted(table.logical_name)} AS {behind.alias}"
    key = f"{behind.alias}.{quoted(table.primary_id)}"
    return f"({found} WHERE {key} = {place.alias}.{quoted(operand.lookup)})"


def _read(column: Column, place: _Place) -> str:
    own = f"{place.alias}.{quoted(column.logical_name)}"
    stored = _column_sql(column, place) if column.formula else own
    match kind_of(Operand(column.logical_name), place.scope):
        case Kind.NUMBER:
            digits = stored_digits(column)
            number = f"CAST({stored} AS DOUBLE PRECISION)"
            return f"({number} / {_double(float(10**digits))})" if digits else number
        case Kind.TRUTH:
            return f"({stored} = 1)"
        case _:
            return stored


def _compared(expression: Expression, place: _Place) -> str:
    """Return what an expression is compared by: a text by its fold."""
    if kind_of(expression, place.scope) is not Kind.TEXT:
        return _sql(expression, place)
    match expression:
        case Literal(str(value)):
            return _text(fold(value))
        case Operand(column, "") if not place.table.by_name[column].formula:
            return f"{place.alias}.{quoted(fold_of(column))}"
        case _:
            return f"folded_text({_sql(expression, place)})"


def _called(function: str, arguments: tuple[Expression, ...], place: _Place) -> str:
    given = [_sql(argument, place) for argument in arguments]
    if function == "NOW":
        return "now_text()"
    if function == "CONCAT":
        return "(" + " || ".join(f"coalesce({text}, '')" for text in given) + ")"
    first, second = given
    if function in MOVING:
        sign, unit = MOVING[function]
        return f"date_plus({second}, {first if sign > 0 else f'(- {first})'}, '{unit}')"
    if function in MEASURING:
        return f"date_between({first}, {second}, '{MEASURING[function]}')"
    _, length = arguments
    assert isinstance(length, Literal)
    number = int(float(length.value or 0))
    if function == "TRIMLEFT":
        return f"substr({first}, {number + 1})"
    left = f"CASE WHEN length({first}) > {number} THEN length({first}) - {number} ELSE 0 END"
    return f"substr({first}, 1, {left})"
