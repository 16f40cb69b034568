"""`$filter` of the Organization Data Service as a filter of the query form.

Conditions become those of the Web API, name by name, and are bound as such. Comparisons of functions that a condition
of the query form can say are bound by `bind.v2.functions`; the real service has three functions only (MSDN gg309461).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.tables import Table
from entities.query import And, Filter, Not, Or
from odata_server.bind.filters import OPERATORS, bind_filter
from odata_server.bind.scope import Found, Scope
from odata_server.bind.v2.functions import VALUE_FUNCTIONS, Comparison, bind_function
from odata_server.bind.v2.translation import Meaning, web_api_path
from odata_server.syntax import trees
from odata_server.syntax.kinds import kind_of

_TEXT_FUNCTIONS: Final[Mapping[str, str]] = {
    "substringof": "contains",
    "startswith": "startswith",
    "endswith": "endswith",
}
"""The functions that are conditions, and what the Web API calls them."""

_CASE: Final = frozenset({"tolower", "toupper"})
"""Functions that no comparison sees anything of: texts compare without case."""

_MIRRORED: Final[Mapping[trees.Operator, trees.Operator]] = {
    trees.Operator.GT: trees.Operator.LT,
    trees.Operator.GE: trees.Operator.LE,
    trees.Operator.LT: trees.Operator.GT,
    trees.Operator.LE: trees.Operator.GE,
}
_TWO: Final = 2


def bind_v2_filter(expression: trees.Expression, scope: Scope, meaning: Meaning) -> Filter:
    """Return the filter that an expression means.

    Args:
        expression: the whole `$filter` tree.
        scope: the table and the links of the query; it collects the links that paths need.
        meaning: the names.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: the expression is no condition, or one that the service does not have.
    """
    match expression:
        case trees.Logical(connective=connective, operands=operands):
            filters = tuple(bind_v2_filter(operand, scope, meaning) for operand in operands)
            return And(filters) if connective is trees.Connective.AND else Or(filters)
        case trees.Not(operand=operand):
            return Not(bind_v2_filter(operand, scope, meaning))
        case trees.Binary():
            return _comparison(expression, scope, meaning)
        case trees.Call():
            return bind_filter(_text_call(expression, scope.table, meaning), scope)
        case trees.Path():
            return bind_filter(_operand(expression, scope.table, meaning), scope)
        case _:
            raise MalformedRequest("The $filter expression must evaluate to a single boolean value.")


def check_one_group(expression: trees.Expression, table: Table, meaning: Meaning) -> None:
    """Refuse conditions on more than one entity: the real service takes one group (MSDN gg309461).

    Raises:
        MalformedRequest: there are several.
    """
    navigations = meaning.names.navigations(table)
    groups = {names[0] if names[0] in navigations else "" for names in _paths(expression)}
    if len(groups) > 1:
        raise MalformedRequest("$filter takes conditions on one entity only: on the root, or on one that it leads to.")


def _paths(expression: trees.Expression) -> Iterator[tuple[str, ...]]:
    match expression:
        case trees.Path(names=names, root=None):
            yield names
        case trees.Logical(operands=operands) | trees.Call(arguments=operands):
            for operand in operands:
                yield from _paths(operand)
        case trees.Not(operand=operand):
            yield from _paths(operand)
        case trees.Binary(left=left, right=right):
            yield from _paths(left)
            yield from _paths(right)
        case _:
            return


def _comparison(comparison: trees.Binary, scope: Scope, meaning: Meaning) -> Filter:
    left, right, operator = comparison.left, comparison.right, comparison.operator
    if operator not in OPERATORS:
        raise MalformedRequest(f"The operator '{operator.value}' is not supported in $filter.")
    if isinstance(left, trees.Literal):
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    if isinstance(left, trees.Call) and left.name in VALUE_FUNCTIONS and not meaning.is_faithful:
        return bind_function(Comparison(left, operator, right), lambda path: _resolved(path, scope, meaning))
    if _is_condition(left):
        return _truth(left, operator, right, scope, meaning)
    table = scope.table
    translated = trees.Binary(operator, _operand(left, table, meaning), _operand(right, table, meaning))
    return bind_filter(translated, scope)


def _is_condition(expression: trees.Expression) -> bool:
    match expression:
        case trees.Call(name=name):
            return name in _TEXT_FUNCTIONS
        case trees.Logical() | trees.Not() | trees.Binary():
            return True
        case _:
            return False


def _truth(
    condition: trees.Expression, operator: trees.Operator, wanted: trees.Expression, scope: Scope, meaning: Meaning
) -> Filter:
    """Bind `startswith(Name,'x') eq true`."""
    match wanted, operator:
        case trees.Literal(value=bool() as value), trees.Operator.EQ | trees.Operator.NE:
            bound = bind_v2_filter(condition, scope, meaning)
            return bound if value is (operator is trees.Operator.EQ) else Not(bound)
        case _:
            raise MalformedRequest("A condition in $filter can be compared with true and false only.")


def _operand(expression: trees.Expression, table: Table, meaning: Meaning) -> trees.Expression:
    """Return one side of a comparison with the names of the Web API."""
    match expression:
        case trees.Literal():
            return expression
        case trees.Path(names=names, root=None):
            return replace(expression, names=web_api_path(names, table, meaning))
        case trees.Call(name=name, arguments=(inner,)) if name in _CASE and not meaning.is_faithful:
            return _operand(inner, table, meaning)
        case trees.Call(name=name):
            raise _unknown_function(name, meaning)
        case _:
            raise MalformedRequest(f"A property cannot be compared with {kind_of(expression)} in $filter.")


def _text_call(call: trees.Call, table: Table, meaning: Meaning) -> trees.Call:
    """Return `substringof('x',Name)` as `contains(name,'x')`; the others have the property first already."""
    name = _TEXT_FUNCTIONS.get(call.name)
    if name is None or call.target is not None:
        raise _unknown_function(call.name, meaning)
    if len(call.arguments) != _TWO:
        raise MalformedRequest(f"No applicable function found for '{call.name}' with the specified arguments.")
    first, second = (_operand(argument, table, meaning) for argument in call.arguments)
    return trees.Call(name, (second, first) if call.name == "substringof" else (first, second))


def _resolved(expression: trees.Expression, scope: Scope, meaning: Meaning) -> Found:
    """Return the column that an argument of a function names."""
    operand = _operand(expression, scope.table, meaning)
    if not isinstance(operand, trees.Path):
        raise MalformedRequest(f"A function of {kind_of(expression)} is not supported in $filter.")
    return scope.resolve(operand.names)


def _unknown_function(name: str, meaning: Meaning) -> MalformedRequest:
    functions = list(_TEXT_FUNCTIONS) if meaning.is_faithful else sorted({*_TEXT_FUNCTIONS, *_CASE, *VALUE_FUNCTIONS})
    return MalformedRequest(f"The function '{name}' is not supported in $filter; {', '.join(functions)} are.")
