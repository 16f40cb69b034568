"""A server beside which a package of plug-ins is installed, in this process."""

from __future__ import annotations

import json

import pytest
from contoso_plugins import install
from driving import CONTROL, Caller, bearer, first_start

from odata_server import app

WRITER = "11111111-1111-4111-8111-111111111111"
READER = "22222222-2222-4222-8222-222222222222"
SECRET = "a-secret-of-tests"
_ACCOUNTS = ("prvReadAccount", "prvAppendAccount", "prvAppendToAccount", "prvCreateAccount", "prvReadContact")
FIXTURE = {
    "applications": [
        {"clientId": WRITER, "clientSecret": SECRET, "displayName": "Writer"},
        {"clientId": READER, "clientSecret": SECRET, "displayName": "Reader"},
    ],
    "roles": [
        {"name": "Writer", "privileges": dict.fromkeys((*_ACCOUNTS, "prvWriteAccount"), "Global")},
        {"name": "Reader", "privileges": dict.fromkeys(_ACCOUNTS, "Global")},
    ],
    "users": [{"applicationId": WRITER, "roles": ["Writer"]}, {"applicationId": READER, "roles": ["Reader"]}],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the package is installed."""
    found = tmp_path_factory.mktemp("site-packages")
    install(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(found)
        yield found


@pytest.fixture(scope="module")
def prepared(place, tmp_path_factory):
    """Settings and secrets of a first start beside the package."""
    directory = tmp_path_factory.mktemp("data")
    fixture = directory / "fixture.json"
    fixture.write_text(json.dumps(FIXTURE))
    return first_start(directory, fixture=fixture, sample_data="none")


@pytest.fixture(scope="module")
def environments(prepared):
    """The environments of the application."""
    return []


@pytest.fixture(scope="module")
def application(prepared, environments):
    """The application of a worker."""
    authority = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "open_environments", _recording(app.open_environments, environments))
        patch.setattr(app, "open_authority_database", _recording(app.open_authority_database, authority))
        made = app.build(prepared[0])
    yield made
    for one in (*environments, *authority):
        one.close()


@pytest.fixture(scope="module")
def administrator(application, prepared):
    made = prepared[1]
    return Caller(application, bearer(application, made.tenant_id, made.admin_client_id, made.admin_client_secret))


@pytest.fixture(scope="module")
def writer(application, prepared):
    return Caller(application, bearer(application, prepared[1].tenant_id, WRITER, SECRET))


@pytest.fixture(scope="module")
def reader(application, prepared):
    return Caller(application, bearer(application, prepared[1].tenant_id, READER, SECRET))


@pytest.fixture
def state(application, environments):
    """A way to see whether anything has been written: versions, and what the tables here and those of jobs hold."""
    reader = environments[0].dataverse.database.reader
    tables = ("$job", "account", "contact", "task", "customapi", "customapirequestparameter", "plugintype")
    counts = ", ".join(f'(SELECT count(*) FROM "{table}")' for table in tables)
    return lambda: reader().execute(f'SELECT stamp, row_version, {counts} FROM "$state"').fetchone()


@pytest.fixture
def fresh(application):
    """The data as on the first start."""
    Caller(application).post("/_talentverse/reset", headers=CONTROL)


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    """End what applications that a test builds for itself do in the background."""
    opened = []
    for name in ("open_environments", "open_authority_database"):
        monkeypatch.setattr(app, name, _recording(getattr(app, name), opened))
    yield
    for one in reversed(opened):
        one.close()


def _recording(open_, opened):
    def opening(*arguments):
        opened.append(open_(*arguments))
        return opened[-1]

    return opening
