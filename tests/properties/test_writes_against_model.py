"""Whatever is written, in whatever order, the tables hold what a model in plain Python says."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from batches import BATCH_TYPE, answers, batch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from things import CALLER, ORGANIZATION, SYSTEM, SYSTEM_USER, UNIT, USER, Directory, dump, gadget_catalog
from write_model import COLUMNS, IDS, LOOKUPS, Executing, Refused, State
from write_model_draws import bulk, change_sets, creates, deletes, links, patches, property_writes, writes
from write_model_requests import request_of
from write_model_writes import Create, Many, Patch

from entities.messages import Create as CreateMessage
from entities.pipeline import pipeline
from odata_server.endpoints import web_api
from odata_server.engine.database import Database, Durability
from odata_server.engine.environment import Blueprint, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.engine.sqlite.database import SqliteDatabase
from tests.odata_server.endpoints.conftest import Client, build_services

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SEQUENCES, STEPS = (2_500, 60) if NIGHTLY else (20, 30)
EVERY = 20
"""Of so many writes one is compared over the whole database where it is refused, the others by what can be read."""

_LOOKED_UP = sorted({column for column, _ in LOOKUPS.values()})
_SELECTED = {
    name: ",".join((*columns, *(f"_{column}_value" for column in _LOOKED_UP if name == "gadgets")))
    for name, columns in COLUMNS.items()
}
_LOGICAL = "Microsoft.Dynamics.CRM.lookuplogicalname"
_SETS = {"account": "accounts", "contact": "contacts", "gadget": "gadgets"}


class Everyone(Directory):
    """A directory in which each application is the caller."""

    def application_user(self, application_id, object_id):
        return CALLER


@pytest.fixture(params=("SQLite", "PostgreSQL"))
def service(request, tmp_path) -> Iterator[OrganizationService]:
    if request.param == "SQLite":
        yield from opened(SqliteDatabase(tmp_path / "data.db", Durability.NONE))
        return
    with request.getfixturevalue("fresh_postgres")() as url:
        yield from opened(PostgresDatabase(url, "environment", Durability.NONE))


def opened(database: Database) -> Iterator[OrganizationService]:
    """Give an organization with gadgets."""
    with closing(database):
        prepare_database(database, Blueprint(ORGANIZATION, gadget_catalog()))
        parts = Parts(pipeline(), lambda _database, _stamp: Everyone(), frozenset({"role"}), {})
        service = OrganizationService(database, parts)
        service.execute(CreateMessage("businessunit", {"businessunitid": UNIT.id, "name": "Root"}), SYSTEM)
        for user in (SYSTEM_USER, USER):
            service.execute(CreateMessage("systemuser", {"systemuserid": user.id, "businessunitid": UNIT}), SYSTEM)
        yield service


class Stored:
    """What the Web API says is stored."""

    def __init__(self, service: OrganizationService) -> None:
        self.service = service
        self.api = Client(build_services(service, service), web_api.handle, "/api/data/v9.2")

    def empty(self) -> None:
        with self.service.database.writing() as connection:
            for table in ("gadget_contact", "gadget", "account", "contact"):
                connection.execute(f'DELETE FROM "{table}"')

    def state(self) -> State:
        """Read everything."""
        state = State()
        for name in COLUMNS:
            used = "&$expand=users($select=contactid)" if name == "gadgets" else ""
            for row in self.api.json(
                f"/{name}?$select={_SELECTED[name]}{used}", Prefer=f'odata.include-annotations="{_LOGICAL}"'
            )["value"]:
                identifier = row[IDS[name]]
                state.rows[name][identifier] = shown(name, row)
                state.tags[name, identifier] = row["@odata.etag"]
                state.pairs |= {(identifier, user["contactid"]) for user in row.get("users", ())}
        return state


def shown(name, row):
    """Return a row of an answer as the model has it."""
    values = {column: row[column] for column in COLUMNS[name]}
    for column in _LOOKED_UP if name == "gadgets" else ():
        found = row[f"_{column}_value"]
        values[column] = None if found is None else (_SETS[row[f"_{column}_value@{_LOGICAL}"]], found)
    return values


def made_ids(write, status, headers, body):
    """Return the ids that the service chose for what a write makes."""
    if status >= 400:
        return []
    match write:
        case Create() | Patch():
            return [headers["OData-EntityId"].rpartition("(")[2].rstrip(")")]
        case Many("CreateMultiple", _, records):
            ids = json.loads(body)["Ids"]
            return [found for found, record in zip(ids, records, strict=True) if record.id is None]
        case _:
            return []


class Writes(RuleBasedStateMachine):
    """Sends writes and compares what is stored with what the model says."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self.stored = stored
        stored.empty()
        self.state = State()
        self.numbers = itertools.count(1)

    def predicted(self, items, given):
        """Return the state behind some writes in one transaction, and the statuses of a refusal."""
        executing = Executing(self.state)
        try:
            for number, (write, ids) in enumerate(zip(items, given, strict=True), 1):
                executing.execute(write, number, ids)
        except Refused as refused:
            return None, refused.statuses
        return executing.state, frozenset()

    def content(self):
        """Return what a refusal must leave as it is."""
        database = self.stored.service.database
        if next(self.numbers) % EVERY == 0:
            return dump(database)
        return database.reader().execute('SELECT stamp, row_version FROM "$state"').fetchall()

    def untouched(self, before):
        """Check that nothing has changed."""
        database = self.stored.service.database
        if isinstance(before, dict):
            assert dump(database) == before
        else:
            assert database.reader().execute('SELECT stamp, row_version FROM "$state"').fetchall() == before
        self.compare(self.state)

    def compare(self, expected):
        """Compare everything stored with a state; entity tags change with the rows that were written, and only then."""
        found = self.stored.state()
        assert found.rows == expected.rows
        assert found.pairs == expected.pairs
        kept = {reference: tag for reference, tag in expected.tags.items() if tag is not None}
        assert {reference: found.tags[reference] for reference in kept} == kept
        written = {found.tags[reference] for reference in found.tags.keys() - kept.keys()}
        assert not written & set(self.state.tags.values())
        self.state = found

    def send(self, write):
        """Send one write."""
        request = request_of(write)
        before = self.content()
        headers = {"If_Match": request.if_match, "If_None_Match": request.if_none_match}
        answer = self.stored.api(
            request.method, request.path, request.body, **{name: value for name, value in headers.items() if value}
        )
        ids = made_ids(write, answer.status, dict(answer.headers), answer.body)
        expected, statuses = self.predicted([write], [ids])
        if expected is None:
            assert answer.status in statuses, (request, answer.status, answer.body, statuses)
            self.untouched(before)
        else:
            assert answer.status in {200, 204}, (request, answer.status, answer.body)
            self.compare(expected)

    @rule(data=st.data())
    def create(self, data):
        self.send(data.draw(creates(self.state)))

    @rule(data=st.data())
    def patch(self, data):
        self.send(data.draw(patches(self.state)))

    @rule(data=st.data())
    def write_a_property(self, data):
        self.send(data.draw(property_writes(self.state)))

    @precondition(lambda self: sum(map(len, self.state.rows.values())) > 4)
    @rule(data=st.data())
    def delete(self, data):
        self.send(data.draw(deletes(self.state)))

    @rule(data=st.data())
    def link(self, data):
        self.send(data.draw(links(self.state)))

    @rule(data=st.data())
    def write_many(self, data):
        self.send(data.draw(bulk(self.state)))

    @rule(data=st.data(), goes_on=st.booleans())
    def send_a_batch(self, data, goes_on):
        items = data.draw(st.lists(st.one_of(change_sets(self.state), writes(self.state)), min_size=1, max_size=3))
        body = batch(*(self.parts(item) for item in items))
        headers = {"Prefer": "odata.continue-on-error"} if goes_on else {}
        before = self.content()
        answer = self.stored.api("POST", "/$batch", body, content_type=BATCH_TYPE, **headers)
        told = iter(answers(dict(answer.headers)["Content-Type"], answer.body))
        begun, failed = self.state, None
        for item in items:
            failed = self.follow(item if isinstance(item, list) else [item], told)
            if failed is not None and not goes_on:
                break
        assert list(told) == []
        assert answer.status == (200 if goes_on or failed is None else failed)
        expected, self.state = self.state, begun
        if expected is begun:
            self.untouched(before)
        else:
            self.compare(expected)

    def parts(self, item):
        """Return a write, or those of a change set, as parts of a batch."""
        if isinstance(item, list):
            return [request_of(write).part(str(number)) for number, write in enumerate(item, 1)]
        return replace(request_of(item).part(""), content_id=None)

    def follow(self, items, told):
        """Compare the answers to one item of a batch with the model; return the status of a refusal."""
        first = next(told)
        if first.status >= 400:
            expected, statuses = self.predicted(items, [[]] * len(items))
            assert expected is None, (items, first)
            assert first.status in statuses, (items, first, statuses)
            return first.status
        found = [first, *(next(told) for _ in items[1:])]
        ids = [made_ids(write, one.status, one.headers, one.body) for write, one in zip(items, found, strict=True)]
        expected, _ = self.predicted(items, ids)
        assert expected is not None, (items, found)
        self.state = expected
        return None


def test_the_tables_hold_what_the_model_says_after_every_write(service):
    stored = Stored(service)
    run_state_machine_as_test(
        lambda: Writes(stored),
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            derandomize=not NIGHTLY,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
