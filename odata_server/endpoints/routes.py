"""The Flask side of the doors: WSGI requests become `ODataRequest`s, answers become responses, faults become JSON.

This is the outermost door: nothing else catches `Exception`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from entities.errors import DataverseError, EngineFault, NotSupported, ResourceNotFound
from odata_server.endpoints import human_resources, web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.services import Services
from odata_server.render.errors import status_of, web_api_body

Door: TypeAlias = Callable[[ODataRequest, Services], ODataResponse]

_METHODS: Final = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_PATH_SAFE: Final = "/!$&'()*+,;=:@-._~"
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_JSON: Final = (("Content-Type", "application/json; odata.metadata=minimal"), ("OData-Version", "4.0"))
_SERVICE_PREFIXES: Final = ("/api/", "/data", "/XRMServices/")
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
        if request.host.rpartition(":")[0].lower() not in services.hosts and request.host.lower() not in services.hosts:
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
    request.max_content_length = max_body
    environ = request.environ
    headers = {_header(key): value for key, value in environ.items() if key.startswith("HTTP_")}
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[_header(f"HTTP_{key}")] = environ[key]
    return ODataRequest(
        method="GET" if request.method == "HEAD" else request.method,
        scheme=request.scheme,
        host=request.host,
        path=_raw_path(environ),
        query=quote(request.query_string, safe=_ASCII) if request.query_string else "",
        headers=headers,
        body=request.get_data(cache=False) if request.method not in {"GET", "HEAD"} else b"",
    )


@lru_cache(maxsize=256)
def _header(key: str) -> str:
    return key[5:].replace("_", "-").lower()


def _raw_path(environ: Mapping[str, object]) -> str:
    """Return the path as it was sent; servers that keep it do so in one of two variables."""
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if isinstance(raw, str) and raw.startswith("/"):
        return quote(raw.partition("?")[0].encode("latin-1", "replace"), safe=_ASCII)
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    return quote(path.encode("latin-1"), safe=_PATH_SAFE)


def _sent(answer: ODataResponse) -> Response:
    response = Response(answer.body, status=answer.status)
    response.headers.clear()
    response.headers.extend(answer.headers)
    if answer.body or answer.status not in {204, 304}:
        response.headers["Content-Length"] = str(len(answer.body))
    return response


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
