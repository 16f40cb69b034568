"""One HTTP exchange, free of any framework, and the reading of form parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from security.authority.errors import MalformedRequestError

LARGEST_BODY: Final = 64 * 1024
_MOST_PARAMETERS: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `origin` is scheme, host and port as the client wrote them, `path` the variables of the route.

    `body` is cut off one byte after `LARGEST_BODY`.
    """

    method: str
    origin: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    authorization: str = ""
    correlation_id: UUID | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """A response: a JSON document, a page of HTML, or neither."""

    status: int
    document: Mapping[str, object] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    page: str | None = None


def form_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a form body.

    Raises:
        MalformedRequestError: not a form, too large, not UTF-8, or a parameter given twice (RFC 6749 §3.2).
    """
    if len(request.body) > LARGEST_BODY:
        raise MalformedRequestError(detail=f"The request body is larger than {LARGEST_BODY} bytes.")
    if not request.body:
        return {}
    media_type = request.content_type.partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise MalformedRequestError(detail=f"The content type must be {_FORM}, it is '{media_type[:100]}'.")
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequestError(detail="The request body is not UTF-8.") from error
    return _parameters(text)


def query_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the query string.

    Raises:
        MalformedRequestError: too many parameters, not UTF-8, U+0000, or a parameter given twice.
    """
    return _parameters(request.query)


def _parameters(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise MalformedRequestError(detail="The parameters cannot be decoded, or there are too many.") from error
    if "%00" in text or "\0" in text:
        raise MalformedRequestError(detail="A parameter holds the character U+0000.")
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise MalformedRequestError(detail=f"The parameter '{name[:100]}' is given more than once.")
        parameters[name] = value
    return parameters
