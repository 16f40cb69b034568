"""`$filter` over definitions: properties compared with literals, joined by and, or, not.

Learn, "Query table definitions using the Web API": only properties of primitive or enumeration types can be used, such
as `IsPrivate eq false`, `CanCreateAttributes/Value eq true` or `OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes
'UserOwned'`; functions are answered by 501.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Final, TypeAlias

from entities.errors import MalformedRequest, NotSupported, UnknownName
from odata_server.edm.definition_types import all_navigations, all_properties
from odata_server.edm.definition_values import COMPLEX, ENUMS, PropertyType
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.render.definition_labels import Json
from odata_server.syntax.kinds import kind_of
from odata_server.syntax.trees import (
    Alias,
    Binary,
    Call,
    Connective,
    EnumLiteral,
    Expression,
    Literal,
    LiteralKind,
    Logical,
    Not,
    Operator,
    Path,
)

Predicate: TypeAlias = Callable[[Json], bool]

_NUMBERS: Final = frozenset({"Int16", "Int32", "Int64", "Double", "Decimal"})
_KINDS: Final[Mapping[LiteralKind, frozenset[str]]] = {
    LiteralKind.BOOLEAN: frozenset({"Boolean"}),
    LiteralKind.STRING: frozenset({"String"}),
    LiteralKind.INTEGER: _NUMBERS,
    LiteralKind.DECIMAL: _NUMBERS,
    LiteralKind.DOUBLE: _NUMBERS,
    LiteralKind.GUID: frozenset({"Guid"}),
    LiteralKind.DATE_TIME: frozenset({"DateTimeOffset"}),
}
_EDM: Final[Mapping[LiteralKind, str]] = {
    LiteralKind.BOOLEAN: "Edm.Boolean",
    LiteralKind.STRING: "Edm.String",
    LiteralKind.INTEGER: "Edm.Int32",
    LiteralKind.DECIMAL: "Edm.Decimal",
    LiteralKind.DOUBLE: "Edm.Double",
    LiteralKind.GUID: "Edm.Guid",
    LiteralKind.DATE_TIME: "Edm.DateTimeOffset",
}
_ORDERED: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}
_OPERATOR_NAMES: Final[Mapping[Operator, str]] = {
    Operator.EQ: "Equal",
    Operator.NE: "NotEqual",
    Operator.GT: "GreaterThan",
    Operator.GE: "GreaterThanOrEqual",
    Operator.LT: "LessThan",
    Operator.LE: "LessThanOrEqual",
}


@dataclass(frozen=True, slots=True)
class Filtered:
    """The type whose definitions are filtered, and the parameter aliases of the URL."""

    type_name: str
    aliases: Mapping[str, Expression]


def compile_filter(expression: Expression, scope: Filtered) -> Predicate:
    """Return a test of a definition's properties.

    Raises:
        UnknownName: a name stands for no property.
        MalformedRequest: a property that cannot be compared, or operands of different types.
        NotSupported: a function or an operator that definitions do not know.
    """
    match expression:
        case Logical(connective=connective, operands=operands):
            parts = [compile_filter(operand, scope) for operand in operands]
            test = all if connective is Connective.AND else any
            return lambda values: test(part(values) for part in parts)
        case Not(operand=operand):
            inner = compile_filter(operand, scope)
            return lambda values: not inner(values)
        case Binary():
            return _comparison(expression, scope)
        case Path():
            return _flag(expression, scope)
        case Call(name=name):
            raise NotSupported(f'The "{name}" function isn\'t supported for Metadata Entities')
        case _:
            raise NotSupported(f"A filter that is {kind_of(expression)} isn't supported for Metadata Entities")


def fixed_name(expression: Expression | None, scope: Filtered, key: str) -> str | None:
    """Return the value that a filter fixes a property to, None when it does not.

    Args:
        expression: the filter.
        scope: what it filters.
        key: the property by which definitions are kept.
    """
    match expression:
        case Logical(connective=Connective.AND, operands=operands):
            found = (fixed_name(operand, scope, key) for operand in operands)
            return next((name for name in found if name is not None), None)
        case Binary(operator=Operator.EQ, left=Path(names=names, root=None), right=right) if names == (key,):
            literal = _resolved(right, scope)
            return str(literal.value) if _is_text(literal) and isinstance(literal, Literal) else None
        case _:
            return None


def _is_text(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.kind is LiteralKind.STRING


def _resolved(expression: Expression, scope: Filtered) -> Expression:
    if isinstance(expression, Alias):
        return scope.aliases.get(expression.name, Literal(LiteralKind.NULL, "null", None))
    return expression


def _flag(path: Path, scope: Filtered) -> Predicate:
    """Return the test of a Boolean property that stands alone."""
    read, type_ = _property(path, scope)
    if type_.name != "Boolean":
        raise MalformedRequest("The $filter expression must evaluate to a single boolean value.")
    return lambda values: read(values) is True


def _comparison(expression: Binary, scope: Filtered) -> Predicate:
    left, right, operator = expression.left, expression.right, expression.operator
    if isinstance(left, Call) or isinstance(right, Call):
        name = left.name if isinstance(left, Call) else right.name if isinstance(right, Call) else ""
        raise NotSupported(f'The "{name}" function isn\'t supported for Metadata Entities')
    if not isinstance(left, Path) or operator not in _OPERATOR_NAMES:
        raise NotSupported(f'The "{operator.value}" operator isn\'t supported for Metadata Entities')
    read, type_ = _property(left, scope)
    if type_.name in COMPLEX or type_.is_collection:
        raise MalformedRequest(
            f"The property '{'/'.join(left.names)}' cannot be used in a $filter: it is not primitive."
        )
    literal = _resolved(right, scope)
    wanted = _literal_value(literal, type_, operator)
    if operator in _ORDERED:
        return _ordered(read, wanted, operator, type_)
    if operator is Operator.NE:
        return lambda values: read(values) != wanted
    return lambda values: read(values) == wanted


def _ordered(read: Callable[[Json], object], wanted: object, operator: Operator, type_: PropertyType) -> Predicate:
    compare = _ORDERED[operator]
    if type_.name not in _NUMBERS or not isinstance(wanted, int | float):
        raise NotSupported(f'The "{operator.value}" operator isn\'t supported for Metadata Entities')
    limit = float(wanted)

    def test(values: Json) -> bool:
        value = read(values)
        return isinstance(value, int | float) and compare(value, limit)

    return test


def _literal_value(literal: Expression, type_: PropertyType, operator: Operator) -> object:
    """Return a literal as definitions hold it: enumerations by member name, GUIDs and moments as text."""
    if isinstance(literal, Literal) and literal.kind is LiteralKind.NULL:
        return None
    if type_.name in ENUMS:
        return _member(literal, type_, operator)
    if not isinstance(literal, Literal) or type_.name not in _KINDS.get(literal.kind, frozenset()):
        raise _incompatible(f"Edm.{type_.name}", literal, operator)
    if literal.kind is LiteralKind.GUID:
        return str(literal.value)
    return float(literal.text) if literal.kind is LiteralKind.DECIMAL else literal.value


def _member(literal: Expression, type_: PropertyType, operator: Operator) -> str:
    qualified = f"{WEB_API_NAMESPACE}.{type_.name}"
    members = _members(literal, {qualified, f"mscrm.{type_.name}"})
    if members is None:
        raise _incompatible(qualified, literal, operator)
    unknown = [member for member in members if member not in ENUMS[type_.name].members]
    if unknown:
        raise MalformedRequest(f"The string '{unknown[0]}' is not a valid enumeration member of '{qualified}'.")
    return ", ".join(members)


def _members(literal: Expression, type_names: set[str]) -> tuple[str, ...] | None:
    """Return the members that a literal names, with its type or without it (OData 4.01 URL Conventions §5.1.1.14.1).

    Microsoft's client for Python leaves the type out (`AttributeType ne 'Virtual'`).
    """
    match literal:
        case EnumLiteral(type_name=name, members=members) if name in type_names:
            return members
        case Literal(kind=LiteralKind.STRING, value=str(text)):
            return tuple(member.strip() for member in text.split(","))
        case _:
            return None


def _incompatible(left: str, literal: Expression, operator: Operator) -> MalformedRequest:
    right = "Edm.Untyped"
    if isinstance(literal, Literal):
        right = _EDM.get(literal.kind, right)
    elif isinstance(literal, EnumLiteral):
        right = literal.type_name
    return MalformedRequest(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{left}' and '{right}' for operator kind '{_OPERATOR_NAMES[operator]}'."
    )


def _property(path: Path, scope: Filtered) -> tuple[Callable[[Json], object], PropertyType]:
    """Return a reader of a property, and its type; a second name leads into an object.

    Raises:
        UnknownName: a name stands for no property.
        NotSupported: the path leads through a navigation property.
    """
    names = path.names
    properties = all_properties(scope.type_name)
    if path.root is not None or names[0] in all_navigations(scope.type_name):
        raise NotSupported("Paths through navigation properties aren't supported for Metadata Entities")
    owner, type_ = scope.type_name, None
    for name in names:
        if type_ is not None:
            owner = type_.name
            properties = COMPLEX[owner].properties if owner in COMPLEX and not type_.is_collection else {}
        type_ = properties.get(name)
        if type_ is None:
            raise UnknownName(f"Could not find a property named '{name}' on type '{WEB_API_NAMESPACE}.{owner}'.")
    assert type_ is not None
    return (lambda values: _walk(values, names)), type_


def _walk(values: Json, names: tuple[str, ...]) -> object:
    value: object = values
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
