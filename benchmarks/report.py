"""The result in words: one table per question, the goals, and the machine it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

import apsw

from benchmarks.data_set import CONTACTS_OF_AN_ACCOUNT, DataSet
from benchmarks.definitions import DefinitionCosts
from benchmarks.generators import CONNECTIONS, Generator
from benchmarks.growth import GrowthPoint
from benchmarks.many_rows import ManyRows, Rates
from benchmarks.rounds import Extent, Round
from benchmarks.spreads import spread
from benchmarks.workloads import CREATE, UPDATE, Workload

_RAW: Final = {CREATE: "raw insert", UPDATE: "raw update"}
"""The yardsticks of the writes."""

Table: TypeAlias = list[list[str]]
"""Rows of cells; the first one is the head."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a run found.

    Attributes:
        data_set, extent, generator: what was measured with.
        workloads: what was asked for; one that no round holds is not available in this version.
        rounds: the rounds.
        memory: resident and anonymous memory in MB by server.
        growth: what a read costs in environments of several sizes.
        many_rows: the rounds of requests that create many rows each.
        definitions: what reads of definitions cost.
        postgres: what the reads gave on PostgreSQL; its workloads have no goals.
        without_postgres: why it was not measured.
    """

    data_set: DataSet
    extent: Extent
    generator: Generator
    workloads: Sequence[Workload]
    rounds: Sequence[Round]
    memory: Mapping[str, tuple[float, float] | None]
    growth: Sequence[GrowthPoint]
    many_rows: Sequence[tuple[ManyRows, Sequence[Rates]]] = ()
    definitions: DefinitionCosts | None = None
    postgres: Result | None = None
    without_postgres: str = ""

    def measured(self) -> list[Workload]:
        """Return the workloads that are available."""
        return [workload for workload in self.workloads if workload.name in self.rounds[0].product]


def machine() -> list[str]:
    """Return what was measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    programs = {name: version(name) for name in ("granian", "flask", "apsw", "psycopg")} | {
        "SQLite": apsw.sqlite_lib_version()
    }
    return [
        f"{cores} cores, {_processor_model()}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, {', '.join(f'{name} {found}' for name, found in programs.items())}",
    ]


def _processor_model() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def is_missed(result: Result, workload: Workload) -> bool:
    """Tell whether the median of a workload's shares stays below its goal."""
    return workload.goal is not None and median(found.share(workload.name) for found in result.rounds) < workload.goal


def shares_table(result: Result) -> Table:
    """Return what part of its limit each workload reaches."""
    rows = [["", "workload", "Talentverse, requests/s", "limit, requests/s", "% of the limit", "goal", ""]]
    measured = result.measured()
    for workload in result.workloads:
        name, goal = workload.name, "–" if workload.goal is None else f"≥ {100 * workload.goal:.0f} %"
        if workload not in measured:
            rows.append([name, workload.title, "–", "–", "–", goal, "not available"])
            continue
        verdict = "" if workload.goal is None else "MISSED" if is_missed(result, workload) else "reached"
        rows.append(
            [
                name,
                workload.title,
                spread(found.product[name].per_second for found in result.rounds).text(",.0f"),
                spread(found.limit(name) for found in result.rounds).text(",.0f"),
                spread(100 * found.share(name) for found in result.rounds).text(".0f"),
                goal,
                verdict,
            ]
        )
    return rows


def parts_table(result: Result) -> Table:
    """Return what the limits are made of."""
    rows = [["", "yardstick", "yardstick, requests/s", "best time in the database, µs"]]
    for name in (workload.name for workload in result.measured()):
        yardstick = _RAW.get(name, "static replay")
        rate = spread(found.yardstick[name].per_second for found in result.rounds).text(",.0f")
        has_engine = name in result.rounds[0].engine
        engine = spread(1e6 * found.engine[name] for found in result.rounds).text(",.1f") if has_engine else "–"
        rows.append([name, yardstick, rate, engine])
    return rows


def latency_table(result: Result) -> Table:
    """Return latencies at four connections, and how busy the load generator was."""
    rows = [["", "server", "p50, ms", "p99, ms", "load generator busy"]]
    for workload in (workload.name for workload in result.measured()):
        for name in ("Talentverse", "yardstick"):
            measured = [(f.product if name == "Talentverse" else f.yardstick)[workload] for f in result.rounds]
            busy = f"{100 * median(m.busy for m in measured):.0f} %" if not result.generator.wrk else "–"
            p50, p99 = (spread(values) for values in ([m.p50_ms for m in measured], [m.p99_ms for m in measured]))
            rows.append([workload, name, p50.text(".2f"), p99.text(".2f"), busy])
    return rows


def growth_table(result: Result) -> Table:
    """Return what a read costs, from the token to the bytes, in environments of several sizes."""
    rows = [["custom tables", "roles of the user", "users", "point read, µs", "page of 50 rows, µs"]]
    for point in result.growth:
        times = (spread(1e6 * seconds for seconds in found).text(",.0f") for found in (point.row, point.page))
        rows.append([f"{count:,}" for count in (point.tables, point.roles, point.users)] + list(times))
    return rows


def many_rows_table(result: Result) -> Table:
    """Return what requests that create many rows each reach of bare SQLite."""
    rows = [["", "requests", "Talentverse, rows/s", "bare SQLite, rows/s", "% of it", "goal", ""]]
    for kind, found in result.many_rows:
        rows.append(
            [
                kind.name,
                kind.title,
                spread(rates.requests for rates in found).text(",.0f"),
                spread(rates.raw for rates in found).text(",.0f"),
                kind.share(found).text(".0f"),
                f"≥ {100 * kind.goal:.0f} %",
                "MISSED" if kind.is_missed(found) else "reached",
            ]
        )
    return rows


def definitions_table(costs: DefinitionCosts) -> Table:
    """Return what reads of definitions cost beside pages of rows of their size."""
    head = ["question", "KB", "µs", "rows: KB", "rows: µs", "% of the rate of rows", ""]
    rows = [head]
    for reads in costs.reads:
        share = spread(100 * found for found in reads.shares())
        rows.append(
            [
                reads.title,
                f"{reads.size / 1000:,.1f}",
                spread(1e6 * seconds for seconds in reads.seconds).text(",.0f"),
                f"{reads.rows_size / 1000:,.1f}",
                spread(1e6 * seconds for seconds in reads.rows_seconds).text(",.0f"),
                share.text(",.0f"),
                "MISSED" if reads.is_slower else "reached",
            ]
        )
    return rows


def document_text(costs: DefinitionCosts) -> str:
    """Return what writing the metadata document anew takes, in words."""
    milliseconds = spread(1e3 * seconds for seconds in costs.document).text(",.0f")
    return f"The metadata document of {costs.tables} tables is written anew in {milliseconds} ms."


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
        *([f"PostgreSQL: {result.postgres.extent.rounds} such rounds"] if result.postgres else []),
        f"data: {data_set.rows:,} contacts, one account for every {CONTACTS_OF_AN_ACCOUNT} of them",
        "every request with a token, as a user whose role reaches the rows of its business unit (depth Local): all",
    ]


def _tables(result: Result) -> dict[str, Table]:
    return {
        "shares": shares_table(result),
        "parts": parts_table(result),
        "latencies": latency_table(result),
        "memory": memory_table(result),
    }


def terminal_text(result: Result) -> str:
    """Return the report for a terminal."""
    shapes = [f"{workload.name}: {workload.shape.replace('`', '')}" for workload in result.workloads]
    parts = ["\n".join((*notes(result), *shapes)), *map(_aligned, _tables(result).values())]
    if result.postgres is not None:
        parts += [_POSTGRES, *map(_aligned, _tables(result.postgres).values())]
    elif result.without_postgres:
        parts.append(f"PostgreSQL was not measured: {result.without_postgres}.")
    if result.many_rows:
        parts.append(_aligned(many_rows_table(result)))
    if result.growth:
        parts.append(_aligned(growth_table(result)))
    if result.definitions:
        parts += [_aligned(definitions_table(result.definitions)), document_text(result.definitions)]
    return "\n\n".join(parts)


_POSTGRES: Final = "On PostgreSQL (no goals are set):"


def _aligned(table: Table) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)


_PAGE: Final = """\
# Performance

How fast the server is, as a part of what Flask on granian over SQLite can do at all. `make bench` measures it, without
root, in eight minutes; `.venv/bin/python -m benchmarks --write-docs` writes this page. Processors differ, and a shared
machine is never quiet: carry away the percentages rather than the rates.

{shares}

The requests:

{shapes}

A page is in the order of the primary key unless it asks for another one; Q7 counts to 5,000 and Q8 stays below 50,000
rows, because Dataverse counts and aggregates no further. A query without `$select` carries every column of the table:
it is shown beside the others and has no goal.

The limit of a read is 1 / (1 / *static replay* + *best time in the database*): Flask on granian that answers the same
bytes with the same headers without any work, and then a statement written by hand that makes the same bytes, without
authorization and without a query language. The limit of a create is Flask on granian that stores the same row, with the
same indexes, in a transaction of its own (`BEGIN IMMEDIATE`, one `INSERT`, `COMMIT`, `synchronous=NORMAL`), and answers
204; that of an update changes the same columns in the same way. What is left between the limit and the product is
authentication, authorization, the Web API's language, validation and the event pipeline. The product takes a lead over
its yardsticks as well: data requests are answered before Flask makes its contexts for them
(`odata_server/endpoints/routes.py`).

{parts}

{latencies}

Requests that create many accounts each, in rows per second. Their limit is SQLite alone: the same rows with the same
indexes as prebuilt tuples, as many in a transaction as a request creates, by one prepared statement, in one process
that does nothing else.

{many_rows}

Memory after the load, over all processes of a server; resident memory counts the mapped part of the database:

{memory}

## On PostgreSQL

{postgres}

## Environments that grow

Tables of their own, roles that a user holds, users: what Q1 and Q2 cost then, sent by all users in turn, in one process
from the token to the bytes, without HTTP, on SQLite; every environment is made anew, and the first requests after
a start or a change of metadata, which compile the query, are not counted:

{growth}

## Reads of definitions

Definitions and metadata documents, each beside the shortest page of contacts that is at least as long, in one process
from the token to the bytes, without HTTP, on SQLite. The goal is that as many bytes come in a second as with rows; an
answer shorter than a single row is compared by its time. Answers are kept as long as the definitions stay what they
are. {document}

{definitions}

## How it was measured

{notes}

`python -m benchmarks --help` lists the options (`--only Q1,Q3`, rounds, seconds, rows). The data set is made
through the server's own messages and kept in `~/.cache/talentverse/benchmarks`.
"""


_POSTGRES_PART: Final = """\
The same reads with the same rows in a PostgreSQL database (`--database-url`) on the same machine; no goals are set. The
limit is made in the same way: the static replay, and a statement written by hand over a prepared psycopg connection,
whose rows become the same bytes by orjson. A round trip to the database costs more than a read of SQLite does, and
every request makes them while it waits: of small reads a smaller part is left. PostgreSQL's own processes run on any
processor and are not in the table of memory.

{shares}

{parts}

{latencies}

{memory}"""


def page_text(result: Result) -> str:
    """Return the page `docs/reference/performance.md`."""
    on_postgres = f"Not measured: {result.without_postgres}."
    if result.postgres is not None:
        tables = _tables(result.postgres).items()
        on_postgres = _POSTGRES_PART.format(**{name: _markdown(table) for name, table in tables})
    return _PAGE.format(
        shapes="\n".join(f"- {workload.name}, {workload.title}: {workload.shape}" for workload in result.workloads),
        notes="\n".join(f"- {note}" for note in notes(result)),
        postgres=on_postgres,
        growth=_markdown(growth_table(result)),
        many_rows=_markdown(many_rows_table(result)),
        document=document_text(result.definitions) if result.definitions else "",
        definitions=_markdown(definitions_table(result.definitions)) if result.definitions else "Not measured.",
        **{name: _markdown(table) for name, table in _tables(result).items()},
    )


def _markdown(table: Table) -> str:
    head, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join((head, "|" + "---|" * len(table[0]), *rows))
