"""Reads and writes at the same time, two worker processes over one database: `python -m benchmarks.mixed`.

Two load generators work side by side, one that reads and one that writes. A request that is refused, by "database is
locked" or anything else, ends the benchmark with exit status 1.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import click

from benchmarks.batches import batch_of_creates
from benchmarks.client import Client, fetch_token
from benchmarks.data_set import copy_data_set, open_data_set, sampled_ids
from benchmarks.load import SEPARATOR, Measurement
from benchmarks.postgres import fill, private_server
from benchmarks.processors import Processors
from benchmarks.servers import Server, product
from benchmarks.workloads import all_reads

_REPOSITORY: Final = Path(__file__).parent.parent
_READS: Final = frozenset({"Q1", "Q2", "Q3", "Q5", "Q6"})
_SAMPLE: Final = 500
_WRITES_PER_BATCH: Final = 100
_SEED: Final = 1
_SLACK: Final = 60.0


@dataclass(frozen=True, slots=True)
class Mixed:
    """What readers and writers measured side by side; a `$batch` of 100 creates counts as one write."""

    reads: Measurement
    writes: Measurement

    def text(self) -> str:
        """Return the figures, a line each."""
        return "\n".join(_line(name, found) for name, found in (("reads", self.reads), ("writes", self.writes)))


def _line(name: str, found: Measurement) -> str:
    latency = f"p50 {found.p50_ms:7.1f} ms   p99 {found.p99_ms:7.1f} ms"
    return f"{name:<7} {found.per_second:8,.0f}/s   {latency}   refused {found.refused}"


def measured(*, rows: int, seconds: float, connections: int, workers: int, on_postgres: bool = False) -> Mixed:
    """Load a server with reads and writes at the same time and return what both did.

    Args:
        rows: contacts in the database.
        seconds: how long.
        connections: how many requests of each kind are under way at any time.
        workers: the server's processes.
        on_postgres: whether the rows lie in PostgreSQL.

    Raises:
        RuntimeError: a server does not start, or closes a connection.
    """
    with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-") as temporary:
        place, random = Path(temporary), Random(_SEED)  # noqa: S311 - which rows are asked for is no secret
        with _serving(place, rows, workers, on_postgres=on_postgres) as (server, directory):
            client = Client(f"localhost:{server.port}", fetch_token(server))
            contacts, accounts = (sampled_ids(directory, name, _SAMPLE, random) for name in ("contact", "account"))
            asked = {"reads": _reads(client, contacts), "writes": _writes(client, accounts)}
            running = {
                name: _started(server.port, place / name, requests, connections, seconds)
                for name, requests in asked.items()
            }
            found = {name: _ended(process, seconds) for name, process in running.items()}
    return Mixed(**found)


@contextmanager
def _serving(place: Path, rows: int, workers: int, *, on_postgres: bool) -> Iterator[tuple[Server, Path]]:
    """Serve a copy of a data set; give the server, and where the same rows lie in files."""
    data_set = open_data_set(rows, lambda _: None)
    anywhere = Processors(None, None)
    if on_postgres:
        with private_server() as url:
            fill(url, data_set, place / "data")
            with product(place / "data", anywhere, url, workers=workers) as server:
                yield server, data_set.directory
        return
    copy_data_set(data_set, place / "data")
    with product(place / "data", anywhere, workers=workers) as server:
        yield server, place / "data"


def _reads(client: Client, contacts: list[str]) -> Iterator[bytes]:
    reads = [read for read in all_reads() if read.name in _READS]
    return (client.read(read, contact) for contact in contacts for read in reads)


def _writes(client: Client, accounts: list[str]) -> Iterator[bytes]:
    for number, account in enumerate(accounts):
        yield client.creation(number)
        yield client.update(account, number)
        if number % _WRITES_PER_BATCH == 0:
            yield batch_of_creates(client, number)


def _started(
    port: int, file: Path, requests: Iterable[bytes], connections: int, seconds: float
) -> subprocess.Popen[str]:
    file.write_bytes(SEPARATOR.join(requests))
    told = {"--port": port, "--requests": file, "--connections": connections, "--seconds": seconds}
    command = [sys.executable, "-m", "benchmarks.load", *map(str, itertools.chain.from_iterable(told.items()))]
    return subprocess.Popen(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True)


def _ended(process: subprocess.Popen[str], seconds: float) -> Measurement:
    printed, _ = process.communicate(timeout=seconds * 2 + _SLACK)
    if process.returncode:
        raise RuntimeError(f"a load generator ended with exit status {process.returncode}")
    return Measurement(**json.loads(printed))


@click.command()
@click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="How long.")
@click.option("--rows", type=click.IntRange(200), default=10_000, show_default=True, help="Contacts in the database.")
@click.option("--connections", type=click.IntRange(1), default=4, show_default=True, help="Readers, and writers.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes of the server.")
@click.option("--postgres", "on_postgres", is_flag=True, help="Measure on PostgreSQL.")
def main(*, seconds: float, rows: int, connections: int, workers: int, on_postgres: bool) -> None:
    """Measure reads and writes at the same time; exit status 1 when a request is refused.

    Example: python -m benchmarks.mixed --seconds 60
    """
    found = measured(rows=rows, seconds=seconds, connections=connections, workers=workers, on_postgres=on_postgres)
    click.echo(found.text())
    if found.reads.refused or found.writes.refused:
        sys.exit(1)


if __name__ == "__main__":
    main()
