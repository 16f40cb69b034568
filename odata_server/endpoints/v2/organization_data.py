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
)
from odata_server.bind.v2.paths import resolve_v2
from odata_server.bind.v2.translation import AS_WEB_API
from odata_server.edm.preferences import NO_PREFERENCES
from odata_server.endpoints import web_api
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.optional_parameters import with_optional_parameters
from odata_server.endpoints.services import Services
from odata_server.endpoints.v2 import answers, reads
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
_LONGEST_URL: Final = 32_768
_NO_LETTERS: Final = re.compile(r"\W+", re.ASCII)


def handle(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer one request to the Organization Data Service."""
    return _outcome(request, services, lambda: web_api.caller(request, services))


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
    found = resolve_v2(call.path, v2.meaning)
    return _dispatch(v2, found.resource, found.member)


def _documents(v2: V2Call) -> ODataResponse:
    """Answer with the service document or with `$metadata`."""
    call = v2.call
    _check_method(v2, "GET")
    call.read_metadata(frozenset())
    if not call.path:
        return answers.service_document(v2)
    body = v2.state.document(v2.meaning, lambda: _container(call))
    return answers.answer(call.services, answers.XML, body, answers.TWO)


def _container(call: Call) -> str:
    """Return the name of the entity container: that of the organization, as far as a name of the EDM can have it."""
    query = QueryExpression("organization", ("name",), top=1)
    found = call.organization.execute(RetrieveMultiple(query), call.services.dataverse.members.system())
    assert isinstance(found, Rows)
    name = str(found.records[0]["name"]) if found.records else ""
    return f"{_NO_LETTERS.sub('', name) or 'Organization'}Context"


def _check_method(v2: V2Call, *methods: str) -> None:
    method = v2.call.request.method
    if method not in methods:
        raise MethodNotAllowed(f"The requested resource does not support http method '{method}'.")


def _dispatch(v2: V2Call, resource: Resource, member: str) -> ODataResponse:
    match resource:
        case Collection() | Related():
            _check_method(v2, "GET")
            return reads.read_rows(v2, resource)
        case Row() | RelatedRow() | RelatedMember():
            _check_method(v2, "GET")
            return reads.read_row(v2, resource)
        case RowProperty():
            _check_method(v2, "GET")
            return reads.read_property(v2, resource, member)
        case Counted(rows=rows):
            _check_method(v2, "GET")
            return reads.read_count(v2, rows)
        case References():
            _check_method(v2, "GET")
            return reads.read_links(v2, resource)
        case RowReferences() | Operation() | ServiceRoot():
            raise not_found(v2.call.path)
        case _:
            assert_never(resource)
