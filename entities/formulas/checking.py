"""Does a formula fit its column? The kinds of its parts, and the refusals of one that means nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from entities.errors import InvalidArgument
from entities.formulas.parsing import parse_formula
from entities.formulas.tree import (
    MEASURING,
    MOVING,
    TRIMMING,
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
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.tables import Table

DEEPEST_CHAIN = 5
"""Calculated columns that build on one another (Learn: "Define calculated columns", limitations)."""

_KINDS_OF_CONSTANTS: Mapping[type, Kind] = {bool: Kind.TRUTH, str: Kind.TEXT, type(None): Kind.NOTHING}

_MOST_FACTORS = 13
"""Multiplications and divisions in one formula: no more keep every intermediate result within a double's range."""


@dataclass(frozen=True, slots=True)
class FormulaScope:
    """What the names of a formula stand for: the tables there are, and the one that has the calculated column."""

    tables: Mapping[str, Table]
    table: Table

    def column(self, operand: Operand) -> tuple[Table, Column]:
        """Return the column that an operand names, with its table.

        Raises:
            InvalidArgument: there is no such column (0x80060428), or no single table behind the lookup (0x80060423).
        """
        table = self.table
        if operand.lookup:
            table = self._behind(operand)
        found = table.by_name.get(operand.column)
        if found is None:
            raise InvalidArgument(f"The {operand.column} field doesn't exist.", code="0x80060428")
        return table, found

    def _behind(self, operand: Operand) -> Table:
        lookup = self.table.by_name.get(operand.lookup)
        if lookup is None:
            raise InvalidArgument(f"The {operand.lookup} field doesn't exist.", code="0x80060428")
        targets = lookup.type.targets if isinstance(lookup.type, LookupType) else ()
        target = self.tables.get(targets[0]) if len(targets) == 1 else None
        if target is None or target.source is not None:
            shown = f"{operand.lookup}.{operand.column}"
            raise InvalidArgument(f"The formula contains an invalid reference: {shown}.", code="0x80060423")
        return target


def check_formulas(tables: Mapping[str, Table], table: Table) -> None:
    """Check the formulas of all calculated columns of a table.

    Args:
        tables: all tables by name, with this one.
        table: the table.

    Raises:
        InvalidArgument: a formula cannot be read, names what is not there, mixes kinds, does not give what its column
            holds, or builds on its own column or on too many others.
    """
    for column in table.columns:
        if column.formula:
            check_formula(FormulaScope(tables, table), column)


def check_formula(scope: FormulaScope, column: Column) -> None:
    """Check the formula of one calculated column.

    Raises:
        InvalidArgument: as `check_formulas`.
    """
    wanted = kind_of_column(column.type)
    if wanted is None or wanted is Kind.REFERENCE or isinstance(column.type, StateType | StatusType):
        raise InvalidArgument(f"The {column.logical_name} field cannot be a calculated field.", code="0x80060425")
    if column.logical_name in {scope.table.primary_id, scope.table.primary_name}:
        raise InvalidArgument(f"The {column.logical_name} field cannot be a calculated field.", code="0x80060425")
    expression = parse_formula(column.formula)
    _check_chain(scope, column, ())
    found = kind_of(expression, scope)
    if found is not wanted:
        raise InvalidArgument(
            f"You can't set the value {column.formula}, which is of type {found.value}, to type {wanted.value}.",
            code="0x8006042b",
        )
    if _factors(expression) > _MOST_FACTORS:
        raise InvalidArgument(
            f"The {column.logical_name} field has a formula with more than {_MOST_FACTORS} multiplications.",
            code="0x80060424",
        )


def _check_chain(scope: FormulaScope, column: Column, above: tuple[tuple[str, str], ...]) -> None:
    place = (scope.table.logical_name, column.logical_name)
    if place in above:
        raise InvalidArgument(
            f"Field {column.logical_name} cannot be used in calculated field {above[0][1]} because it would create a"
            " circular reference.",
            code="0x80060431",
        )
    if len(above) >= DEEPEST_CHAIN:
        raise InvalidArgument(
            f"You can't create or update the {above[0][1]} field because the {column.logical_name} field already has a"
            f" calculated field chain of {DEEPEST_CHAIN} deep.",
            code="0x80060432",
        )
    for operand in operands(parse_formula(column.formula)):
        table, used = scope.column(operand)
        if used.formula:
            _check_chain(FormulaScope(scope.tables, table), used, (*above, place))


def operands(expression: Expression) -> Iterator[Operand]:
    """Yield the columns that an expression names."""
    if isinstance(expression, Operand):
        yield expression
    for part in _parts(expression):
        yield from operands(part)


def _parts(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case Literal() | Operand():
            return ()
        case Negative(operand) | Opposite(operand) | HasData(operand):
            return (operand,)
        case Arithmetic(_, left, right) | Compared(_, left, right) | Joined(_, left, right):
            return (left, right)
        case Either(condition, then, otherwise):
            return (condition, then, otherwise)
        case Called(_, arguments):
            return arguments
        case _:
            assert_never(expression)


def _factors(expression: Expression) -> int:
    own = isinstance(expression, Arithmetic) and expression.operator in {"*", "/"}
    return own + sum(_factors(part) for part in _parts(expression))


def kind_of_column(type_: ColumnType) -> Kind | None:
    """Return what a formula sees in a column; None in one that it cannot use."""
    match type_:
        case IntegerType() | DecimalType() | MoneyType() | ChoiceType() | StateType() | StatusType():
            return Kind.NUMBER
        case StringType():
            return Kind.TEXT
        case BooleanType():
            return Kind.TRUTH
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return Kind.DAY
        case DateTimeType():
            return Kind.MOMENT
        case LookupType() | UniqueIdentifierType():
            return Kind.REFERENCE
        case _:
            return None


def kind_of(expression: Expression, scope: FormulaScope) -> Kind:
    """Return the kind of an expression's value.

    Raises:
        InvalidArgument: it mixes kinds (0x80060426), gives a function another kind (0x8006042c), or names what is not
            there.
    """
    match expression:
        case Literal(value):
            return _KINDS_OF_CONSTANTS.get(type(value), Kind.NUMBER)
        case Operand():
            return _kind_of_operand(expression, scope)
        case Negative() | Arithmetic():
            _all(Kind.NUMBER, expression, scope)
            return Kind.NUMBER
        case Joined() | Opposite():
            _all(Kind.TRUTH, expression, scope)
            return Kind.TRUTH
        case Compared(operator, left, right):
            return _kind_of_comparison(operator, kind_of(left, scope), kind_of(right, scope))
        case HasData(operand):
            kind_of(operand, scope)
            return Kind.TRUTH
        case Either(condition, then, otherwise):
            return _kind_of_choice(condition, (then, otherwise), scope)
        case Called(function, arguments):
            return _kind_of_call(function, arguments, scope)
        case _:
            assert_never(expression)


def _kind_of_operand(operand: Operand, scope: FormulaScope) -> Kind:
    _, column = scope.column(operand)
    found = kind_of_column(column.type)
    if found is None:
        raise _mismatch(column.logical_name, type(column.type).__name__.removesuffix("Type"))
    return found


def _all(wanted: Kind, expression: Expression, scope: FormulaScope) -> None:
    for part in _parts(expression):
        found = kind_of(part, scope)
        if found is not wanted:
            raise _mismatch(_shown(part), found.value)


def _kind_of_comparison(operator: str, left: Kind, right: Kind) -> Kind:
    if left is not right or left in {Kind.NOTHING, Kind.REFERENCE}:
        raise _mismatch("the value that is compared", right.value)
    if left is Kind.TRUTH and operator not in {"=", "<>"}:
        raise _mismatch("the value that is compared", left.value)
    return Kind.TRUTH


def _kind_of_choice(condition: Expression, branches: tuple[Expression, ...], scope: FormulaScope) -> Kind:
    if kind_of(condition, scope) is not Kind.TRUTH:
        raise _mismatch(_shown(condition), kind_of(condition, scope).value)
    kinds = {kind_of(branch, scope) for branch in branches}
    if len(kinds - {Kind.NOTHING}) != 1 or Kind.REFERENCE in kinds:
        raise _mismatch(_shown(branches[1]), kind_of(branches[1], scope).value)
    (found,) = kinds - {Kind.NOTHING}
    return found


def _kind_of_call(function: str, arguments: tuple[Expression, ...], scope: FormulaScope) -> Kind:
    kinds = tuple(kind_of(argument, scope) for argument in arguments)
    dates = (Kind.DAY, Kind.MOMENT)
    fits, result = False, Kind.TEXT
    if function in MOVING:
        unit = MOVING[function][1]
        fits = kinds[0] is Kind.NUMBER and kinds[1] in (dates[1:] if unit == "HOURS" else dates)
        result = kinds[1]
    elif function in MEASURING:
        fits, result = kinds[0] is kinds[1] and kinds[0] in dates, Kind.NUMBER
    elif function in TRIMMING:
        fits = kinds[0] is Kind.TEXT and isinstance(arguments[1], Literal) and kinds[1] is Kind.NUMBER
    elif function == "NOW":
        fits, result = True, Kind.MOMENT
    else:
        fits = set(kinds) == {Kind.TEXT}
    if not fits:
        shown = " and ".join(kind.value for kind in kinds)
        raise InvalidArgument(
            f"You can't use {', '.join(map(_shown, arguments))}, which is of type {shown}, with the current function.",
            code="0x8006042c",
        )
    return result


def _shown(expression: Expression) -> str:
    """Return what a refusal calls a part of a formula."""
    match expression:
        case Literal(value):
            return "NULL" if value is None else str(value)
        case Operand(column, lookup):
            return f"{lookup}.{column}" if lookup else column
        case Called(function):
            return function
        case _:
            return "a part of the formula"


def _mismatch(shown: str, kind: str) -> InvalidArgument:
    return InvalidArgument(
        f"You can't use {shown}, which is of type {kind}, with the current operator.", code="0x80060426"
    )
