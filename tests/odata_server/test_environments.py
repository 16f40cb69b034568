"""Databases are made whole, brought up to date when they are an older release's, and refused when a newer one's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from entities.errors import EngineFault
from entities.messages import Create, Retrieve
from entities.metadata.declare import string
from entities.values import EntityReference
from odata_server.admin.data_directory import Secrets
from odata_server.admin.first_start import open_server_authority, system_sources
from odata_server.app import prepare
from odata_server.engine.authority_store import open_authority_database
from odata_server.engine.catalog_store import CatalogChange, apply_change, load_catalog
from odata_server.engine.places import storage_place
from odata_server.engine.sqlite.database import SqliteDatabase
from odata_server.environments import Environments, open_environments
from odata_server.settings import Settings
from security.authority.authority import AuthorityStores

NEW_COLUMN = "tickersymbol"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(tmp_path, tmp_path, sample_data="none")
    prepare(made, Secrets("", "", ""))
    return made


@pytest.fixture
def open_again(settings: Settings):
    database = open_authority_database(storage_place(settings).authority())
    opened: list[Environments] = []

    def begin() -> Environments:
        stores = AuthorityStores(database.tenants, database.registrations, database.keys)
        authority = open_server_authority(settings, stores, system_sources())
        opened.append(open_environments(settings, storage_place(settings), authority))
        return opened[-1]

    yield begin
    for environments in opened:
        for _, service in environments.by_name():
            service.database.close()
    database.close()


def change(path: Path, *, remove: tuple[str, ...] = (), without: str = "", more: str = "") -> None:
    """Change a database's catalog behind the product's back, as another release would have left it."""
    database = SqliteDatabase(path)
    with database.writing() as connection:
        before = load_catalog(connection)
        account = before.tables["account"]
        columns = tuple(c for c in account.columns if c.logical_name != without)
        columns += (string(more, is_custom=True),) if more else ()
        apply_change(connection, before, CatalogChange((replace(account, columns=columns),), remove=remove))
    database.close()


def names(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.storage_directory.glob("*before-upgrade*"))


def test_data_of_an_older_release_gets_its_new_tables_columns_and_rows(settings, open_again):
    path = settings.storage_directory / "dataverse.sqlite"
    environments = open_again()
    made = environments.dataverse.execute(Create("account", {"name": "A"}), environments.dataverse.system)
    for database in (path, path.with_suffix(".baseline.sqlite")):
        change(database, remove=("task",), without=NEW_COLUMN)

    prepare(settings, Secrets("", "", ""))

    again = open_again()
    catalog = again.dataverse.catalog
    assert "task" in catalog.tables
    assert NEW_COLUMN in catalog.tables["account"].by_name
    kept = again.dataverse.execute(Retrieve(made.reference), again.dataverse.system).records[0]
    assert (kept["name"], kept[NEW_COLUMN]) == ("A", None)
    assert names(settings) == ["dataverse.before-upgrade.sqlite"]
    again.reset()
    assert "task" in again.dataverse.catalog.tables


def test_an_upgrade_keeps_the_columns_that_users_have_added(settings, open_again):
    change(settings.storage_directory / "dataverse.sqlite", without=NEW_COLUMN, more="new_Nickname")
    prepare(settings, Secrets("", "", ""))
    columns = open_again().dataverse.catalog.tables["account"].by_name
    assert {NEW_COLUMN, "new_nickname"} <= set(columns)


def test_an_upgrade_adds_the_standard_rows_that_are_missing(settings, open_again):
    environments = open_again()
    privilege = environments.dataverse.database.reader().execute(
        "SELECT privilegeid FROM privilege WHERE name = 'prvReadActivity'"
    )
    reference = EntityReference("privilege", str(privilege.get))
    with environments.dataverse.database.writing() as connection:
        connection.execute("DELETE FROM privilege WHERE privilegeid = ?", (reference.id,))
    change(settings.storage_directory / "dataverse.sqlite", remove=("task",))
    prepare(settings, Secrets("", "", ""))
    again = open_again()
    assert again.dataverse.execute(Retrieve(reference), again.dataverse.system).count == 1


def test_data_of_this_release_is_left_alone(settings):
    before = (settings.storage_directory / "dataverse.sqlite").read_bytes()
    prepare(settings, Secrets("", "", ""))
    assert (settings.storage_directory / "dataverse.sqlite").read_bytes() == before
    assert names(settings) == []


def test_data_of_a_newer_release_is_refused(settings):
    database = SqliteDatabase(settings.storage_directory / "human-resources.sqlite")
    with database.writing() as connection:
        connection.execute('UPDATE "$state" SET schema_version = 99')
    database.close()
    with pytest.raises(EngineFault, match="newer release"):
        prepare(settings, Secrets("", "", ""))


def test_a_first_start_that_was_cut_off_begins_anew(settings, open_again):
    (settings.storage_directory / "human-resources.sqlite").unlink()
    leftover = settings.storage_directory / "first-start"
    leftover.mkdir()
    (leftover / "dataverse.sqlite").write_bytes(b"half a database")
    prepare(settings, Secrets("", "", ""))
    assert not leftover.exists()
    assert open_again().human_resources.catalog.tables
