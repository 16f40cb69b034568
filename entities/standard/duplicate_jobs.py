"""BulkDetectDuplicates: a job that looks for duplicates of many records (Learn: "Run duplicate detection")."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from entities.errors import InvalidArgument, NotSupported
from entities.messages import Update
from entities.metadata.declare import derived_id
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.bulk_deletion import kept
from entities.standard.duplicate_detection import check_enabled, has_published
from entities.standard.duplicate_tables import DETECTABLE
from entities.standard.system_jobs import JOB_TABLE, SystemJob, queue
from entities.values import EntityReference

DUPLICATE_DETECTION: Final = "duplicate detection"
_OPERATION_TYPE: Final = 8
_LONGEST_NAME: Final = 256


def duplicate_job_steps() -> tuple[Step, ...]:
    """Return the handler of the action."""
    return (Step("BulkDetectDuplicates", None, Stage.MAIN, detect_in_bulk),)


def detect_in_bulk(context: ExecutionContext) -> None:
    """Queue a job that looks for duplicates of what its query selects, as the caller.

    Raises:
        InvalidArgument: there is no query, or the name is missing or too long; duplicates are not detected at all
            (0x80048412), not in this table (0x80048431), or by no published rule (0x80048436).
        NotSupported: the job is to run again and again, or the query is of a form that is not there.
    """
    given = context.parameters
    check_enabled(context.system)
    name = str(given["JobName"])
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InvalidArgument("The parameter 'JobName' of BulkDetectDuplicates must be a text of up to 256 characters.")
    if given["RecurrencePattern"]:
        raise NotSupported("Duplicate detection that recurs (RecurrencePattern) is not supported yet.")
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
    # What the job finds belongs to its row, which it knows by this id.
    run = derived_id(DUPLICATE_DETECTION, str(context.system.next_number(DUPLICATE_DETECTION)))
    payload = {**query, "user": context.caller.user_id, "run": run}
    job = SystemJob(name, "BulkDetectDuplicates", _OPERATION_TYPE)
    start = given["RecurrenceStartTime"]
    due = start if isinstance(start, datetime) and start > context.system.now else None
    job_id = queue(context, DUPLICATE_DETECTION, payload, job, due)
    context.system.execute(Update(EntityReference(JOB_TABLE, job_id), {"correlationid": run}))
    context.result = {"JobId": job_id}
