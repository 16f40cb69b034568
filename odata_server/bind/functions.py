"""Dataverse's query functions in `$filter` (Learn: "Web API query function reference").

Values of `PropertyValues` are always text, whatever the column; arrays come as JSON or with single quotes, directly or
by alias. What a function asks of its column is checked where the query is executed, as for every other spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, TypeAlias

from entities.errors import InvalidArgument, MalformedRequest
from entities.metadata.columns import Column, MultiChoiceType
from entities.query import Condition, ConditionOperator, Filter
from entities.values import Value, guid
from odata_server.bind.coerce import day, moment
from odata_server.bind.dialect import property_name
from odata_server.bind.literals import literal_value
from odata_server.bind.scope import Found, Scope
from odata_server.edm.naming import edm_type
from odata_server.syntax import trees
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.tokens import SyntaxRefused

_PREFIX: Final = "Microsoft.Dynamics.CRM."
_BARE: Final = frozenset(
    {"Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double", "Edm.Boolean", "Edm.Date", "Edm.DateTimeOffset"}
)
"""Types whose literals stand without quotes in a URL."""

_Arguments: TypeAlias = Mapping[str, trees.Expression]
_Reader: TypeAlias = Callable[["_Call"], tuple[Value, ...]]
_DATE: Final = "0x80040239"
_INVALID_VALUE: Final = "0x80041108"
_INT64: Final = 2**63
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class _Call:
    """A query function's call as its parameters are read: name, column and arguments."""

    name: str
    column: Column
    arguments: _Arguments
    scope: Scope


def _nothing(call: _Call) -> tuple[Value, ...]:
    del call
    return ()


def _numbers(names: tuple[str, ...], call: _Call) -> tuple[Value, ...]:
    return tuple(_number(call, name) for name in names)


def _number(call: _Call, name: str) -> int:
    match call.arguments[name]:
        case trees.Literal(kind=trees.LiteralKind.INTEGER | trees.LiteralKind.STRING, value=found):
            number = int(str(found)) if _WHOLE.fullmatch(str(found)) else None
        case _:
            number = None
    if number is None or not -_INT64 <= number < _INT64:
        raise _mismatch(call, name, "Edm.Int64")
    return number


def _when(call: _Call) -> tuple[Value, ...]:
    """Return the day, or the instant, of `On` and its kin."""
    match call.arguments["PropertyValue"]:
        case trees.Literal(
            kind=trees.LiteralKind.STRING | trees.LiteralKind.DATE | trees.LiteralKind.DATE_TIME, value=found
        ):
            when: date | None = day(str(found)) or moment(str(found))
        case _:
            raise _mismatch(call, "PropertyValue", "Edm.String")
    if when is None:
        raise InvalidArgument("The date-time format is invalid, or value is outside the supported range.", code=_DATE)
    return (when,)


def _record(call: _Call) -> tuple[Value, ...]:
    match call.arguments["PropertyValue"]:
        case trees.Literal(kind=trees.LiteralKind.STRING | trees.LiteralKind.GUID, value=found):
            text = str(found)
        case _:
            raise _mismatch(call, "PropertyValue", "Edm.String")
    identifier = guid(text.strip("{}"))
    if identifier is None:
        raise InvalidArgument(f"Invalid value specified for type. '{text}' is no record's id.", code=_INVALID_VALUE)
    return (identifier,)


def _list(wanted: int | None, call: _Call) -> tuple[Value, ...]:
    texts = _texts(call)
    if wanted is not None and len(texts) != wanted:
        raise MalformedRequest(f"The query function '{call.name}' takes exactly {wanted} values.")
    return tuple(_value(text, call.column, call.scope) for text in texts)


def _options(call: _Call) -> tuple[Value, ...]:
    if not isinstance(call.column.type, MultiChoiceType):
        return ()
    texts = _texts(call)
    if not all(map(_WHOLE.fullmatch, texts)):
        raise InvalidArgument(f"Invalid value specified for type. '{call.name}' takes options.", code=_INVALID_VALUE)
    return tuple(int(text) for text in texts)


_VALUE: Final = ("PropertyValue",)
_VALUE_PAIR: Final = ("PropertyValue1", "PropertyValue2")
_MANY: Final = ("PropertyValues",)

_Signature: TypeAlias = tuple[ConditionOperator, tuple[str, ...], _Reader]


def _plain(*functions: tuple[str, ConditionOperator]) -> dict[str, _Signature]:
    return {name: (operator, (), _nothing) for name, operator in functions}


def _counted(*functions: tuple[str, ConditionOperator]) -> dict[str, _Signature]:
    return {name: (operator, _VALUE, partial(_numbers, _VALUE)) for name, operator in functions}


def _paired(*functions: tuple[str, ConditionOperator]) -> dict[str, _Signature]:
    return {name: (operator, _VALUE_PAIR, partial(_numbers, _VALUE_PAIR)) for name, operator in functions}


def _with(reader: _Reader, names: tuple[str, ...], *functions: tuple[str, ConditionOperator]) -> dict[str, _Signature]:
    return {name: (operator, names, reader) for name, operator in functions}


_FUNCTIONS: Final[Mapping[str, _Signature]] = {
    **_with(partial(_list, None), _MANY, ("In", ConditionOperator.IN), ("NotIn", ConditionOperator.NOT_IN)),
    **_with(
        partial(_list, 2),
        _MANY,
        ("Between", ConditionOperator.BETWEEN),
        ("NotBetween", ConditionOperator.NOT_BETWEEN),
    ),
    **_with(
        _options,
        _MANY,
        ("ContainValues", ConditionOperator.CONTAIN_VALUES),
        ("DoesNotContainValues", ConditionOperator.NOT_CONTAIN_VALUES),
    ),
    **_with(
        _record,
        _VALUE,
        ("Above", ConditionOperator.ABOVE),
        ("AboveOrEqual", ConditionOperator.EQUAL_OR_ABOVE),
        ("Under", ConditionOperator.UNDER),
        ("UnderOrEqual", ConditionOperator.EQUAL_OR_UNDER),
        ("NotUnder", ConditionOperator.NOT_UNDER),
    ),
    **_with(
        _when,
        _VALUE,
        ("On", ConditionOperator.ON),
        ("OnOrBefore", ConditionOperator.ON_OR_BEFORE),
        ("OnOrAfter", ConditionOperator.ON_OR_AFTER),
    ),
    **_plain(
        ("EqualUserId", ConditionOperator.EQUAL_USER),
        ("NotEqualUserId", ConditionOperator.NOT_EQUAL_USER),
        ("EqualUserTeams", ConditionOperator.EQUAL_USER_TEAMS),
        ("EqualUserOrUserTeams", ConditionOperator.EQUAL_USER_OR_TEAMS),
        ("EqualUserOrUserHierarchy", ConditionOperator.EQUAL_USER_OR_HIERARCHY),
        ("EqualUserOrUserHierarchyAndTeams", ConditionOperator.EQUAL_USER_OR_HIERARCHY_AND_TEAMS),
        ("EqualBusinessId", ConditionOperator.EQUAL_BUSINESS),
        ("NotEqualBusinessId", ConditionOperator.NOT_EQUAL_BUSINESS),
        ("EqualUserLanguage", ConditionOperator.EQUAL_USER_LANGUAGE),
        ("Yesterday", ConditionOperator.YESTERDAY),
        ("Today", ConditionOperator.TODAY),
        ("Tomorrow", ConditionOperator.TOMORROW),
        ("Last7Days", ConditionOperator.LAST_SEVEN_DAYS),
        ("Next7Days", ConditionOperator.NEXT_SEVEN_DAYS),
        ("LastWeek", ConditionOperator.LAST_WEEK),
        ("ThisWeek", ConditionOperator.THIS_WEEK),
        ("NextWeek", ConditionOperator.NEXT_WEEK),
        ("LastMonth", ConditionOperator.LAST_MONTH),
        ("ThisMonth", ConditionOperator.THIS_MONTH),
        ("NextMonth", ConditionOperator.NEXT_MONTH),
        ("LastYear", ConditionOperator.LAST_YEAR),
        ("ThisYear", ConditionOperator.THIS_YEAR),
        ("NextYear", ConditionOperator.NEXT_YEAR),
        ("LastFiscalYear", ConditionOperator.LAST_FISCAL_YEAR),
        ("ThisFiscalYear", ConditionOperator.THIS_FISCAL_YEAR),
        ("NextFiscalYear", ConditionOperator.NEXT_FISCAL_YEAR),
        ("LastFiscalPeriod", ConditionOperator.LAST_FISCAL_PERIOD),
        ("ThisFiscalPeriod", ConditionOperator.THIS_FISCAL_PERIOD),
        ("NextFiscalPeriod", ConditionOperator.NEXT_FISCAL_PERIOD),
    ),
    **_counted(
        ("LastXHours", ConditionOperator.LAST_X_HOURS),
        ("NextXHours", ConditionOperator.NEXT_X_HOURS),
        ("LastXDays", ConditionOperator.LAST_X_DAYS),
        ("NextXDays", ConditionOperator.NEXT_X_DAYS),
        ("LastXWeeks", ConditionOperator.LAST_X_WEEKS),
        ("NextXWeeks", ConditionOperator.NEXT_X_WEEKS),
        ("LastXMonths", ConditionOperator.LAST_X_MONTHS),
        ("NextXMonths", ConditionOperator.NEXT_X_MONTHS),
        ("LastXYears", ConditionOperator.LAST_X_YEARS),
        ("NextXYears", ConditionOperator.NEXT_X_YEARS),
        ("LastXFiscalYears", ConditionOperator.LAST_X_FISCAL_YEARS),
        ("NextXFiscalYears", ConditionOperator.NEXT_X_FISCAL_YEARS),
        ("LastXFiscalPeriods", ConditionOperator.LAST_X_FISCAL_PERIODS),
        ("NextXFiscalPeriods", ConditionOperator.NEXT_X_FISCAL_PERIODS),
        ("OlderThanXMinutes", ConditionOperator.OLDER_THAN_X_MINUTES),
        ("OlderThanXHours", ConditionOperator.OLDER_THAN_X_HOURS),
        ("OlderThanXDays", ConditionOperator.OLDER_THAN_X_DAYS),
        ("OlderThanXWeeks", ConditionOperator.OLDER_THAN_X_WEEKS),
        ("OlderThanXMonths", ConditionOperator.OLDER_THAN_X_MONTHS),
        ("OlderThanXYears", ConditionOperator.OLDER_THAN_X_YEARS),
        ("InFiscalYear", ConditionOperator.IN_FISCAL_YEAR),
        ("InFiscalPeriod", ConditionOperator.IN_FISCAL_PERIOD),
    ),
    **_paired(
        ("InFiscalPeriodAndYear", ConditionOperator.IN_FISCAL_PERIOD_AND_YEAR),
        ("InOrBeforeFiscalPeriodAndYear", ConditionOperator.IN_OR_BEFORE_FISCAL_PERIOD_AND_YEAR),
        ("InOrAfterFiscalPeriodAndYear", ConditionOperator.IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR),
    ),
}


def is_query_function(name: str) -> bool:
    """Return whether a call names one of Dataverse's query functions; the full name is required."""
    return name.startswith(_PREFIX)


def bind_query_function(call: trees.Call, scope: Scope) -> Filter:
    """Return the condition that a query function means.

    Raises:
        MalformedRequest: there is no such function, or its arguments are not of their types.
        UnknownName: the property that it names does not exist.
        InvalidArgument: a value is none of the column's kind.
    """
    name = call.name.removeprefix(_PREFIX)
    if name == "Contains":
        # Columns would have to be full-text indexed, which those of tables never are.
        raise InvalidArgument("Full text operation failed.", code="0x80043e06")
    entry = _FUNCTIONS.get(name)
    if entry is None:
        raise MalformedRequest(f"An unknown function with name '{call.name}' was found.")
    operator, names, read = entry
    arguments = {argument.name: scope.value_of(argument.value) for argument in call.named}
    wanted = ("PropertyName", *names)
    if call.arguments or sorted(argument.name for argument in call.named) != sorted(wanted):
        raise MalformedRequest(
            f"No function signature for the function with name '{call.name}' matches the specified arguments. "
            f"The function signatures considered are: {call.name}({', '.join(wanted)})."
        )
    found = _column(arguments["PropertyName"], name, scope, _variable(call))
    return Condition(found.ref, operator, read(_Call(name, found.column, arguments, scope)))


def _variable(call: trees.Call) -> tuple[str, ...]:
    """Return the lambda variable that a call is made on: `o/Microsoft.Dynamics.CRM.In(PropertyName='name',…)`."""
    match call.target:
        case None:
            return ()
        case trees.Path(names=names, root=None):
            return names
        case _:
            raise MalformedRequest(f"The function '{call.name}' cannot be called on an expression in $filter.")


def _column(expression: trees.Expression, function: str, scope: Scope, before: tuple[str, ...]) -> Found:
    """Return the column named in a string; lookups are named by column as well as by property."""
    match expression:
        case trees.Literal(kind=trees.LiteralKind.STRING, value=str() as path):
            names = tuple(path.split("/"))
        case trees.Path(names=path_names, root=None):
            names = path_names
        case _:
            raise MalformedRequest(f"The query function '{function}' needs the parameter 'PropertyName'.")
    column = scope.table.by_name.get(names[0]) if len(names) == 1 else None
    if column is not None:
        names = (property_name(scope.dialect, column),)
    return scope.resolve((*before, *names))


def _texts(call: _Call) -> tuple[str, ...]:
    expression = call.arguments["PropertyValues"]
    if not isinstance(expression, trees.ArrayExpression):
        raise MalformedRequest(f"The query function '{call.name}' needs the list 'PropertyValues'.")
    texts: list[str] = []
    for item in expression.items:
        if not isinstance(item, trees.Literal) or item.kind is trees.LiteralKind.NULL:
            raise MalformedRequest(f"The values of the query function '{call.name}' must be text.")
        texts.append(str(item.value) if item.kind is trees.LiteralKind.STRING else item.text)
    return tuple(texts)


def _mismatch(call: _Call, parameter: str, wanted: str) -> MalformedRequest:
    return MalformedRequest(
        f"Cannot convert the parameter '{parameter}' of the function '{call.name}' to the expected type '{wanted}'."
    )


def _value(text: str, column: Column, scope: Scope) -> Value:
    """Return a text as a value of the column."""
    literal: trees.Literal | trees.EnumLiteral = trees.Literal(trees.LiteralKind.STRING, text, text)
    if edm_type(column.type) in _BARE:
        try:
            literal = parse_literal(text)
        except SyntaxRefused as error:
            raise MalformedRequest(
                f"Cannot convert the literal '{text}' to the expected type '{edm_type(column.type)}'."
            ) from error
    return literal_value(literal, column, scope.dialect)
