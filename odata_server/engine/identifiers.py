"""Ids of new records: sequential GUIDs as SQL Server makes them, or table number and record number."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from entities.values import Guid
from odata_server.engine.database import Connection, single

_RECORD_NUMBERS = 5_637_144_576
"""Where finance-and-operations begins to number records (RecId)."""

_IDS = 2**12
"""As many as 12 bits count; then the time has gone on."""

NewId = Callable[[], Guid]


class SequentialIds:
    """GUIDs that sort one after the other, and after those made before; unique across processes.

    The first 48 bits are the time of the first one in units of 2**-16 seconds or so, the next ones count, the last 48
    are random: rows that are made one after another lie one after another in the index.
    """

    def __init__(self) -> None:
        self._count = _IDS
        self._begin = self._end = ""

    def __call__(self) -> Guid:
        """Return the next one."""
        if self._count == _IDS:
            moment = f"{time.time_ns() >> 14:016x}"
            self._begin, self._end = f"{moment[4:12]}-{moment[12:16]}-4000-8", f"-{secrets.token_hex(6)}"
            self._count = 0
        number = self._count
        self._count += 1
        return Guid(f"{self._begin}{number:03x}{self._end}")


def sequential_id() -> Guid:
    """Return a GUID that sorts after those made before, unique across processes."""
    return SequentialIds()()


def record_id(table_number: int, record_number: int) -> Guid:
    """Return a finance-and-operations id: table number in the first 4 bytes, record number in the last 8."""
    number = f"{record_number:016x}"
    return Guid(f"{table_number:08x}-0000-0000-{number[:4]}-{number[4:]}")


def take_number(connection: Connection, sequence: str, first: int) -> int:
    """Take the next number of a named sequence inside a transaction.

    Args:
        connection: the transaction's connection.
        sequence: its name.
        first: where a new sequence begins.
    """
    taken = (
        'INSERT INTO "$sequence" AS held VALUES ($1, $2)'
        " ON CONFLICT (name) DO UPDATE SET value = held.value + 1 RETURNING value"
    )
    return int(single(connection, taken, (sequence, first)))


def taken_number(connection: Connection, sequence: str) -> int | None:
    """Return the number that was taken last from a named sequence, None where none was."""
    found = connection.execute('SELECT value FROM "$sequence" WHERE name = $1', (sequence,)).fetchone()
    return None if found is None else int(found[0])


def set_number(connection: Connection, sequence: str, number: int) -> None:
    """Make a number the one that was taken last from a named sequence."""
    connection.execute(
        'INSERT INTO "$sequence" VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        (sequence, number),
    )


def new_id(connection: Connection, table_number: int | None, sequential: NewId = sequential_id) -> Guid:
    """Return the id of a new record, for finance-and-operations one of its table's numbers."""
    if table_number is None:
        return sequential()
    return record_id(table_number, take_number(connection, "RecId", _RECORD_NUMBERS))
