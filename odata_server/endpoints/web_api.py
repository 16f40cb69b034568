"""The Dataverse Web API, `/api/data/v9.x`: the journey of a request in one function.

receive -> authenticate -> parse -> bind -> execute -> render, refused on the way with 401, 403, 400, 404, …
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Final, assert_never

from entities.errors import DataverseError, MalformedRequest, MethodNotAllowed
from entities.metadata.catalog import Catalog, LookupNavigation
from entities.metadata.tables import Table
from entities.values import EntityReference, Guid
from odata_server.bind.dialect import WEB_API
from odata_server.bind.operations import check_meant
from odata_server.bind.paths import Names, not_found, resolve
from odata_server.bind.resource import (
    Collection,
    Counted,
    Operation,
    References,
    Related,
    RelatedMember,
    RelatedRow,
    Resource,
    Row,
    RowProperty,
    RowReferences,
    ServiceRoot,
)
from odata_server.edm.custom_apis import unbound_names
from odata_server.edm.formats import MINIMAL, Format
from odata_server.edm.operation_list import operation_list
from odata_server.edm.operations import takes_bulk
from odata_server.edm.preferences import FORMATTED_VALUE, NO_PREFERENCES, Preferences, parse_preferences
from odata_server.endpoints import delta, files, invocations, reads, writes
from odata_server.endpoints.batch import Answering, Creating, Door, answer_batch
from odata_server.endpoints.call import Call
from odata_server.endpoints.definition_writes import write_definition
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.negotiation import negotiated, preflight
from odata_server.endpoints.optional_parameters import with_optional_parameters
from odata_server.endpoints.protection.visits import metered
from odata_server.endpoints.responses import completed, refused, with_content_type
from odata_server.endpoints.services import Organization, Services
from odata_server.engine.snapshots import StaleSnapshot
from odata_server.syntax.paths import parse_path
from odata_server.syntax.tokens import SyntaxRefused
from security.authenticate import authenticate
from security.impersonation import impersonated
from security.principals import Principal

_ROOT: Final = re.compile(r"/api/data/(v9\.[012])(?:/(.*))?\Z", re.DOTALL)
_ROW: Final = re.compile(r"(\w+)\(([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\)\Z", re.ASCII)
_METADATA: Final = frozenset(
    {
        "$metadata",
        "EntityDefinitions",
        "RelationshipDefinitions",
        "GlobalOptionSetDefinitions",
        "ManagedPropertyDefinitions",
    }
)
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WHOLE_BATCH: Final = "$batch"
TRIES: Final = 10
"""How often a request meets metadata that have just changed before the last answer counts."""
_LONGEST_URL: Final = 32_768
_LONGEST_IN_BATCH: Final = 65_536

_preferences = lru_cache(maxsize=512)(parse_preferences)


def handle(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer one request to the Web API."""
    if request.method == "OPTIONS":
        return preflight(request, services)
    return metered(
        services.gates.dataverse,
        services.now,
        lambda: caller(request, services),
        lambda known: _outcome(request, services, known),
    )


def caller(request: ODataRequest, services: Services) -> Principal:
    """Return who sends a request to this environment.

    Raises:
        AuthenticationFailed: there is no good token.
        AccessDenied: its bearer is no member of the organization, or may not enter it.
    """
    return authenticate(
        request.headers.get("authorization"),
        services.validator,
        services.dataverse.members,
        audiences=services.audiences,
        now=services.now(),
    )


def _outcome(request: ODataRequest, services: Services, caller: Callable[[], Principal]) -> ODataResponse:
    """Answer a request of a caller, also when it is refused."""
    preferences = NO_PREFERENCES
    try:
        preferences = _preferences(request.header("prefer"))
        # One look at the stamp for both: rights and definitions are those of the same moment.
        catalog = services.dataverse.catalog
        return answered(request, services, caller(), preferences, catalog)
    except SyntaxRefused as error:
        return refused(MalformedRequest(str(error)), request, services, preferences)
    except DataverseError as error:
        return refused(error, request, services, preferences)


def answered(
    request: ODataRequest, services: Services, principal: Principal, preferences: Preferences, catalog: Catalog
) -> ODataResponse:
    """Answer a request of a principal, again with fresh definitions where they changed meanwhile.

    Raises:
        DataverseError: it is refused.
        SyntaxRefused: it cannot be read.
    """
    for _ in range(TRIES):
        with suppress(StaleSnapshot):
            return _formatted(_call(request, services, principal, preferences, catalog))
        catalog = services.dataverse.catalog
    return _formatted(_call(request, services, principal, preferences, catalog))


def _formatted(call: Call) -> ODataResponse:
    answer = _answer(call)
    if call.form is MINIMAL or _is_metadata(call.path):
        return answer
    return with_content_type(answer, call.form.content_type)


def _is_metadata(path: str) -> bool:
    """Tell the definitions and the service document, which come with minimal metadata always, from data."""
    return not path or path.partition("/")[0].partition("(")[0] in _METADATA


def _call(
    request: ODataRequest, services: Services, principal: Principal, preferences: Preferences, catalog: Catalog
) -> Call:
    """Return the request with everything it is bound against."""
    found = _ROOT.match(request.path)
    if found is None:
        raise not_found(request.path.strip("/").rpartition("/")[2])
    if len(request.path) + len(request.query) > (_LONGEST_URL if request.references is None else _LONGEST_IN_BATCH):
        raise MalformedRequest("Invalid URI: The Uri string is too long.")
    root = f"{request.origin}/api/data/{found[1]}"
    path = (found[2] or "").removesuffix("/")
    if path != _WHOLE_BATCH:
        # The requests of a batch have its headers, too, and each is of the user that it names.
        principal = impersonated(request.headers, principal, services.dataverse.members)
    principal = with_optional_parameters(request, principal)
    form = _displayed(negotiated(request, root, path), principal, preferences)
    return Call(request, services, services.dataverse, catalog, principal, preferences, WEB_API, root, path, form)


def _displayed(form: Format, principal: Principal, preferences: Preferences) -> Format:
    """Return the format with the caller's way to see values, where the answer may show some."""
    if not preferences.annotations.includes(FORMATTED_VALUE):
        return form
    return replace(form, display=principal.display)


def _answer(call: Call) -> ODataResponse:
    """Answer an authenticated request: whole collections and rows by id first, they are most of the traffic."""
    point = _ROW.match(call.path)
    table = call.catalog.by_entity_set.get(point[1] if point else call.path)
    if table is not None and point and call.request.method in {"GET", "PATCH"}:
        return _row(call, Row(table, EntityReference(table.logical_name, Guid(point[2].lower()))))
    if table is not None and not point and call.request.method in {"GET", "POST"}:
        return _collection(call, table)
    if call.path and _is_metadata(call.path):
        return _metadata(call, tuple(call.path.split("/")))
    if call.path == _WHOLE_BATCH:
        return _batch(call)
    options = call.options()
    aliases = {assignment.name: assignment.value for assignment in options.aliases}
    operations = operation_list().unbound | unbound_names(call.catalog)
    path = parse_path(call.path)
    check_meant(path, call.catalog)
    return _dispatch(call, resolve(path, Names(call.catalog, WEB_API, aliases, operations)))


def _batch(call: Call) -> ODataResponse:
    def over(organization: Organization) -> Services:
        return replace(call.services, dataverse=organization, of_a_batch=True)

    def answering(organization: Organization) -> Answering:
        services = over(organization)
        return lambda request: _outcome(request, services, lambda: call.principal)

    def creating(organization: Organization) -> Creating:
        services = over(organization)
        return lambda request, bodies: _created(request, bodies, services, call.principal)

    def refusing(error: DataverseError, request: ODataRequest) -> ODataResponse:
        return refused(error, request, call.services, call.preferences)

    return completed(call.services, answer_batch(call, Door(answering, refusing, creating)))


def _created(
    request: ODataRequest, bodies: Sequence[bytes], services: Services, principal: Principal
) -> Sequence[ODataResponse] | None:
    """Create records of one table, None where their URL is no entity set of a table that takes several at once.

    Raises:
        DataverseError: one of them is refused.
    """
    preferences = _preferences(request.header("prefer"))
    call = _call(request, services, principal, preferences, services.dataverse.catalog)
    table = call.catalog.by_entity_set.get(call.path)
    if table is None or not takes_bulk(table) or call.request.query or preferences.return_representation:
        return None
    try:
        return writes.create_all(call, table, bodies)
    except SyntaxRefused as error:
        raise MalformedRequest(str(error)) from error


def _dispatch(call: Call, resource: Resource) -> ODataResponse:
    match resource:
        case ServiceRoot():
            return _metadata(call, ())
        case Collection(table=table):
            return _collection(call, table)
        case Row():
            return _row(call, resource)
        case RowProperty():
            return _property(call, resource)
        case Related() | RelatedRow() | RelatedMember() | Counted():
            return _related(call, resource)
        case References() | RowReferences():
            return _references(call, resource)
        case Operation():
            return invocations.invoke(call, resource)
        case _:
            assert_never(resource)


def _metadata(call: Call, segments: tuple[str, ...]) -> ODataResponse:
    """Leave the service document, `$metadata` and definitions to their own door."""
    if any(segments) and segments != ("$metadata",) and call.request.method in _WRITES:
        return write_definition(call)
    return completed(call.services, call.services.metadata(call.request, segments, call.read_metadata))


def _collection(call: Call, table: Table) -> ODataResponse:
    match call.request.method:
        case "GET":
            return _read_collection(call, table)
        case "POST":
            return writes.create(call, table)
        case _:
            raise _wrong_method(call)


def _read_collection(call: Call, table: Table) -> ODataResponse:
    return delta.read_changes(call, table) if delta.asks_for_changes(call) else reads.read_collection(call, table)


def _row(call: Call, row: Row) -> ODataResponse:
    match call.request.method:
        case "GET":
            return reads.read_row(call, row.table, row.target)
        case "PATCH":
            return writes.change(call, row)
        case "DELETE":
            return writes.delete(call, row)
        case _:
            raise _wrong_method(call)


def _property(call: Call, asked: RowProperty) -> ODataResponse:
    if files.is_file(asked):
        return files.answer_file(call, asked)
    match call.request.method:
        case "GET":
            return reads.read_property(call, asked)
        case "PUT":
            return writes.put_property(call, asked)
        case "DELETE":
            return writes.delete_property(call, asked)
        case _:
            raise _wrong_method(call)


def _related(call: Call, resource: Related | RelatedRow | RelatedMember | Counted) -> ODataResponse:
    match resource, call.request.method:
        case Related(), "GET":
            return reads.read_related(call, resource)
        case Related(), "POST":
            return writes.create_related(call, resource)
        case RelatedRow() | RelatedMember(), "GET":
            return reads.read_related_row(call, resource)
        case Counted(rows=Collection(table=table)), "GET" if call.options().deltatoken is not None:
            return delta.read_change_count(call, table)
        case Counted(rows=rows), "GET":
            return reads.read_count(call, rows)
        case _:
            raise _wrong_method(call)


def _references(call: Call, references: References | RowReferences) -> ODataResponse:
    match references, call.request.method:
        case References(), "GET":
            return _read_references(call, references)
        case RowReferences(rows=Row() as row), "GET":
            return reads.read_reference(call, row)
        case RowReferences(rows=Collection() as rows), "GET":
            return reads.read_references(call, rows)
        case References(), "POST" | "PUT":
            return writes.add_reference(call, references)
        case References(), "DELETE":
            return writes.remove_reference(call, references)
        case _:
            raise _wrong_method(call)


def _read_references(call: Call, references: References) -> ODataResponse:
    source, navigation, related = references.source, references.navigation, references.related
    if isinstance(navigation, LookupNavigation):
        return reads.read_reference(call, RelatedRow(source, navigation, references.tables))
    if related is None:
        return reads.read_references(call, Related(source, navigation, references.table))
    return reads.read_reference(call, RelatedMember(source, navigation, references.table, related))


def _wrong_method(call: Call) -> MethodNotAllowed:
    return MethodNotAllowed(f"The requested resource does not support http method '{call.request.method}'.")
