"""What the engine does with a reading message: the statements, their parameters, and SQLite's plans for them.

The message is executed by the very function that executes every other one; SQLite itself says what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import apsw

from entities.messages import Response
from odata_server.engine.organization import OrganizationService


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text, its parameters as text, and the lines of SQLite's query plan, indented."""

    sql: str
    parameters: tuple[str, ...]
    plan: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanStatistics:
    """The cache of compiled plans of this process: how many are kept, and how often one was found or made."""

    kept: int
    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class Trace:
    """An execution: its statements, and how many of its plans the cache had or had not."""

    response: Response
    statements: tuple[Statement, ...]
    hits: int
    misses: int


def traced(service: OrganizationService, read: Callable[[], Response]) -> Trace:
    """Execute a read and return what it did.

    Args:
        service: the environment.
        read: executes a reading message on this thread's connection.

    Raises:
        DataverseError: the message is refused.
    """
    connection = service.database.reader()
    seen: list[tuple[str, tuple[apsw.SQLiteValue, ...]]] = []

    def note(_cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
        seen.append((sql, bindings if isinstance(bindings, tuple) else ()))
        return True

    before = plan_statistics(service)
    connection.exec_trace = note
    try:
        response = read()
    finally:
        connection.exec_trace = None
    after = plan_statistics(service)
    statements = tuple(_statement(connection, sql, bindings) for sql, bindings in dict.fromkeys(seen))
    return Trace(response, statements, after.hits - before.hits, after.misses - before.misses)


def plan_statistics(service: OrganizationService) -> PlanStatistics:
    """Return the state of an environment's plan cache."""
    plans = service.plans
    return PlanStatistics(len(plans.plans), plans.hits, plans.misses)


def _statement(connection: apsw.Connection, sql: str, bindings: tuple[apsw.SQLiteValue, ...]) -> Statement:
    depths = {0: 0}
    lines = []
    for number, parent, _, detail in connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings):
        depths[number] = depths.get(parent, 0) + 1
        lines.append("  " * (depths[number] - 1) + str(detail))
    return Statement(sql, tuple(map(repr, bindings)), tuple(lines))
