"""Requests that create many accounts each, against what SQLite itself inserts.

The limit is the same rows with the same indexes as prebuilt tuples, as many in a transaction as a request creates, by
one prepared statement in one process that does nothing else: no HTTP, no token, no JSON, no rules.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw
import click

from benchmarks.client import Client, exchange, fetch_token
from benchmarks.data_set import copy_data_set, open_data_set
from benchmarks.generators import Generator, choose_generator
from benchmarks.limits import insert_sql, seconds_per_call, stored_row
from benchmarks.processors import choose_processors, pinned
from benchmarks.servers import product
from benchmarks.spreads import Spread, spread
from odata_server.engine.sqlite.database import SqliteDatabase


@dataclass(frozen=True, slots=True)
class ManyRows:
    """A kind of request.

    Attributes:
        name: what it is called in reports.
        title: what the rows go through.
        count: the accounts that one request creates.
        different: how many requests are sent in turn.
        goal: what part of the rows per second of bare SQLite they are to reach.
        request: makes the request for a client, with the number of its first account.
        created: finds the ids of the accounts in the answer's body.
    """

    name: str
    title: str
    count: int
    different: int
    goal: float
    request: Callable[[Client, int], bytes]
    created: Callable[[bytes], list[str]]

    def share(self, found: Sequence[Rates]) -> Spread:
        """Return what percentage of bare SQLite the rounds reached."""
        return spread(100 * rates.share for rates in found)

    def is_missed(self, found: Sequence[Rates]) -> bool:
        """Tell whether the median of the rounds stays below the goal."""
        return self.share(found).median < 100 * self.goal


@dataclass(frozen=True, slots=True)
class Rates:
    """Rows per second in one round: through requests, and into bare SQLite."""

    requests: float
    raw: float

    @property
    def share(self) -> float:
        """What part of the limit is reached."""
        return self.requests / self.raw


def raw_inserts(
    database: SqliteDatabase, rows: Sequence[Mapping[str, apsw.SQLiteValue]], count: int
) -> Callable[[], None]:
    """Return what inserts stored accounts under new ids: the next ones with each call, behind the last the first ones.

    Args:
        database: where to.
        rows: the accounts by physical column.
        count: how many of them in one transaction.
    """
    names = [name for name in rows[0] if name != "accountid"]
    sql = insert_sql(dict.fromkeys(("accountid", *names)))
    others = itertools.cycle([tuple(row[name] for name in names) for row in rows])
    numbers = itertools.count(1)

    def insert() -> None:
        ids = (f"ffffffff-0000-4000-8000-{number:012x}" for number in itertools.islice(numbers, count))
        with database.writing() as connection:
            connection.executemany(sql, [(chosen, *other) for chosen, other in zip(ids, others, strict=False)])

    return insert


def measured(kind: ManyRows, generator: Generator, place: Path, rows: int, seconds: float) -> Iterator[Rates]:
    """Yield the rates of one round after another.

    Args:
        kind: the requests.
        generator: loads the server.
        place: an empty directory.
        rows: contacts in the database.
        seconds: how long each measurement lasts.
    """
    data_set = open_data_set(rows, lambda text: click.echo(text, err=True))
    for name in ("data", "raw"):
        copy_data_set(data_set, place / name)
    with (
        product(place / "data", generator.processors) as server,
        closing(SqliteDatabase(place / "data" / "dataverse.sqlite")) as filled,
        closing(SqliteDatabase(place / "raw" / "dataverse.sqlite")) as raw,
    ):
        client = Client(f"localhost:{server.port}", fetch_token(server))
        requests = [kind.request(client, rows + kind.count * number) for number in range(kind.different)]
        made = [account for request in requests for account in kind.created(exchange(server, request).body)]
        insert = raw_inserts(raw, [stored_row(filled.reader(), account) for account in made], kind.count)
        while True:
            created = kind.count * generator.measure(server, requests, seconds).per_second
            with pinned(generator.processors.server):
                yield Rates(created, kind.count / seconds_per_call(insert, seconds))


def command(kind: ManyRows, seconds: float) -> click.Command:
    """Return the command that measures a kind of request; exit status 1 when the goal is missed.

    Args:
        kind: the requests.
        seconds: how long a measurement lasts unless the command line says otherwise.
    """

    @click.command(help=f"Measure {kind.title}; exit status 1 when the goal is missed.")
    @click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds; five or more count.")
    @click.option("--seconds", type=click.FloatRange(0.1), default=seconds, show_default=True, help="Per measurement.")
    @click.option("--rows", type=click.IntRange(200), default=100_000, show_default=True, help="Contacts there are.")
    def main(rounds: int, seconds: float, rows: int) -> None:
        with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-") as temporary:
            place = Path(temporary)
            generator = choose_generator(choose_processors(), place)
            with closing(measured(kind, generator, place, rows, seconds)) as endless:
                found = list(itertools.islice(endless, rounds))
        click.echo(f"rows/s through {kind.title}: {spread(rates.requests for rates in found).text(',.0f')}")
        click.echo(
            f"rows/s into bare SQLite, {kind.count} per transaction: {spread(r.raw for r in found).text(',.0f')}"
        )
        click.echo(f"share: {kind.share(found).text('.1f')} %, goal: {100 * kind.goal:.0f} %")
        if kind.is_missed(found):
            sys.exit(1)

    return main
