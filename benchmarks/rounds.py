"""What is measured, and the measuring itself: shuffled rounds in which everything has its turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.client import PAGE_ROWS, Answer, Client, exchange, fetch_token
from benchmarks.data_set import DataSet, copy_data_set, sampled_ids
from benchmarks.generators import Generator
from benchmarks.limits import Limits, open_limits, seconds_per_call, stored_row
from benchmarks.load import Measurement
from benchmarks.processors import pinned
from benchmarks.servers import Server, product, yardstick
from benchmarks.yardsticks import Insert, Replay, Reply

ROW: Final = "point read"
PAGE: Final = f"page of {PAGE_ROWS} rows"
CREATE: Final = "create"
SHAPES: Final[Mapping[str, str]] = {
    ROW: "`GET accounts(<random id>)?$select=…` (7 columns)",
    PAGE: f"`GET accounts?$select=name,telephone1&$top={PAGE_ROWS}`",
    CREATE: "`POST accounts` (6 columns)",
}
_SAMPLE: Final = 5_000
_ENGINE_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: rounds, and seconds for each measurement in them."""

    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round by workload: the product, its yardstick, and for reads the best time in the database in seconds."""

    product: Mapping[str, Measurement]
    yardstick: Mapping[str, Measurement]
    engine: Mapping[str, float]

    def limit(self, workload: str) -> float:
        """Return the requests per second that a Flask application without any work of its own would reach.

        A read: the yardstick's time per request and the best time in the database, one after the other; a create:
        the yardstick itself, which stores the row.
        """
        per_second = self.yardstick[workload].per_second
        return 1 / (1 / per_second + self.engine[workload]) if workload in self.engine else per_second

    def share(self, workload: str) -> float:
        """Return what part of its limit the product reaches."""
        return self.product[workload].per_second / self.limit(workload)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything at work: the servers, which requests each workload sends, and the database behind the product."""

    product: Server
    yardsticks: Mapping[str, Server]
    requests: Mapping[str, list[bytes]]
    engine: Mapping[str, Callable[[], object]]


@contextmanager
def opened_bench(data_set: DataSet, place: Path, generator: Generator, random: Random) -> Iterator[Bench]:
    """Start all servers over copies of a data set.

    Raises:
        RuntimeError: a server does not start, refuses a request, or answers other bytes than the database.
    """
    copy_data_set(data_set, place / "data")
    copy_data_set(data_set, place / "raw")
    ids = sampled_ids(place / "data", _SAMPLE, random)
    with ExitStack() as stack:
        ours = stack.enter_context(product(place / "data", generator.processors))
        client = Client(f"localhost:{ours.port}", fetch_token(ours))
        row, page, created = (
            exchange(ours, asked) for asked in (client.row(ids[0]), client.page(), client.creation(data_set.rows))
        )
        limits = open_limits(place / "data", f"http://localhost:{ours.port}/api/data/v9.2")
        stack.callback(limits.database.close)
        _compare(limits, ids[0], row, page)
        replay = Replay(_reply(row), _reply(page))
        static = stack.enter_context(yardstick(replay, place, generator.processors))
        insert = _insert(limits, created, place / "raw")
        raw = stack.enter_context(yardstick(insert, place, generator.processors))
        following = itertools.cycle(ids)
        yield Bench(
            ours,
            {ROW: static, PAGE: static, CREATE: raw},
            {
                ROW: [client.row(found) for found in ids],
                PAGE: [client.page()],
                CREATE: [client.creation(data_set.rows + number) for number in range(len(ids))],
            },
            {ROW: lambda: limits.row(next(following)), PAGE: lambda: limits.page(PAGE_ROWS)},
        )


def _reply(answer: Answer) -> Reply:
    return Reply(answer.headers, answer.body.decode())


def _compare(limits: Limits, account_id: str, row: Answer, page: Answer) -> None:
    for ours, theirs in ((limits.row(account_id), row.body), (limits.page(PAGE_ROWS), page.body)):
        if ours != theirs:
            raise RuntimeError(f"the statement written by hand gives other bytes:\n{ours!r}\n{theirs!r}")


def _insert(limits: Limits, created: Answer, directory: Path) -> Insert:
    """Return the raw insertion of the very row that the product stored."""
    url = dict(created.headers)["odata-entityid"]
    stored = stored_row(limits.connection, url.rpartition("(")[2].rstrip(")"))
    listed = ", ".join(f'"{name}"' for name in stored)
    sql = f"INSERT INTO account ({listed}) VALUES ({', '.join('?' * len(stored))})"  # noqa: S608 - names of columns
    return Insert(
        str(directory / "dataverse.sqlite"),
        sql,
        list(stored.values()),
        list(stored).index("accountid"),
        created.headers,
    )


def measured_rounds(bench: Bench, generator: Generator, extent: Extent, random: Random) -> Iterator[Round]:
    """Yield one round after another; in each, everything is measured once, in an order of its own."""
    for _ in range(extent.rounds):
        turns = [(kind, workload) for kind in ("product", "yardstick") for workload in bench.requests]
        turns += [("engine", workload) for workload in bench.engine]
        random.shuffle(turns)
        ours: dict[str, Measurement] = {}
        theirs: dict[str, Measurement] = {}
        engine: dict[str, float] = {}
        for kind, workload in turns:
            match kind:
                case "engine":
                    with pinned(generator.processors.server):
                        engine[workload] = seconds_per_call(bench.engine[workload], _ENGINE_SECONDS)
                case "product":
                    ours[workload] = generator.measure(bench.product, bench.requests[workload], extent.seconds)
                case _:
                    server = bench.yardsticks[workload]
                    theirs[workload] = generator.measure(server, bench.requests[workload], extent.seconds)
        yield Round(ours, theirs, engine)
