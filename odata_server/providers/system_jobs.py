"""The rows of system jobs while their work runs, and the work of a bulk deletion.

A row is changed in a transaction of its own before and after the work; repeating it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from entities.errors import DataverseError, RecordNotFound
from entities.messages import Delete, Execute, RetrieveMultiple, Rows, Update
from entities.pipeline import ExecutionContext, Operations
from entities.query import Filter, QueryExpression, equals
from entities.standard.bulk_deletion import DELETION_JOB
from entities.standard.lookups import first
from entities.standard.recurring_jobs import JobKind, queue_following
from entities.standard.system_jobs import AUTO_DELETE, JOB_TABLE, JobStatus
from entities.values import EntityReference, Guid, Value
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.jobs import Job, News, Progress
from odata_server.engine.organization import OrganizationService
from security.principals import Principal

_KEY = f"{JOB_TABLE}id"
_STATUS: Mapping[Progress, JobStatus] = {
    Progress.RUNNING: JobStatus.IN_PROGRESS,
    Progress.WAITING: JobStatus.WAITING,
    Progress.SUCCEEDED: JobStatus.SUCCEEDED,
    Progress.FAILED: JobStatus.FAILED,
}


def report(dataverse: OrganizationService, job: Job, progress: Progress, news: News) -> None:
    """Note in the row of a system job how it goes; work without a row is done silently.

    Args:
        dataverse: the environment.
        job: the claimed job.
        progress: how it goes.
        news: what is to be said of it.
    """
    with dataverse.changing() as transaction:
        row = EntityReference(JOB_TABLE, job.id)
        if not is_wanted(transaction, equals(_KEY, job.id)):
            return
        if progress is Progress.SUCCEEDED and job.payload.get(AUTO_DELETE):
            transaction.execute(Delete(row))
            return
        change: dict[str, Value] = {"statuscode": _STATUS[progress].value, "retrycount": job.attempts - 1}
        if progress is Progress.RUNNING:
            change["startedon"] = transaction.now
        if progress in {Progress.SUCCEEDED, Progress.FAILED}:
            change["completedon"] = transaction.now
        if news.text is not None:
            # An exception's text may hold what no text of a row can.
            change["message"] = "".join(c if c.isprintable() or c in "\r\n\t" else "\ufffd" for c in news.text)
        if news.code is not None:
            change["errorcode"] = signed_code(news.code)
        transaction.execute(Update(row, change))


def signed_code(code: str) -> int:
    """Return the number of an error as columns hold it: `0x80050201` is -2147155455."""
    return int.from_bytes(int(code, 16).to_bytes(4, "big"), "big", signed=True)


def is_wanted(system: Operations, which: Filter) -> bool:
    """Say whether the row of a job is still there and nobody has canceled it."""
    found = first(system, JOB_TABLE, which, "statuscode")
    return found is not None and found.get("statuscode") != JobStatus.CANCELED


def delete_in_bulk(
    dataverse: OrganizationService,
    bind: Callable[[str, str], QueryExpression],
    payload: Mapping[str, object],
) -> str | None:
    """Delete what some queries select, each record on its own and as the user who asked for it.

    Where the deletion recurs, its next run is queued first. A job whose row is gone or canceled does nothing.

    Args:
        dataverse: the environment.
        bind: reads the FetchXML of a query on a table.
        payload: `queries`, each with `table` and `fetch`, and `user`, who asked; `run`, which the row names.

    Returns:
        how many records were deleted, how many were not, and why the first of these was not; None for a job that
        nobody wants any more.

    Raises:
        DataverseError: the user may not enter any more, or a query does not fit the tables.
    """
    if "run" in payload and not begun(dataverse, DELETION_JOB, payload):
        return None
    directory = dataverse.directory
    assert isinstance(directory, DataverseDirectory)
    principal = directory.by_id(Guid(str(payload["user"])))
    queries = payload["queries"]
    assert isinstance(queries, list)
    deleted, refusals = 0, []
    for query in queries:
        for record in _selected(dataverse, bind(query["table"], query["fetch"]), principal):
            try:
                dataverse.execute(Delete(record), principal)
                deleted += 1
            except RecordNotFound:
                continue  # It went along with another one, or an attempt before this one deleted it.
            except DataverseError as refusal:
                refusals.append(refusal.message)
    told = f"Deleted: {deleted}. Failed: {len(refusals)}."
    return f"{told} {refusals[0]}" if refusals else told


def begun(dataverse: OrganizationService, kind: JobKind, payload: Mapping[str, object]) -> bool:
    """Queue the run behind this one, where there is one; say whether this one is still wanted.

    Args:
        dataverse: the environment.
        kind: whose job it is.
        payload: that of the run which begins.
    """
    with dataverse.changing() as transaction:
        if not is_wanted(transaction, equals("correlationid", str(payload["run"]))):
            return False
        caller = replace(dataverse.system.caller, user_id=Guid(str(payload["user"])))
        queue_following(ExecutionContext(Execute(kind.message_name), caller, transaction), kind, payload)
        return True


def _selected(
    dataverse: OrganizationService, query: QueryExpression, principal: Principal
) -> tuple[EntityReference, ...]:
    found = dataverse.execute(RetrieveMultiple(query), principal)
    assert isinstance(found, Rows)
    key = dataverse.catalog.tables[query.table].primary_id
    return tuple(EntityReference(query.table, Guid(str(row[key]))) for row in found.records)
