"""BulkDelete: a job that deletes the records of queries in the background, once or every few days.

The queries come as the complex type QueryExpression; the job keeps them as FetchXML. (Learn: "Delete data in bulk".)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.declare import derived_id
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.query_expressions import fetch_of, fetch_of_ids
from entities.standard.recurrence import Recurrence, recurrence
from entities.standard.system_jobs import JOB_TABLE, SystemJob, queue
from entities.values import Guid

BULK_DELETION: Final = "bulk deletion"
_OPERATION_TYPE: Final = 13
_LONGEST_NAME: Final = 256


def bulk_deletion_steps() -> tuple[Step, ...]:
    """Return the handler of the action, and of the one that shows a query as the job keeps it."""
    return (
        Step("BulkDelete", None, Stage.MAIN, bulk_delete),
        Step("QueryExpressionToFetchXml", None, Stage.MAIN, query_expression_to_fetch_xml),
    )


def bulk_delete(context: ExecutionContext) -> None:
    """Queue a job that deletes what its queries select, as the caller.

    Raises:
        InvalidArgument: there is no query, or one of another form, the name is missing or too long, or the job recurs
            in a way that bulk deletions do not.
        NotSupported: a query has an operator that is not there.
    """
    given = context.parameters
    queries = given.get("QuerySet")
    if not isinstance(queries, list) or not queries:
        raise InvalidArgument("The parameter 'QuerySet' of BulkDelete holds no queries.")
    name, start = str(given["JobName"]), given["StartDateTime"]
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InvalidArgument("The parameter 'JobName' of BulkDelete must be a text of up to 256 characters.")
    assert isinstance(start, datetime)
    recurring = recurrence(str(given["RecurrencePattern"]), start)
    payload = {
        "queries": [kept(context, query) for query in queries],
        "user": context.caller.user_id,
        "name": name,
        # A job does not know its own id; its row, and the row of the run behind it, are found by these.
        "run": derived_id(BULK_DELETION, str(context.system.next_number(BULK_DELETION))),
        "recurrence": [recurring.pattern, start.isoformat()] if recurring else None,
    }
    due = start if start > context.system.now and not given.get("RunNow") else None
    context.result = {"JobId": _queue(context, payload, recurring, due)}


def queue_following(context: ExecutionContext, payload: Mapping[str, object]) -> None:
    """Queue the run behind one that begins, where a bulk deletion recurs; that it is repeated changes nothing.

    Args:
        context: whose the deletion is, and the transaction.
        payload: that of the job which begins.
    """
    kept_recurrence = payload.get("recurrence")
    if not isinstance(kept_recurrence, list):
        return
    pattern, start = kept_recurrence
    recurring = recurrence(str(pattern), datetime.fromisoformat(str(start)))
    assert recurring is not None
    following = derived_id(BULK_DELETION, str(payload["run"]))
    if context.system.records(
        QueryExpression(JOB_TABLE, (f"{JOB_TABLE}id",), filter=equals("correlationid", following))
    ):
        return
    _queue(context, {**payload, "run": following}, recurring, recurring.following(context.system.now))


def _queue(
    context: ExecutionContext, payload: Mapping[str, object], recurring: Recurrence | None, due: datetime | None
) -> Guid:
    job = SystemJob(
        str(payload["name"]),
        "BulkDelete",
        _OPERATION_TYPE,
        correlation_id=Guid(str(payload["run"])),
        recurrence=recurring,
    )
    return queue(context, BULK_DELETION, payload, job, due)


def kept(context: ExecutionContext, query: object) -> dict[str, str]:
    """Return a QueryExpression as a job keeps it: its table, and FetchXML that selects ids.

    Raises:
        InvalidArgument: it is no QueryExpression, or names a table that is not there.
        NotSupported: it has an operator that is not there.
    """
    table, fetch = fetch_of_ids(query, context.system.catalog)
    return {"table": table.logical_name, "fetch": fetch}


def query_expression_to_fetch_xml(context: ExecutionContext) -> None:
    """Answer QueryExpressionToFetchXml.

    Raises:
        InvalidArgument: the parameter is no QueryExpression, or names a table that is not there.
        NotSupported: it has an operator that is not there.
    """
    context.result = {"FetchXml": fetch_of(context.parameters.get("Query"), context.system.catalog)}
