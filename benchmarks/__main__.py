"""`make bench`, `python -m benchmarks`: measures the server against the limit of what it is built on."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Final

import click

from benchmarks.data_set import open_data_set
from benchmarks.generators import choose_generator
from benchmarks.processors import choose_processors
from benchmarks.report import GOALS, Result, is_reached, page_text, terminal_text
from benchmarks.rounds import Extent, measured_rounds, opened_bench

_DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "reference" / "performance.md"
_ROWS: Final = 100_000
_QUICK_ROWS: Final = 500
_QUICK: Final = Extent(rounds=1, seconds=0.3)
_SEED: Final = 1


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True, help="Rounds; five or more count.")
@click.option("--seconds", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Length of a measurement.")
@click.option("--rows", type=click.IntRange(200), default=_ROWS, show_default=True, help="Accounts in the database.")
@click.option("--quick", is_flag=True, help="Only see that everything runs: few rows, one short round, no goals.")
@click.option("--write-docs", is_flag=True, help="Write docs/reference/performance.md from this run.")
def main(*, rounds: int, seconds: float, rows: int, quick: bool, write_docs: bool) -> None:
    """Measure the server against the limit of what it is built on; exit status 1 when a goal is missed.

    Example: python -m benchmarks --rounds 5
    """
    extent = _QUICK if quick else Extent(rounds, seconds)
    result = run(_QUICK_ROWS if quick else rows, extent)
    _say("")
    click.echo(terminal_text(result))
    if quick:
        return
    if write_docs:
        _DOCUMENT.write_text(page_text(result), encoding="utf-8")
    if not all(is_reached(result, workload) for workload in GOALS):
        sys.exit(1)


def run(rows: int, extent: Extent) -> Result:
    """Measure and return what was found.

    Args:
        rows: accounts in the database.
        extent: rounds and their length.
    """
    random = Random(_SEED)  # noqa: S311 - which rows are read and in which order is no secret
    data_set = open_data_set(rows, _say)
    with tempfile.TemporaryDirectory(prefix="talentverse-benchmark-") as temporary:
        place = Path(temporary)
        generator = choose_generator(choose_processors(), place)
        with opened_bench(data_set, place, generator, random) as bench:
            rounds = []
            for found in measured_rounds(bench, generator, extent, random):
                rounds.append(found)
                _say(f"round {len(rounds)} of {extent.rounds}")
            servers = (bench.product, *dict.fromkeys(bench.yardsticks.values()))
            memory = {server.name: server.memory() for server in servers}
    return Result(data_set, extent, generator, rounds, memory)


def _say(text: str) -> None:
    """Show progress where somebody sees it."""
    if sys.stderr.isatty():
        click.echo(f"\r{text:<60}", err=True, nl=False)


if __name__ == "__main__":
    main()
