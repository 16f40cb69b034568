"""What the engine needs of a database: connections for reading, one writer at a time, durable transactions.

`engine.sqlite` and `engine.postgres` implement it. Statements that stand in the code name their parameters `$1`, `$2`
in the order in which they first appear: both databases take that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Any, Protocol, TypeAlias

from odata_server.engine.dialect import Dialect, quoted
from odata_server.engine.storage import SqlValue

__all__ = [
    "Connection",
    "Cursor",
    "Database",
    "Durability",
    "Place",
    "RowStatement",
    "SqlRow",
    "Writer",
    "quoted",
    "single",
]

SqlRow = tuple[Any, ...]
"""A row of a result: texts, integers, floats, bytes and nulls, as the statement says."""


class Durability(Enum):
    """What an acknowledged write survives."""

    NORMAL = "NORMAL"
    """A killed process."""
    FULL = "FULL"
    """A power cut."""
    NONE = "OFF"
    """Nothing; for databases that are thrown away."""


Place: TypeAlias = Callable[[int], str]
"""Writes the place of the parameter with a number."""

RowStatement: TypeAlias = Callable[[Place, int], str]
"""Writes the statement for a number of rows, whose parameters follow one another."""


class Cursor(Protocol):
    """The result of a statement."""

    def fetchone(self) -> SqlRow | None:
        """Return the next row, None behind the last one."""

    def fetchall(self) -> list[SqlRow]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[SqlRow]:
        """Give the rows that are left."""


class Connection(Protocol):
    """What runs statements."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it understands."""

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ..., /) -> Cursor:
        """Run a statement."""


class Writer(Connection, Protocol):
    """A connection inside a transaction."""

    def write_rows(self, statement: RowStatement, rows: Sequence[tuple[SqlValue, ...]], /) -> None:
        """Run a statement for rows of parameters, for as many at once as is fastest."""


class Database(Protocol):
    """A database that several threads and processes read and write."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it understands."""

    def reader(self) -> Connection:
        """Return a connection for this thread to read with; each statement sees what is committed."""

    def writing(self) -> AbstractContextManager[Writer]:
        """Give a connection inside a transaction that is committed when the block ends; one writer at a time.

        Raises:
            TemporarilyUnavailable: others held the database longer than a request may wait.
        """

    def tracing(self, note: Callable[[str, Sequence[SqlValue]], None]) -> AbstractContextManager[None]:
        """Tell of each statement that this thread reads with, while the block runs."""

    def start_background(self) -> None:
        """Begin with what the database needs done while it is used."""

    @property
    def place(self) -> str:
        """Where it lies, for messages."""

    def create(self) -> None:
        """Make what the tables of a new environment stand on; what is there stays."""

    def keep(self, copy: str) -> None:
        """Copy the present state, beside the database and under a name, in place of an older copy of that name."""

    def put_back(self, copy: str) -> None:
        """Make the database what a copy is, for all processes that use it: they see the old state or the restored one.

        The stamp and the row version go on growing, so that what anybody remembers of the state before is stale.
        """

    def close(self) -> None:
        """Close every connection; the database must not be used afterwards."""


def single(connection: Connection, sql: str, parameters: Sequence[SqlValue] = ()) -> Any:  # noqa: ANN401 - as SqlRow
    """Run a statement that gives one row at least and return the first value of the first one."""
    return connection.execute(sql, parameters).fetchall()[0][0]
