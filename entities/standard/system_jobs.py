"""System jobs: every background job that a request asks for is a row of `asyncoperation` that tells how it goes.

Learn: "Asynchronous service", the columns statecode, statuscode, message and retrycount of System Job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from entities.messages import Create
from entities.pipeline import ExecutionContext
from entities.standard.recurrence import Recurrence
from entities.values import EntityReference, Guid, Record

JOB_TABLE = "asyncoperation"
AUTO_DELETE = "auto_delete"
"""The member of a job's payload that says that its row goes when it has succeeded (`asyncautodelete` of a step)."""


class JobStatus(IntEnum):
    """Values of the status reason of a system job."""

    WAITING_FOR_RESOURCES = 0
    WAITING = 10
    IN_PROGRESS = 20
    SUCCEEDED = 30
    FAILED = 31
    CANCELED = 32


@dataclass(frozen=True, slots=True)
class SystemJob:
    """What a job is called in the list of system jobs; `operation_type` is a value of its choice column.

    `primary_table` is the table of what it is about, also where that record cannot be named. `step` and
    `correlation_id` are those of a step in asynchronous mode, `depth` how deep its message was nested.
    """

    name: str
    message_name: str
    operation_type: int
    regarding: EntityReference | None = None
    recurrence: Recurrence | None = None
    primary_table: str | None = None
    step: EntityReference | None = None
    correlation_id: Guid | None = None
    depth: int = 1


def queue(
    context: ExecutionContext,
    work: str,
    payload: Mapping[str, object],
    job: SystemJob,
    due: datetime | None = None,
) -> Guid:
    """Put work on the durable queue with its row, which belongs to the caller; both exist once this is committed.

    Args:
        context: the step that asks for it.
        work: the name of the job's handler.
        payload: what the handler is given.
        job: how the job is listed.
        due: when it may begin, at once when None.

    Returns:
        the id of both.
    """
    job_id = context.system.enqueue(work, payload, due)
    record: Record = {
        f"{JOB_TABLE}id": job_id,
        "name": job.name[:256],
        "messagename": job.message_name,
        "operationtype": job.operation_type,
        "regardingobjectid": job.regarding,
        "primaryentitytype": job.regarding.table if job.regarding else job.primary_table,
        "owningextensionid": job.step,
        "correlationid": job.correlation_id,
        "statuscode": JobStatus.WAITING_FOR_RESOURCES.value,
        "retrycount": 0,
        "depth": job.depth,
        "postponeuntil": due,
        "recurrencepattern": job.recurrence.pattern if job.recurrence else None,
        "recurrencestarttime": job.recurrence.start if job.recurrence else None,
        "ownerid": EntityReference("systemuser", context.caller.user_id),
    }
    context.system.execute(Create(JOB_TABLE, record))
    return job_id
