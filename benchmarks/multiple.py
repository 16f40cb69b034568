"""W4, `CreateMultiple` of 1,000 accounts, against what SQLite itself inserts: `python -m benchmarks.multiple`.

The limit is the same rows with the same indexes as prebuilt tuples, 1,000 in a transaction, by one prepared statement
in one process that does nothing else: no HTTP, no token, no JSON, no rules.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import apsw
import click

from benchmarks.batches import Rates
from benchmarks.client import Client, exchange, fetch_token
from benchmarks.data_set import account, copy_data_set, open_data_set
from benchmarks.generators import Generator, choose_generator
from benchmarks.limits import seconds_per_call, stored_row
from benchmarks.processors import choose_processors, pinned
from benchmarks.report import spread
from benchmarks.servers import product
from odata_server.engine.sqlite.database import SqliteDatabase

RECORDS: Final = 1_000
_ACTION: Final = "Microsoft.Dynamics.CRM.CreateMultiple"
_TYPE: Final = "Microsoft.Dynamics.CRM.account"
_DIFFERENT: Final = 10


def creation_of_many(client: Client, first: int) -> bytes:
    """Return a request that creates 1,000 accounts.

    Args:
        client: who sends it.
        first: the number of the first account.
    """
    targets = [{"@odata.type": _TYPE, **account(first + number)} for number in range(RECORDS)]
    body = json.dumps({"Targets": targets}).encode()
    head = (
        f"POST /api/data/v9.2/accounts/{_ACTION} HTTP/1.1",
        f"Host: {client.host}",
        "Accept: application/json",
        "OData-MaxVersion: 4.0",
        "OData-Version: 4.0",
        f"Authorization: Bearer {client.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def raw_inserts(database: SqliteDatabase, row: Mapping[str, apsw.SQLiteValue]) -> Callable[[], None]:
    """Return what inserts prebuilt rows, 1,000 under new ids in one transaction.

    Args:
        database: where to.
        row: an account by physical column.
    """
    place = list(row).index("accountid")
    before, after = tuple(row.values())[:place], tuple(row.values())[place + 1 :]
    listed = ", ".join(f'"{name}"' for name in row)
    sql = f"INSERT INTO account ({listed}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - names of columns
    numbers = itertools.count(1)

    def insert() -> None:
        ids = (f"ffffffff-0000-4000-8000-{number:012x}" for number in itertools.islice(numbers, RECORDS))
        rows = [(*before, chosen, *after) for chosen in ids]
        with database.writing() as connection:
            assert isinstance(connection, apsw.Connection)
            connection.executemany(sql, rows)

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
        requests = [creation_of_many(client, rows + RECORDS * number) for number in range(_DIFFERENT)]
        made = json.loads(exchange(server, requests[0]).body)["Ids"][0]
        raw = SqliteDatabase(place / "raw" / "dataverse.sqlite")
        insert = raw_inserts(raw, _stored(place / "data", made))
        found = []
        for _ in range(rounds):
            created = RECORDS * generator.measure(server, requests, seconds).per_second
            with pinned(generator.processors.server):
                found.append(Rates(created, RECORDS / seconds_per_call(insert, seconds)))
        raw.close()
    return found


def _stored(directory: Path, account_id: str) -> Mapping[str, apsw.SQLiteValue]:
    database = SqliteDatabase(directory / "dataverse.sqlite")
    try:
        return stored_row(database.reader(), account_id)
    finally:
        database.close()


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds; five or more count.")
@click.option("--seconds", type=click.FloatRange(0.1), default=3.0, show_default=True, help="Length of a measurement.")
@click.option("--rows", type=click.IntRange(200), default=100_000, show_default=True, help="Contacts in the database.")
@click.option("--goal", type=click.FloatRange(0, 100), default=0.0, help="Exit status 1 below this share, in percent.")
def main(rounds: int, seconds: float, rows: int, goal: float) -> None:
    """Measure requests that create 1,000 accounts each."""
    with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-") as temporary:
        place = Path(temporary)
        found = measured(choose_generator(choose_processors(), place), place, rows, rounds, seconds)
    share = spread(100 * rates.share for rates in found)
    click.echo(f"rows/s through CreateMultiple of {RECORDS}: {spread(rates.batches for rates in found).text(',.0f')}")
    click.echo(f"rows/s into bare SQLite, {RECORDS} per transaction: {spread(r.raw for r in found).text(',.0f')}")
    click.echo(f"share: {share.text('.1f')} %")
    if share.median < goal:
        sys.exit(1)


if __name__ == "__main__":
    main()
