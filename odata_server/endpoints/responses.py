"""Responses of the Web API: headers that every answer carries, and one function per kind of answer.

Learn: "Use PowerShell and Visual Studio Code with the Dataverse Web API" prints the full set of headers. HSTS is left
out: for the host `localhost` a browser would apply it to every other program on this machine.
"""

from __future__ import annotations

from typing import Final

from entities.errors import AuthenticationFailed, DataverseError, RangeNotSatisfiable, TooManyRequests
from odata_server.edm.preferences import Preferences
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.services import Services
from odata_server.render.errors import DENIED_BODY, challenge, status_of, web_api_body

Headers = tuple[tuple[str, str], ...]

_VERSION: Final = ("OData-Version", "4.0")
_ALWAYS: Final[Headers] = (
    _VERSION,
    ("Cache-Control", "no-cache"),
    ("Allow", "OPTIONS,GET,HEAD,POST"),
    ("Expires", "-1"),
    ("Vary", "Accept-Encoding"),
    ("x-ms-dop-hint", "4"),
)
_JSON_TYPE: Final = "application/json; odata.metadata=minimal"
_JSON: Final[Headers] = (("Content-Type", _JSON_TYPE), *_ALWAYS)
_TEXT: Final[Headers] = (("Content-Type", "text/plain"), *_ALWAYS)
HEADERS_OF_THE_WHOLE: Final = frozenset(name for name, _ in _ALWAYS if name != "OData-Version") | {
    "x-ms-service-request-id"
}
"""Headers of an answer to HTTP that a part of a batch does without."""
HELP_LINK: Final = "Microsoft.PowerApps.CDS.HelpLink"


def identified(services: Services) -> Headers:
    """Return the headers that name this request."""
    request_id = services.new_id()
    return (("REQ_ID", request_id), ("x-ms-service-request-id", request_id))


def json_response(services: Services, body: bytes, *extra: tuple[str, str], status: int = 200) -> ODataResponse:
    """Return a JSON answer."""
    return ODataResponse(status, (*_JSON, *identified(services), *extra), body)


def with_content_type(answer: ODataResponse, content_type: str) -> ODataResponse:
    """Return an answer with another content type where it is JSON of this service."""
    headers = tuple((n, content_type if (n, v) == ("Content-Type", _JSON_TYPE) else v) for n, v in answer.headers)
    return ODataResponse(answer.status, headers, answer.body)


def completed(services: Services, answer: ODataResponse) -> ODataResponse:
    """Return an answer of the metadata door with the headers that every answer carries."""
    given = {name for name, _ in answer.headers}
    missing = tuple(header for header in _ALWAYS if header[0] not in given)
    return ODataResponse(answer.status, (*answer.headers, *missing, *identified(services)), answer.body)


def text_response(services: Services, body: bytes) -> ODataResponse:
    """Return a plain-text answer (`/$count`, `/$value`)."""
    return ODataResponse(200, (*_TEXT, *identified(services)), body)


def binary_response(services: Services, body: bytes, *extra: tuple[str, str], status: int = 200) -> ODataResponse:
    """Return bytes as they are (`/$value` of a file)."""
    given = {name for name, _ in extra}
    always = tuple(header for header in _ALWAYS if header[0] not in given)
    headers = (("Content-Type", "application/octet-stream"), *always, *identified(services), *extra)
    return ODataResponse(status, headers, body)


def no_content(services: Services, *extra: tuple[str, str], status: int = 204) -> ODataResponse:
    """Return an answer without body, and so without `Content-Type`."""
    if services.of_a_batch:
        return ODataResponse(status, (_VERSION, *extra))
    return ODataResponse(status, (*_ALWAYS, *identified(services), *extra))


def refused(
    error: DataverseError, request: ODataRequest, services: Services, preferences: Preferences
) -> ODataResponse:
    """Return the answer to a request that was refused.

    Args:
        error: the refusal.
        request: names the resource in a challenge.
        services: tenant and identifiers.
        preferences: whether error details were asked for.
    """
    if isinstance(error, AuthenticationFailed):
        return denied(error, request, services)
    extra = advice(error)
    body = web_api_body(error, annotated=preferences.annotations.includes(HELP_LINK))
    return json_response(services, body, *extra, status=status_of(error))


def advice(error: DataverseError) -> Headers:
    """Return the headers that tell a program how to go on."""
    match error:
        case TooManyRequests():
            return (("Retry-After", str(error.retry_after)),)
        case RangeNotSatisfiable():
            return (("Content-Range", f"bytes */{error.size}"),)
        case _:
            return ()


def denied(error: AuthenticationFailed, request: ODataRequest, services: Services) -> ODataResponse:
    """Return the 401 with the challenge that Microsoft's clients parse."""
    value = challenge(error, authority=f"{request.origin}/{services.tenant_id}", resource=request.origin)
    headers = (("Content-Type", "text/html"), ("Cache-Control", "private"), ("WWW-Authenticate", value))
    return ODataResponse(401, (*headers, *identified(services)), DENIED_BODY)
