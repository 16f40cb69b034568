"""The measurements of many rows send what they say, and their limit inserts what it says."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import orjson
import pytest

from benchmarks.batches import BATCHES, CREATES, batch_of_creates
from benchmarks.client import Client
from benchmarks.many_rows import Rates, raw_inserts
from benchmarks.multiple import MULTIPLE, RECORDS, creation_of_many
from odata_server.engine.sqlite.database import SqliteDatabase
from odata_server.syntax.multipart import ChangeSet, boundary_of, read_batch


def test_a_batch_is_one_change_set_of_a_hundred_different_accounts():
    head, _, body = batch_of_creates(Client("localhost:1", "token"), 500).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert int(headers["Content-Length"]) == len(body)
    (changes,) = read_batch(body, boundary_of(headers["Content-Type"]))
    assert isinstance(changes, ChangeSet)
    names = {orjson.loads(request.body)["accountnumber"] for request in changes.requests}
    assert (len(changes.requests), len(names)) == (CREATES, CREATES)


def test_a_bulk_message_holds_a_thousand_different_accounts():
    head, _, body = creation_of_many(Client("localhost:1", "token"), 500).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert len({target["accountnumber"] for target in orjson.loads(body)["Targets"]}) == RECORDS


def test_the_accounts_are_found_in_an_answer():
    made = b"HTTP/1.1 204 No Content\r\nOData-EntityId: https://x/api/data/v9.2/accounts(one)\r\n\r\n"
    assert BATCHES.created(made + made.replace(b"one", b"two")) == ["one", "two"]
    assert MULTIPLE.created(b'{"Ids":["one","two"]}') == ["one", "two"]


def test_the_limit_inserts_other_accounts_in_each_transaction_as_the_requests_do(tmp_path: Path):
    with closing(SqliteDatabase(tmp_path / "raw.sqlite")) as database:
        with database.writing() as connection:
            connection.execute("CREATE TABLE account (name TEXT, accountid TEXT PRIMARY KEY, fax TEXT)")
        accounts = [{"name": f"A {n}", "accountid": "x", "fax": None} for n in range(2 * CREATES)]
        insert = raw_inserts(database, accounts, CREATES)
        for turn, names in ((1, CREATES), (2, 2 * CREATES), (3, 2 * CREATES)):
            insert()
            (rows,) = database.reader().execute("SELECT count(*), count(DISTINCT name) FROM account").fetchall()
            assert rows == (turn * CREATES, names)


def test_a_share_is_a_part_of_the_limit():
    assert Rates(requests=3_000, raw=12_000).share == pytest.approx(0.25)
