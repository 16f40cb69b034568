"""Sends requests to the Organization Data Service and reads its answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lxml import etree

from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.services import Services
from odata_server.endpoints.v2 import organization_data
from odata_server.endpoints.v2.organization_data import ROOT

URL = f"https://org.test:8443{ROOT}"
NOBODY = "00000000-0000-0000-0000-0000000000ff"


@dataclass(frozen=True)
class V2Client:
    """A client that takes JSON, unless a header says otherwise."""

    services: Services
    root: str = ROOT

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> ODataResponse:
        bare, _, query = path.partition("?")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"authorization": "Bearer good", "accept": "application/json", **given}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = ODataRequest(method, "https", "org.test:8443", f"{self.root}{bare}", query, sent, raw)
        return organization_data.handle(request, self.services)

    def data(self, path: str, **headers: str) -> Any:
        """Return what stands in `d`."""
        answer = self("GET", path, **headers)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)["d"]

    def results(self, path: str) -> list[Any]:
        """Return the entities of a collection."""
        found: list[Any] = self.data(path)["results"]
        return found

    def names(self, path: str, name: str = "Name") -> list[str]:
        """Return one property of the entities of a collection."""
        return [one[name] for one in self.results(path)]

    def done(self, method: str, path: str, body: Any = None, **headers: str) -> ODataResponse:
        """Send a write that must succeed."""
        answer = self(method, path, body, **headers)
        assert answer.status in {201, 204}, answer.body
        return answer

    def made(self, entity_set: str, **members: Any) -> str:
        """Return the id of a new entity."""
        made = json.loads(self.done("POST", f"/{entity_set}", members).body)["d"]
        identifier: str = made["__metadata"]["uri"].partition("guid'")[2].partition("'")[0]
        return identifier

    def error(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
        """Return status, code and text of a refusal."""
        answer = self(method, path, body, **headers)
        error = json.loads(answer.body)["error"]
        return answer.status, error["code"], error["message"]["value"]


SPACES = {
    "a": "http://www.w3.org/2005/Atom",
    "m": "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata",
    "d": "http://schemas.microsoft.com/ado/2007/08/dataservices",
    "app": "http://www.w3.org/2007/app",
}


def account(people, name="Contoso"):
    """Return the path to an account."""
    return f"/AccountSet(guid'{people[name]}')"


def xml(answer, path):
    """Return what a path finds in an answer in XML."""
    return etree.fromstring(answer.body).xpath(path, namespaces=SPACES)


def part(method, url, body=None, name=None):
    """Return a request as a part of a batch."""
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding:binary\r\n"
    named = f"Content-ID: {name}\r\n" if name else ""
    text = "" if body is None else json.dumps(body)
    kind = "Accept: application/json\r\nContent-Type: application/json\r\n"
    return f"{head}{named}\r\n{method} {url} HTTP/1.1\r\n{kind}\r\n{text}\r\n"


def changes(*parts):
    """Return a change set as a part of a batch."""
    inner = "".join(f"--c\r\n{one}" for one in parts)
    return f"Content-Type: multipart/mixed;boundary=c\r\n\r\n{inner}--c--\r\n"
