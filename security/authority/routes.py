"""The door of the authority: the table of its routes, and the only place in it that knows Flask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from uuid import UUID

import flask
import orjson
from werkzeug.exceptions import RequestEntityTooLarge

from security.authority import authorize, discovery, graph, token_endpoint
from security.authority.authority import Authority
from security.authority.errors import AuthorityError, MethodNotAllowedError, Trace, error_document
from security.authority.exchange import LARGEST_BODY, Request, Response
from security.authority.graph_errors import GraphCode, GraphError, graph_error_document
from security.authority.token_endpoint import NOT_STORED

Answer = Callable[[Authority, Request], Response]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Route:
    """A URL rule and what answers each method; HEAD is answered as GET without body (RFC 9110 §9.3.2)."""

    rule: str
    answers: Mapping[str, Answer]


_APPLICATION_ITEM: Final = {
    "GET": graph.get_application,
    "PATCH": graph.update_application,
    "DELETE": graph.delete_application,
}

_AUTHORIZE_V2: Final = {"GET": authorize.answer_authorize_v2, "POST": authorize.answer_authorize_v2}
_AUTHORIZE_V1: Final = {"GET": authorize.answer_authorize_v1, "POST": authorize.answer_authorize_v1}

AUTHORITY_ROUTES: Final = (
    Route("/<tenant>/v2.0/.well-known/openid-configuration", {"GET": discovery.answer_configuration_v2}),
    Route("/<tenant>/.well-known/openid-configuration", {"GET": discovery.answer_configuration_v1}),
    Route("/<tenant>/oauth2/v2.0/token", {"POST": token_endpoint.answer_token_v2}),
    Route("/<tenant>/oauth2/token", {"POST": token_endpoint.answer_token_v1}),
    Route("/<tenant>/oauth2/v2.0/authorize", _AUTHORIZE_V2),
    Route("/<tenant>/oauth2/authorize", _AUTHORIZE_V1),
    Route("/<tenant>/discovery/v2.0/keys", {"GET": discovery.answer_keys_v2}),
    Route("/<tenant>/discovery/keys", {"GET": discovery.answer_keys_v1}),
    Route("/common/discovery/instance", {"GET": discovery.answer_instance}),
    # Clients spell this path in two ways.
    Route("/common/userrealm/<user>", {"GET": discovery.answer_user_realm}),
    Route("/common/UserRealm/<user>", {"GET": discovery.answer_user_realm}),
)
GRAPH_ROUTES: Final = (
    Route("/v1.0/applications", {"GET": graph.list_applications, "POST": graph.create_application}),
    Route("/v1.0/applications(appId='<app_id>')", _APPLICATION_ITEM),
    Route("/v1.0/applications/<registration_id>", _APPLICATION_ITEM),
    Route("/v1.0/applications(appId='<app_id>')/addPassword", {"POST": graph.add_password}),
    Route("/v1.0/applications/<registration_id>/addPassword", {"POST": graph.add_password}),
    Route("/v1.0/servicePrincipals", {"GET": graph.list_principals, "POST": graph.create_principal}),
)


def authority_blueprint(authority: Authority) -> flask.Blueprint:
    """Return the routes of the authority and of its Graph slice, to be registered at the root of the server."""
    blueprint = flask.Blueprint("authority", __name__)
    for number, route in enumerate(AUTHORITY_ROUTES):
        _add(blueprint, f"authority_{number}", route.rule, _authority_view(authority, route))
    for number, route in enumerate(GRAPH_ROUTES):
        _add(blueprint, f"graph_{number}", route.rule, _graph_view(authority, route))
    return blueprint


def _add(blueprint: flask.Blueprint, name: str, rule: str, view: Callable[..., flask.Response]) -> None:
    # Every method is routed, so that a wrong one is answered in JSON here and not by the server's default page.
    blueprint.add_url_rule(rule, name, view, methods=_METHODS, provide_automatic_options=False)


def _authority_view(authority: Authority, route: Route) -> Callable[..., flask.Response]:
    def view(**path: str) -> flask.Response:
        request = _request(path)
        try:
            response = _answer(authority, route, request)
        except AuthorityError as error:
            response = _authority_refusal(authority, route, request, error)
        return _flask_response(response, request)

    return view


def _graph_view(authority: Authority, route: Route) -> Callable[..., flask.Response]:
    def view(**path: str) -> flask.Response:
        request = _request(path)
        try:
            response = _answer(authority, route, request)
        except MethodNotAllowedError as error:
            refusal = GraphError(GraphCode.METHOD_NOT_ALLOWED, str(error))
            response = _graph_refusal(authority, route, request, refusal)
        except GraphError as error:
            response = _graph_refusal(authority, route, request, error)
        return _flask_response(response, request)

    return view


def _answer(authority: Authority, route: Route, request: Request) -> Response:
    answer = route.answers.get("GET" if request.method == "HEAD" else request.method)
    if answer is None:
        raise MethodNotAllowedError(allowed=_allowed(route), received=request.method)
    return answer(authority, request)


def _authority_refusal(authority: Authority, route: Route, request: Request, error: AuthorityError) -> Response:
    trace = _trace(authority, request)
    headers = dict(NOT_STORED) | {"x-ms-request-id": str(trace.trace_id)}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = _allowed(route)
    if error.status == HTTPStatus.UNAUTHORIZED and request.authorization:
        # Who tried the header is told which scheme it takes (RFC 6749 §5.2).
        headers["WWW-Authenticate"] = 'Basic realm="token endpoint"'
    return Response(error.status, error_document(error, trace), headers)


def _graph_refusal(authority: Authority, route: Route, request: Request, error: GraphError) -> Response:
    trace = _trace(authority, request)
    headers = {"request-id": str(trace.trace_id)}
    match error.code:
        case GraphCode.INVALID_TOKEN:
            uri = f"{request.origin}/{authority.tenant.tenant_id}/oauth2/authorize"
            headers["WWW-Authenticate"] = f'Bearer realm="", authorization_uri="{uri}"'
        case GraphCode.METHOD_NOT_ALLOWED:
            headers["Allow"] = _allowed(route)
        case GraphCode.DENIED | GraphCode.NOT_FOUND | GraphCode.BAD_REQUEST | GraphCode.UNSUPPORTED_QUERY:
            pass
    return Response(error.code.status, graph_error_document(error, trace), headers)


def _allowed(route: Route) -> str:
    return ", ".join([*route.answers, *(["HEAD"] if "GET" in route.answers else [])])


def _trace(authority: Authority, request: Request) -> Trace:
    new_id = authority.sources.new_id
    return Trace(new_id(), request.correlation_id or new_id(), authority.sources.clock())


def _request(path: Mapping[str, str]) -> Request:
    incoming = flask.request
    return Request(
        method=incoming.method,
        origin=f"{incoming.scheme}://{incoming.host}",
        path=MappingProxyType(dict(path)),
        query=incoming.query_string.decode("latin-1"),
        content_type=incoming.content_type or "",
        body=_body(incoming),
        authorization=incoming.headers.get("Authorization", ""),
        correlation_id=_identifier(incoming.headers.get("client-request-id", "")),
        cookies=dict(incoming.cookies),
    )


def _body(incoming: flask.Request) -> bytes:
    incoming.max_content_length = LARGEST_BODY
    try:
        return incoming.get_data()
    except RequestEntityTooLarge:
        return b" " * (LARGEST_BODY + 1)


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _flask_response(response: Response, request: Request) -> flask.Response:
    if response.page is not None:
        outgoing = flask.Response(response.page, response.status, dict(response.headers))
        outgoing.headers["Content-Type"] = "text/html; charset=utf-8"
    elif response.document is not None:
        outgoing = flask.Response(orjson.dumps(response.document), response.status, dict(response.headers))
        outgoing.headers["Content-Type"] = "application/json; charset=utf-8"
    else:
        outgoing = flask.Response(b"", response.status, dict(response.headers))
        del outgoing.headers["Content-Type"]
    if request.correlation_id is not None:
        outgoing.headers["client-request-id"] = str(request.correlation_id)
    return outgoing
