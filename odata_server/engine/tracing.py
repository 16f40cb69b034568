"""What the engine does with a reading message: the statements, their parameters, and the database's plans for them.

The message is executed by the very function that executes every other one; the database itself says what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from entities.messages import Response
from odata_server.engine.database import Connection
from odata_server.engine.organization import OrganizationService
from odata_server.engine.storage import SqlValue


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text, its parameters as text, and the lines of the database's plan, indented."""

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
    seen: list[tuple[str, tuple[SqlValue, ...]]] = []
    before = plan_statistics(service)
    with service.database.tracing(lambda sql, values: seen.append((sql, tuple(values)))):
        response = read()
    after = plan_statistics(service)
    statements = tuple(_statement(connection, sql, values) for sql, values in dict.fromkeys(seen))
    return Trace(response, statements, after.hits - before.hits, after.misses - before.misses)


def plan_statistics(service: OrganizationService) -> PlanStatistics:
    """Return the state of an environment's plan cache."""
    plans = service.plans
    return PlanStatistics(len(plans.plans), plans.hits, plans.misses)


def _statement(connection: Connection, sql: str, values: tuple[SqlValue, ...]) -> Statement:
    dialect = connection.dialect
    plan = connection.execute(f"{dialect.plan_of}{sql}", values)
    return Statement(sql, tuple(map(repr, values)), dialect.plan_lines(plan))
