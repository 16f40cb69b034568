"""Databases are made whole, brought up to date when they are an older release's, and refused when a newer one's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from entities.errors import EngineFault, RecordNotFound
from entities.messages import Create, Retrieve
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Column
from entities.metadata.declare import integer, string
from entities.values import EntityReference
from odata_server.admin.data_directory import Secrets
from odata_server.admin.first_start import Prepared, open_server_authority, system_sources
from odata_server.app import prepare
from odata_server.engine.authority_store import open_authority_database
from odata_server.engine.catalog_store import apply_change, load_catalog, read_stamp
from odata_server.engine.database import Database, quoted, single
from odata_server.engine.places import storage_place
from odata_server.engine.storage import physical
from odata_server.engine.storage_place import BASELINE, BEFORE_UPGRADE, StorageError
from odata_server.environments import Environments, open_environments
from odata_server.settings import Settings
from security.authority.built_in import ADMIN_CLIENT_ID
from security.authority.client_secrets import SecretVerdict, check_secret

NEW_COLUMN = "tickersymbol"


@pytest.fixture(params=("SQLite", "PostgreSQL"))
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a server whose databases have been made."""
    url = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    made = Settings(tmp_path, tmp_path, sample_data="none", database_url=url)
    prepare(made, Secrets("", "", ""))
    return made


@pytest.fixture
def postgres_settings(postgres_url: str, tmp_path: Path) -> Settings:
    """The settings of a server on an empty PostgreSQL database."""
    return Settings(tmp_path, tmp_path, sample_data="none", database_url=postgres_url)


@pytest.fixture
def open_again():
    opened: list[Environments] = []
    authorities = []

    def begin(settings: Settings) -> Environments:
        place = storage_place(settings)
        authorities.append(open_authority_database(place.authority()))
        stores = authorities[-1].stores
        authority = open_server_authority(settings, stores, system_sources())
        opened.append(open_environments(settings, place, authority))
        return opened[-1]

    yield begin
    for environments in opened:
        for _, service in environments.by_name():
            service.database.close()
    for database in authorities:
        database.close()


@contextmanager
def dataverse(settings: Settings) -> Iterator[Database]:
    """The database of Dataverse, and what a reset puts back, one after the other."""
    with closing(storage_place(settings).open("dataverse")) as database:
        yield database


def change(database: Database, *, remove: tuple[str, ...] = (), without: str = "", more: tuple[Column, ...] = ()):
    """Change a database's catalog behind the product's back, as another release would have left it."""
    with database.writing() as connection:
        before = load_catalog(connection)
        account = before.tables["account"]
        columns = (*(c for c in account.columns if c.logical_name != without), *more)
        apply_change(connection, before, CatalogChange((replace(account, columns=columns),), remove=remove))


def copies_before_upgrade(settings: Settings) -> list[str]:
    copies = storage_place(settings).copies(BEFORE_UPGRADE)
    return [name for name in ("dataverse", "human-resources") if copies.holds(name)]


def dump(database: Database) -> dict[str, list[tuple[object, ...]]]:
    reader = database.reader()
    names = sorted(name for (name,) in reader.execute(reader.dialect.schema_tables))
    return {name: sorted(reader.execute(f"SELECT * FROM {quoted(name)}"), key=repr) for name in names}


def test_data_of_an_older_release_gets_its_new_tables_columns_and_rows(settings, open_again):
    environments = open_again(settings)
    made = environments.dataverse.execute(Create("account", {"name": "A"}), environments.dataverse.system)
    for place in (storage_place(settings), storage_place(settings).copies(BASELINE)):
        with closing(place.open("dataverse")) as database:
            change(database, remove=("task",), without=NEW_COLUMN)
            with database.writing() as connection:
                connection.execute('DROP TABLE "$deletion"')

    prepare(settings, Secrets("", "", ""))

    again = open_again(settings)
    catalog = again.dataverse.catalog
    assert "task" in catalog.tables
    assert NEW_COLUMN in catalog.tables["account"].by_name
    kept = again.dataverse.execute(Retrieve(made.reference), again.dataverse.system).records[0]
    assert (kept["name"], kept[NEW_COLUMN]) == ("A", None)
    assert copies_before_upgrade(settings) == ["dataverse"]
    again.reset()
    assert "task" in again.dataverse.catalog.tables


def test_an_upgrade_keeps_the_columns_that_users_have_added(settings, open_again):
    with dataverse(settings) as database:
        change(database, without=NEW_COLUMN, more=(string("new_Nickname", is_custom=True),))
    prepare(settings, Secrets("", "", ""))
    columns = open_again(settings).dataverse.catalog.tables["account"].by_name
    assert {NEW_COLUMN, "new_nickname"} <= set(columns)


def test_an_upgrade_adds_the_standard_rows_that_are_missing(settings, open_again):
    with dataverse(settings) as database:
        reading = "SELECT privilegeid FROM privilege WHERE name = 'prvReadActivity'"
        reference = EntityReference("privilege", single(database.reader(), reading))
        with database.writing() as connection:
            connection.execute("DELETE FROM privilege WHERE privilegeid = $1", (reference.id,))
        change(database, remove=("task",))
    prepare(settings, Secrets("", "", ""))
    again = open_again(settings)
    assert again.dataverse.execute(Retrieve(reference), again.dataverse.system).count == 1


def test_users_of_an_older_release_get_settings(settings, open_again):
    with dataverse(settings) as database:
        change(database, remove=("usersettings",))
    prepare(settings, Secrets("", "", ""))
    reader = open_again(settings).dataverse.database.reader()
    settled = reader.execute("SELECT systemuserid FROM usersettings WHERE timezonecode = 92 ORDER BY 1").fetchall()
    assert settled == reader.execute("SELECT systemuserid FROM systemuser ORDER BY 1").fetchall() != []


def test_data_of_this_release_is_left_alone(settings):
    with dataverse(settings) as database:
        before = dump(database)
    prepare(settings, Secrets("", "", ""))
    with dataverse(settings) as database:
        assert dump(database) == before
    assert copies_before_upgrade(settings) == []


def test_data_of_a_newer_release_is_refused(settings):
    with closing(storage_place(settings).open("human-resources")) as database:
        with database.writing() as connection:
            connection.execute('UPDATE "$state" SET schema_version = 99')
        named = database.place
    with pytest.raises(EngineFault, match="newer release") as refused:
        prepare(settings, Secrets("", "", ""))
    assert named in str(refused.value)


def test_a_reset_brings_back_rows_columns_and_tables_for_everybody(settings, open_again):
    here, there = open_again(settings), open_again(settings)
    before = dump(here.dataverse.database)
    system = here.dataverse.system
    account = here.dataverse.execute(Create("account", {"name": "A"}), system).reference
    change(here.dataverse.database, without=NEW_COLUMN, more=(string("new_Nickname"),))
    added = replace(here.dataverse.catalog.tables["task"], logical_name="new_task", schema_name="new_Task")
    with here.dataverse.database.writing() as connection:
        present = load_catalog(connection)
        apply_change(connection, present, CatalogChange((added,), remove=("task",)))
    version = single(here.dataverse.database.reader(), 'SELECT row_version FROM "$state"')
    stamp = read_stamp(here.dataverse.database.reader())
    assert "new_task" in there.dataverse.catalog.tables
    assert there.dataverse.execute(Retrieve(account), system).count == 1

    here.reset()

    assert "new_task" not in there.dataverse.catalog.tables
    with pytest.raises(RecordNotFound):
        there.dataverse.execute(Retrieve(account), system)
    assert "task" in there.dataverse.catalog.tables
    assert NEW_COLUMN in there.dataverse.catalog.tables["account"].by_name
    after = dump(there.dataverse.database)
    (state,) = after.pop("$state")
    before.pop("$state")
    for content in (before, after):
        # Where the history of changes begins moves on, as stamp and version do.
        content["$sequence"] = [row for row in content["$sequence"] if row[0] != "$tracked_from"]
        content["$changed"] = [row for row in content["$changed"] if row[0] != "*"]
    assert after == before
    assert state[1] > stamp
    assert state[2] >= version
    written = there.dataverse.execute(Create("account", {"name": "B", NEW_COLUMN: "B"}), system).reference
    assert "task" in here.dataverse.catalog.tables
    assert here.dataverse.execute(Retrieve(written), system).records[0][NEW_COLUMN] == "B"


def test_a_reset_gives_a_column_back_the_type_it_had(settings):
    with dataverse(settings) as database:
        change(database, more=(string("new_Size"),))
        database.keep(BASELINE)
        change(database, without="new_size")
        change(database, more=(integer("new_Size"),))
        database.put_back(BASELINE)
        with database.writing() as connection:
            connection.execute("UPDATE account SET new_size = $1", ("large",))
        assert "new_size$fold" in [
            part.name for part in physical(load_catalog(connection).tables["account"].by_name["new_size"])
        ]


def test_a_first_start_that_was_cut_off_begins_anew_in_files(tmp_path, open_again):
    settings = Settings(tmp_path, tmp_path, sample_data="none")
    prepare(settings, Secrets("", "", ""))
    (tmp_path / "human-resources.sqlite").unlink()
    leftover = tmp_path / "first-start"
    leftover.mkdir()
    (leftover / "dataverse.sqlite").write_bytes(b"half a database")
    prepare(settings, Secrets("", "", ""))
    assert not leftover.exists()
    assert open_again(settings).human_resources.catalog.tables


def schemas(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'"
        )
        return {name for (name,) in found}


ALL_SCHEMAS = {"authority", "dataverse", "dataverse$baseline", "human-resources", "human-resources$baseline"}


def test_a_first_start_that_was_cut_off_begins_anew_in_schemas(postgres_settings, postgres_url, open_again):
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            'CREATE SCHEMA "dataverse$first-start"; CREATE TABLE "dataverse$first-start".account (a text)'
        )
        connection.execute('CREATE SCHEMA "dataverse$first-start$baseline"; CREATE SCHEMA "human-resources$baseline"')
        connection.execute('CREATE SCHEMA "dataverse"')
    prepare(postgres_settings, Secrets("", "", ""))
    assert schemas(postgres_url) == ALL_SCHEMAS
    assert open_again(postgres_settings).human_resources.catalog.tables


def test_a_schema_that_is_somebody_elses_is_not_touched(postgres_settings, postgres_url):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA dataverse; CREATE TABLE dataverse.mine (a text)")
    with pytest.raises(StorageError, match='has a schema "dataverse" already') as refused:
        prepare(postgres_settings, Secrets("", "", ""))
    assert "\n" not in str(refused.value)
    assert schemas(postgres_url) == {"authority", "dataverse"}


def test_servers_that_start_together_make_the_databases_once(postgres_settings, tmp_path):
    start = threading.Barrier(3)

    def begin(number: int) -> Prepared:
        directory = tmp_path / str(number)
        directory.mkdir()
        start.wait()
        return prepare(replace(postgres_settings, data_directory=directory), Secrets("", "", ""))

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(begin, range(3)))
    assert len({prepared.admin_client_secret for prepared in made}) == 3
    with closing(open_authority_database(storage_place(postgres_settings).authority())) as authority:
        stored = authority.registrations.get(ADMIN_CLIENT_ID).secrets
        assert len(authority.keys.keys()) == 1
    assert len(stored) == 3
    for prepared in made:
        assert check_secret(prepared.admin_client_secret, stored, now=time.time()) is SecretVerdict.VALID


def test_who_reads_during_a_reset_goes_on_seeing_the_old_state(postgres_settings, postgres_url, open_again):
    prepare(postgres_settings, Secrets("", "", ""))
    environments = open_again(postgres_settings)
    environments.dataverse.execute(Create("account", {"name": "A"}), environments.dataverse.system)
    count = "SELECT count(*) FROM dataverse.account"
    with psycopg.connect(postgres_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert connection.execute(count).fetchone() == (1,)
        environments.reset()
        assert connection.execute(count).fetchone() == (1,)
        connection.rollback()
        assert connection.execute(count).fetchone() == (0,)


@contextmanager
def database_like(url: str, options: str) -> Iterator[str]:
    """A database of the same server with other properties."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
    yield urlsplit(url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_that_cannot_hold_every_text_is_refused(postgres_settings, postgres_url):
    options = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    with database_like(postgres_url, options) as url, pytest.raises(StorageError) as refused:
        prepare(replace(postgres_settings, database_url=url), Secrets("", "", ""))
    text = str(refused.value)
    assert "has encoding LATIN1 and collation C," in text
    assert text.endswith("CREATE DATABASE talentverse TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")


@pytest.mark.parametrize(
    "provider", ["LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C'", "LC_COLLATE 'POSIX'"]
)
def test_other_names_of_the_order_by_code_points_will_do(postgres_settings, postgres_url, provider):
    options = f"ENCODING 'UTF8' LC_CTYPE 'C' {provider}"
    with (
        database_like(postgres_url, options) as url,
        storage_place(replace(postgres_settings, database_url=url)).turn(),
    ):
        assert schemas(url) == set()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://sam:the-password@127.0.0.1:1/x", "the database cannot be reached: check --database-url ("),
        ("postgresql://sam:the-password@no host/x", "--database-url is no URL of a PostgreSQL database"),
        ("postgresql://sam:the-password@localhost:port/x", "the database cannot be reached: check --database-url ("),
    ],
)
def test_a_database_that_is_not_there_is_refused_without_its_password(tmp_path, url, said):
    settings = Settings(tmp_path, tmp_path, database_url=url)
    with pytest.raises(StorageError) as refused:
        prepare(settings, Secrets("", "", ""))
    text = str(refused.value)
    assert said in text
    assert "the-password" not in text + repr(settings)
    assert "\n" not in text


def test_a_user_who_may_not_make_schemas_is_told_what_to_grant(postgres_settings, postgres_url):
    user = f"visitor_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'x'")
        there = connection.execute("SELECT current_database()").fetchone()
    try:
        parts = urlsplit(postgres_url)
        host = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"{user}:x@{host}").geturl()
        with pytest.raises(StorageError, match=f"GRANT CREATE ON DATABASE {there[0]} TO {user}"):
            prepare(replace(postgres_settings, database_url=url), Secrets("", "", ""))
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {user}")
