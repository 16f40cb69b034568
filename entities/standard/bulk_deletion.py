"""BulkDelete: a job that deletes the records of queries in the background, once or every few days.

The queries come as the complex type QueryExpression; the job keeps them as FetchXML. (Learn: "Delete data in bulk".)
"""

from __future__ import annotations

from typing import Final

from entities.errors import InvalidArgument
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.query_expressions import fetch_of, fetch_of_ids
from entities.standard.recurring_jobs import JobKind, queue_first

BULK_DELETION: Final = "bulk deletion"
DELETION_JOB: Final = JobKind(BULK_DELETION, "BulkDelete", 13)


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
    payload = {"queries": [kept(context, query) for query in queries]}
    job_id = queue_first(context, DELETION_JOB, payload, given["StartDateTime"], runs_now=bool(given.get("RunNow")))
    context.result = {"JobId": job_id}


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
