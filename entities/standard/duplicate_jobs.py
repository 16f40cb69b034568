"""BulkDetectDuplicates: a job that looks for duplicates of many records (Learn: "Run duplicate detection")."""

from __future__ import annotations

from typing import Final

from entities.errors import InvalidArgument
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.bulk_deletion import kept
from entities.standard.duplicate_detection import check_enabled, has_published
from entities.standard.duplicate_tables import DETECTABLE
from entities.standard.recurring_jobs import JobKind, queue_first

DUPLICATE_DETECTION: Final = "duplicate detection"
DETECTION_JOB: Final = JobKind(DUPLICATE_DETECTION, "BulkDetectDuplicates", 8)


def duplicate_job_steps() -> tuple[Step, ...]:
    """Return the handler of the action."""
    return (Step("BulkDetectDuplicates", None, Stage.MAIN, detect_in_bulk),)


def detect_in_bulk(context: ExecutionContext) -> None:
    """Queue a job that looks for duplicates of what its query selects, as the caller.

    Raises:
        InvalidArgument: there is no query, the name is missing or too long, or the job recurs in a way that it cannot;
            duplicates are not detected at all (0x80048412), not in this table (0x80048431), or by no published rule
            (0x80048436).
        NotSupported: the query has an operator that is not there.
    """
    given = context.parameters
    check_enabled(context.system)
    query = kept(context, given.get("Query"))
    if query["table"] not in DETECTABLE:
        raise InvalidArgument(
            "Duplicate detection is not enabled for one or more of the selected entities. The duplicate detection job"
            " cannot be started.",
            code="0x80048431",
        )
    if not has_published(context.system, query["table"]):
        raise InvalidArgument(
            "There are no published duplicate detection rules in the system. To run duplicate detection, you must"
            " create and publish one or more rules.",
            code="0x80048436",
        )
    context.result = {"JobId": queue_first(context, DETECTION_JOB, query, given["RecurrenceStartTime"])}
