"""W3, `$batch` of 100 creates in one change set, against what SQLite itself inserts: `python -m benchmarks.batches`.

The limit is the same rows with the same indexes, 100 in a transaction, by one prepared statement in one process that
does nothing else: no HTTP, no token, no JSON, no rules.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw
import click

from benchmarks.client import Client, exchange, fetch_token
from benchmarks.data_set import account, copy_data_set, open_data_set
from benchmarks.generators import Generator, choose_generator
from benchmarks.limits import seconds_per_call, stored_row
from benchmarks.processors import choose_processors, pinned
from benchmarks.report import spread
from benchmarks.servers import product
from odata_server.engine.sqlite.database import SqliteDatabase

CREATES: Final = 100
GOAL: Final = 0.30
"""What part of the rows per second of bare SQLite the batches are to reach."""

_BOUNDARY: Final = "batch_of_the_benchmark"
_CHANGES: Final = "changeset_of_the_benchmark"
_DIFFERENT: Final = 50


@dataclass(frozen=True, slots=True)
class Rates:
    """Rows per second in one round: through batches, and into bare SQLite."""

    batches: float
    raw: float

    @property
    def share(self) -> float:
        """What part of the limit is reached."""
        return self.batches / self.raw


def batch_of_creates(client: Client, first: int) -> bytes:
    """Return a request that creates 100 accounts in one change set.

    Args:
        client: who sends it.
        first: the number of the first account.
    """
    parts = "".join(_part(number, first + number) for number in range(1, CREATES + 1))
    changes = f"Content-Type: multipart/mixed; boundary={_CHANGES}\r\n\r\n{parts}--{_CHANGES}--\r\n"
    body = f"--{_BOUNDARY}\r\n{changes}\r\n--{_BOUNDARY}--\r\n".encode()
    head = (
        "POST /api/data/v9.2/$batch HTTP/1.1",
        f"Host: {client.host}",
        "Accept: application/json",
        "OData-MaxVersion: 4.0",
        "OData-Version: 4.0",
        f"Authorization: Bearer {client.token}",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _part(content_id: int, number: int) -> str:
    wrapper = f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {content_id}\r\n\r\n"
    request = "POST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json; type=entry\r\n\r\n"
    return f"--{_CHANGES}\r\n{wrapper}{request}{json.dumps(account(number))}\r\n"


def raw_inserts(database: SqliteDatabase, row: dict[str, apsw.SQLiteValue]) -> Callable[[], None]:
    """Return what inserts a stored account 100 times, under new ids, in one transaction.

    Args:
        database: where to.
        row: the account by physical column.
    """
    place = list(row).index("accountid")
    before, after = list(row.values())[:place], list(row.values())[place + 1 :]
    listed = ", ".join(f'"{name}"' for name in row)
    sql = f"INSERT INTO account ({listed}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - names of columns
    numbers = itertools.count(1)

    def insert() -> None:
        with database.writing() as connection:
            for number in itertools.islice(numbers, CREATES):
                connection.execute(sql, (*before, f"ffffffff-0000-4000-8000-{number:012x}", *after))

    return insert


def measured(generator: Generator, place: Path, rows: int, rounds: int, seconds: float) -> list[Rates]:
    """Return the rates of some rounds.

    Args:
        generator: loads the server.
        place: an empty directory.
        rows: contacts in the database.
        rounds: how many rounds.
        seconds: how long each measurement lasts.
    """
    data_set = open_data_set(rows, lambda text: click.echo(text, err=True))
    for name in ("data", "raw"):
        copy_data_set(data_set, place / name)
    with product(place / "data", generator.processors) as server:
        client = Client(f"localhost:{server.port}", fetch_token(server))
        requests = [batch_of_creates(client, rows + CREATES * number) for number in range(_DIFFERENT)]
        answer = exchange(server, requests[0]).body.decode()
        made = answer.partition("OData-EntityId: ")[2].partition("\r\n")[0].rpartition("(")[2].rstrip(")")
        raw = SqliteDatabase(place / "raw" / "dataverse.sqlite")
        insert = raw_inserts(raw, _stored(place / "data", made))
        found = []
        for _ in range(rounds):
            batches = CREATES * generator.measure(server, requests, seconds).per_second
            with pinned(generator.processors.server):
                found.append(Rates(batches, CREATES / seconds_per_call(insert, seconds)))
        raw.close()
    return found


def _stored(directory: Path, account_id: str) -> dict[str, apsw.SQLiteValue]:
    database = SqliteDatabase(directory / "dataverse.sqlite")
    try:
        return stored_row(database.reader(), account_id)
    finally:
        database.close()


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds; five or more count.")
@click.option("--seconds", type=click.FloatRange(0.1), default=1.2, show_default=True, help="Length of a measurement.")
@click.option("--rows", type=click.IntRange(200), default=100_000, show_default=True, help="Contacts in the database.")
def main(rounds: int, seconds: float, rows: int) -> None:
    """Measure batches of 100 creates; exit status 1 when the goal is missed."""
    with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-") as temporary:
        place = Path(temporary)
        found = measured(choose_generator(choose_processors(), place), place, rows, rounds, seconds)
    share = spread(100 * rates.share for rates in found)
    click.echo(f"rows/s through batches of {CREATES}: {spread(rates.batches for rates in found).text(',.0f')}")
    click.echo(f"rows/s into bare SQLite, {CREATES} per transaction: {spread(r.raw for r in found).text(',.0f')}")
    click.echo(f"share: {share.text('.0f')} %, goal: {100 * GOAL:.0f} %")
    if share.median < 100 * GOAL:
        sys.exit(1)


if __name__ == "__main__":
    main()
