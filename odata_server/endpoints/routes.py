"""The WSGI side of the doors: requests become `ODataRequest`s, answers become responses, faults become JSON.

This is the outermost door: nothing else catches `Exception`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

import structlog
from flask import Blueprint, Flask, Response, request
from flask.sansio.app import App
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Request as WSGIRequest
from werkzeug.wsgi import get_host

from entities.errors import DataverseError, EngineFault, MalformedRequest, NotSupported, ResourceNotFound
from odata_server.endpoints import background, human_resources, image_links, web_api
from odata_server.endpoints.compression import compressed
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.negotiation import cross_origin
from odata_server.endpoints.services import Services
from odata_server.endpoints.v2 import organization_data
from odata_server.render.errors import status_of, web_api_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Door: TypeAlias = Callable[[ODataRequest, Services], ODataResponse]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_PATH_SAFE: Final = "/!$&'()*+,;=:@-._~"
_PLAIN_PATH: Final = re.compile(r"[\w/!$&()*+,;=:@.~-]*", re.ASCII)
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_JSON: Final = (("Content-Type", "application/json; odata.metadata=minimal"), ("OData-Version", "4.0"))
_SERVICE_PREFIXES: Final = ("/api/", "/data", "/XRMServices/")
_CONTENT: Final[Mapping[str, str]] = MappingProxyType(
    {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
)
_CONTENT_NAMES: Final = frozenset(_CONTENT.values())
_PAYLOAD_TOO_LARGE: Final = 413
_BAD_REQUEST: Final = 400
_SOAP: Final = (
    "The SOAP endpoint Organization.svc is not part of Talentverse. Use the Web API (/api/data/v9.2/) instead; "
    "see the documentation page 'What works': https://learn.microsoft.com/power-apps/developer/data-platform/webapi/"
)

_log = structlog.get_logger(__name__)


def data_routes(services: Services) -> Blueprint:
    """Return what a Flask application registers to answer the Web API, `/data` and the older services.

    Their requests are answered before Flask makes its contexts, session and signals for them, which would cost as much
    as all the rest of reading a row. What no door takes goes on to Flask's routes.
    """
    blueprint = Blueprint("data", __name__)
    blueprint.record_once(lambda state: _put_before(state.app, services))
    blueprint.app_errorhandler(404)(_http_error)
    blueprint.app_errorhandler(405)(_http_error)
    return blueprint


def _put_before(application: App, services: Services) -> None:
    assert isinstance(application, Flask)
    # Flask's own way to put middleware before an application ("Application Dispatching").
    application.wsgi_app = _Doors(application.wsgi_app, services)  # type: ignore[method-assign]


class _Doors:
    """The data doors as WSGI middleware.

    Args:
        application: answers everything else.
        services: what the doors need.
    """

    def __init__(self, application: WSGIApplication, services: Services) -> None:
        self._application = application
        self._services = services
        self._doors: Mapping[str, Door] = {
            "/api/data": web_api.handle,
            background.MONITOR: background.handle,
            "/data": human_resources.handle,
            "/Image/download.aspx": image_links.handle,
            organization_data.ROOT: organization_data.handle,
            "/XRMServices/2011/Organization.svc": _soap,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        method: str = environ["REQUEST_METHOD"]
        door = self._door(environ.get("PATH_INFO", ""))
        if door is None:
            return self._application(environ, start_response)
        answer = _answer(environ, door, self._services)
        if door is web_api.handle and "HTTP_ORIGIN" in environ:
            answer = cross_origin(answer, environ["HTTP_ORIGIN"])
        if "HTTP_ACCEPT_ENCODING" in environ:
            answer = compressed(answer, environ["HTTP_ACCEPT_ENCODING"])
        headers = list(answer.headers)
        if answer.body or answer.status not in {204, 304}:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{answer.status} {HTTP_STATUS_CODES.get(answer.status, 'Unknown')}", headers)
        # A list goes out at once; servers send what an iterator gives piece by piece.
        return [] if method == "HEAD" else [answer.body]

    def _door(self, path: str) -> Door | None:
        for root, door in self._doors.items():
            if path.startswith(root) and path[len(root) : len(root) + 1] in {"", "/"}:
                return door
        # The older services are not particular about case.
        is_v2 = path[: len(organization_data.ROOT)].lower() == organization_data.ROOT.lower()
        return organization_data.handle if is_v2 and path[len(organization_data.ROOT) :][:1] in {"", "/"} else None


def _answer(environ: WSGIEnvironment, door: Door, services: Services) -> ODataResponse:
    """Let a door answer a request; whatever it cannot answer is logged and becomes a JSON 500."""
    try:
        host = get_host(environ)
        if not services.answers_to(host):
            return _refusal(ResourceNotFound(f"The host '{host}' is not known here."))
        return door(received(environ, services.max_body), services)
    except RequestEntityTooLarge:
        body = web_api_body(DataverseError("The request body is too large.", code="0x80060888"))
        return ODataResponse(_PAYLOAD_TOO_LARGE, _JSON, body)
    except HTTPException as error:
        body = web_api_body(MalformedRequest(str(error.description)))
        return ODataResponse(error.code or _BAD_REQUEST, _JSON, body)
    except Exception:  # noqa: BLE001 - the outermost door: a fault of ours must still be answered in JSON
        _log.exception("request_failed", method=environ["REQUEST_METHOD"], path=environ.get("PATH_INFO"))
        return _refusal(EngineFault("An unexpected error occurred."))


def _refusal(error: DataverseError) -> ODataResponse:
    return ODataResponse(status_of(error), _JSON, web_api_body(error))


def received(environ: WSGIEnvironment, max_body: int) -> ODataRequest:
    """Return a WSGI request as a value.

    Raises:
        RequestEntityTooLarge: the body is longer than `max_body`.
    """
    method: str = environ["REQUEST_METHOD"]
    reads_only = method in {"GET", "HEAD"}
    return ODataRequest(
        method="GET" if reads_only else method,
        scheme=environ["wsgi.url_scheme"],
        host=get_host(environ),
        path=_raw_path(environ),
        query=_encoded(environ.get("QUERY_STRING", "")),
        headers=_Headers(environ),
        body=b"" if reads_only else _body(environ, max_body),
    )


def _body(environ: WSGIEnvironment, max_body: int) -> bytes:
    request = WSGIRequest(environ)
    request.max_content_length = max_body
    return request.get_data(cache=False)


class _Headers(Mapping[str, str]):
    """A request's headers by lower-case name, looked up in the WSGI environment when they are asked for."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ[_variable(name)]
        if not value and name in _CONTENT_NAMES:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        """Tell without an exception, which most requests for a header would raise."""
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping declares it
        """Return a header, or the default, without an exception."""
        value = self._environ.get(_variable(name))
        return default if value is None or (not value and name in _CONTENT_NAMES) else value

    def __iter__(self) -> Iterator[str]:
        for key in self._environ:
            if key.startswith("HTTP_"):
                yield key[5:].replace("_", "-").lower()
            elif key in _CONTENT and self._environ[key]:
                yield _CONTENT[key]

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=256)
def _variable(name: str) -> str:
    """Return the WSGI variable of a header (PEP 3333, "environ Variables")."""
    variable = name.replace("-", "_").upper()
    return variable if variable in _CONTENT else f"HTTP_{variable}"


def _encoded(text: str) -> str:
    """Return a path or query as it was sent, with whatever is not allowed in one percent-encoded."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return quote(text.encode("latin-1", "replace"), safe=_ASCII)


def _raw_path(environ: Mapping[str, Any]) -> str:
    """Return the path as it was sent; servers that keep it do so in one of two variables.

    From a decoded path it is made again: a slash inside a quoted key was encoded, or it would have ended the segment.
    """
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if isinstance(raw, str) and raw.startswith("/"):
        return _encoded(raw.partition("?")[0])
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    if _PLAIN_PATH.fullmatch(path):
        return path
    parts = quote(path.encode("latin-1"), safe=_PATH_SAFE).split("'")
    if len(parts) % 2:
        parts[1::2] = [quoted.replace("/", "%2F") for quoted in parts[1::2]]
    return "'".join(parts)


def _http_error(error: HTTPException) -> Response | HTTPException:
    """Answer what no route takes in JSON, except to a browser that asked for a page."""
    if not request.path.startswith(_SERVICE_PREFIXES) and request.accept_mimetypes.accept_html:
        accepts_any = request.accept_mimetypes.best == "*/*"
        if not accepts_any:
            return error
    status = error.code or 500
    segment = request.path.strip("/").rpartition("/")[2]
    text = f"Resource not found for the segment '{segment}'." if status == 404 else str(error.description)  # noqa: PLR2004 - NOT FOUND
    return Response(web_api_body(ResourceNotFound(text)), status, _JSON)


def _soap(_request: ODataRequest, _services: Services) -> ODataResponse:
    return _refusal(NotSupported(_SOAP))
