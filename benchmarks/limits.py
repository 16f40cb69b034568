"""The best that the database can do for the measured reads: statements written by hand that give the same bytes.

No authorization, no query language, no catalog: one prepared statement, its result, the envelope around it. They are
checked against the server's own answers before they are timed.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from benchmarks.client import PAGE_COLUMNS, ROW_COLUMNS
from odata_server.engine.database import Database

_ROW: Final = """
SELECT CAST(json_object('@odata.etag', 'W/"' || versionnumber || '"', 'name', name, 'accountnumber', accountnumber,
  'telephone1', telephone1, 'emailaddress1', emailaddress1, 'address1_city', address1_city, 'createdon', createdon,
  'address1_composite', address1_composite, 'accountid', accountid) AS BLOB) FROM account WHERE accountid = ?
"""
_PAGE: Final = """
SELECT CAST(group_concat(j, ',') AS BLOB) FROM (SELECT json_object('@odata.etag', 'W/"' || versionnumber || '"',
  'name', name, 'telephone1', telephone1, 'accountid', accountid) AS j FROM account ORDER BY accountid LIMIT ?)
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """The database, a connection to it, and what stands before the rows in the answers of one server."""

    database: Database
    connection: apsw.Connection
    row_head: bytes
    page_head: bytes

    def row(self, account_id: str) -> bytes:
        """Return the body of a point read."""
        found: bytes = self.connection.execute(_ROW, (account_id,)).get
        return self.row_head + found[1:]

    def page(self, rows: int) -> bytes:
        """Return the body of a page."""
        found: bytes = self.connection.execute(_PAGE, (rows,)).get
        return self.page_head + found + b"]}"


def open_limits(directory: Path, root: str) -> Limits:
    """Return the hand-written reads over a data directory's database.

    Args:
        directory: the data directory.
        root: the URL of the service whose answers they must give.
    """
    context = f'{{"@odata.context":"{root}/$metadata#accounts'
    columns = ",".join(ROW_COLUMNS)
    database = Database(directory / "dataverse.sqlite")
    return Limits(
        database,
        database.reader(),
        f'{context}({columns})/$entity",'.encode(),
        f'{context}({",".join(PAGE_COLUMNS)})","value":['.encode(),
    )


def seconds_per_call(call: Callable[[], object], seconds: float) -> float:
    """Return how long a call takes, measured for some time."""
    calls = 0
    begun = now = time.perf_counter()
    while now - begun < seconds:
        for _ in itertools.repeat(None, 50):
            call()
        calls += 50
        now = time.perf_counter()
    return (now - begun) / calls


def stored_row(connection: apsw.Connection, account_id: str) -> dict[str, apsw.SQLiteValue]:
    """Return a stored account by physical column, as the server wrote it."""
    cursor = connection.execute("SELECT * FROM account WHERE accountid = ?", (account_id,))
    return dict(zip((name for name, _ in cursor.getdescription()), cursor.fetchone() or (), strict=True))
