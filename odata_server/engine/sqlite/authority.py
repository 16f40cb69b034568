"""The authority's database as an SQLite file of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Final

from odata_server.engine.dialect import Dialect
from odata_server.engine.sqlite.database import SqliteConnection
from odata_server.engine.sqlite.dialect import SQLITE
from odata_server.engine.sqlite.log import use_write_ahead_log

_BUSY_SECONDS: Final = 10

_MIGRATIONS: Final = (
    """
    CREATE TABLE tenants (
        tenant_id TEXT PRIMARY KEY,
        display_name TEXT NOT NULL,
        domain TEXT NOT NULL UNIQUE COLLATE NOCASE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE registrations (
        client_id TEXT PRIMARY KEY,
        object_id TEXT NOT NULL UNIQUE,
        registration_id TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        is_public INTEGER NOT NULL,
        redirect_uris TEXT NOT NULL,
        app_roles TEXT NOT NULL,
        created REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE client_secrets (
        key_id TEXT PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        hash TEXT NOT NULL,
        hint TEXT NOT NULL,
        created REAL NOT NULL,
        expires REAL NOT NULL,
        display_name TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX client_secrets_by_client ON client_secrets (client_id);
    CREATE TABLE signing_keys (
        kid TEXT PRIMARY KEY,
        private_pem TEXT NOT NULL,
        certificate_pem TEXT NOT NULL,
        created REAL NOT NULL,
        not_before REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE client_certificates (
        key_id TEXT PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        certificate_pem TEXT NOT NULL,
        starts REAL NOT NULL,
        expires REAL NOT NULL,
        display_name TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX client_certificates_by_client ON client_certificates (client_id);
    """,
    """
    CREATE TABLE users (
        object_id TEXT PRIMARY KEY,
        principal_name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        is_enabled INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        locked_until REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX users_by_name ON users (lower(principal_name));
    CREATE TABLE refresh_tokens (
        digest TEXT PRIMARY KEY,
        family TEXT NOT NULL,
        client_id TEXT NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (object_id) ON DELETE CASCADE,
        scope TEXT NOT NULL,
        expires REAL NOT NULL,
        is_used INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
    CREATE INDEX refresh_tokens_by_client ON refresh_tokens (client_id);
    CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
    """,
    """
    CREATE TABLE authorization_codes (
        digest TEXT PRIMARY KEY,
        family TEXT NOT NULL,
        client_id TEXT NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (object_id) ON DELETE CASCADE,
        redirect_uri TEXT NOT NULL,
        scope TEXT NOT NULL,
        nonce TEXT,
        challenge TEXT,
        expires REAL NOT NULL,
        is_used INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX authorization_codes_by_client ON authorization_codes (client_id);
    CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);
    """,
)


class SqliteAuthority:
    """One connection, used by one thread at a time, and a second one that only watches for commits.

    SQLite's data_version tells what other connections have committed, so a connection beside the writing one sees the
    commits of this process and of all others. A database in memory has no other connections: its own changes count.

    Args:
        path: the file, made readable for its owner alone if it is new; None keeps everything in memory.
    """

    dialect: Dialect = SQLITE
    migrations = _MIGRATIONS

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            # SQLite gives its -wal and -shm files the mode of the database file.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self.place = ":memory:" if path is None else str(path)
        self._connection = SqliteConnection(self.place)
        self._lock = RLock()
        self._watch = None if path is None else SqliteConnection(self.place)
        self._watch_lock = RLock()
        for connection in filter(None, (self._connection, self._watch)):
            connection.set_busy_timeout(_BUSY_SECONDS * 1000)
        if path is not None:
            use_write_ahead_log(self._connection, _BUSY_SECONDS)
        self._connection.pragma("synchronous", "full")
        self._connection.pragma("foreign_keys", True)  # noqa: FBT003 - the value of a pragma
        self._connection.pragma("secure_delete", True)  # noqa: FBT003 - the same

    def create(self) -> None:
        """Do nothing: opening has made the file."""

    def version(self) -> int:
        """Return SQLite's own counter of commits: about two microseconds."""
        if self._watch is None:
            return self._connection.total_changes()
        with self._watch_lock:
            row = self._watch.execute("PRAGMA data_version").fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        """Give the connection to this thread alone."""
        with self._lock:
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        """Give the connection inside a transaction."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close both connections."""
        with self._lock, self._watch_lock:
            if self._watch is not None:
                self._watch.close()
            self._connection.close()
