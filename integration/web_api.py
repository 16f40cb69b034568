"""A small session with Dataverse's Web API: bearer token, OData headers, and errors as one exception."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import requests

from integration.authority import reason_of
from integration.tokens import TokenSource

API_PATH: Final = "/api/data/v9.2/"
UNAUTHORIZED: Final = 401

# Learn: "Compose HTTP requests and handle errors": these headers belong to every request.
_HEADERS: Final = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0"}


class ServerUnreachableError(Exception):
    """The server gave no answer; whether it did what was asked is unknown."""


class ServerNotTrustedError(ServerUnreachableError):
    """The server's certificate is not trusted; nothing was sent."""


class WebApiError(Exception):
    """An answer that is not a success: HTTP status, Dataverse's code and text, seconds to wait if it names any."""

    def __init__(self, status: int, code: str | None, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} [{self.code or f'HTTP {self.status}'}]"


@dataclass(frozen=True, slots=True)
class WebApiAnswer:
    """A success: status, the address of a created record if there is one, and the JSON object of the body."""

    status: int
    entity_id: str | None
    body: Mapping[str, object]


class WebApi:
    """The Web API of one server, as one application; `api_path` names another OData service of it, such as `/data/`."""

    def __init__(
        self,
        url: str,
        token: TokenSource,
        session: requests.Session,
        user_agent: str = "talentverse",
        api_path: str = API_PATH,
    ) -> None:
        self._service_root = url.rstrip("/") + api_path
        self._token = token
        self._session = session
        self._user_agent = user_agent

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, object]:
        """Read `path` (below the service root, unencoded) with query options and return the JSON object.

        Raises:
            WebApiError: the server refused.
            ServerUnreachableError: no answer came.
            TokenError: no token is to be had.
        """
        return self.request("GET", path, query=query).body

    def create(self, set_name: str, values: Mapping[str, object]) -> WebApiAnswer:
        """Create a record in the entity set; raises what `get` raises."""
        return self.request("POST", set_name, body=values)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> WebApiAnswer:
        """Send one request; a token the server no longer accepts is renewed once. Raises what `get` raises."""
        address = self._service_root + quote(path, safe="/()=',$@:") + _query_text(query)
        content, headers = None, {}
        if body is not None:
            headers = {"Content-Type": "application/json; charset=utf-8"}
            content = json.dumps(body, ensure_ascii=False).encode()
        answer = self.exchange(method, address, content, headers)
        return WebApiAnswer(answer.status_code, answer.headers.get("OData-EntityId"), _object_of(answer))

    def exchange(
        self, method: str, address: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send one request as it is and return a success as it came: for batches, and for the links of answers.

        Args:
            method: the HTTP method.
            address: a URL of this service, encoded, or one relative to its root.
            content: the body.
            headers: what is sent besides the headers of every request.

        Raises:
            WebApiError: the server refused, or the address is another service's, which gets no token.
            ServerUnreachableError: no answer came.
            TokenError: no token is to be had.
        """
        if "://" not in address:
            address = self._service_root + address
        if not address.startswith(self._service_root):
            raise WebApiError(0, None, f"the link {address} leads to another service than {self._service_root}")
        complete = {**_HEADERS, "User-Agent": self._user_agent, **(headers or {})}
        answer = self._send(method, address, content, complete, self._token())
        if answer.status_code == UNAUTHORIZED:
            answer = self._send(method, address, content, complete, self._token(fresh=True))
        if not answer.ok or answer.is_redirect:
            raise error_of(answer)
        return answer

    def _send(
        self, method: str, address: str, content: bytes | None, headers: Mapping[str, str], token: str
    ) -> requests.Response:
        def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

        # The token goes in as `auth`: a .netrc entry for the host would replace a plain Authorization header.
        try:
            return self._session.request(
                method, address, data=content, headers=dict(headers), auth=authorize, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise ServerNotTrustedError(f"{self._service_root} gave no answer: {reason_of(error)}") from error
        except requests.RequestException as error:
            raise ServerUnreachableError(f"{self._service_root} gave no answer: {reason_of(error)}") from error


def error_of(answer: requests.Response) -> WebApiError:
    """Read the error out of an answer: OData's error object, else the plain text of the body.

    Source: OData JSON 4.01 §21.1; a missing or refused token is answered by text that is no JSON.
    """
    code, message = None, ""
    try:
        content: object = answer.json()
    except ValueError:
        content = None
    match content:
        case {"error": {"code": str(stated_code), "message": str(stated)}}:
            code, message = stated_code or None, stated
        case {"error": {"message": str(stated)}} | {"Message": str(stated)}:
            message = stated
        case _:
            message = _plain_text(answer)
    message = " ".join(message.split()) or answer.reason or "no reason given"
    return WebApiError(answer.status_code, code, message, _retry_after(answer))


def _plain_text(answer: requests.Response) -> str:
    kind = answer.headers.get("Content-Type", "")
    readable = kind.startswith("text/") and not answer.text.lstrip().startswith("<")
    return answer.text[:300] if readable else f"{answer.reason or 'error'} (the answer is no OData error)"


def _retry_after(answer: requests.Response) -> float | None:
    """Read Retry-After as seconds: RFC 9110 §10.2.3 allows a number or a date.

    A date is measured against the answer's own Date, so that differing clocks do no harm.
    """
    stated = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(stated)
    except ValueError:
        moment = _moment(stated)
        sent = _moment(answer.headers.get("Date", "")) or datetime.now(UTC)
        return max(0.0, (moment - sent).total_seconds()) if moment else None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _query_text(query: Mapping[str, str] | None) -> str:
    if not query:
        return ""
    return "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())


def _object_of(answer: requests.Response) -> Mapping[str, object]:
    if not answer.content:
        return {}
    try:
        content: object = answer.json()
    except ValueError as error:
        raise WebApiError(answer.status_code, None, "the answer is no JSON: is this a Web API?") from error
    if not isinstance(content, dict):
        raise WebApiError(answer.status_code, None, "the answer is no JSON object: is this a Web API?")
    return content


def literal(text: str) -> str:
    """Write text as an OData string literal: single quotes are doubled (OData 4.01 ABNF, rule `string`)."""
    return "'" + text.replace("'", "''") + "'"
