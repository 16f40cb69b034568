"""Sends requests to the Organization Data Service and reads its answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

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
