"""The whole application in this process, once per run of the tests; each test may begin from its first state."""

from __future__ import annotations

import pytest
from driving import CONTROL, Caller, bearer, first_start

import odata_server.app
from odata_server.admin.talent_hub_setup import ADAPTER
from odata_server.app import build
from odata_server.engine.places import storage_place


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    """The data directory."""
    return tmp_path_factory.mktemp("application")


@pytest.fixture(scope="session")
def prepared(directory):
    """Settings, and the tenant and secrets of the first start."""
    return first_start(directory)


@pytest.fixture(scope="session")
def application(prepared):
    """The application of a worker."""
    return build(prepared[0])


@pytest.fixture(scope="session")
def administrator(application, prepared):
    """The administrator's application."""
    made = prepared[1]
    return Caller(application, bearer(application, made.tenant_id, made.admin_client_id, made.admin_client_secret))


@pytest.fixture(scope="session")
def narrow(application, prepared):
    """The adapter's application, whose role reads definitions and nothing else."""
    made = prepared[1]
    return Caller(application, bearer(application, made.tenant_id, ADAPTER, made.adapter_client_secret))


@pytest.fixture(scope="session")
def databases(prepared):
    """Those of both environments, opened once more."""
    place = storage_place(prepared[0])
    opened = [place.open(name) for name in ("dataverse", "human-resources")]
    yield opened
    for database in opened:
        database.close()


@pytest.fixture
def anybody(application):
    """A caller without any token."""
    return Caller(application)


@pytest.fixture
def fresh(anybody):
    """The data as on the first start."""
    anybody.post("/_talentverse/reset", headers=CONTROL)


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    """End what applications that a test builds for itself do in the background, as the end of a worker process does."""
    opened = []

    def recording(open_):
        def opening(*arguments):
            opened.append(open_(*arguments))
            return opened[-1]

        return opening

    for name in ("open_environments", "open_authority_database"):
        monkeypatch.setattr(odata_server.app, name, recording(getattr(odata_server.app, name)))
    yield
    for one in reversed(opened):
        one.close()
