"""One schema of a PostgreSQL database: pooled connections, one writer at a time over all processes.

Writers take turns by an advisory lock that lasts as long as their transaction, so every rule that reads before it
writes holds as it does on SQLite, and row versions are in the order of the commits.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, TypeAlias, TypeVar, cast

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper
from psycopg_pool import ConnectionPool, PoolTimeout

from entities.errors import TemporarilyUnavailable
from odata_server.engine.database import Cursor, Durability, RowStatement, SqlRow
from odata_server.engine.dialect import Dialect, quoted
from odata_server.engine.postgres.copies import read_copy, write_copy
from odata_server.engine.postgres.dialect import POSTGRESQL
from odata_server.engine.postgres.functions import create_functions
from odata_server.engine.snapshots import CHANGED, StaleSnapshot
from odata_server.engine.storage import SqlValue

_Raw: TypeAlias = psycopg.Connection[TupleRow]
_Result = TypeVar("_Result")

_WAIT_SECONDS: Final = 10
_IDLE_SECONDS: Final = 30
"""After that long, the locks of a process that hangs, or of a machine that is gone, are free for others."""

_PARAMETERS: Final = 8_000
"""A statement takes 65,535 of them; longer ones are not faster."""

_PREPARED_STATEMENTS: Final = 512
_CONNECTIONS: Final = 4
"""Connections per process and environment: a worker has one thread for requests and one for jobs."""

_COMMITS: Final = {Durability.FULL: "on", Durability.NORMAL: "on", Durability.NONE: "off"}
"""`synchronous_commit`: PostgreSQL's own promise survives a power cut and is the only one that a crash keeps whole."""

_NO_USE_TO_REPEAT: Final = (PoolTimeout, psycopg.errors.LockNotAvailable)
_OUTDATED: Final = psycopg.errors.FeatureNotSupported
"""A table has other columns than when the statement was prepared ("cached plan must not change result type")."""

_NO_MORE: Final = "The organization's database is busy. Try again."


class PostgresConnection:
    """A connection inside a transaction, in the shape the engine knows.

    Args:
        raw: psycopg's connection.
    """

    dialect: Dialect = POSTGRESQL

    def __init__(self, raw: _Raw) -> None:
        self._raw = raw

    def execute(self, statement: str, parameters: Sequence[SqlValue] = (), /) -> Cursor:
        """Run a statement whose parameters are `$1`, `$2` and so on; without parameters, run one statement or more."""
        return self._raw.execute(statement, parameters or None)

    def write_rows(self, statement: RowStatement, rows: Sequence[tuple[SqlValue, ...]], /) -> None:
        """Run a statement for many rows at a time."""
        size = max(1, _PARAMETERS // len(rows[0]))
        for start in range(0, len(rows), size):
            portion = rows[start : start + size]
            self.execute(statement(self.dialect.place, len(portion)), [value for row in portion for value in row])


class PostgresReader:
    """Reads by whatever connection of the pool is free; each statement is a transaction of its own.

    Args:
        pool: the connections.
    """

    dialect: Dialect = POSTGRESQL

    def __init__(self, pool: ConnectionPool[_Raw]) -> None:
        self._pool = pool
        self.notes = threading.local()

    def execute(self, statement: str, parameters: Sequence[SqlValue] = (), /) -> Cursor:
        """Run a statement and fetch its rows."""
        note = getattr(self.notes, "note", None)
        if note is not None:
            note(statement, parameters)
        return cast("Cursor", self._twice(lambda raw: _fetched(raw, statement, parameters)))

    def _twice(self, work: Callable[[_Raw], _Result]) -> _Result:
        """Do work that only reads; once more where the connection was lost, as after a restart of the server.

        Raises:
            TemporarilyUnavailable: the server is not there, or all connections are in use for too long.
        """
        try:
            try:
                return self._once(work)
            except _NO_USE_TO_REPEAT:
                raise
            except psycopg.OperationalError:
                self._pool.check()
                return self._once(work)
        except psycopg.OperationalError as error:
            raise TemporarilyUnavailable(_NO_MORE) from error

    def _once(self, work: Callable[[_Raw], _Result]) -> _Result:
        # Not `ConnectionPool.connection`: it ends a transaction, which costs a third of a statement, and none is open.
        raw = self._pool.getconn()
        try:
            return work(raw)
        finally:
            self._pool.putconn(raw)


class _Fetched:
    """Rows that have left their connection."""

    __slots__ = ("_place", "_rows")

    def __init__(self, rows: list[SqlRow]) -> None:
        self._rows = rows
        self._place = 0

    def fetchone(self) -> SqlRow | None:
        if self._place == len(self._rows):
            return None
        self._place += 1
        return self._rows[self._place - 1]

    def fetchall(self) -> list[SqlRow]:
        rest, self._place = self._rows[self._place :], len(self._rows)
        return rest

    def __iter__(self) -> Iterator[SqlRow]:
        return iter(self.fetchall())


def _fetched(raw: _Raw, statement: str, parameters: Sequence[SqlValue]) -> _Fetched:
    try:
        cursor = raw.execute(statement, parameters or None)
    except _OUTDATED:
        raw.execute("DEALLOCATE ALL")
        cursor = raw.execute(statement, parameters or None)
    return _Fetched(cursor.fetchall() if cursor.description is not None else [])


class PostgresDatabase:
    """A schema that several threads, processes and machines read and write.

    Args:
        url: `postgresql://…`, as libpq takes it.
        schema: the environment's schema; `create` makes it.
        durability: what an acknowledged write survives.
    """

    dialect: Dialect = POSTGRESQL

    def __init__(self, url: str, schema: str, durability: Durability = Durability.NORMAL) -> None:
        self.url = url
        self.schema = schema
        self._commit = _COMMITS[durability]
        # `crc32`, because the number must be the same in every process.
        self._lock = zlib.crc32(schema.encode())
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_WAIT_SECONDS,
            kwargs={"autocommit": True, "cursor_factory": psycopg.RawCursor, "prepare_threshold": 1},
            configure=self._configure,
            open=True,
        )
        self._reader = PostgresReader(self._pool)

    def _configure(self, raw: _Raw) -> None:
        raw.prepared_max = _PREPARED_STATEMENTS
        # One type of SQL per type of Python: what is prepared for one number serves for all.
        raw.adapters.register_dumper(int, Int8Dumper)
        raw.adapters.register_dumper(str, StrDumper)
        for name, value in (
            ("search_path", f'"{self.schema}"'),
            ("synchronous_commit", self._commit),
            ("lock_timeout", f"{_WAIT_SECONDS}s"),
            ("idle_in_transaction_session_timeout", f"{_IDLE_SECONDS}s"),
            ("tcp_keepalives_idle", f"{_IDLE_SECONDS}"),
            ("TimeZone", "UTC"),
            ("extra_float_digits", "1"),
            ("client_min_messages", "warning"),
            ("jit", "off"),
            ("plan_cache_mode", "auto"),
        ):
            raw.execute("SELECT set_config($1, $2, false)", (name, value))

    def reader(self) -> PostgresReader:
        """Return what reads: every statement sees what is committed."""
        return self._reader

    @contextmanager
    def tracing(self, note: Callable[[str, Sequence[SqlValue]], None]) -> Iterator[None]:
        """Tell of each statement that this thread reads with, while the block runs."""
        self._reader.notes.note = note
        try:
            yield
        finally:
            self._reader.notes.note = None

    @contextmanager
    def writing(self) -> Iterator[PostgresConnection]:
        """Give a connection inside a transaction that is committed when the block ends; one writer at a time.

        Raises:
            TemporarilyUnavailable: others held the database longer than a request may wait, or it is not there.
            StaleSnapshot: a table has changed since a statement was prepared.
        """
        try:
            with ExitStack() as stack:
                raw = self._begun(stack)
                try:
                    yield PostgresConnection(raw)
                    raw.execute("COMMIT")
                except BaseException:
                    if not raw.closed:
                        raw.rollback()
                    raise
        except _OUTDATED as error:
            raise StaleSnapshot(CHANGED) from error
        except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
            raise TemporarilyUnavailable(_NO_MORE) from error

    def _begun(self, stack: ExitStack) -> _Raw:
        """Return a connection whose transaction has begun; another one where the first was lost meanwhile."""
        begin = f"BEGIN; SELECT pg_advisory_xact_lock({self._lock})"
        raw = stack.enter_context(self._pool.connection())
        try:
            raw.execute(begin)
        except _NO_USE_TO_REPEAT:
            raise
        except psycopg.OperationalError:
            self._pool.check()
            raw = stack.enter_context(self._pool.connection())
            raw.execute(begin)
        return raw

    def start_background(self) -> None:
        """Do nothing: PostgreSQL has its own background work."""

    @property
    def place(self) -> str:
        """Return the schema's name, in words."""
        return f'the schema "{self.schema}"'

    def create(self) -> None:
        """Make the schema and its functions; functions of an older release become those of this one."""
        with self.writing() as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.schema)}")
            create_functions(connection)

    def keep(self, copy: str) -> None:
        """Copy the present state to another schema."""
        with self.writing() as connection:
            write_copy(connection, self.schema, self._copy(copy))

    def put_back(self, copy: str) -> None:
        """Make the schema what a copy is."""
        with self.writing() as connection:
            read_copy(connection, self.schema, self._copy(copy))

    def _copy(self, name: str) -> str:
        return f"{self.schema}${name}"

    def close(self) -> None:
        """Close every connection; the database must not be used afterwards."""
        self._pool.close()
