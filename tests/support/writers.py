"""Processes that write beside the test, and what must hold afterwards."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import databases
from things import SYSTEM, Office

from entities.messages import RetrieveMultiple, Rows
from entities.query import QueryExpression

ROOT = Path(__file__).parents[2]


def start_writer(office: Office, prefix: str, count: int, durability: str = "NORMAL") -> subprocess.Popen[str]:
    program = str(Path(__file__).with_name("writer_process.py"))
    return subprocess.Popen(
        [sys.executable, program, str(office.path), prefix, str(count), durability],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def rows_of(office: Office, table: str) -> Iterator[Mapping[str, object]]:
    found = office.service.execute(RetrieveMultiple(QueryExpression(table)), SYSTEM)
    assert isinstance(found, Rows)
    yield from found.records


def check_whole(office: Office) -> None:
    """Check that the database is sound and that no transaction is half there."""
    if databases.KIND == "SQLite":
        assert office.service.database.reader().execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    gadgets = {f"with {record['name']}" for record in rows_of(office, "gadget")}
    assert gadgets == {record["name"] for record in rows_of(office, "account")}
    versions = [record["versionnumber"] for table in ("gadget", "account") for record in rows_of(office, table)]
    assert len(versions) == len(set(versions))
    serials = [record["serial"] for record in rows_of(office, "gadget")]
    assert len(serials) == len(set(serials))
