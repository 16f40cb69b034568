"""The functions and actions that a URL can name, and their parameters as a handler gets them.

A handler gets a GUID as `Guid`, a point in time as aware `datetime`, an enumeration as the names of its members joined
by commas, a complex value as a mapping, a record that is only named as `EntityReference` or `KeyReference`, one with
values as `EntityValue`. Learn: "Use Web API functions", "Use Web API actions"; OData 4.01 Part 2 §5.1.1.13 (aliases).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final
from uuid import UUID

from entities.errors import InvalidPayload, MalformedRequest, NotSupported
from entities.metadata.catalog import Catalog
from odata_server.bind.json_body import refusal
from odata_server.bind.parameters import typed
from odata_server.bind.paths import not_found
from odata_server.bind.payload import Payload
from odata_server.bind.resource import Collection, Many, Related, Single
from odata_server.bind.resource import Operation as Called
from odata_server.edm.custom_apis import custom_operation
from odata_server.edm.definition_values import PropertyType
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.edm.operation_list import AVAILABLE, operation_list
from odata_server.edm.operations import ANY_TABLE, Operation
from odata_server.syntax import trees
from odata_server.syntax.request_trees import NamedSegment, ResourcePath


def declared(called: Called, catalog: Catalog) -> Operation | None:
    """Return the operation that a URL names, as it is bound there; None when there is no such one."""
    for operation in operation_list().by_name.get(called.name, ()):
        if _is_bound(operation.bound, called.bound):
            return operation
    custom = custom_operation(catalog, called.name)
    return custom if custom is not None and _is_bound(custom.bound, called.bound) else None


def _is_bound(bound: PropertyType | None, place: Single | Many | None) -> bool:
    if bound is None or place is None:
        return bound is None and place is None
    is_collection = isinstance(place, Collection | Related)
    return bound.is_collection is is_collection and bound.name in {ANY_TABLE, place.table.logical_name}


def check_available(operation: Operation, catalog: Catalog) -> None:
    """Refuse an operation that Dataverse has and this server has not.

    Raises:
        NotSupported: it is not there yet; the text names it.
    """
    if operation.name not in AVAILABLE and operation.name not in catalog.custom_apis:
        raise NotSupported(f"The operation '{operation.name}' is not supported yet.")


def check_meant(path: ResourcePath, catalog: Catalog) -> None:
    """Refuse an operation on records of a table that Dataverse has and this environment has not.

    Raises:
        NotSupported: the path ends with one; the text names it.
    """
    match path.segments:
        case (NamedSegment(name=entity_set), *_, NamedSegment(name=qualified)) if (
            entity_set not in catalog.by_entity_set
        ):
            name = qualified.removeprefix(f"{WEB_API_NAMESPACE}.")
            known = operation_list().by_name.get(name, ()) if name != qualified else ()
            if any(one.bound is not None and one.bound.name not in catalog.tables for one in known):
                raise NotSupported(f"The operation '{name}' is not supported yet.")
        case _:
            return


def function_parameters(
    operation: Operation, called: Called, aliases: Mapping[str, trees.Expression], payload: Payload
) -> dict[str, object]:
    """Return the parameters of a function, which stand in its parentheses or behind aliases.

    Raises:
        ResourceNotFound: a parameter is unknown, or one that cannot be null is missing: no such function is declared.
        MalformedRequest: a value is not of its parameter's type.
    """
    given = {argument.name: argument.value for argument in called.arguments}
    required = {name for name, type_ in operation.parameters.items() if not type_.is_nullable}
    if not given.keys() <= operation.parameters.keys() or not required <= given.keys():
        raise not_found(operation.name)
    found: dict[str, object] = {}
    for name, written in given.items():
        type_, expression = operation.parameters[name], _behind_aliases(written, aliases)
        _check_literal(name, expression, type_)
        try:
            found[name] = typed(plain_value(expression), type_, name, payload)
        except InvalidPayload as error:
            raise MalformedRequest(error.message, code=error.code) from error
    return found


_NOTHING: Final = trees.Literal(trees.LiteralKind.NULL, "null", None)


def _behind_aliases(expression: trees.Expression, aliases: Mapping[str, trees.Expression]) -> trees.Expression:
    """Return what an alias stands for; one that is not given, or that leads back to itself, stands for null."""
    seen: set[str] = set()
    while isinstance(expression, trees.Alias):
        if expression.name in seen or expression.name not in aliases:
            return _NOTHING
        seen.add(expression.name)
        expression = aliases[expression.name]
    return expression


def _check_literal(name: str, expression: trees.Expression, type_: PropertyType) -> None:
    """Tell texts from what is written without quotes: a GUID, a number."""
    if not isinstance(expression, trees.Literal) or expression.value is None or type_.is_collection:
        return
    is_text = expression.kind is trees.LiteralKind.STRING
    if (type_.name == "String" and not is_text) or (is_text and type_.name in _UNQUOTED):
        raise MalformedRequest(
            f"Cannot convert the literal {expression.text} of the parameter '{name}' to the expected type"
            f" 'Edm.{type_.name}'."
        )


_UNQUOTED: Final = frozenset({"Boolean", "Decimal", "Double", "Guid", "Int16", "Int32", "Int64"})


def action_members(operation: Operation, read: Callable[[], Mapping[str, object]]) -> dict[str, object]:
    """Return the members of an action's body as they stand there.

    Args:
        operation: the action.
        read: reads the body as JSON.

    Raises:
        InvalidPayload: a parameter is unknown or missing.
    """
    members = {name: value for name, value in read().items() if not name.startswith("@")}
    unknown = next((name for name in members if name not in operation.parameters), None)
    if unknown is not None:
        raise refusal(
            operation.name,
            f"Microsoft.OData.ODataException: The parameter '{unknown}' in the request payload is not a valid "
            f"parameter for the operation '{operation.name}'.",
        )
    required = (name for name, type_ in operation.parameters.items() if not type_.is_nullable)
    missing = [name for name in required if name not in members]
    if missing:
        raise refusal(
            operation.name,
            f"Microsoft.OData.ODataException: One or more parameters of the operation '{operation.name}' are missing "
            f"from the request payload. The missing parameters are: {', '.join(missing)}.",
        )
    return members


def action_parameters(
    operation: Operation, read: Callable[[], Mapping[str, object]], payload: Payload
) -> dict[str, object]:
    """Return the parameters of an action, the members of its body by their types.

    Args:
        operation: the action.
        read: reads the body as JSON.
        payload: names and roots.

    Raises:
        InvalidPayload: a parameter is unknown or missing, or a value is not of its parameter's type.
    """
    members = action_members(operation, read)
    try:
        return {n: typed(value, operation.parameters[n], n, payload) for n, value in members.items()}
    except InvalidPayload as error:
        if error.message.startswith("Error identified"):
            raise
        raise refusal(operation.name, f"Microsoft.OData.ODataException: {error.message}") from error


def plain_value(expression: trees.Expression) -> object:
    """Return a function's argument as the JSON value it stands for; GUIDs and enumeration members are text.

    Raises:
        MalformedRequest: the argument is no literal, array or object, or holds an alias inside.
    """
    match expression:
        case trees.Literal(value=UUID() as found):
            return str(found)
        case trees.Literal(value=bool() | int() | float() | Decimal() | str() | None as found):
            return found
        case trees.EnumLiteral(members=members):
            return ",".join(members)
        case trees.ArrayExpression(items=items):
            return [plain_value(item) for item in items]
        case trees.ObjectExpression(members=members):
            return {member.name: plain_value(member.value) for member in members}
        case _:
            raise MalformedRequest("The parameter of a function must be a literal, an array or an object.")
