"""The result in words: one table per question, the goals, and the machine it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

import apsw

from benchmarks.data_set import DataSet
from benchmarks.generators import CONNECTIONS, Generator
from benchmarks.rounds import CREATE, PAGE, ROW, SHAPES, Extent, Round

GOALS: Final[Mapping[str, float]] = {ROW: 0.55, PAGE: 0.55, CREATE: 0.40}
"""What part of its limit each workload must reach (median of the rounds)."""


Table: TypeAlias = list[list[str]]
"""Rows of cells; the first one is the head."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a run found; `memory` is resident and anonymous memory in MB by server."""

    data_set: DataSet
    extent: Extent
    generator: Generator
    rounds: Sequence[Round]
    memory: Mapping[str, tuple[float, float] | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and extremes over the rounds."""

    median: float
    least: float
    greatest: float

    def text(self, form: str) -> str:
        """Return `median [least–greatest]`."""
        return f"{self.median:{form}} [{self.least:{form}}–{self.greatest:{form}}]"


def spread(values: Iterable[float]) -> Spread:
    """Return median and extremes of some values."""
    found = sorted(values)
    return Spread(median(found), found[0], found[-1])


def machine() -> list[str]:
    """Return what was measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    programs = {name: version(name) for name in ("granian", "flask", "apsw")} | {"SQLite": apsw.sqlite_lib_version()}
    return [
        f"{cores} cores, {_processor_model()}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, {', '.join(f'{name} {found}' for name, found in programs.items())}",
    ]


def _processor_model() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def is_reached(result: Result, workload: str) -> bool:
    """Tell whether the median of a workload's shares reaches its goal."""
    return median(found.share(workload) for found in result.rounds) >= GOALS[workload]


def shares_table(result: Result) -> Table:
    """Return what part of its limit each workload reaches."""
    rows = [["workload", "Talentverse, requests/s", "limit, requests/s", "% of the limit", "goal", ""]]
    for workload, goal in GOALS.items():
        rows.append(
            [
                workload,
                spread(found.product[workload].per_second for found in result.rounds).text(",.0f"),
                spread(found.limit(workload) for found in result.rounds).text(",.0f"),
                spread(100 * found.share(workload) for found in result.rounds).text(".0f"),
                f"≥ {100 * goal:.0f} %",
                "reached" if is_reached(result, workload) else "MISSED",
            ]
        )
    return rows


def parts_table(result: Result) -> Table:
    """Return what the limits are made of."""
    rows = [["workload", "yardstick", "yardstick, requests/s", "best time in the database, µs"]]
    for workload in GOALS:
        name = "raw insert" if workload == CREATE else "static replay"
        rate = spread(found.yardstick[workload].per_second for found in result.rounds).text(",.0f")
        has_engine = workload in result.rounds[0].engine
        engine = spread(1e6 * found.engine[workload] for found in result.rounds).text(",.1f") if has_engine else "–"
        rows.append([workload, name, rate, engine])
    return rows


def latency_table(result: Result) -> Table:
    """Return latencies at four connections, and how busy the load generator was."""
    rows = [["workload", "server", "p50, ms", "p99, ms", "load generator busy"]]
    for workload in GOALS:
        for name in ("Talentverse", "yardstick"):
            measured = [(f.product if name == "Talentverse" else f.yardstick)[workload] for f in result.rounds]
            busy = f"{100 * median(m.busy for m in measured):.0f} %" if not result.generator.wrk else "–"
            p50, p99 = (spread(values) for values in ([m.p50_ms for m in measured], [m.p99_ms for m in measured]))
            rows.append([workload, name, p50.text(".2f"), p99.text(".2f"), busy])
    return rows


def memory_table(result: Result) -> Table:
    """Return the memory of each server after the load."""
    rows = [["server", "resident, MB", "of it anonymous, MB"]]
    for name, found in result.memory.items():
        rows.append([name, *(f"{part:.0f}" for part in found)] if found else [name, "unknown", "unknown"])
    return rows


def notes(result: Result) -> list[str]:
    """Return how it was measured."""
    extent, data_set = result.extent, result.data_set
    return [
        *machine(),
        f"load: {result.generator.name()}, {CONNECTIONS} connections; {result.generator.processors.text()}",
        f"{extent.rounds} shuffled rounds of {extent.seconds:g} s for each figure: median [least–greatest]",
        f"data: {data_set.rows:,} accounts; every request with a token, as a user whose role has depth Local",
    ]


def terminal_text(result: Result) -> str:
    """Return the report for a terminal."""
    tables = (shares_table, parts_table, latency_table, memory_table)
    shapes = [f"{name}: {shape.replace('`', '')}" for name, shape in SHAPES.items()]
    return "\n\n".join(("\n".join((*notes(result), *shapes)), *(_aligned(table(result)) for table in tables)))


def _aligned(table: Table) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)


_PAGE: Final = """\
# Performance

How fast the server is, as a part of what Flask on granian over SQLite can do at all. `make bench` measures it, without
root, in three minutes; `.venv/bin/python -m benchmarks --write-docs` writes this page. Processors differ, and a shared
machine is never quiet: carry away the percentages rather than the rates.

{shares}

A workload is one of:

{shapes}

The limit of a read is 1 / (1 / *static replay* + *best time in the database*): Flask on granian that answers the same
bytes with the same headers without any work, and then a statement written by hand that makes the same bytes, without
authorization and without a query language. The limit of a create is Flask on granian that stores the same row, with the
same indexes, in a transaction of its own (`BEGIN IMMEDIATE`, one `INSERT`, `COMMIT`, `synchronous=NORMAL`), and answers
204. What is left between the limit and the product is authentication, authorization, the Web API's language, validation
and the event pipeline. The product takes a lead over its yardsticks as well: data requests are answered before Flask
makes its contexts for them (`odata_server/endpoints/routes.py`).

{parts}

{latencies}

Memory after the load, over all processes of a server; resident memory counts the mapped part of the database:

{memory}

How it was measured:

{notes}

`python -m benchmarks --help` lists the options (rounds, seconds, rows). The data set is made through the server's own
messages and kept in `~/.cache/talentverse/benchmarks`.
"""


def page_text(result: Result) -> str:
    """Return the page `docs/reference/performance.md`."""
    return _PAGE.format(
        shares=_markdown(shares_table(result)),
        shapes="\n".join(f"- {name}: {shape}" for name, shape in SHAPES.items()),
        parts=_markdown(parts_table(result)),
        latencies=_markdown(latency_table(result)),
        memory=_markdown(memory_table(result)),
        notes="\n".join(f"- {note}" for note in notes(result)),
    )


def _markdown(table: Table) -> str:
    head, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join((head, "|" + "---|" * len(table[0]), *rows))
