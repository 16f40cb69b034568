"""Live servers over TLS with sample data, in the states that the tests ask for."""

from __future__ import annotations

import contextlib
import copy
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import url_of_data
from live_servers import Client, Server, begin, start, stop

from odata_server.engine.places import storage_place
from odata_server.engine.storage_place import BASELINE
from odata_server.settings import Settings

ANN = {
    "hiringContext": "urn:li:contract:123",
    "hrisRequestId": "hr-0001",
    "candidateProfile": {
        "firstName": "Ann",
        "lastName": "Example",
        "emailAddresses": ["ann@x.test"],
        "phoneNumbers": [{"number": "+31 20 555 0100"}],
    },
    "jobTitle": "Engineer",
    "jobLocation": "Utrecht",
    "startDate": {"year": 2021, "month": 7, "day": 1},
}


@pytest.fixture(scope="session")
def running_server() -> Callable[..., contextlib.AbstractContextManager[Server]]:
    """What runs a further server while a block lasts."""

    @contextlib.contextmanager
    def run(data: Path, *arguments: str) -> Iterator[Server]:
        server = start(data, *arguments)
        yield server
        stop(server)

    return run


@pytest.fixture
def begin_server() -> Callable[..., subprocess.Popen[str]]:
    """What begins to start a server, whether or not it gets ready."""
    return begin


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start(tmp_path_factory.mktemp("server") / "data")
    yield server
    stop(server)


@pytest.fixture
def server(running: Server) -> Server:
    """A server in the state of its first start."""
    running.reset()
    return running


@pytest.fixture
def admin(request: pytest.FixtureRequest) -> Client:
    """The administrator's client of the server that the test uses."""
    return chosen(request).client("admin")


@pytest.fixture(scope="session")
def running_ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose first state is the one after the whole set-up, so that a reset leads back to it."""
    data = tmp_path_factory.mktemp("ready") / "data"
    server = start(data)
    done = server.setup()
    assert done.returncode == 0, done.stderr
    stop(server)
    place = storage_place(Settings(data, data, database_url=url_of_data(data)))
    for name in ("dataverse", "human-resources"):
        with contextlib.closing(place.open(name)) as database:
            database.keep(BASELINE)
    server = start(data)
    yield server
    stop(server)


@pytest.fixture
def ready(running_ready: Server) -> Server:
    """A server on which the administrator has performed the whole set-up."""
    running_ready.reset()
    return running_ready


@pytest.fixture
def adapter(request: pytest.FixtureRequest) -> Client:
    """The adapter's client of the server that the test uses."""
    return chosen(request).client("adapter")


def chosen(request: pytest.FixtureRequest) -> Server:
    """Return the server with the set-up where the test asks for that one."""
    return request.getfixturevalue("ready" if "ready" in request.fixturenames else "server")


@pytest.fixture
def ann() -> dict:
    """Ann Example, hired, as LinkedIn describes her."""
    return copy.deepcopy(ANN)


@pytest.fixture
def wait_for():
    """Ask until something is true and return it."""

    def wait(condition, seconds: float = 20.0):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)
        return found

    return wait


@pytest.fixture
def start_server():
    """Start further servers, which are killed when the test ends."""
    servers: list[Server] = []

    def begin(data: Path, *arguments: str) -> Server:
        servers.append(start(data, *arguments))
        return servers[-1]

    yield begin
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()
