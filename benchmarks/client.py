"""The measured client: its token, its requests as bytes, and one exchange to look at an answer."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from benchmarks.data_set import CLIENT, CLIENT_SECRET, account
from benchmarks.servers import Server
from benchmarks.workloads import UPDATED, Read
from odata_server.admin.first_start import CONTOSO

_ROOT_PATH: Final = "/api/data/v9.2"
# Headers that every server sets by itself.
_HOP: Final = frozenset({"date", "server", "content-length", "connection"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its headers except those of every server, and its body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def exchange(server: Server, request: bytes) -> Answer:
    """Send one request and return the answer; a status of 501 is one: the server lacks what was asked for.

    Raises:
        RuntimeError: it is refused.
    """
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
    if response.status >= http.client.BAD_REQUEST and response.status != http.client.NOT_IMPLEMENTED:
        raise RuntimeError(f"{server.name} answered {response.status}: {body.decode()}")
    headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
    return Answer(response.status, headers, body)


def fetch_token(server: Server) -> str:
    """Return an access token of the client, from the server's own authority."""
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "scope": f"http://localhost:{server.port}/.default",
    }
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    try:
        headers = {"Host": f"localhost:{server.port}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/{CONTOSO.tenant_id}/oauth2/v2.0/token", urlencode(form), headers)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if "access_token" not in answer:
        raise RuntimeError(f"the authority gave no token: {answer}")
    return str(answer["access_token"])


@dataclass(frozen=True, slots=True)
class Client:
    """Makes requests as the measured client sends them."""

    host: str
    token: str

    def read(self, read: Read, contact_id: str) -> bytes:
        """Return a read; a point read is that of the contact."""
        return self._request("GET", f"{_ROOT_PATH}/{read.target.replace('{id}', contact_id)}")

    def creation(self, number: int) -> bytes:
        """Return the creation of an account."""
        return self._request("POST", f"{_ROOT_PATH}/accounts", json.dumps(account(number)).encode())

    def update(self, account_id: str, number: int) -> bytes:
        """Return the change of two columns of an account that is there."""
        changed = {name: value for name, value in account(number).items() if name in UPDATED}
        body = json.dumps(changed).encode()
        return self._request("PATCH", f"{_ROOT_PATH}/accounts({account_id})", body, "If-Match: *")

    def _request(self, method: str, target: str, body: bytes = b"", *more: str) -> bytes:
        headers = [
            f"Host: {self.host}",
            "Accept: application/json",
            "OData-MaxVersion: 4.0",
            "OData-Version: 4.0",
            f"Authorization: Bearer {self.token}",
            *more,
        ]
        if body:
            headers += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join((f"{method} {target} HTTP/1.1", *headers, "", "")).encode() + body
