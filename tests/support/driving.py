"""Drives a whole application in this process: requests through Flask's test client, tokens through MSAL's own code."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msal
from databases import url_of_data
from flask import Flask
from werkzeug.test import TestResponse

from odata_server.admin.data_directory import Secrets, write_secrets
from odata_server.admin.first_start import Prepared
from odata_server.app import prepare
from odata_server.engine.database import quoted
from odata_server.engine.places import storage_place
from odata_server.settings import Settings

URL: Final = "https://localhost:8443"
WEB_API: Final = "/api/data/v9.2/"
CONTROL_KEY: Final = "the-control-key"
CONTROL: Final = {"Authorization": f"TalentverseControl {CONTROL_KEY}"}


class FlaskHttpClient:
    """What MSAL asks of an HTTP client, over a Flask application (MSAL: parameter `http_client`)."""

    def __init__(self, application: Flask) -> None:
        self._client = application.test_client()

    def get(self, url, params=None, headers=None, **_):
        return _MsalAnswer(self._client.get(url, query_string=params, headers=headers))

    def post(self, url, params=None, data=None, headers=None, **_):
        return _MsalAnswer(self._client.post(url, query_string=params, data=data, headers=headers))

    def close(self):
        """Nothing is open."""


class _MsalAnswer:
    def __init__(self, answer: TestResponse) -> None:
        self.status_code, self.text, self.headers = answer.status_code, answer.text, answer.headers

    def raise_for_status(self):
        assert self.status_code < 400, self.text


@dataclass
class Caller:
    """Somebody who sends requests to the application."""

    application: Flask
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a request; a relative path belongs to the Web API, a body that is no text is sent as JSON."""
        headers = {**self.headers, **options.pop("headers", {})}
        if body is not None:
            options["data"] = body if isinstance(body, str | bytes) else json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        url = path if path.startswith("/") else WEB_API + path
        options.setdefault("base_url", URL)
        return self.application.test_client().open(url, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        """Return the JSON of a successful GET."""
        return self._done(self.send("GET", path, **options)).get_json(force=True)

    def rows(self, path: str, **options: Any) -> list[Any]:
        """Return the rows of a successful GET."""
        return self.get(path, **options)["value"]

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a POST that must succeed."""
        return self._done(self.send("POST", path, body, **options))

    def patch(self, path: str, body: Any, **options: Any) -> TestResponse:
        """Send a PATCH that must succeed."""
        return self._done(self.send("PATCH", path, body, **options))

    def delete(self, path: str, **options: Any) -> TestResponse:
        """Send a DELETE that must succeed."""
        return self._done(self.send("DELETE", path, **options))

    def create(self, entity_set: str, body: Any) -> str:
        """Create a row with the Web API and return its id."""
        return self.post(entity_set, body).headers["OData-EntityId"].rpartition("(")[2].removesuffix(")")

    def _done(self, answer: TestResponse) -> TestResponse:
        assert answer.status_code < 300, (answer.status_code, answer.text)
        return answer


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    """Return status, code and text of a refusal of the Web API or `/data`."""
    error = answer.get_json(force=True)["error"]
    return answer.status_code, error["code"], error.get("innererror", error)["message"]


def first_start(directory: Path, **changes: Any) -> tuple[Settings, Prepared]:
    """Make a data directory as the serving process does."""
    changes.setdefault("database_url", url_of_data(directory))
    settings = Settings(directory, directory, in_memory=True, **changes)
    prepared = prepare(settings, Secrets("", "", ""))
    write_secrets(directory, Secrets(CONTROL_KEY, prepared.admin_client_secret, prepared.adapter_client_secret))
    return settings, prepared


def bearer(application: Flask, tenant: str, client_id: str, secret: str) -> dict[str, str]:
    """Return the header with a token that MSAL got for an application."""
    client = msal.ConfidentialClientApplication(
        client_id,
        client_credential=secret,
        authority=f"{URL}/{tenant}",
        instance_discovery=False,
        http_client=FlaskHttpClient(application),
    )
    answer = client.acquire_token_for_client([f"{URL}/.default"])
    return {"Authorization": f"{answer['token_type']} {answer['access_token']}"}


def until(condition, seconds=10.0):
    """Wait until a condition holds and return what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.01)
    return found


def dump(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of both environments' databases."""
    place = storage_place(Settings(directory, directory, database_url=url_of_data(directory)))
    content: dict[str, list[tuple[object, ...]]] = {}
    for name in ("dataverse", "human-resources"):
        with closing(place.open(name)) as database:
            reader = database.reader()
            for (table,) in sorted(reader.execute(reader.dialect.schema_tables)):
                content[f"{name}.{table}"] = reader.execute(f"SELECT * FROM {quoted(table)} ORDER BY 1, 2").fetchall()
    return content
