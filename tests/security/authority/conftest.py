"""An authority over a database file, with a fixed clock and RSA keys made once."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from uuid import UUID

import flask
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient

from odata_server.engine.authority_store import AuthorityDatabase, open_authority_database
from odata_server.engine.postgres.authority import PostgresAuthority
from odata_server.engine.sqlite.authority import SqliteAuthority
from security.authority.authority import Authority, Sources, ensure_registrations, open_authority
from security.authority.built_in import ADMIN_CLIENT_ID, built_in_registrations
from security.authority.model import Tenant
from security.authority.routes import authority_blueprint
from security.authority.signing_keys import random_private_key

TENANT = Tenant(UUID("11111111-2222-4333-8444-555555555555"), "Contoso", "contoso.onmicrosoft.com")
ORIGIN = "https://localhost:8443"
START = 1_800_000_000.0


@dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """Everything a test of the authority may want to touch."""

    authority: Authority
    database: AuthorityDatabase
    clock: Clock
    secrets: dict[UUID, str]
    path: Path
    sources: Sources
    client: FlaskClient = field(init=False)
    graph_tokens: dict[float, str] = field(default_factory=dict)

    def __post_init__(self):
        app = flask.Flask("authority")
        app.register_blueprint(authority_blueprint(self.authority))
        self.client = app.test_client()

    def token(self, tenant="common", version="/v2.0", **form):
        defaults = {
            "grant_type": "client_credentials",
            "client_id": str(ADMIN_CLIENT_ID),
            "client_secret": self.secrets.get(ADMIN_CLIENT_ID),
            "scope": f"{ORIGIN}/.default",
        }
        body = {name: value for name, value in (defaults | form).items() if value is not None}
        return self.client.post(f"/{tenant}/oauth2{version}/token", data=body, base_url=ORIGIN)

    def access_token(self, **form):
        response = self.token(**form)
        assert response.status_code == 200, response.json
        return response.json["access_token"]

    def graph(self, method, path, *, token=None, **arguments):
        if token is None and self.clock.now not in self.graph_tokens:
            self.graph_tokens[self.clock.now] = self.access_token(scope="https://graph.microsoft.com/.default")
        bearer = self.graph_tokens[self.clock.now] if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.client.open(f"/v1.0{path}", method=method, headers=headers, base_url=ORIGIN, **arguments)


@pytest.fixture(scope="session")
def rsa_keys() -> list[rsa.RSAPrivateKey]:
    return [random_private_key() for _ in range(3)]


def fixed_sources(keys: Sequence[rsa.RSAPrivateKey], first: int = 1) -> Sources:
    identifiers, texts, endless_keys = count(first), count(first), cycle(keys)
    return Sources(
        clock=Clock(),
        new_id=lambda: UUID(int=next(identifiers)),
        new_secret=lambda: f"{next(texts):03}-a-clear-secret-of-a-test",
        new_private_key=lambda: next(endless_keys),
    )


@contextmanager
def open_house(path: Path, sources: Sources) -> Iterator[House]:
    database = open_authority_database(SqliteAuthority(path))
    authority = open_authority(
        TENANT,
        database.stores,
        sources=sources,
        hosts=frozenset({"localhost", "127.0.0.1", "::1"}),
        resources=frozenset({"https://dev.contoso.test"}),
    )
    secrets = ensure_registrations(authority, built_in_registrations(TENANT.tenant_id))
    assert isinstance(sources.clock, Clock)
    try:
        yield House(authority, database, sources.clock, secrets, path, sources)
    finally:
        database.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory, rsa_keys) -> Iterator[House]:
    """One house for all tests that only ask: they must leave clock, keys and registrations as they are."""
    with open_house(tmp_path_factory.mktemp("shared") / "authority.db", fixed_sources(rsa_keys)) as opened:
        yield opened


@pytest.fixture(scope="session")
def model_house(tmp_path_factory, rsa_keys) -> House:
    """A house nobody enters: its file is copied, which is faster than making keys and secrets again."""
    with open_house(tmp_path_factory.mktemp("model") / "authority.db", fixed_sources(rsa_keys)) as opened:
        return opened


@pytest.fixture
def own_house(tmp_path, rsa_keys, model_house) -> Iterator[House]:
    """A house of the test's own, to change."""
    path = tmp_path / "authority.db"
    shutil.copy(model_house.path, path)
    with open_house(path, fixed_sources(rsa_keys[1:], first=500)) as opened:
        opened.secrets.update(model_house.secrets)
        yield opened


@pytest.fixture
def new_sources(rsa_keys) -> Callable[[], Sources]:
    return lambda: fixed_sources(rsa_keys)


@pytest.fixture
def reopen(rsa_keys) -> Callable[[House], AbstractContextManager[House]]:
    """Open the same file once more, as another process would."""
    return lambda house: open_house(house.path, fixed_sources(rsa_keys))


@pytest.fixture(params=("SQLite", "PostgreSQL"))
def begin_session(request, tmp_path):
    """What begins another session with the test's database."""
    if request.param == "SQLite":
        return lambda: SqliteAuthority(tmp_path / "authority.db")
    url = request.getfixturevalue("postgres_url")
    return lambda: PostgresAuthority(url, "authority")


@pytest.fixture
def database(begin_session):
    opened = open_authority_database(begin_session())
    yield opened
    opened.close()
