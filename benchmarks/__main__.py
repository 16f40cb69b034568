"""`make bench`, `python -m benchmarks`: measures the server against the limit of what it is built on."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import click

from benchmarks.batches import BATCHES
from benchmarks.data_set import DataSet, open_data_set
from benchmarks.definitions import measured_definitions
from benchmarks.generators import Generator, choose_generator
from benchmarks.growth import Sizes, measured_growth
from benchmarks.many_rows import ManyRows, Rates, measured
from benchmarks.multiple import MULTIPLE
from benchmarks.postgres import missing
from benchmarks.processors import choose_processors
from benchmarks.report import Result, is_missed, page_text, terminal_text
from benchmarks.rounds import Bench, Extent, Round, measured_rounds, opened_bench, opened_postgres_bench
from benchmarks.workloads import Workload, all_reads, all_workloads

_DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "reference" / "performance.md"
_ROWS: Final = 100_000
_QUICK_ROWS: Final = 500
_QUICK: Final = Extent(rounds=1, seconds=0.15)
_SEED: Final = 1
_POSTGRES_ROUNDS: Final = 3
_SIZES: Final = Sizes(tables=(10, 100, 1_000), roles=(1, 10, 50, 200), users=(1, 50, 200), rounds=5, seconds=0.1)
_QUICK_SIZES: Final = Sizes(tables=(2,), roles=(2,), users=(2,), rounds=1, seconds=0.02)


def _chosen(_: click.Context, __: click.Parameter, told: str | None) -> tuple[Workload, ...]:
    """Return the workloads that `--only` names, all without it."""
    workloads = all_workloads()
    if told is None:
        return workloads
    named = {name.strip().casefold() for name in told.split(",")}
    unknown = named - {workload.name.casefold() for workload in workloads}
    if unknown:
        known = ", ".join(workload.name for workload in workloads)
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: not one of {known}")
    return tuple(workload for workload in workloads if workload.name.casefold() in named)


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds; five or more count.")
@click.option("--seconds", type=click.FloatRange(0.1), default=1.2, show_default=True, help="Length of a measurement.")
@click.option("--rows", type=click.IntRange(200), default=_ROWS, show_default=True, help="Contacts in the database.")
@click.option("--only", "workloads", callback=_chosen, metavar="NAMES", help="Only these, such as Q1,Q3,create.")
@click.option("--quick", is_flag=True, help="Only see that everything runs: few rows, one short round, no goals.")
@click.option("--write-docs", is_flag=True, help="Write docs/reference/performance.md from this run.")
def main(
    *, rounds: int, seconds: float, rows: int, workloads: tuple[Workload, ...], quick: bool, write_docs: bool
) -> None:
    """Measure the server against the limit of what it is built on; exit status 1 when a goal is missed.

    Example: python -m benchmarks --rounds 5
    """
    is_complete = workloads == all_workloads()
    if write_docs and (quick or not is_complete):
        raise click.UsageError("The page shows a complete run: --write-docs goes without --only and --quick.")
    extent = _QUICK if quick else Extent(rounds, seconds)
    sizes = _QUICK_SIZES if quick else _SIZES
    result = run(_QUICK_ROWS if quick else rows, extent, workloads, sizes if is_complete else None)
    _say("")
    click.echo(terminal_text(result))
    if quick:
        return
    if write_docs:
        _DOCUMENT.write_text(page_text(result), encoding="utf-8")
    if any(is_missed(result, workload) for workload in result.measured()):
        sys.exit(1)
    if any(kind.is_missed(rounds_of_kind) for kind, rounds_of_kind in result.many_rows):
        sys.exit(1)
    if result.definitions and any(reads.is_slower for reads in result.definitions.reads):
        sys.exit(1)


def run(rows: int, extent: Extent, workloads: tuple[Workload, ...], sizes: Sizes | None) -> Result:
    """Measure and return what was found.

    Args:
        rows: contacts in the database.
        extent: rounds and their length.
        workloads: what to measure.
        sizes: the environments in which reads are measured as well; None for none.
    """
    random = Random(_SEED)  # noqa: S311 - which rows are read and in which order is no secret
    data_set = open_data_set(rows, _say)
    with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-") as temporary:
        place = Path(temporary)
        processors = choose_processors()
        generator = choose_generator(processors, place)
        asked = _Asked(data_set, extent, generator, workloads, random)
        result = _measured(asked, lambda chosen: opened_bench(data_set, place, generator, random, chosen))
        result = replace(result, postgres=_on_postgres(asked, place / "postgres"), without_postgres=missing() or "")
        growth = measured_growth(place / "growth", sizes, processors, random, _say) if sizes else []
        many_rows = _many_rows(asked, place) if sizes else []
        definitions = measured_definitions(place / "definitions", sizes, processors, random, _say) if sizes else None
    return replace(result, growth=growth, many_rows=many_rows, definitions=definitions)


def _many_rows(asked: _Asked, place: Path) -> list[tuple[ManyRows, Sequence[Rates]]]:
    """Measure the requests that create many rows each."""
    found: list[tuple[ManyRows, Sequence[Rates]]] = []
    for kind in (BATCHES, MULTIPLE):
        _say(f"measuring {kind.title}")
        rounds = measured(kind, asked.generator, place / kind.name, asked.data_set.rows, asked.extent.seconds)
        with closing(rounds):
            found.append((kind, list(islice(rounds, asked.extent.rounds))))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is measured, and with what."""

    data_set: DataSet
    extent: Extent
    generator: Generator
    workloads: tuple[Workload, ...]
    random: Random


def _measured(asked: _Asked, opened: Callable[[set[str]], AbstractContextManager[Bench]]) -> Result:
    rounds: list[Round] = []
    with opened({workload.name for workload in asked.workloads}) as bench:
        for found in measured_rounds(bench, asked.generator, asked.extent, asked.random):
            rounds.append(found)
            _say(f"round {len(rounds)} of {asked.extent.rounds}")
        servers = (bench.product, *dict.fromkeys(bench.yardsticks.values()))
        memory = {server.name: server.memory() for server in servers}
    return Result(asked.data_set, asked.extent, asked.generator, asked.workloads, rounds, memory, [])


def _on_postgres(asked: _Asked, place: Path) -> Result | None:
    """Measure the reads on PostgreSQL, without goals."""
    reads = {read.name for read in all_reads()}
    chosen = tuple(replace(workload, goal=None) for workload in asked.workloads if workload.name in reads)
    if not chosen or missing() is not None:
        return None
    _say("copying the rows to PostgreSQL")
    place.mkdir()
    rounds = min(asked.extent.rounds, _POSTGRES_ROUNDS)
    told = replace(asked, workloads=chosen, extent=replace(asked.extent, rounds=rounds))
    return _measured(
        told, lambda names: opened_postgres_bench(told.data_set, place, told.generator, told.random, names)
    )


def _say(text: str) -> None:
    """Show progress where somebody sees it."""
    if sys.stderr.isatty():
        click.echo(f"\r{text:<60}", err=True, nl=False)


if __name__ == "__main__":
    main()
