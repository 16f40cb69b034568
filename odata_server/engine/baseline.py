"""Known states of a database: kept as a copy beside it, and put back while others use the database.

SQLite's backup writes the copy's pages through the log like any transaction, so readers in other processes go on and
see either the old state or the restored one.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from odata_server.engine.sqlite.database import SqliteDatabase


def keep(database: SqliteDatabase, copy: Path) -> None:
    """Write the database's present state to a file, replacing it atomically."""
    temporary = copy.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    database.reader().execute("VACUUM INTO ?", (str(temporary),))
    temporary.replace(copy)


def put_back(database: SqliteDatabase, copy: Path) -> None:
    """Make the database what the copy is, for all processes that use it.

    The stamp and the row version go on growing, so that what anybody remembers of the state before is stale.
    """
    source = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        with database.exclusive() as connection:
            stamp, version = connection.execute('SELECT stamp, row_version FROM "$state"').get
            with connection.backup("main", source, "main") as backup:
                backup.step()
            connection.execute('UPDATE "$state" SET stamp = ?, row_version = max(row_version, ?)', (stamp + 1, version))
    finally:
        source.close()
