"""The job that calculates the rollup columns of all records, hour after hour (Learn: "Define rollup columns")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from entities.messages import Execute
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext
from entities.query import And, ColumnRef, Condition, ConditionOperator, QueryExpression, equals
from entities.standard.rollups import CALCULATE_ROLLUP, recalculate
from entities.standard.system_jobs import JOB_TABLE, SystemJob, queue
from entities.values import Guid
from odata_server.engine.organization import OrganizationService
from odata_server.engine.transaction import Transaction

ROLLUP_JOB: Final = "rollup columns"
_EVERY: Final = timedelta(hours=1)
_MASS_CALCULATION: Final = 58
_COMPLETED: Final = 3
_PORTION: Final = 200
"""Records per transaction, so that others can write in between."""


def schedule_rollups(dataverse: OrganizationService) -> None:
    """Queue the job where a table has rollup columns and no such job waits."""
    if not _tables(dataverse):
        return
    waiting = And(
        (
            equals("messagename", CALCULATE_ROLLUP),
            Condition(ColumnRef("statecode"), ConditionOperator.NOT_EQUAL, (_COMPLETED,)),
        )
    )
    with dataverse.changing() as transaction:
        if not transaction.records(QueryExpression(JOB_TABLE, (f"{JOB_TABLE}id",), filter=waiting, top=1)):
            _queue(dataverse, transaction, timedelta())


def calculate_rollups(dataverse: OrganizationService) -> str:
    """Calculate the rollup columns of all records and queue the next time.

    Returns:
        how many records there were, and how many columns have no value.
    """
    calculated = failed = 0
    for table in _tables(dataverse):
        for ids in _portions(dataverse, table):
            with dataverse.changing() as transaction:
                failed += recalculate(transaction, table, ids)
            calculated += len(ids)
    with dataverse.changing() as transaction:
        _queue(dataverse, transaction, _EVERY)
    return f"Records: {calculated}. Failed: {failed}."


def _tables(dataverse: OrganizationService) -> list[Table]:
    """Return the tables with custom rollup columns; those of the standard tables are calculated when asked for."""
    found = dataverse.catalog.tables.values()
    return [table for table in found if any(column.rollup and column.is_custom for column in table.columns)]


def _portions(dataverse: OrganizationService, table: Table) -> Iterator[Sequence[Guid]]:
    with dataverse.changing() as transaction:
        rows = transaction.records(QueryExpression(table.logical_name, (table.primary_id,)))
    ids = [Guid(str(row[table.primary_id])) for row in rows]
    yield from (ids[start : start + _PORTION] for start in range(0, len(ids), _PORTION))


def _queue(dataverse: OrganizationService, transaction: Transaction, wait: timedelta) -> None:
    context = ExecutionContext(Execute(CALCULATE_ROLLUP), dataverse.system.caller, transaction)
    job = SystemJob("Calculate Rollup Field", CALCULATE_ROLLUP, _MASS_CALCULATION)
    queue(context, ROLLUP_JOB, {}, job, transaction.now + wait if wait else None)
