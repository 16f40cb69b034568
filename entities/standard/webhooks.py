"""Where a webhook is, how it knows its sender, and with which headers it is called.

Learn: "Use webhooks to create external handlers for server events" (query string, headers, 256 KB), "Register a
webhook" (authentication options). What it is sent is in `remote_context`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.parsers import expat

from entities.errors import InvalidArgument
from entities.standard.step_registration import HTTP_HEADER, HTTP_QUERY_STRING, WEBHOOK_KEY
from entities.values import Guid

Json = Mapping[str, object]

LARGEST: Final = 256 * 1024
"""A longer body loses what may be long (Learn: "Use webhooks", x-ms-dynamics-msg-size-exceeded)."""

_LONG: Final = ("ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages")
_REFUSALS: Final[Mapping[int, tuple[str, str, str]]] = {
    HTTP_HEADER: ("0x80050203", "http headers", "header names"),
    HTTP_QUERY_STRING: ("0x80050204", "http query params", "query parameter names"),
}
_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The characters of a header's name (RFC 9110 §5.6.2)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook is: its URL, and how it knows the sender."""

    url: str
    auth_type: int
    auth_value: str

    def target(self) -> str:
        """Return the URL with the parameters that the webhook knows the sender by."""
        match self.auth_type:
            case value if value == WEBHOOK_KEY:
                return _with_query(self.url, [("code", self.auth_value)])
            case value if value == HTTP_QUERY_STRING:
                return _with_query(self.url, settings_of(self.auth_type, self.auth_value))
            case _:
                return self.url

    def headers(self) -> dict[str, str]:
        """Return the headers that the webhook knows the sender by."""
        return dict(settings_of(self.auth_type, self.auth_value)) if self.auth_type == HTTP_HEADER else {}


@dataclass(frozen=True, slots=True)
class Sender:
    """The organization that sends: its id, its name and its domain."""

    organization_id: Guid
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A step as its registration says: what it is, how it runs, and the images it gets (alias, kind, columns)."""

    id: Guid
    name: str
    endpoint_id: Guid
    endpoint: Endpoint
    mode: int
    stage: int
    auto_delete: bool
    user_id: Guid | None = None
    images: tuple[tuple[str, int, frozenset[str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One running of a step: its ids, chosen by whoever runs it."""

    operation_id: Guid
    correlation_id: Guid


def check_auth(auth_type: object, value: str) -> None:
    """See that a webhook can know its sender by these values.

    Args:
        auth_type: 4 for a key in the URL, 5 for headers, 6 for parameters of the URL.
        value: the key, or the XML `<settings><setting name="…" value="…"/></settings>`.

    Raises:
        InvalidArgument: the type is another one, or the values cannot be sent.
    """
    if auth_type not in {WEBHOOK_KEY, HTTP_HEADER, HTTP_QUERY_STRING}:
        raise InvalidArgument(
            "The authtype of a webhook must be WebhookKey (4), HttpHeader (5) or HttpQueryString (6)."
        )
    if not value:
        raise InvalidArgument("A webhook needs an authvalue.")
    assert isinstance(auth_type, int)
    if auth_type == WEBHOOK_KEY:
        if not value.isprintable():
            raise InvalidArgument("The authvalue of a webhook must be one line of text.")
        return
    settings_of(auth_type, value)


def settings_of(auth_type: int, value: str) -> list[tuple[str, str]]:
    """Return the names and values of an authvalue.

    Raises:
        InvalidArgument: it has another form, or a header's name or value cannot be sent.
    """
    code, what, names = _REFUSALS[auth_type]
    text = (
        f"The webhook call failed because of invalid {what} in authValue. Check if the authValue format, {names} and "
        "values are valid for your Service Endpoint entity."
    )
    try:
        found = _settings(value)
    except (expat.ExpatError, ValueError) as error:
        raise InvalidArgument(text, code=code) from error
    fit = all(name and (auth_type != HTTP_HEADER or _is_header(name, given)) for name, given in found)
    if not found or not fit:
        raise InvalidArgument(text, code=code)
    return found


def _settings(value: str) -> list[tuple[str, str]]:
    """Read the settings; a document type is refused before anything in it could be expanded."""
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "setting":
            found.append((attributes.get("name", ""), attributes.get("value", "")))
        elif name != "settings":
            raise ValueError(name)

    def refuse(*_: object) -> None:
        raise ValueError(value)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    is_all = True
    parser.Parse(value, is_all)
    return found


def _is_header(name: str, value: str) -> bool:
    return _TOKEN.issuperset(name) and value.isascii() and value.isprintable() and value == value.strip()


def _with_query(url: str, parameters: Sequence[tuple[str, str]]) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit(parts._replace(query=query))


def request_headers(sender: Sender, table: str, message: str, event: Event) -> dict[str, str]:
    """Return the headers that tell what a request is about (Learn: "Use webhooks", header data)."""
    return {
        "Content-Type": "application/json",
        "x-request-id": event.operation_id,
        "x-ms-dynamics-organization": sender.domain,
        "x-ms-dynamics-entity-name": table,
        "x-ms-dynamics-request-name": message,
        "x-ms-correlation-request-id": event.correlation_id,
    }


def without_long_parts(context: Json) -> Json:
    """Return an execution context without what makes it too long."""
    return {name: value for name, value in context.items() if name not in _LONG}
