"""What is measured, and the measuring itself: shuffled rounds in which everything has its turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.client import Answer, Client, exchange, fetch_token
from benchmarks.data_set import DataSet, copy_data_set, sampled_ids
from benchmarks.generators import Generator
from benchmarks.limits import Limits, SqliteLimits, insert_sql, open_limits, seconds_per_call, stored_row
from benchmarks.load import Measurement
from benchmarks.postgres import connected, fill, private_server
from benchmarks.postgres_limits import PostgresLimits
from benchmarks.processors import pinned
from benchmarks.servers import Server, product, yardstick
from benchmarks.workloads import CREATE, UPDATE, Read, all_reads
from benchmarks.yardsticks import Replay, Reply, Store

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

        A read: the yardstick's time per request and the best time in the database, one after the other; a write:
        the yardstick itself, which writes the row.
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
    yardsticks: dict[str, Server]
    requests: dict[str, list[bytes]]
    engine: Mapping[str, Callable[[], object]]


@contextmanager
def opened_bench(
    data_set: DataSet, place: Path, generator: Generator, random: Random, chosen: Collection[str]
) -> Iterator[Bench]:
    """Start all servers over copies of a data set; what the product answers with 501 is left out.

    Raises:
        RuntimeError: a server does not start, refuses a request, or answers other bytes than the database.
    """
    copy_data_set(data_set, place / "data")
    ids = sampled_ids(place / "data", "contact", _SAMPLE, random)
    with ExitStack() as stack:
        ours = stack.enter_context(product(place / "data", generator.processors))
        client = Client(f"localhost:{ours.port}", fetch_token(ours))
        limits = open_limits(place / "data", f"http://localhost:{ours.port}/api/data/v9.2")
        stack.callback(limits.database.close)
        bench = _reading(stack, _Reads(ours, client, limits, chosen, ids), place, generator)
        if CREATE in chosen:
            copy_data_set(data_set, place / "raw-insert")
            store = _insert(limits, exchange(ours, client.creation(data_set.rows)), place / "raw-insert")
            bench.yardsticks[CREATE] = stack.enter_context(yardstick(store, place, generator.processors))
            bench.requests[CREATE] = [client.creation(data_set.rows + number) for number in range(len(ids))]
        if UPDATE in chosen:
            accounts = sampled_ids(place / "data", "account", _SAMPLE, random)
            copy_data_set(data_set, place / "raw-update")
            store = _update(limits, ours, client, accounts, place / "raw-update")
            bench.yardsticks[UPDATE] = stack.enter_context(yardstick(store, place, generator.processors))
            bench.requests[UPDATE] = [client.update(account, number) for number, account in enumerate(accounts)]
        yield bench


@contextmanager
def opened_postgres_bench(
    data_set: DataSet, place: Path, generator: Generator, random: Random, chosen: Collection[str]
) -> Iterator[Bench]:
    """Start a PostgreSQL server with the rows of a data set, the product over it, and the static replay.

    Raises:
        RuntimeError: a server does not start, refuses a request, or answers other bytes than the database.
    """
    ids = sampled_ids(data_set.directory, "contact", _SAMPLE, random)
    with ExitStack() as stack:
        url = stack.enter_context(private_server())
        schema = fill(url, data_set, place / "data")
        ours = stack.enter_context(product(place / "data", generator.processors, url))
        client = Client(f"localhost:{ours.port}", fetch_token(ours))
        connection = stack.enter_context(connected(url, schema))
        limits = PostgresLimits(connection, f"http://localhost:{ours.port}/api/data/v9.2")
        yield _reading(stack, _Reads(ours, client, limits, chosen, ids), place, generator)


@dataclass(frozen=True, slots=True)
class _Reads:
    """What the reads are measured with: the product, its client, the hand-written reads, their names, and ids."""

    ours: Server
    client: Client
    limits: Limits
    chosen: Collection[str]
    ids: list[str]


def _reading(stack: ExitStack, told: _Reads, place: Path, generator: Generator) -> Bench:
    """Start the replaying server; return everything that the reads need."""
    client, ids = told.client, told.ids
    reads = [read for read in all_reads() if read.name in told.chosen]
    asked = [(read, exchange(told.ours, client.read(read, ids[0]))) for read in reads]
    available = [(read, answer) for read, answer in asked if answer.status != HTTPStatus.NOT_IMPLEMENTED]
    requests = {read.name: [client.read(read, found) for found in _ids_of(read, ids)] for read, _ in available}
    yardsticks = {}
    if available:
        replay = _replay(told.limits, ids[0], available)
        static = stack.enter_context(yardstick(replay, place, generator.processors))
        yardsticks = dict.fromkeys(requests, static)
    return Bench(told.ours, yardsticks, requests, {read.name: _calls(told.limits, read, ids) for read, _ in available})


def _ids_of(read: Read, ids: list[str]) -> list[str]:
    return ids if "{id}" in read.path else ids[:1]


def _calls(limits: Limits, read: Read, ids: list[str]) -> Callable[[], object]:
    """Return the hand-written read, of another contact with every call."""
    made, following = limits.call(read), itertools.cycle(ids)
    return lambda: made(next(following))


def _replay(limits: Limits, contact_id: str, answers: Sequence[tuple[Read, Answer]]) -> Replay:
    for read, answer in answers:
        ours = limits.body(read, contact_id)
        if ours != answer.body:
            raise RuntimeError(
                f"{read.name}: the statement written by hand gives other bytes: {ours!r} {answer.body!r}"
            )
    replies = {read.target.partition("?")[2]: Reply(found.headers, found.body.decode()) for read, found in answers}
    return Replay(replies)


def _insert(limits: SqliteLimits, created: Answer, directory: Path) -> Store:
    """Return the raw insertion of the very row that the product stored."""
    stored = stored_row(limits.connection, _account_of(created))
    place = list(stored).index("accountid")
    return Store(str(directory / "dataverse.sqlite"), insert_sql(stored), list(stored.values()), place, created.headers)


def _update(limits: SqliteLimits, ours: Server, client: Client, accounts: list[str], directory: Path) -> Store:
    """Return the raw change of the very columns that the product changed, in one account after another."""
    before = stored_row(limits.connection, accounts[0])
    answer = exchange(ours, client.update(accounts[0], len(accounts)))
    after = stored_row(limits.connection, accounts[0])
    changed = {name: value for name, value in after.items() if value != before[name]}
    listed = ", ".join(f'"{name}" = ?' for name in changed)
    sql = f"UPDATE account SET {listed} WHERE accountid = ?"  # noqa: S608 - names of columns
    values = [*changed.values(), None]
    return Store(str(directory / "dataverse.sqlite"), sql, values, len(changed), answer.headers, accounts)


def _account_of(created: Answer) -> str:
    return dict(created.headers)["odata-entityid"].rpartition("(")[2].rstrip(")")


def measured_rounds(bench: Bench, generator: Generator, extent: Extent, random: Random) -> Iterator[Round]:
    """Yield one round after another; in each, everything is measured once, in an order of its own."""
    engine_seconds = min(_ENGINE_SECONDS, extent.seconds)
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
                        engine[workload] = seconds_per_call(bench.engine[workload], engine_seconds)
                case "product":
                    ours[workload] = generator.measure(bench.product, bench.requests[workload], extent.seconds)
                case _:
                    server = bench.yardsticks[workload]
                    theirs[workload] = generator.measure(server, bench.requests[workload], extent.seconds)
        yield Round(ours, theirs, engine)
