"""What two reads cost in environments that have grown: tables of their own, roles of one user, users.

Measured in this process at the door of the Web API, from the request with its token to the bytes of the answer.
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from flask import Flask

from benchmarks.data_set import CLIENT, CLIENT_SECRET, ROLE, UNIT, make_data_set, opened_environments, sampled_ids
from benchmarks.limits import seconds_per_call
from benchmarks.processors import Processors, pinned
from benchmarks.workloads import PAGE, ROW, Read, all_reads
from entities.messages import Associate, Create, Execute, RetrieveMultiple, Rows, Written
from entities.metadata.catalog import CatalogChange
from entities.query import QueryExpression, equals
from entities.standard.identifiers import privilege_id
from entities.values import EntityReference, Guid
from odata_server.admin.first_start import CONTOSO
from odata_server.admin.fixture_file import ColumnFixture, TableFixture
from odata_server.admin.fixture_tables import declared_relationships, declared_table
from odata_server.app import services
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.services import Services
from odata_server.endpoints.web_api import handle
from odata_server.engine.organization import OrganizationService
from odata_server.settings import Settings
from security.authority.authority import Authority, current_signing_key
from security.authority.routes import authority_blueprint
from security.authority.tokens import signed_token
from security.privileges import privilege_records

_ROWS: Final = 500
_PORT: Final = 8080
_HOST: Final = f"localhost:{_PORT}"
_FIRST_OBJECT_TYPE_CODE: Final = 12_000
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Sizes:
    """The environments to measure: each list grows by itself, the others stay at their first size."""

    tables: tuple[int, ...]
    roles: tuple[int, ...]
    users: tuple[int, ...]
    rounds: int
    seconds: float

    def points(self) -> list[tuple[int, int, int]]:
        """Return every combination to measure: custom tables, roles of the user, users."""
        tables, roles, users = self.tables[0], self.roles[0], self.users[0]
        found = [(count, roles, users) for count in self.tables]
        found += [(tables, count, users) for count in self.roles[1:]]
        return found + [(tables, roles, count) for count in self.users[1:]]


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """An environment's sizes and what the two reads cost in it: seconds per request, round by round."""

    tables: int
    roles: int
    users: int
    row: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)


def measured_growth(
    place: Path, sizes: Sizes, processors: Processors, random: Random, progress: Callable[[str], None]
) -> list[GrowthPoint]:
    """Make the environments and measure them in shuffled turn.

    Args:
        place: a directory that does not exist.
        sizes: what to make.
        processors: where to measure.
        random: chooses the rows and the order.
        progress: is told what happens.

    Raises:
        RuntimeError: an environment refuses a read.
    """
    base = place / "base"
    base.mkdir(parents=True)
    make_data_set(base, _ROWS, progress)
    ids = sampled_ids(base, "contact", _ROWS, random)
    found: list[GrowthPoint] = []
    turns: list[tuple[list[float], Callable[[], object]]] = []
    with ExitStack() as stack:
        for tables, roles, users in sizes.points():
            progress(f"an environment of {tables} tables, {roles} roles and {users} users")
            directory = place / f"{tables}-{roles}-{users}"
            shutil.copytree(base, directory)
            point = GrowthPoint(tables, roles, users)
            doors, tokens = stack.enter_context(grown(directory, point))
            found.append(point)
            for read, times in ((_read(ROW), point.row), (_read(PAGE), point.page)):
                turns.append((times, _asking(doors, tokens, read, ids)))
        for _ in range(sizes.rounds):
            random.shuffle(turns)
            for times, ask in turns:
                with pinned(processors.server):
                    times.append(seconds_per_call(ask, sizes.seconds))
    return found


def _read(name: str) -> Read:
    return next(read for read in all_reads() if read.name == name)


@contextmanager
def grown(directory: Path, point: GrowthPoint) -> Iterator[tuple[Services, list[str]]]:
    """Let a copied environment grow; give what its door needs, and an access token of each user.

    Args:
        directory: its data directory.
        point: its sizes.
    """
    settings = Settings(directory, directory, port=_PORT, sample_data="none", plain_http=True)
    with opened_environments(settings) as (authority, environments):
        _add_tables(environments.dataverse, point.tables)
        _add_roles(environments.dataverse, point.roles)
        _add_users(environments.dataverse, point.users)
        yield services(settings, authority, environments), _tokens(authority, point.users)


def _add_tables(service: OrganizationService, count: int) -> None:
    known = set(service.catalog.tables)
    fixtures = [TableFixture(f"bench_Table{n}", "bench_Name", (ColumnFixture("bench_Name"),)) for n in range(count)]
    tables = [declared_table(told, _FIRST_OBJECT_TYPE_CODE + n, known) for n, told in enumerate(fixtures)]
    relationships = itertools.chain.from_iterable(map(declared_relationships, fixtures, tables))
    with service.changing() as transaction:
        transaction.change_catalog(CatalogChange(tuple(tables), tuple(relationships)))
        for record in privilege_records(tuple(tables)):
            transaction.execute(Create("privilege", record))


def _add_roles(service: OrganizationService, count: int) -> None:
    """Give the client more roles, each with the rights of the first one; it holds one already."""
    client, unit = reference_to(service, "systemuser", "applicationid", CLIENT), _unit(service)
    rights = [{"PrivilegeId": privilege_id(f"prvRead{table}"), "Depth": "Local"} for table in ("Account", "Contact")]
    for number in range(1, count):
        (made,) = _created(service, [Create("role", {"name": f"Role {number}", "businessunitid": unit})])
        granting = Execute("AddPrivilegesRole", {"Privileges": rights}, made)
        holding = Associate(client, "systemuserroles_association", made)
        service.execute_transaction([granting, holding], service.system)


def _add_users(service: OrganizationService, count: int) -> None:
    """Add persons beside the client, each with the client's first role."""
    unit = _unit(service)
    role = reference_to(service, "role", "name", ROLE)
    creations = [
        Create("systemuser", {"domainname": name, "firstname": "User", "lastname": name, "businessunitid": unit})
        for name in _persons(count)
    ]
    held = [Associate(user, "systemuserroles_association", role) for user in _created(service, creations)]
    service.execute_transaction(held, service.system)


def _persons(count: int) -> list[str]:
    """Return the names by which so many users sign in, without the first one, which is the client."""
    return [f"user{number}@{CONTOSO.domain}" for number in range(1, count)]


def _created(service: OrganizationService, creations: Sequence[Create]) -> list[EntityReference]:
    answers = service.execute_transaction(creations, service.system)
    return [written.reference for written in answers if isinstance(written, Written)]


def _unit(service: OrganizationService) -> EntityReference:
    return reference_to(service, "businessunit", "name", UNIT)


def reference_to(service: OrganizationService, table: str, column: str, value: str) -> EntityReference:
    """Return the first record of a table that has a value in a column."""
    found = service.execute(RetrieveMultiple(QueryExpression(table, filter=equals(column, value))), service.system)
    assert isinstance(found, Rows)
    return EntityReference(table, Guid(str(found.records[0][f"{table}id"])))


def _token(authority: Authority) -> str:
    """Return an access token of the client, from the authority's own endpoint."""
    application = Flask("authority", static_folder=None)
    application.register_blueprint(authority_blueprint(authority))
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "scope": f"http://{_HOST}/.default",
    }
    with application.test_client() as client:
        answer = client.post(f"/{CONTOSO.tenant_id}/oauth2/v2.0/token", data=form, base_url=f"http://{_HOST}").json
    return str(answer["access_token"])


def _tokens(authority: Authority, count: int) -> list[str]:
    """Return an access token of each user, signed as the authority signs; the first one is the client's."""
    first = _token(authority)
    payload = first.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims = {name: value for name, value in claims.items() if name != "idtyp"}
    kid, key = current_signing_key(authority)
    persons = ({"upn": name, "oid": str(uuid5(NAMESPACE_URL, name))} for name in _persons(count))
    return [first, *(signed_token(claims | person, kid=kid, key=key) for person in persons)]


def _asking(doors: Services, tokens: Sequence[str], read: Read, ids: Sequence[str]) -> Callable[[], object]:
    """Return what sends a read once, as another user and of another contact with every call.

    Every user sends it once here.

    Raises:
        RuntimeError: a user is refused.
    """
    path, _, query = read.target.partition("?")
    pairs = turns(tokens, ids if "{id}" in path else ids[:1])
    requests = itertools.cycle([request_of(path.replace("{id}", found), query, token) for token, found in pairs])
    for _ in tokens:
        first = handle(next(requests), doors)
        if first.status != _OK:
            raise RuntimeError(f"{read.name} was answered with {first.status}: {first.body.decode()}")
    return lambda: handle(next(requests), doors)


def turns(tokens: Sequence[str], ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return who reads which contact: each user and each contact has its turn."""
    count = max(len(tokens), len(ids))
    return [(tokens[number % len(tokens)], ids[number % len(ids)]) for number in range(count)]


def request_of(path: str, query: str, token: str) -> ODataRequest:
    """Return a request to the Web API, as it comes to the door.

    Args:
        path: the path behind the root.
        query: what stands behind the question mark.
        token: the access token.
    """
    headers = {"authorization": f"Bearer {token}", "accept": "application/json", "odata-version": "4.0"}
    return ODataRequest("GET", "http", _HOST, f"/api/data/v9.2/{path}", query, headers)
