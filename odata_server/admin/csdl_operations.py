"""Functions and actions that a metadata document declares and this product does not know, as custom APIs.

They get no plug-in: as with Dataverse a call then does nothing, until somebody registers one (Learn: "Create and use
custom APIs"). What a custom API cannot be, such as one with a parameter of a complex type, is left out and told.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from entities.messages import Create, Written
from entities.metadata.custom_apis import BindingType, CustomApi, CustomApiParameter, ParameterType, flaw_of_api
from entities.pipeline import Operations
from entities.standard.custom_apis import API, PARAMETER, PROPERTY
from entities.values import Record
from odata_server.edm.csdl_document import Element, bare, is_collection
from odata_server.edm.operation_list import operation_list
from odata_server.edm.operations import ANY_TABLE
from odata_server.edm.query_functions import QUERY_FUNCTIONS

_OPEN: Final = frozenset({ANY_TABLE, "expando"})
_VALUES: Final[Mapping[str, ParameterType]] = {
    "Edm.Boolean": ParameterType.BOOLEAN,
    "Edm.DateTimeOffset": ParameterType.DATE_TIME,
    "Edm.Decimal": ParameterType.DECIMAL,
    "Edm.Double": ParameterType.FLOAT,
    "Edm.Int32": ParameterType.INTEGER,
    "Edm.String": ParameterType.STRING,
    "Collection(Edm.String)": ParameterType.STRING_ARRAY,
    "Edm.Guid": ParameterType.GUID,
}


@dataclass(frozen=True, slots=True)
class ReadOperations:
    """The custom APIs of a document, and of each operation that cannot be one its name and why."""

    custom_apis: tuple[CustomApi, ...]
    left_out: tuple[tuple[str, str], ...]


class _NoCustomApi(Exception):
    """An operation that no custom API can be."""


def read_custom_apis(schema: Element, tables: Container[str]) -> ReadOperations:
    """Return the operations of a document that are not known.

    Args:
        schema: the schema of a metadata document.
        tables: the tables that the document declares.
    """
    known = {*operation_list().by_name, *(function.name for function in QUERY_FUNCTIONS)}
    types = {type_.get("Name"): type_ for type_ in schema.named("ComplexType")}
    found: dict[str, CustomApi] = {}
    left_out: list[tuple[str, str]] = []
    for element in (*schema.named("Action"), *schema.named("Function")):
        name = element.get("Name")
        if name in found:
            left_out.append((name, "another one has the same name"))
        elif name not in known:
            try:
                found[name] = _custom_api(element, types, tables)
            except _NoCustomApi as error:
                left_out.append((name, str(error)))
    return ReadOperations(tuple(found.values()), tuple(left_out))


def _custom_api(element: Element, types: Mapping[str, Element], tables: Container[str]) -> CustomApi:
    given = list(element.named("Parameter"))
    binding, table = BindingType.GLOBAL, None
    if element.get("IsBound") == "true" and given:
        bound = given.pop(0).get("Type")
        table = bare(bound)
        binding = BindingType.ENTITY_COLLECTION if is_collection(bound) else BindingType.ENTITY
        if table not in tables:
            raise _NoCustomApi(f"it is bound to '{table}'")
    name = element.get("Name")
    flaw = flaw_of_api(name, is_bound=table is not None, table=table or "")
    if flaw is not None:
        raise _NoCustomApi(flaw)
    return CustomApi(
        name,
        binding,
        table,
        element.name == "Function",
        parameters=tuple(_part(parameter, tables) for parameter in given),
        properties=tuple(_properties(next(element.named("ReturnType"), None), types, tables)),
    )


def _properties(
    result: Element | None, types: Mapping[str, Element], tables: Container[str]
) -> Iterable[CustomApiParameter]:
    """Return the response properties: those of a complex type, else one of the records that are the response."""
    if result is None:
        return ()
    answer = types.get(bare(result.get("Type")))
    if answer is None or is_collection(result.get("Type")):
        return (_part(Element("Property", {**result.attributes, "Name": "Result"}), tables),)
    return (_part(part, tables) for part in (*answer.named("Property"), *answer.named("NavigationProperty")))


def _part(element: Element, tables: Container[str]) -> CustomApiParameter:
    text = element.get("Type")
    optional = element.get("Nullable", "true") == "true"
    simple = _VALUES.get(text)
    if simple is not None:
        return CustomApiParameter(element.get("Name"), simple, is_optional=optional)
    table = bare(text)
    if table not in tables and table not in _OPEN:
        raise _NoCustomApi(f"'{element.get('Name')}' is of type {text}")
    type_ = ParameterType.ENTITY_COLLECTION if is_collection(text) else ParameterType.ENTITY
    if table == ANY_TABLE and type_ is ParameterType.ENTITY:
        type_ = ParameterType.ENTITY_REFERENCE
    return CustomApiParameter(element.get("Name"), type_, None if table in _OPEN else table, optional)


def add_custom_apis(system: Operations, custom_apis: Iterable[CustomApi]) -> tuple[str, ...]:
    """Create the rows of custom APIs that are not there yet, and return their names.

    Args:
        system: operations inside the running transaction; the tables that they name are there.
        custom_apis: what a file declares.
    """
    new = [api for api in custom_apis if api.name not in system.catalog.custom_apis]
    for api in new:
        named = {"uniquename": api.name, "name": api.name, "displayname": api.name}
        bound = {"bindingtype": api.binding.value, "boundentitylogicalname": api.table, "isfunction": api.is_function}
        made = system.execute(Create(API, {**named, **bound}))
        assert isinstance(made, Written)
        parts = ((PARAMETER, api.parameters), (PROPERTY, api.properties))
        for table, part in ((table, part) for table, found in parts for part in found):
            row: Record = {"customapiid": made.reference, "uniquename": part.name, "name": part.name}
            more: Record = {"displayname": part.name, "type": part.type.value, "logicalentityname": part.table}
            optional: Record = {"isoptional": part.is_optional} if table == PARAMETER else {}
            system.execute(Create(table, {**row, **more, **optional}))
    return tuple(api.name for api in new)
