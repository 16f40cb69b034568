"""Switching an SQLite file to its write-ahead log, which several processes may try at the same moment."""

from __future__ import annotations

import time
from typing import Final

import apsw

_PAUSE_SECONDS: Final = 0.005


def use_write_ahead_log(connection: apsw.Connection, patience: float) -> None:
    """Switch the file to its write-ahead log, which it keeps from then on.

    SQLite does not wait here as its busy timeout says elsewhere: who switches while another connection does, or
    while the last one closes, is refused at once.

    Args:
        connection: a connection outside any transaction.
        patience: how many seconds to try.

    Raises:
        apsw.BusyError: others held the file all the time.
    """
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
