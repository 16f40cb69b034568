"""An organization per test: a copy of a database that is prepared once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from databases import copy_database, open_database, remove_database
from things import ORGANIZATION, SYSTEM, SYSTEM_USER, UNIT, USER, Office, OpenOffice, gadget_catalog

from entities.pipeline import Step
from odata_server.engine.environment import Blueprint, prepare_database


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("organization") / "prepared.db"
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(ORGANIZATION, gadget_catalog()))
    office = Office(path)
    office.create("businessunit", SYSTEM, businessunitid=UNIT.id, name="Root")
    for user in (SYSTEM_USER, USER):
        office.create("systemuser", SYSTEM, systemuserid=user.id, fullname=f"User {user.id}", businessunitid=UNIT)
    office.close()
    return path


@pytest.fixture
def open_office(prepared: Path, tmp_path: Path) -> Iterator[OpenOffice]:
    """A way to open the test's organization, several times if need be, with pipeline steps."""
    path = tmp_path / "organization.db"
    copy_database(prepared, path)
    opened: list[Office] = []

    def open_(*steps: Step) -> Office:
        opened.append(Office(path, *steps))
        return opened[-1]

    yield open_
    for office in opened:
        office.close()
    remove_database(path)


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office()
