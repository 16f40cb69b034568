"""What the server of a database must be like, and what is said when it is not: one line each, never the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from odata_server.engine.storage_place import StorageError

_OLDEST: Final = 15
_CODE_POINTS: Final = frozenset({"C", "POSIX", "C.UTF-8", "C.UTF8"})
_BUILT_IN: Final = "b"
"""PostgreSQL's own collations, all of which compare by code points (PostgreSQL: "Locale Providers")."""

_LIBC: Final = "c"
_CREATE: Final = "CREATE DATABASE talentverse TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Give a connection of the moment, without a transaction.

    Raises:
        StorageError: there is no such database, or it does not let us in.
    """
    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.ProgrammingError as error:
        raise StorageError(
            "--database-url is no URL of a PostgreSQL database: it looks like "
            "postgresql://user:password@localhost:5432/talentverse"
        ) from error
    except psycopg.OperationalError as error:
        said = said_without_password(url, error)
        raise StorageError(f"the database cannot be reached: check --database-url ({said})") from error
    with connection:
        yield connection


def check_server(connection: psycopg.Connection[Any]) -> None:
    """Look at a database before it is used.

    Raises:
        StorageError: its server is too old or only a replica, texts would be lost or come in another order, or the
            user may not make schemas.
    """
    major = connection.info.server_version // 10_000
    if major < _OLDEST:
        raise StorageError(f"PostgreSQL {major} is too old: Talentverse needs PostgreSQL {_OLDEST} or newer")
    name, user, encoding, provider, collation, is_replica, may_create = connection.execute(
        "SELECT datname, current_user, pg_encoding_to_char(encoding), datlocprovider::text, datcollate,"
        " pg_is_in_recovery(), has_database_privilege(datname, 'CREATE')"
        " FROM pg_database WHERE datname = current_database()"
    ).fetchall()[0]
    if is_replica:
        raise StorageError(f"the database {name} is a read replica: name its primary with --database-url")
    if encoding != "UTF8" or not compares_by_code_points(provider, collation):
        raise StorageError(
            f"the database {name} has encoding {encoding} and collation {collation}, but text must be UTF-8 and "
            f"compare by code points: make another one with {_CREATE}"
        )
    if not may_create:
        raise StorageError(f"the user {user} may not make schemas: GRANT CREATE ON DATABASE {name} TO {user}")


def compares_by_code_points(provider: str, collation: str) -> bool:
    """Say whether a locale of a provider, both as `pg_database` has them, compares texts by code points."""
    return provider == _BUILT_IN or (provider == _LIBC and collation.upper() in _CODE_POINTS)


def said_without_password(url: str, error: Exception) -> str:
    """Return the first line of what an error says."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    try:
        password = conninfo_to_dict(url).get("password")
    except psycopg.ProgrammingError:
        return type(error).__name__
    return said.replace(str(password), "***") if password else said
