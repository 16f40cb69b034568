"""Custom APIs as functions and actions: what a URL can name and `$metadata` declares (Learn: "Use custom APIs").

A response of one record, or of several, is of their type; any other is a complex type named after the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.custom_apis import BindingType, CustomApi, CustomApiParameter, ParameterType
from odata_server.edm.definition_values import ComplexType, PropertyType
from odata_server.edm.operations import ANY_TABLE, Operation

_OPEN: Final = "expando"
"""The type of records of no particular table."""

_NAMES: Final[Mapping[ParameterType, str]] = {
    ParameterType.BOOLEAN: "Boolean",
    ParameterType.DATE_TIME: "DateTimeOffset",
    ParameterType.DECIMAL: "Decimal",
    ParameterType.ENTITY: _OPEN,
    ParameterType.ENTITY_COLLECTION: _OPEN,
    ParameterType.ENTITY_REFERENCE: ANY_TABLE,
    ParameterType.FLOAT: "Double",
    ParameterType.INTEGER: "Int32",
    ParameterType.MONEY: "Decimal",
    ParameterType.PICKLIST: "Int32",
    ParameterType.STRING: "String",
    ParameterType.STRING_ARRAY: "String",
    ParameterType.GUID: "Guid",
}
_COLLECTIONS: Final = frozenset((ParameterType.ENTITY_COLLECTION, ParameterType.STRING_ARRAY))
_RECORDS: Final = frozenset((ParameterType.ENTITY, ParameterType.ENTITY_COLLECTION))


def operation_of(api: CustomApi) -> Operation:
    """Return a custom API as the function or action that it is."""
    many = api.binding is BindingType.ENTITY_COLLECTION
    bound = None if api.table is None else PropertyType(api.table, is_collection=many)
    parameters = {parameter.name: _type(parameter) for parameter in api.parameters}
    tables = frozenset(part.table for part in (*api.parameters, *api.properties) if part.table)
    named = tables if api.table is None else tables | {api.table}
    return Operation(api.name, not api.is_function, bound, parameters, _result(api), named)


def custom_operation(catalog: Catalog, name: str) -> Operation | None:
    """Return the custom API of a name, None when there is none that can be called.

    Args:
        catalog: the catalog.
        name: the name, as a URL has it.
    """
    api = catalog.custom_apis.get(name)
    return operation_of(api) if api is not None and api.is_callable else None


def unbound_names(catalog: Catalog) -> frozenset[str]:
    """Return the names of the custom APIs that stand alone in a URL."""
    apis = catalog.custom_apis.values()
    return frozenset(api.name for api in apis if api.table is None and api.is_callable)


def told(catalog: Catalog) -> tuple[CustomApi, ...]:
    """Return the custom APIs that `$metadata` tells, in the order of their names; private ones are not among them."""
    found = (api for _, api in sorted(catalog.custom_apis.items()) if api.is_callable and not api.is_private)
    return tuple(api for api in found if operation_of(api).entity_types <= catalog.tables.keys())


def response_type(api: CustomApi) -> ComplexType | None:
    """Return the complex type of a response, None where the response is nothing or records."""
    if not api.properties or only_records(api) is not None:
        return None
    return ComplexType(f"{api.name}Response", {part.name: _type(part, is_nullable=True) for part in api.properties})


def only_records(api: CustomApi) -> CustomApiParameter | None:
    """Return the response property that is the whole response: the only one, of a record or of several."""
    match api.properties:
        case (single,) if single.type in _RECORDS:
            return single
        case _:
            return None


def _result(api: CustomApi) -> PropertyType | None:
    single = only_records(api)
    if single is not None:
        return _type(single)
    return PropertyType(f"{api.name}Response") if api.properties else None


def _type(part: CustomApiParameter, *, is_nullable: bool | None = None) -> PropertyType:
    nullable = part.is_optional if is_nullable is None else is_nullable
    return PropertyType(part.table or _NAMES[part.type], part.type in _COLLECTIONS, nullable)
