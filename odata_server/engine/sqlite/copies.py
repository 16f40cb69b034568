"""Copies of an SQLite database: made beside it, and put back while others use it.

SQLite's backup writes the copy's pages through the log like any transaction, so readers in other processes go on and
see either the old state or the restored one.
"""

from __future__ import annotations

from pathlib import Path

import apsw


def write_copy(connection: apsw.Connection, copy: Path) -> None:
    """Write the database's present state to a file, replacing it atomically."""
    temporary = copy.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(temporary),))
    temporary.replace(copy)


def read_copy(connection: apsw.Connection, copy: Path) -> tuple[int, int]:
    """Make the database what the copy is; return the stamp and the row version that it had before.

    Args:
        connection: a connection that nobody else uses, outside any transaction.
        copy: what `write_copy` wrote.
    """
    source = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        stamp, version = connection.execute('SELECT stamp, row_version FROM "$state"').get
        with connection.backup("main", source, "main") as backup:
            backup.step()
        return int(stamp), int(version)
    finally:
        source.close()
