"""RetrieveMetadataChanges: definitions for clients that keep them (Learn: "Query schema definitions")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, cast

from entities.errors import NotSupported
from entities.messages import Execute, Executed, Retrieve
from entities.standard.customization.metadata_versions import check_age, read_version_stamp, version_stamp
from entities.values import EntityReference, Guid
from odata_server.bind.metadata_query import (
    ATTRIBUTES,
    RELATIONSHIPS,
    MetadataQuery,
    deleted_filters,
    metadata_query,
)
from odata_server.endpoints.call import Call
from odata_server.endpoints.definition_changes import changed_tables, deleted_definitions
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.invocation_body import result_json
from odata_server.endpoints.responses import json_response
from odata_server.render.envelope import single

NAME: Final = "RetrieveMetadataChanges"


def retrieve_metadata_changes(call: Call, parameters: Mapping[str, object]) -> ODataResponse:
    """Answer the function.

    Args:
        call: the request.
        parameters: its parameters.

    Raises:
        AccessDenied: the caller may not read these parts of the definitions.
        InvalidArgument: the query is none, or the client's stamp is too old.
        RecordNotFound: the query is limited to the tables of an app that does not exist.
        NotSupported: it is limited to those of one that does.
    """
    query = metadata_query(parameters.get("Query"))
    filters = deleted_filters(parameters.get("DeletedMetadataFilters"))
    _check_app(call, parameters.get("AppModuleId"))
    catalog = call.read_metadata(_parts(query))
    now = datetime.fromtimestamp(call.services.now(), UTC)
    since, removed = _missed(call, parameters.get("ClientVersionStamp"), now)
    definitions = call.services.definitions.of(catalog)
    body: dict[str, object] = {"ServerVersionStamp": version_stamp(catalog.definitions_version, now)}
    body["DeletedMetadata"] = None if since is None else deleted_definitions(removed, filters)
    body["EntityMetadata"] = changed_tables(definitions, query, since)
    context = call.context(f"{call.dialect.namespace}.{NAME}Response")
    return json_response(call.services, single(context, result_json(body)))


def _check_app(call: Call, identifier: object) -> None:
    if identifier is None:
        return
    call.read(Retrieve(EntityReference("appmodule", Guid(str(identifier))), ("appmoduleid",)))
    raise NotSupported("Definitions cannot be limited to those of a model-driven app.")


def _parts(query: MetadataQuery) -> frozenset[str]:
    """Return the parts of definitions that a query touches; each has its own privilege."""
    parts = {"Entity"}
    if query.tables.wants(ATTRIBUTES):
        parts.add("Attribute")
    if any(map(query.tables.wants, RELATIONSHIPS)):
        parts.add("Relationship")
    return frozenset(parts)


def _missed(call: Call, stamp: object, now: datetime) -> tuple[int | None, Iterable[tuple[str, str]]]:
    """Return the version that the client knows, and what has gone since; None for a client that knows nothing."""
    if not stamp:
        return None, ()
    check_age(read_version_stamp(str(stamp))[1], now)
    answer = call.execute(Execute(NAME, {"ClientVersionStamp": stamp}))
    assert isinstance(answer, Executed)
    return cast("int", answer.result["Since"]), cast("Iterable[tuple[str, str]]", answer.result["Removed"])
