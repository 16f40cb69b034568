"""The Organization Data Service, `/XRMServices/2011/OrganizationData.svc`: OData v2 over the same environment.

The journey is that of the Web API (`endpoints.web_api`): authenticate, parse, bind, execute, render. Options, paths and
bodies are translated to the Web API's names; what is executed are the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, assert_never

from entities.errors import DataverseError, MalformedRequest, MethodNotAllowed
from entities.messages import RetrieveMultiple, Rows
from entities.metadata.catalog import Catalog
from entities.query import QueryExpression
from odata_server.bind.paths import not_found
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
    Single,
)
from odata_server.bind.v2.paths import resolve_v2
from odata_server.bind.v2.translation import AS_WEB_API
from odata_server.edm.preferences import NO_PREFERENCES, Preferences
from odata_server.endpoints import web_api
from odata_server.endpoints.batch import Answering, Door, answer_batch
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.optional_parameters import with_optional_parameters
from odata_server.endpoints.protection.visits import metered
from odata_server.endpoints.services import Organization, Services
from odata_server.endpoints.v2 import answers, reads, writes
from odata_server.endpoints.v2.answers import ONE
from odata_server.endpoints.v2.call import V2Call
from odata_server.endpoints.v2.formats import accepted, check_sent_version
from odata_server.engine.snapshots import StaleSnapshot
from odata_server.syntax.tokens import SyntaxRefused
from odata_server.syntax.v2_options import parse_v2_query
from security.impersonation import impersonated
from security.principals import Principal

ROOT: Final = "/XRMServices/2011/OrganizationData.svc"
_PATH: Final = re.compile(rf"({re.escape(ROOT)})(?:/(.*))?\Z", re.DOTALL | re.IGNORECASE)
_METADATA: Final = "$metadata"
_BATCH: Final = "$batch"
_TUNNELED: Final = frozenset({"MERGE", "PUT", "PATCH", "DELETE"})
_ACCEPTED: Final = 202
_LONGEST_URL: Final = 32_768
_NO_LETTERS: Final = re.compile(r"\W+", re.ASCII)


def handle(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer one request to the Organization Data Service."""
    return metered(
        services.gates.dataverse,
        services.now,
        lambda: web_api.caller(request, services),
        lambda known: _outcome(request, services, known),
    )


def _outcome(request: ODataRequest, services: Services, caller: Callable[[], Principal]) -> ODataResponse:
    """Answer a request of a caller, also when it is refused."""
    try:
        # One look at the stamp for both: rights and definitions are those of the same moment.
        catalog = services.dataverse.catalog
        return _answered(_tunneled(request), services, caller(), catalog)
    except SyntaxRefused as error:
        return answers.refused(MalformedRequest(str(error)), request, services)
    except DataverseError as error:
        return answers.refused(error, request, services)


def _tunneled(request: ODataRequest) -> ODataRequest:
    """Return a POST that stands for another method as a request with that method.

    Raises:
        MethodNotAllowed: `X-HTTP-Method` names no method that can be tunneled.
    """
    named = request.header("x-http-method").strip().upper()
    if not named or request.method != "POST":
        return request
    if named not in _TUNNELED:
        raise MethodNotAllowed(f"The method '{named[:20]}' cannot be sent as X-HTTP-Method.")
    return replace(request, method=named)


def _answered(request: ODataRequest, services: Services, principal: Principal, catalog: Catalog) -> ODataResponse:
    """Answer a request, again with fresh definitions where they changed meanwhile."""
    for _ in range(web_api.TRIES):
        with suppress(StaleSnapshot):
            return _answer(_call(request, services, principal, catalog))
        catalog = services.dataverse.catalog
    return _answer(_call(request, services, principal, catalog))


def _call(request: ODataRequest, services: Services, principal: Principal, catalog: Catalog) -> Call:
    found = _PATH.match(request.path)
    if found is None:
        raise not_found(request.path.strip("/").rpartition("/")[2])
    if len(request.path) + len(request.query) > _LONGEST_URL:
        raise MalformedRequest("Invalid URI: The Uri string is too long.")
    check_sent_version(request.header("dataserviceversion"))
    root, path = f"{request.origin}{found[1]}", (found[2] or "").removesuffix("/")
    if path != _BATCH:
        principal = impersonated(request.headers, principal, services.dataverse.members)
    principal = with_optional_parameters(request, principal)
    return Call(request, services, services.dataverse, catalog, principal, NO_PREFERENCES, AS_WEB_API, root, path)


def _answer(call: Call) -> ODataResponse:
    options = parse_v2_query(call.request.query)
    form = accepted(call.request.header("accept"), options.format)
    v2 = V2Call(call, call.services.organization_data.meaning(call.catalog), options, form)
    if call.path in {"", _METADATA}:
        return _documents(v2)
    if call.path == _BATCH and not v2.meaning.is_faithful:
        return _batch(call)
    found = resolve_v2(call.path, v2.meaning)
    return _dispatch(v2, found.resource, found.member)


def _documents(v2: V2Call) -> ODataResponse:
    """Answer with the service document or with `$metadata`."""
    call = v2.call
    _method(v2)
    call.read_metadata(frozenset())
    if not call.path:
        return answers.service_document(v2)
    return answers.document(v2, v2.state.document(lambda: _container(call)))


def _batch(call: Call) -> ODataResponse:
    """Answer `POST $batch` with 202, whatever the answers in it are: each stands for itself (OData v2, "Batch", 3.)."""

    def answering(organization: Organization) -> Answering:
        services = replace(call.services, dataverse=organization, of_a_batch=True)
        return lambda request: _outcome(request, services, lambda: call.principal)

    def refusing(error: DataverseError, request: ODataRequest) -> ODataResponse:
        return answers.refused(error, request, call.services)

    whole = replace(call, preferences=Preferences(continue_on_error=True))
    answer = answer_batch(whole, Door(answering, refusing, merges=True))
    return answers.answer(call.services, dict(answer.headers)["Content-Type"], answer.body, ONE, status=_ACCEPTED)


def _container(call: Call) -> str:
    """Return the name of the entity container: that of the organization, as far as a name of the EDM can have it."""
    query = QueryExpression("organization", ("name",), top=1)
    found = call.organization.execute(RetrieveMultiple(query), call.services.dataverse.members.system())
    assert isinstance(found, Rows)
    name = str(found.records[0]["name"]) if found.records else ""
    return f"{_NO_LETTERS.sub('', name) or 'Organization'}Context"


def _method(v2: V2Call, *methods: str) -> str:
    """Return the method of a request; MERGE for PATCH, which the real service does not know.

    Raises:
        MethodNotAllowed: it is neither GET nor one of `methods`.
    """
    method = v2.call.request.method
    known = "MERGE" if method == "PATCH" and not v2.meaning.is_faithful else method
    if known not in {"GET", *methods}:
        raise MethodNotAllowed(f"The requested resource does not support http method '{method}'.")
    return known


def _dispatch(v2: V2Call, resource: Resource, member: str) -> ODataResponse:
    match resource:
        case Collection() | Related():
            return reads.read_rows(v2, resource) if _method(v2, "POST") == "GET" else writes.create(v2, resource)
        case Row() | RelatedRow() | RelatedMember():
            return _row(v2, resource)
        case RowProperty():
            return _property(v2, resource, member)
        case Counted(rows=rows) if not v2.meaning.is_faithful:
            _method(v2)
            return reads.read_count(v2, rows)
        case References():
            return _links(v2, resource)
        case RowReferences() | Operation() | ServiceRoot() | Counted():
            raise not_found(v2.call.path)
        case _:
            assert_never(resource)


def _row(v2: V2Call, row: Single) -> ODataResponse:
    match _method(v2, "MERGE", "PUT", "DELETE"):
        case "MERGE":
            return writes.change(v2, row)
        case "PUT":
            return writes.replace_row(v2, row)
        case "DELETE":
            return writes.delete(v2, row)
        case _:
            return reads.read_row(v2, row)


def _property(v2: V2Call, asked: RowProperty, member: str) -> ODataResponse:
    match _method(v2, "MERGE", "PUT", "DELETE"):
        case "MERGE" | "PUT":
            return writes.change_property(v2, asked, member)
        case "DELETE":
            return writes.clear_property(v2, asked)
        case _:
            return reads.read_property(v2, asked, member)


def _links(v2: V2Call, references: References) -> ODataResponse:
    match _method(v2, "POST", "PUT", "DELETE"):
        case "POST" | "PUT":
            return writes.add_link(v2, references)
        case "DELETE":
            return writes.remove_link(v2, references)
        case _:
            return reads.read_links(v2, references)
