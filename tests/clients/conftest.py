"""One live server over TLS for all clients; a module's clients find it as a shell does after `talentverse env`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msal
import pytest
import requests
from azure.identity import ClientSecretCredential
from live_servers import Server, start, stop
from PowerPlatform.Dataverse.client import DataverseClient

CONTRACTS = {
    "tables": [
        {
            "schemaName": "con_Contract",
            "primaryName": "con_Name",
            "keys": [["con_number"]],
            "columns": [
                {"schemaName": "con_Name", "type": "String", "maxLength": 200},
                {"schemaName": "con_Number", "type": "String", "maxLength": 40},
                {"schemaName": "con_Kind", "type": "Picklist", "options": {"Lease": 1, "Purchase": 2}},
                {"schemaName": "con_Scan", "type": "File"},
            ],
        }
    ]
}
"""A table with an alternate key, a choice and a file."""

_OTHER_BUNDLES = ("CURL_CA_BUNDLE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("clients")
    fixture = directory / "fixture.json"
    fixture.write_text(json.dumps(CONTRACTS))
    server = start(directory / "data", "--fixture", str(fixture))
    yield server
    stop(server)


@pytest.fixture(scope="module")
def server(running: Server) -> Iterator[Server]:
    """The server in the state of its first start, and the variables that `talentverse env` exports."""
    running.reset()
    bundle = running.environment["ca_bundle"]
    with pytest.MonkeyPatch.context() as patch:
        for name in _OTHER_BUNDLES:
            patch.delenv(name, raising=False)
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            patch.setenv(name, bundle)
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> dict[str, str]:
    """Client id and secret of the administrator's application."""
    return server.environment["admin"]


@pytest.fixture(scope="module")
def session(server: Server, admin: dict[str, str]) -> Iterator[requests.Session]:
    """A session of requests that sends the administrator's token, for clients that take one."""
    application = msal.ConfidentialClientApplication(
        admin["client_id"],
        client_credential=admin["client_secret"],
        authority=server.environment["authority"],
        instance_discovery=False,
    )
    token = application.acquire_token_for_client([f"{server.url}/.default"])["access_token"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        yield session


@pytest.fixture(scope="module")
def client(server: Server, admin: dict[str, str]) -> Iterator[DataverseClient]:
    """Microsoft's client for Python in the administrator's name."""
    with (
        ClientSecretCredential(
            server.environment["tenant_id"],
            admin["client_id"],
            admin["client_secret"],
            authority=server.url,
            disable_instance_discovery=True,
        ) as credential,
        DataverseClient(server.url, credential) as client,
    ):
        yield client
