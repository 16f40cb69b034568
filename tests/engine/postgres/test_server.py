"""A PostgreSQL server that will not do is refused in one line, which says what to do and never the password."""

from __future__ import annotations

from types import SimpleNamespace

import psycopg
import pytest

from odata_server.engine.postgres.server import check_server, compares_by_code_points, said_without_password
from odata_server.engine.storage_place import StorageError

GOOD = {
    "name": "talentverse",
    "user": "sam",
    "encoding": "UTF8",
    "provider": "c",
    "collation": "C",
    "is_replica": False,
    "may_create": True,
}


def server(version: int = 150_004, **answers):
    """A connection that answers the one question of the check."""
    row = tuple((GOOD | answers).values())
    return SimpleNamespace(
        info=SimpleNamespace(server_version=version), execute=lambda _: SimpleNamespace(fetchall=lambda: [row])
    )


def test_a_database_as_it_should_be_is_taken():
    check_server(server())


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        (server(140_011), "PostgreSQL 14 is too old: Talentverse needs PostgreSQL 15 or newer"),
        (server(is_replica=True), "the database talentverse is a read replica: name its primary with --database-url"),
        (server(encoding="SQL_ASCII"), "has encoding SQL_ASCII and collation C, but text must be UTF-8"),
        (server(collation="de_DE.utf8"), "has encoding UTF8 and collation de_DE.utf8, but text must be UTF-8"),
        (server(provider="i"), "CREATE DATABASE talentverse TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'"),
        (server(may_create=False), "GRANT CREATE ON DATABASE talentverse TO sam"),
    ],
)
def test_another_one_is_refused_with_what_to_do(connection, said):
    with pytest.raises(StorageError) as refused:
        check_server(connection)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("provider", "collation", "expected"),
    [
        ("c", "C", True),
        ("c", "C.utf8", True),
        ("c", "POSIX", True),
        ("b", "C", True),
        ("c", "en_US.UTF-8", False),
        ("i", "C", False),
    ],
)
def test_only_some_collations_compare_by_code_points(provider, collation, expected):
    assert compares_by_code_points(provider, collation) is expected


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("postgresql://sam:pass%20word@db/x", "FATAL: pass word is wrong\nDETAIL: pass word", "FATAL: *** is wrong"),
        ("postgresql://sam@db/x", "FATAL: no", "FATAL: no"),
        ("postgresql://sam:secret@no host/x", "no host: secret", "OperationalError"),
        ("postgresql://sam:secret@db/x", "", "OperationalError"),
    ],
)
def test_what_a_server_says_is_told_in_one_line_without_the_password(url, error, said):
    assert said_without_password(url, psycopg.OperationalError(error)) == said
