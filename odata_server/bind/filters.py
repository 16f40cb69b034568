"""`$filter` as a filter of the query form (Learn: "Filter rows"; OData 4.01 Part 2 §5.1.1).

What Dataverse does not do (arithmetic, other functions) is refused with 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.catalog import CollectionNavigation, ManyToManyNavigation
from entities.query import (
    ALL_ROWS,
    NO_ROWS,
    And,
    ColumnComparison,
    ColumnRef,
    ComparisonOperator,
    Condition,
    ConditionOperator,
    Exists,
    Filter,
    LinkEntity,
    Not,
    Or,
)
from entities.values import Value
from entities.wildcards import text_condition
from odata_server.bind.dialect import Style
from odata_server.bind.functions import bind_query_function, is_query_function
from odata_server.bind.literals import NUMBERS, incompatible, literal_value
from odata_server.bind.scope import Found, Scope, path_names
from odata_server.edm.naming import edm_type
from odata_server.syntax import trees
from odata_server.syntax.kinds import kind_of

OPERATORS: Final[Mapping[trees.Operator, ConditionOperator]] = {
    trees.Operator.EQ: ConditionOperator.EQUAL,
    trees.Operator.NE: ConditionOperator.NOT_EQUAL,
    trees.Operator.GT: ConditionOperator.GREATER_THAN,
    trees.Operator.GE: ConditionOperator.GREATER_EQUAL,
    trees.Operator.LT: ConditionOperator.LESS_THAN,
    trees.Operator.LE: ConditionOperator.LESS_EQUAL,
}
_MIRRORED: Final[Mapping[trees.Operator, trees.Operator]] = {
    trees.Operator.GT: trees.Operator.LT,
    trees.Operator.GE: trees.Operator.LE,
    trees.Operator.LT: trees.Operator.GT,
    trees.Operator.LE: trees.Operator.GE,
}
_OPERATOR_KINDS: Final[Mapping[trees.Operator, str]] = {
    trees.Operator.EQ: "Equal",
    trees.Operator.NE: "NotEqual",
    trees.Operator.GT: "GreaterThan",
    trees.Operator.GE: "GreaterThanOrEqual",
    trees.Operator.LT: "LessThan",
    trees.Operator.LE: "LessThanOrEqual",
}
_TEXT_FUNCTIONS: Final[Mapping[str, ConditionOperator]] = {
    "contains": ConditionOperator.CONTAINS,
    "startswith": ConditionOperator.BEGINS_WITH,
    "endswith": ConditionOperator.ENDS_WITH,
}
_EQUALITY: Final = frozenset({trees.Operator.EQ, trees.Operator.NE})
"""Of the comparisons only these read wildcards in a text (Learn: "Filter rows", wildcard characters)."""

_TWO: Final = 2


def bind_filter(expression: trees.Expression, scope: Scope) -> Filter:
    """Return the filter that an expression means.

    Args:
        expression: the whole `$filter` tree.
        scope: the table, aliases and links of the query; it collects the links that paths need.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: the expression is no condition, or compares what cannot be compared.
    """
    expression = scope.value_of(expression)
    match expression:
        case trees.Logical(connective=trees.Connective.AND, operands=operands):
            return And(tuple(bind_filter(operand, scope) for operand in operands))
        case trees.Logical(operands=operands):
            return Or(tuple(bind_filter(operand, scope) for operand in operands))
        case trees.Not(operand=operand):
            return _negated(operand, scope)
        case trees.Binary(operator=trees.Operator.IN, left=left, right=right):
            return _membership(left, right, scope)
        case trees.Binary():
            return _comparison(expression, scope)
        case trees.Call():
            return _call(expression, scope)
        case trees.Path():
            return _truth(expression, scope)
        case trees.Lambda():
            return _lambda(expression, scope)
        case _:
            # Microsoft.OData's text, whatever stands there.
            raise MalformedRequest("The $filter expression must evaluate to a single boolean value.")


def _lambda(expression: trees.Lambda, scope: Scope) -> Filter:
    """Bind `collection/any(o:…)` and `collection/all(o:…)`: all is none that does not."""
    names = path_names(expression.target)
    names = scope.inside(names) if names else ()
    navigation = scope.catalog.navigation(scope.table.logical_name, names[0]) if len(names) == 1 else None
    if not isinstance(navigation, CollectionNavigation | ManyToManyNavigation):
        raise MalformedRequest(
            f"The lambda operator '{expression.quantifier.value}' needs a collection-valued navigation property of "
            f"'{scope.table.logical_name}'."
        )
    scope.lambdas += 1
    inner = Scope(
        scope.catalog,
        scope.dialect,
        scope.catalog.tables[navigation.target],
        scope.aliases,
        alias=f"{scope.alias}e{scope.lambdas}",
        variable=expression.variable or "",
    )
    condition = bind_filter(expression.predicate, inner) if expression.predicate is not None else ALL_ROWS
    if expression.quantifier is trees.Quantifier.ALL:
        return Not(Exists(_linked(navigation, scope, inner, Not(condition))))
    return Exists(_linked(navigation, scope, inner, condition))


def _linked(
    navigation: CollectionNavigation | ManyToManyNavigation, scope: Scope, inner: Scope, condition: Filter
) -> LinkEntity:
    """Return the link of a lambda operator; the condition stands outside, where every alias is known."""
    match navigation:
        case CollectionNavigation(relationship=relationship):
            return LinkEntity(
                alias=inner.alias,
                table=navigation.target,
                from_column=relationship.referencing_column,
                to_column=relationship.referenced_column,
                to_alias=scope.alias,
                filter=condition,
                links=inner.links(),
            )
        case ManyToManyNavigation(relationship=many, near=near, far=far):
            through = f"{inner.alias}i"
            target = LinkEntity(
                alias=inner.alias,
                table=navigation.target,
                from_column=inner.table.primary_id,
                to_column=far,
                to_alias=through,
                links=inner.links(),
            )
            return LinkEntity(
                alias=through,
                table=many.intersect_table,
                from_column=near,
                to_column=scope.table.primary_id,
                to_alias=scope.alias,
                filter=condition,
                links=(target,),
            )


def _negated(operand: trees.Expression, scope: Scope) -> Filter:
    if isinstance(operand, trees.Call) and is_query_function(operand.name):
        raise MalformedRequest("Not operator along with the Custom Named Condition operators is not allowed")
    return Not(bind_filter(operand, scope))


def _comparison(comparison: trees.Binary, scope: Scope) -> Filter:
    """Bind a comparison, the column on whichever side it stands."""
    operator = comparison.operator
    if operator not in OPERATORS:
        raise MalformedRequest(f"The operator '{operator.value}' is not supported in $filter.")
    left, right = scope.value_of(comparison.left), scope.value_of(comparison.right)
    if path_names(left) is None:
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    names = path_names(left)
    if names is None:
        return _without_column(left, right, operator, scope)
    other = path_names(right)
    if other is not None:
        return _column_comparison(scope.resolve(names), operator, scope.resolve(other))
    if not isinstance(right, trees.Literal | trees.EnumLiteral):
        raise MalformedRequest(f"A property cannot be compared with {kind_of(right)} in $filter.")
    if isinstance(right, trees.Literal) and right.kind is trees.LiteralKind.NULL:
        return _null_comparison(names, operator, scope)
    return _with_value(scope.resolve(names), operator, right, scope)


def _column_comparison(left: Found, operator: trees.Operator, right: Found) -> Filter:
    """Bind a comparison of two columns, whose types must match (Learn: "Filter rows", column comparison)."""
    kinds = {edm_type(left.column.type), edm_type(right.column.type)}
    if len(kinds) > 1 and not kinds <= NUMBERS:
        raise incompatible(left.column, edm_type(right.column.type), _OPERATOR_KINDS[operator])
    return ColumnComparison(left.ref, ComparisonOperator(operator.value), right.ref)


def _without_column(left: trees.Expression, right: trees.Expression, operator: trees.Operator, scope: Scope) -> Filter:
    """Bind `contains(name,'x') eq true` and refuse comparisons that name no column."""
    match left, right:
        case (trees.Literal(value=bool() as wanted), condition) | (condition, trees.Literal(value=bool() as wanted)):
            bound = bind_filter(condition, scope)
            return bound if wanted is (operator is trees.Operator.EQ) else Not(bound)
        case _:
            raise MalformedRequest("A comparison in $filter needs a property on one side.")


def _null_comparison(names: tuple[str, ...], operator: trees.Operator, scope: Scope) -> Filter:
    """Bind a comparison with null: nothing is greater or less than null."""
    ref = scope.lookup_column(names) or scope.resolve(names).ref
    match operator:
        case trees.Operator.EQ:
            return Condition(ref, ConditionOperator.NULL)
        case trees.Operator.NE:
            return Condition(ref, ConditionOperator.NOT_NULL)
        case _:
            return NO_ROWS


def _with_value(
    found: Found, operator: trees.Operator, literal: trees.Literal | trees.EnumLiteral, scope: Scope
) -> Filter:
    value = literal_value(literal, found.column, scope.dialect, _OPERATOR_KINDS[operator])
    if scope.dialect.style is Style.FINANCE:
        return _finance_condition(found, operator, value)
    if isinstance(value, str) and operator in _EQUALITY and edm_type(found.column.type) == "Edm.String":
        return text_condition(found.ref, OPERATORS[operator], value)
    return Condition(found.ref, OPERATORS[operator], (value,))


def _finance_condition(found: Found, operator: trees.Operator, value: Value) -> Filter:
    """Bind a comparison in the `/data` dialect: `*` is a wildcard, and an empty text is no value."""
    if not isinstance(value, str) or edm_type(found.column.type) != "Edm.String":
        return Condition(found.ref, OPERATORS[operator], (value,))
    is_equality = operator in _EQUALITY
    if value == "" and is_equality:
        empty = Or((Condition(found.ref, ConditionOperator.NULL), _equal(found.ref, "")))
        return empty if operator is trees.Operator.EQ else Not(empty)
    if "*" in value and is_equality:
        matching = _matching(found.ref, value)
        return matching if operator is trees.Operator.EQ else Not(matching)
    return Condition(found.ref, OPERATORS[operator], (value,))


def _matching(ref: ColumnRef, text: str) -> Condition:
    """Return the condition for a text with `*` wildcards; the simple forms have operators of their own."""
    core = text.strip("*")
    if "*" in core or not core:
        return Condition(ref, ConditionOperator.LIKE, (_pattern(text),))
    match text.startswith("*"), text.endswith("*"):
        case True, True:
            return Condition(ref, ConditionOperator.CONTAINS, (core,))
        case True, False:
            return Condition(ref, ConditionOperator.ENDS_WITH, (core,))
        case _:
            return Condition(ref, ConditionOperator.BEGINS_WITH, (core,))


def _equal(ref: ColumnRef, value: Value) -> Condition:
    return Condition(ref, ConditionOperator.EQUAL, (value,))


def _pattern(text: str) -> str:
    """Return a text with `*` wildcards as a LIKE pattern, what LIKE would read specially in brackets."""
    return "".join({"*": "%", "%": "[%]", "_": "[_]", "[": "[[]"}.get(character, character) for character in text)


def _membership(left: trees.Expression, right: trees.Expression, scope: Scope) -> Filter:
    names = path_names(scope.value_of(left))
    right = scope.value_of(right)
    if names is None or not isinstance(right, trees.ListExpression | trees.ArrayExpression):
        raise MalformedRequest("The operator 'in' takes a property and a list of values.")
    found = scope.resolve(names)
    values: list[Value] = []
    for item in right.items:
        if not isinstance(item, trees.Literal | trees.EnumLiteral):
            raise MalformedRequest("The operator 'in' takes a list of literals.")
        values.append(literal_value(item, found.column, scope.dialect))
    given = tuple(value for value in values if value is not None)
    member = Condition(found.ref, ConditionOperator.IN, given)
    if len(given) == len(values):
        return member
    return Or((member, Condition(found.ref, ConditionOperator.NULL)))


def _truth(path: trees.Path, scope: Scope) -> Filter:
    """Bind a yes/no property that stands alone."""
    names = path_names(path)
    found = scope.resolve(names) if names else None
    if found is None or edm_type(found.column.type) != "Edm.Boolean":
        raise MalformedRequest("The $filter expression must evaluate to a single boolean value.")
    return Condition(found.ref, ConditionOperator.EQUAL, (True,))


def _call(call: trees.Call, scope: Scope) -> Filter:
    if is_query_function(call.name):
        return bind_query_function(call, scope)
    if call.target is not None:
        raise MalformedRequest(f"The function '{call.name}' cannot be called on a path in $filter.")
    if call.name in _TEXT_FUNCTIONS:
        return _text_function(call, scope)
    raise MalformedRequest(f"An unknown function with name '{call.name}' was found. {_ONLY}")


_ONLY: Final = "Only contains, startswith, endswith and Microsoft.Dynamics.CRM query functions can be used in $filter."


def _text_function(call: trees.Call, scope: Scope) -> Filter:
    arguments = tuple(scope.value_of(argument) for argument in call.arguments)
    names = path_names(arguments[0]) if len(arguments) == _TWO else None
    literal = arguments[1] if names else None
    if names is None or not isinstance(literal, trees.Literal):
        raise MalformedRequest(
            f"No function signature for the function with name '{call.name}' matches the specified arguments. "
            f"The function signatures considered are: {call.name}(Edm.String, Edm.String)."
        )
    found = scope.resolve(names)
    if edm_type(found.column.type) != "Edm.String" or literal.kind is not trees.LiteralKind.STRING:
        raise MalformedRequest(
            f"No function signature for the function with name '{call.name}' matches the specified arguments. "
            f"The function signatures considered are: {call.name}(Edm.String, Edm.String)."
        )
    operator, text = _TEXT_FUNCTIONS[call.name], str(literal.value)
    if scope.dialect.style is Style.WEB_API:
        return text_condition(found.ref, operator, text)
    return Condition(found.ref, operator, (text,))
