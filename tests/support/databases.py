"""The databases of the tests: SQLite's, or PostgreSQL's with `TALENTVERSE_TEST_DATABASE=PostgreSQL`.

A path stands for either: a file, or a database of the run's private server that is named after the path.
"""

import hashlib
import os
import shutil
from pathlib import Path

import postgres
import pytest

from odata_server.engine.database import Database, Durability
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.engine.sqlite.database import SqliteDatabase

KIND = os.environ.get("TALENTVERSE_TEST_DATABASE", "SQLite")
_SCHEMA = "environment"

on_sqlite_only = pytest.mark.skipif(KIND != "SQLite", reason="it is about SQLite")


def open_database(path: Path, durability: Durability = Durability.NORMAL) -> Database:
    """Open a database, which is made when it does not exist."""
    if KIND == "SQLite":
        return SqliteDatabase(path, durability)
    name = _name(path)
    if not postgres.holds(name):
        postgres.create_database(name)
    return PostgresDatabase(postgres.url_of(name), _SCHEMA, Durability.NONE)


def url_of_data(directory: Path) -> str | None:
    """Return the URL of the database for a server's data, made when it does not exist; None where it lies in files."""
    if KIND == "SQLite":
        return None
    name = _name(directory)
    if not postgres.holds(name):
        postgres.create_database(name)
    return postgres.url_of(name)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database that nobody has open."""
    if KIND == "SQLite":
        shutil.copyfile(source, target)
    else:
        postgres.create_database(_name(target), _name(source))


def remove_database(path: Path) -> None:
    """Remove a database that is not used any more."""
    if KIND == "SQLite":
        path.unlink()
    else:
        postgres.drop_database(_name(path))


def _name(path: Path) -> str:
    return f"test_{hashlib.sha256(str(path).encode()).hexdigest()[:32]}"
