"""The Flask side of the doors: WSGI requests become `ODataRequest`s, answers become responses, faults become JSON.

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
from flask import Blueprint, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from entities.errors import DataverseError, EngineFault, NotSupported, ResourceNotFound
from odata_server.endpoints import human_resources, web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.services import Services
from odata_server.render.errors import status_of, web_api_body

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Door: TypeAlias = Callable[[ODataRequest, Services], ODataResponse]

_METHODS: Final = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_PATH_SAFE: Final = "/!$&'()*+,;=:@-._~"
_PLAIN_PATH: Final = re.compile(r"[\w/!$&()*+,;=:@.~-]*", re.ASCII)
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_JSON: Final = (("Content-Type", "application/json; odata.metadata=minimal"), ("OData-Version", "4.0"))
_SERVICE_PREFIXES: Final = ("/api/", "/data", "/XRMServices/")
_CONTENT: Final[Mapping[str, str]] = MappingProxyType(
    {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
)
_PAYLOAD_TOO_LARGE: Final = 413
_SOAP: Final = (
    "The SOAP endpoint Organization.svc is not part of Talentverse. Use the Web API (/api/data/v9.2/) instead; "
    "see the documentation page 'What works': https://learn.microsoft.com/power-apps/developer/data-platform/webapi/"
)
_V2: Final = "The Organization Data Service (OData v2) is not supported yet. Use the Web API (/api/data/v9.2/) instead."

_log = structlog.get_logger(__name__)


def data_routes(services: Services) -> Blueprint:
    """Return the routes of the Web API, of `/data` and of the older services."""
    blueprint = Blueprint("data", __name__)
    doors: Mapping[str, Door] = {
        "/api/data": web_api.handle,
        "/data": human_resources.handle,
        "/XRMServices/2011/OrganizationData.svc": _organization_data,
        "/XRMServices/2011/Organization.svc": _soap,
    }
    for root, door in doors.items():
        view = _view(door, services)
        name = root.strip("/").replace("/", "_").replace(".", "_")
        blueprint.add_url_rule(f"{root}", name, view, methods=_METHODS, strict_slashes=False)
        blueprint.add_url_rule(f"{root}/<path:rest>", f"{name}_rest", view, methods=_METHODS)
        blueprint.add_url_rule(f"{root}/", f"{name}_root", view, methods=_METHODS)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.app_errorhandler(404)(_http_error)
    blueprint.app_errorhandler(405)(_http_error)
    return blueprint


def _view(door: Door, services: Services) -> Callable[..., Response]:
    def view(rest: str = "") -> Response:  # noqa: ARG001 - the door reads the undecoded path
        return _sent(_answer(door, services))

    return view


def _answer(door: Door, services: Services) -> ODataResponse:
    """Let a door answer the current request; whatever it cannot answer is logged and becomes a JSON 500."""
    try:
        host = request.host.lower()
        if host not in services.hosts and host.rpartition(":")[0] not in services.hosts:
            return _refusal(ResourceNotFound(f"The host '{request.host}' is not known here."))
        return door(received(services.max_body), services)
    except RequestEntityTooLarge:
        body = web_api_body(DataverseError("The request body is too large.", code="0x80060888"))
        return ODataResponse(_PAYLOAD_TOO_LARGE, _JSON, body)
    except HTTPException:
        raise
    except Exception:  # noqa: BLE001 - the outermost door: a fault of ours must still be answered in JSON
        _log.exception("request_failed", method=request.method, path=request.path)
        return _refusal(EngineFault("An unexpected error occurred."))


def _refusal(error: DataverseError) -> ODataResponse:
    return ODataResponse(status_of(error), _JSON, web_api_body(error))


def received(max_body: int) -> ODataRequest:
    """Return the current Flask request as a value.

    Raises:
        RequestEntityTooLarge: the body is longer than `max_body`.
    """
    # Each use of the name `request` looks the request up again, so its environment is taken once.
    environ = request.environ
    method: str = environ["REQUEST_METHOD"]
    reads_only = method in {"GET", "HEAD"}
    return ODataRequest(
        method="GET" if reads_only else method,
        scheme=environ["wsgi.url_scheme"],
        host=request.host,
        path=_raw_path(environ),
        query=_encoded(environ.get("QUERY_STRING", "")),
        headers=_Headers(environ),
        body=b"" if reads_only else _body(max_body),
    )


def _body(max_body: int) -> bytes:
    request.max_content_length = max_body
    return request.get_data(cache=False)


class _Headers(Mapping[str, str]):
    """A request's headers by lower-case name, looked up in the WSGI environment when they are asked for."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ[_variable(name)]
        if not value and name in _CONTENT.values():
            raise KeyError(name)
        return value

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


class _Answer(Response):
    """An answer as it goes out: its headers are complete, its body is one piece and has nothing to close.

    Werkzeug would copy and complete the headers and wrap the body in an iterator, which a server then sends piece by
    piece; the list goes out at once.
    """

    default_mimetype = None
    automatically_set_content_length = False

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:  # noqa: ARG002 - they depend on no request
        """Return the headers as they are."""
        return self.headers

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """Return the body, none to a HEAD request."""
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.get_data()]


def _sent(answer: ODataResponse) -> Response:
    headers = Headers()
    # As many at once: each header that is added by itself costs ten times as much.
    headers[:] = answer.headers
    if answer.body or answer.status not in {204, 304}:
        headers.add("Content-Length", str(len(answer.body)))
    return _Answer(answer.body, status=answer.status, headers=headers)


def _http_error(error: HTTPException) -> Response | HTTPException:
    """Answer what no route takes in JSON, except to a browser that asked for a page."""
    if not request.path.startswith(_SERVICE_PREFIXES) and request.accept_mimetypes.accept_html:
        accepts_any = request.accept_mimetypes.best == "*/*"
        if not accepts_any:
            return error
    status = error.code or 500
    segment = request.path.strip("/").rpartition("/")[2]
    text = f"Resource not found for the segment '{segment}'." if status == 404 else str(error.description)  # noqa: PLR2004 - NOT FOUND
    return _sent(ODataResponse(status, _JSON, web_api_body(ResourceNotFound(text))))


def _organization_data(_request: ODataRequest, _services: Services) -> ODataResponse:
    return _refusal(NotSupported(_V2))


def _soap(_request: ODataRequest, _services: Services) -> ODataResponse:
    return _refusal(NotSupported(_SOAP))
