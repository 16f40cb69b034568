"""Functions that answer with definitions (Learn: "RetrieveEntity Function", "RetrieveAllEntities Function").

There is one version of each definition, so `RetrieveAsIfPublished` makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from entities.errors import RecordNotFound
from odata_server.bind.metadata_query import (
    ATTRIBUTES,
    EVERYTHING,
    KEYS,
    RELATIONSHIPS,
    MetadataQuery,
    Wanted,
    enum_flags,
)
from odata_server.edm.definition_types import all_properties
from odata_server.endpoints.call import Call
from odata_server.endpoints.definition_changes import changed_tables
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.invocation_body import result_json
from odata_server.endpoints.metadata_changes import NAME, retrieve_metadata_changes
from odata_server.endpoints.responses import json_response
from odata_server.render.envelope import single

_PRIVILEGES: Final = "Privileges"


def retrieve_entity(call: Call, parameters: Mapping[str, object]) -> ODataResponse:
    """Answer RetrieveEntity: one table, by its logical name or else by its MetadataId.

    Raises:
        AccessDenied: the caller may not read these parts of the definitions.
        InvalidArgument: the filters are none.
        RecordNotFound: there is no such table.
    """
    parts, query = _asked(parameters)
    definitions = call.services.definitions.of(call.read_metadata(parts))
    name, identifier = parameters.get("LogicalName"), str(parameters["MetadataId"])
    found = definitions.table(str(name)) if name else definitions.table_by_id(identifier)
    if found is None:
        raise RecordNotFound(f"Could not find an entity with the name or id '{name or identifier}'.")
    only = MetadataQuery(_narrowed(query.tables, found.name), query.columns, query.relationships, query.keys)
    return _answer(call, "RetrieveEntity", {"EntityMetadata": changed_tables(definitions, only, None)[0]})


def retrieve_all_entities(call: Call, parameters: Mapping[str, object]) -> ODataResponse:
    """Answer RetrieveAllEntities.

    Raises:
        AccessDenied: the caller may not read these parts of the definitions.
        InvalidArgument: the filters are none.
    """
    parts, query = _asked(parameters)
    catalog = call.read_metadata(parts)
    tables = changed_tables(call.services.definitions.of(catalog), query, None)
    return _answer(call, "RetrieveAllEntities", {"EntityMetadata": tables, "Timestamp": str(catalog.version)})


def _answer(call: Call, name: str, body: Mapping[str, object]) -> ODataResponse:
    context = call.context(f"{call.dialect.namespace}.{name}Response")
    return json_response(call.services, single(context, result_json(body)))


def _narrowed(tables: Wanted, name: str) -> Wanted:
    return Wanted(tables.keeps, tables.names, (name,))


def _asked(parameters: Mapping[str, object]) -> tuple[frozenset[str], MetadataQuery]:
    """Return the parts of definitions that the filters ask for, and the query that reads them."""
    filters = enum_flags("EntityFilters", str(parameters["EntityFilters"]))
    parts, names = {"Entity"}, set(all_properties("EntityMetadata"))
    if "Attributes" in filters:
        parts.add("Attribute")
        names |= {ATTRIBUTES, KEYS}
    if "Relationships" in filters:
        parts.add("Relationship")
        names.update(RELATIONSHIPS)
    if _PRIVILEGES not in filters:
        names.discard(_PRIVILEGES)
    tables, whole = Wanted(EVERYTHING, frozenset(names)), Wanted(EVERYTHING, None)
    return frozenset(parts), MetadataQuery(tables, whole, whole, whole)


OF_DEFINITIONS: Final[Mapping[str, Callable[[Call, Mapping[str, object]], ODataResponse]]] = {
    NAME: retrieve_metadata_changes,
    "RetrieveAllEntities": retrieve_all_entities,
    "RetrieveEntity": retrieve_entity,
}
"""What is answered from the definitions, without a message to the environment but for what has gone."""
