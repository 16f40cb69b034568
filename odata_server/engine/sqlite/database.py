"""One SQLite database: reading connections per thread, one writer per process, durable transactions.

WAL lets readers go on while one writer writes. In WAL mode `synchronous=NORMAL` survives a killed process; only
`FULL` also survives a power cut ("SQLite: Write-Ahead Logging", durability).
"""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import apsw

from entities.errors import TemporarilyUnavailable
from entities.relative.fiscal import period_at
from entities.wildcards import matches
from odata_server.edm.etags import finance_etag
from odata_server.engine.catalog_store import complete_internal_tables, resume
from odata_server.engine.database import Durability, RowStatement
from odata_server.engine.dialect import Dialect
from odata_server.engine.sqlite import display_functions, exact_numbers, formula_functions
from odata_server.engine.sqlite.copies import read_copy, write_copy
from odata_server.engine.sqlite.dialect import SQLITE
from odata_server.engine.sqlite.log import use_write_ahead_log
from odata_server.engine.storage import SqlValue

_BUSY_SECONDS = 10
_TURN_SECONDS = (0.0005, 0.002, 0.001, 0.003)
_CHECKPOINT_SECONDS = 0.25
_CHECKPOINT_PAGES = 1_000
_BUSY_TURNS = 4
_SAFETY_NET_PAGES = 20_000
_CACHED_STATEMENTS = 512
_PRAGMAS = (
    "PRAGMA mmap_size = 1073741824",
    "PRAGMA cache_size = -8192",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA trusted_schema = OFF",
)


class SqliteConnection(apsw.Connection):
    """A connection of APSW that says which SQL it understands."""

    dialect = SQLITE

    def write_rows(self, statement: RowStatement, rows: Sequence[tuple[SqlValue, ...]], /) -> None:
        """Run a prepared statement row by row: one for many rows is longer to read than they are to write."""
        self.executemany(statement(SQLITE.place, 1), rows)


class _Patience:
    """Waits for others who hold the file, in short turns of different length.

    SQLite's own timeout waits in turns of up to a tenth of a second: who comes back at once gets the file again and
    again, and who waits longest is asked least.
    """

    def __init__(self) -> None:
        self._until = 0.0

    def __call__(self, turns: int) -> bool:
        now = time.monotonic()
        if turns == 0:
            self._until = now + _BUSY_SECONDS
        time.sleep(_TURN_SECONDS[turns % len(_TURN_SECONDS)])
        return now < self._until


class SqliteDatabase:
    """A database file that several threads and processes read and write.

    Args:
        path: the file; made when it does not exist.
        durability: what an acknowledged write survives.
    """

    dialect: Dialect = SQLITE

    def __init__(self, path: Path, durability: Durability = Durability.NORMAL) -> None:
        self.path = path
        self._durability = durability
        self._local = threading.local()
        self._opened: list[SqliteConnection] = []
        self._opened_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._writer = self._open()
        use_write_ahead_log(self._writer, _BUSY_SECONDS)
        self._writer.execute(f"PRAGMA wal_autocheckpoint = {_SAFETY_NET_PAGES}")
        self._stop = threading.Event()
        self._checkpointer: threading.Thread | None = None

    def _open(self) -> SqliteConnection:
        connection = SqliteConnection(str(self.path), statementcachesize=_CACHED_STATEMENTS)
        connection.set_busy_handler(_Patience())
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.execute(f"PRAGMA synchronous = {self._durability.value}")
        exact_numbers.register(connection)
        display_functions.register(connection)
        formula_functions.register(connection)
        connection.create_scalar_function("finance_etag", _finance_etag, 2, deterministic=True)
        connection.create_scalar_function("base64_text", _base64_text, 1, deterministic=True)
        connection.create_scalar_function("wildcard_match", _wildcard_match, 2, deterministic=True)
        connection.create_scalar_function("fiscal_period", _fiscal_period, 4, deterministic=True)
        with self._opened_lock:
            self._opened.append(connection)
        return connection

    def reader(self) -> SqliteConnection:
        """Return this thread's connection for reading."""
        try:
            return self._local.connection  # type: ignore[no-any-return]  # threading.local holds Any
        except AttributeError:
            connection = self._local.connection = self._open()
            return connection

    @contextmanager
    def writing(self) -> Iterator[SqliteConnection]:
        """Give the writing connection inside a transaction that is committed when the block ends.

        Raises:
            TemporarilyUnavailable: another process held the database longer than a request may wait.
        """
        with self._write_lock:
            connection = self._writer
            try:
                connection.execute("BEGIN IMMEDIATE")
            except apsw.BusyError as error:
                raise TemporarilyUnavailable("The organization's database is busy. Try again.") from error
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def tracing(self, note: Callable[[str, Sequence[SqlValue]], None]) -> Iterator[None]:
        """Tell of each statement that this thread reads with, while the block runs."""

        def seen(_: apsw.Cursor, statement: str, parameters: object) -> bool:
            note(statement, parameters if isinstance(parameters, tuple) else ())
            return True

        connection = self.reader()
        connection.exec_trace = seen
        try:
            yield
        finally:
            connection.exec_trace = None

    @property
    def place(self) -> str:
        """Return the path of the file."""
        return str(self.path)

    def create(self) -> None:
        """Do nothing: opening has made the file, and its functions are Python's."""

    def keep(self, copy: str) -> None:
        """Copy the present state to a file beside the database."""
        write_copy(self.reader(), self._copy(copy))

    def put_back(self, copy: str) -> None:
        """Make the database what a copy is."""
        with self._write_lock:
            stamp, version = read_copy(self._writer, self._copy(copy))
            complete_internal_tables(self._writer)
            resume(self._writer, stamp, version)

    def _copy(self, name: str) -> Path:
        return self.path.with_suffix(f".{name}{self.path.suffix}")

    def start_background(self) -> None:
        """Move the log into the database in the background, so that no request pays for it."""
        self._checkpointer = threading.Thread(target=self._checkpoint_forever, name="checkpoints", daemon=True)
        self._checkpointer.start()

    def _checkpoint_forever(self) -> None:
        connection = self._open()
        moved, seen, turns = 0, 0, 0
        while not self._stop.wait(_CHECKPOINT_SECONDS):
            written = self._log_written()
            if written == moved:
                continue
            is_quiet, seen, turns = written == seen, written, turns + 1
            # Writers wait for the disk while the log is moved: as long as they are at work, it is moved less often.
            if not is_quiet and turns < _BUSY_TURNS:
                continue
            turns = 0
            # Another process's checkpoint, or its closing, holds the lock now and then: the next turn does it.
            with suppress(apsw.BusyError):
                pages, done = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                moved = written if pages == done else moved

    def _log_written(self) -> int:
        """Return when the log was written last, 0 where it is too short to be worth moving."""
        log = self.path.with_name(self.path.name + "-wal")
        if not log.exists():
            return 0
        found = log.stat()
        return found.st_mtime_ns if found.st_size > _CHECKPOINT_PAGES * 4096 else 0

    def close(self) -> None:
        """Close every connection; the database must not be used afterwards."""
        self._stop.set()
        if self._checkpointer:
            self._checkpointer.join()
        with self._opened_lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()


_Stored: TypeAlias = "apsw.SQLiteValue"


def _finance_etag(*values: _Stored) -> str:
    version, record_id = values
    return finance_etag(int(version or 0), str(record_id))


def _base64_text(*values: _Stored) -> str | None:
    (data,) = values
    return b64encode(data).decode() if isinstance(data, bytes) else None


def _wildcard_match(*values: _Stored) -> bool | None:
    regular, text = values
    return None if text is None else matches(str(regular), str(text))


def _fiscal_period(*values: _Stored) -> int | None:
    moment, start, period_type, zone = values
    return None if moment is None else period_at(str(moment), str(start), int(str(period_type)), str(zone))
