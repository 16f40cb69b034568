"""Databases as schemas of one PostgreSQL database, which several servers may have in common.

```
dataverse                         an environment
dataverse$baseline                a copy of it
dataverse$first-start             an environment that is just being made, or a leftover
dataverse$first-start$baseline    the copy of that
authority                         the token authority's
```
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from entities.errors import TemporarilyUnavailable
from odata_server.engine.database import Durability
from odata_server.engine.postgres.authority import PostgresAuthority
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.engine.postgres.server import check_server, connected, said_without_password
from odata_server.engine.storage_place import StorageError

_AUTHORITY: Final = "authority"
_TURN: Final = zlib.crc32(b"the turn of a server that starts")
_IS_ENVIRONMENT: Final = "SELECT FROM pg_tables WHERE schemaname = %s AND tablename = '$state'"
_HOLDS_SOMETHING: Final = "SELECT FROM pg_class AS c WHERE c.relnamespace = %s"


class SchemaPlace:
    """A database of schemas.

    Args:
        url: `postgresql://…`, as libpq takes it.
        suffix: what stands behind the name of each environment.
    """

    def __init__(self, url: str, suffix: str = "") -> None:
        self._url = url
        self._suffix = suffix

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the servers that prepare the same database; the lock goes with the connection that holds it.

        Raises:
            StorageError: the database cannot be used.
        """
        try:
            with connected(self._url) as connection, connection.transaction():
                check_server(connection)
                connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0")
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_TURN,))
                yield
        except (psycopg.Error, TemporarilyUnavailable) as error:
            raise StorageError(f"the database refused: {said_without_password(self._url, error)}") from error

    def holds(self, name: str) -> bool:
        """Say whether the schema holds an environment; only whole ones get these names."""
        with connected(self._url) as connection:
            return connection.execute(_IS_ENVIRONMENT, (name + self._suffix,)).fetchone() is not None

    def open(self, name: str, durability: Durability = Durability.FULL) -> PostgresDatabase:
        """Open a schema."""
        return PostgresDatabase(self._url, name + self._suffix, durability)

    def authority(self) -> PostgresAuthority:
        """Open the authority's schema."""
        return PostgresAuthority(self._url, _AUTHORITY + self._suffix)

    def copies(self, name: str) -> SchemaPlace:
        """Return the place of the copies with a name."""
        return SchemaPlace(self._url, f"{self._suffix}${name}")

    @contextmanager
    def workplace(self, name: str) -> Iterator[SchemaPlace]:
        """Give schemas with a suffix, which are renamed in one transaction when the block ends.

        Raises:
            StorageError: a schema of the same name holds something already.
        """
        with connected(self._url) as connection:
            _drop(connection, name)
            try:
                yield self.copies(name)
                with connection.transaction():
                    for schema in _schemas_of(connection, name):
                        _move(connection, schema, "$".join(part for part in schema.split("$") if part != name))
            finally:
                if not connection.closed:
                    _drop(connection, name)


def _schemas_of(connection: psycopg.Connection[Any], workplace: str) -> list[str]:
    """Return the schemas of a workplace, copies included."""
    found = connection.execute("SELECT nspname FROM pg_namespace ORDER BY nspname").fetchall()
    return [schema for (schema,) in found if workplace in schema.split("$")[1:]]


def _drop(connection: psycopg.Connection[Any], workplace: str) -> None:
    """Drop a workplace, one schema at a time: each takes a lock per table."""
    for schema in _schemas_of(connection, workplace):
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def _move(connection: psycopg.Connection[Any], schema: str, target: str) -> None:
    there = connection.execute("SELECT oid FROM pg_namespace WHERE nspname = %s", (target,)).fetchone()
    if there is not None:
        # The copy of something is ours; a schema without a suffix may be anybody's.
        if "$" not in target and connection.execute(_HOLDS_SOMETHING, there).fetchone() is not None:
            raise StorageError(
                f'the database has a schema "{target}" already, but not all that belongs to it: restore the others '
                "from a backup, drop it, or use another database"
            )
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(target)))
    renamed = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
    connection.execute(renamed.format(sql.Identifier(schema), sql.Identifier(target)))
