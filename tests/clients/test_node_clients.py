"""Clients for Node, unmodified: each script tells step by step what it sees, and the tests say what that has to be.

The scripts need Node and the packages of `tests/clients/node/package-lock.json`, which are installed at the first run.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import node_clients
import pytest
from live_servers import Server, plain_environment

Step = dict[str, object]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the scripts, in which the clients are found."""
    place = tmp_path_factory.mktemp("node")
    try:
        node_clients.home_of_scripts(place)
    except node_clients.ClientsMissingError as missing:
        pytest.skip(str(missing))
    for script in node_clients.MANIFESTS.glob("*.mjs"):
        shutil.copy(script, place)
    return place


@pytest.fixture(scope="module")
def steps(home: Path, server: Server, admin: dict[str, str]) -> Callable[[str], dict[str, Step]]:
    """What runs a script, once, and returns what it told of each step."""
    environment = plain_environment() | {
        "TALENTVERSE_URL": server.url,
        "TALENTVERSE_AUTHORITY": server.environment["authority"],
        "TALENTVERSE_TENANT_ID": server.environment["tenant_id"],
        "TALENTVERSE_CLIENT_ID": admin["client_id"],
        "TALENTVERSE_CLIENT_SECRET": admin["client_secret"],
        "NODE_EXTRA_CA_CERTS": os.environ["NODE_EXTRA_CA_CERTS"],
    }
    told: dict[str, dict[str, Step]] = {}

    def run(script: str) -> dict[str, Step]:
        if script not in told:
            done = node_clients.run(home / script, environment, 120)
            assert done.returncode == 0, done.stderr
            lines = map(json.loads, done.stdout.splitlines())
            told[script] = {line.pop("name"): line for line in lines}
        return told[script]

    return run


VALUES: dict[str, dict[str, object]] = {
    "msal_node.mjs": {
        "opens the web api": 200,
        "comes from": [False, "Bearer", ""],
        "again": [True, True],
        "domain": 200,
        "oidc": 200,
    },
    "azure_identity.mjs": {"opens the web api": 200, "again": True, "domain": 200},
    "o_js.mjs": {
        "filter": ["O'Brien & Co"],
        "one": "O'Brien & Co",
        "patch": 204,
        "several": ["string", True],
        "expand": "string",
        "batch": [[1, 200], [2, 204], [3, 204], [4, 204], [5, 200]],
        "change set": [[1, 204], [2, 204]],
        "delete": 204,
        "refusal": [400, "0x80048d19"],
    },
    "dynamics_web_api.mjs": {
        "create shown": "Shown",
        "retrieve": ["Zoë's café ☕", "Active"],
        "update": True,
        "update shown": "Again",
        "single property": None,
        "delete property": True,
        "after property": None,
        "stale": [False, False],
        "upsert": [None, "0f5c2a34-6a51-4d52-9f53-0d2c93a4b7f1", None],
        "alternate key": [36, "By its number"],
        "create multiple": 12,
        "pages": [12, 5, "Dozen 6"],
        "all": 12,
        "count": [12, 12, True],
        "expand": "string",
        "long filter": ["Dozen 3"],
        "apply": 66,
        "fetch": [5, "Dozen 5"],
        "fetch all": 12,
        "track changes": ["Tracked"],
        "lookup": [True, None],
        "collection": [["Related"], 0],
        "functions": [["BusinessUnitId", "OrganizationId", "UserId"], True, ["account"]],
        "impersonated": True,
        "file": ["scan.pdf", 6 * 1024 * 1024, True, None],
        "batch": [36, "Dozen 4", 1, True, True],
        # Issues 70, 112, 130 and 183 of DynamicsWebApi.
        "content id in a body": True,
        "content id in a url": ["Below it"],
        "address with a slash at the end": 36,
        "without a change set": [36, "Alone 2"],
        "taken back": 0,
        "goes on": [400, 36],
        "entity names": 1,
        "entities": True,
        "entity": ["Account", True],
        "attribute": "Accounting",
        "relationships": True,
        "choices": True,
        "metadata document": '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx xmlns:edmx=',
        "delete": True,
    },
    "dynamics_web_api_tables.mjs": {
        "create attribute": ["Watts", 5000],
        "global choice": [1, 2],
        "relationship": "Restrict",
        "update entity": "Engine",
        "rows": ["Better", "Owner"],
        "delete": 0,
    },
}
REFUSALS: dict[str, dict[str, dict[str, object]]] = {
    "msal_node.mjs": {
        "wrong secret": {"message": "AADSTS7000215"},
        "unknown application": {"message": "AADSTS700016"},
        "unknown tenant": {"code": "endpoints_resolution_error"},
        "http": {"code": "authority_uri_insecure"},
    },
    "azure_identity.mjs": {
        "wrong secret": {"message": "AADSTS7000215"},
        "unknown application": {"message": "AADSTS700016"},
        "unknown resource": {"message": "AADSTS500011"},
        "assertion": {"message": "AADSTS50027: JWT token is invalid or malformed"},
    },
    "o_js.mjs": {"refused": {"status": 400}},
    "dynamics_web_api.mjs": {
        "stale, propagated": {"status": 412, "code": "0x80060882"},
        # Dataverse does not find the identifier of a request whose answer shows the row (issue 112 of DynamicsWebApi).
        "content id of what is shown": {"status": 400, "message": "Content-ID Reference: '$1' does not exist"},
        "batch refused": {"status": 400, "message": "'nothing'"},
        "unknown property": {"status": 400, "code": "0x80048d19", "message": "'nothing'"},
        "unknown table": {"status": 404, "message": "Resource not found for the segment 'nothings'."},
        "missing row": {"status": 404, "code": "0x80040217", "message": "Does Not Exist"},
        "no token": {"status": 401},
    },
    "dynamics_web_api_tables.mjs": {
        "outside of the range": {"status": 400, "code": "0x80044330"},
        "no prefix": {"status": 400, "code": "0x80044366"},
        "still used": {"status": 400, "message": "entities that reference this option set are: new_machine"},
    },
}


def cases(table: dict[str, dict[str, object]]) -> list[tuple[str, str]]:
    return [(script, step) for script, told in table.items() for step in told]


@pytest.mark.parametrize(("script", "step"), cases(VALUES))
def test_a_step_succeeds(steps: Callable[[str], dict[str, Step]], script: str, step: str):
    assert steps(script)[step] == {"value": VALUES[script][step]}


@pytest.mark.parametrize(("script", "step"), cases(REFUSALS))
def test_a_step_is_refused(steps: Callable[[str], dict[str, Step]], script: str, step: str):
    told = steps(script)[step]["error"]
    for member, expected in REFUSALS[script][step].items():
        assert expected in told[member] if isinstance(expected, str) else told[member] == expected, told


@pytest.mark.parametrize("script", VALUES)
def test_no_step_is_left_out(steps: Callable[[str], dict[str, Step]], script: str):
    told = steps(script)
    assert set(told) - {"create", "create entity"} == set(VALUES[script]) | set(REFUSALS[script])


def test_a_missing_registry_is_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(node_clients, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(node_clients.ClientsMissingError, match="npm cannot install the clients"):
        node_clients.modules.__wrapped__()
    assert list((tmp_path / "cache").iterdir()) == [tmp_path / "cache" / "lock"]
