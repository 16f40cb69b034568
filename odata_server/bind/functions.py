"""Dataverse's query functions in `$filter` (Learn: "Web API query function reference").

Their values are always text, whatever the column; arrays come as JSON or with single quotes, directly or by alias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import MalformedRequest, NotSupported
from entities.metadata.columns import Column
from entities.query import Condition, ConditionOperator, Filter
from entities.values import Value
from odata_server.bind.dialect import property_name
from odata_server.bind.literals import literal_value
from odata_server.bind.scope import Found, Scope
from odata_server.edm.naming import edm_type
from odata_server.syntax import trees
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.tokens import SyntaxRefused

_PREFIX: Final = "Microsoft.Dynamics.CRM."
_MANY: Final[Mapping[str, tuple[ConditionOperator, int | None]]] = {
    "In": (ConditionOperator.IN, None),
    "NotIn": (ConditionOperator.NOT_IN, None),
    "Between": (ConditionOperator.BETWEEN, 2),
    "NotBetween": (ConditionOperator.NOT_BETWEEN, 2),
}
_BARE: Final = frozenset(
    {"Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double", "Edm.Boolean", "Edm.Date", "Edm.DateTimeOffset"}
)
"""Types whose literals stand without quotes in a URL."""


def is_query_function(name: str) -> bool:
    """Return whether a call names one of Dataverse's query functions; the full name is required."""
    return name.startswith(_PREFIX)


def bind_query_function(call: trees.Call, scope: Scope) -> Filter:
    """Return the condition that a query function means.

    Raises:
        MalformedRequest: an argument is missing or no list of texts.
        NotSupported: a query function that the simulator does not have yet.
    """
    name = call.name.removeprefix(_PREFIX)
    entry = _MANY.get(name)
    if entry is None:
        raise NotSupported(f"The query function '{name}' in $filter is not supported yet.")
    operator, wanted = entry
    arguments = {argument.name: scope.value_of(argument.value) for argument in call.named}
    found = _column(arguments.get("PropertyName"), name, scope)
    texts = _texts(arguments.get("PropertyValues"), name)
    if wanted is not None and len(texts) != wanted:
        raise MalformedRequest(f"The query function '{name}' takes exactly {wanted} values.")
    return Condition(found.ref, operator, tuple(_value(text, found.column, scope) for text in texts))


def _column(expression: trees.Expression | None, function: str, scope: Scope) -> Found:
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
    return scope.resolve(names)


def _texts(expression: trees.Expression | None, function: str) -> tuple[str, ...]:
    if not isinstance(expression, trees.ArrayExpression):
        raise MalformedRequest(f"The query function '{function}' needs the list 'PropertyValues'.")
    texts: list[str] = []
    for item in expression.items:
        if not isinstance(item, trees.Literal) or item.kind is trees.LiteralKind.NULL:
            raise MalformedRequest(f"The values of the query function '{function}' must be text.")
        texts.append(str(item.value) if item.kind is trees.LiteralKind.STRING else item.text)
    return tuple(texts)


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
