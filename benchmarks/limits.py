"""The best that the database can do for the measured reads: statements written by hand that give the same bytes.

No authorization, no query language, no catalog: one prepared statement, its result, the envelope around it. They are
checked against the server's own answers before they are timed.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import apsw

from benchmarks.workloads import Read
from odata_server.engine.sqlite.database import SqliteDatabase

_CALLS_AT_ONCE: Final = 50


class Limits(Protocol):
    """What answers the measured reads without the product."""

    def body(self, read: Read, contact_id: str) -> bytes:
        """Return the body of the answer to a read."""

    def call(self, read: Read) -> Callable[[str], bytes]:
        """Return what makes the body of the answers to a read, given the id of a contact."""


@dataclass(frozen=True, slots=True)
class SqliteLimits:
    """The database, a connection to it, and the URL of the service whose answers are made."""

    database: SqliteDatabase
    connection: apsw.Connection
    root: str

    def body(self, read: Read, contact_id: str) -> bytes:
        """Return the body of the answer to a read."""
        return self.call(read)(contact_id)

    def call(self, read: Read) -> Callable[[str], bytes]:
        """Return what makes the body of the answers to a read, given the id of a contact."""
        head = f'{{"@odata.context":"{self.root}/$metadata#{read.context}'.encode()
        tail = read.tail.encode()
        known = {"root": self.root} if ":root" in read.sql else {}
        execute = self.connection.execute

        def made(contact_id: str) -> bytes:
            found: bytes = execute(read.sql, {"id": contact_id, **known}).get
            return head + found + tail

        return made


def open_limits(directory: Path, root: str) -> SqliteLimits:
    """Return the hand-written reads over a data directory's database.

    Args:
        directory: the data directory.
        root: the URL of the service whose answers they must give.
    """
    database = SqliteDatabase(directory / "dataverse.sqlite")
    return SqliteLimits(database, database.reader(), root)


def insert_sql(row: Mapping[str, apsw.SQLiteValue]) -> str:
    """Return the statement that stores an account with these physical columns."""
    listed = ", ".join(f'"{name}"' for name in row)
    return f"INSERT INTO account ({listed}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - names of columns


def seconds_per_call(call: Callable[[], object], seconds: float) -> float:
    """Return how long a call takes, measured for some time; slow calls are looked at one by one."""
    begun = time.perf_counter()
    call()
    at_once = max(1, min(_CALLS_AT_ONCE, int(seconds / 20 / (time.perf_counter() - begun))))
    calls = 0
    begun = now = time.perf_counter()
    while now - begun < seconds:
        for _ in itertools.repeat(None, at_once):
            call()
        calls += at_once
        now = time.perf_counter()
    return (now - begun) / calls


def stored_row(connection: apsw.Connection, account_id: str) -> dict[str, apsw.SQLiteValue]:
    """Return a stored account by physical column, as the server wrote it."""
    cursor = connection.execute("SELECT * FROM account WHERE accountid = ?", (account_id,))
    return dict(zip((name for name, _ in cursor.getdescription()), cursor.fetchone() or (), strict=True))
