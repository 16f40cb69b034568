"""Jobs over the records of queries, which run once or again every few days: BulkDelete, BulkDetectDuplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.declare import derived_id
from entities.pipeline import ExecutionContext
from entities.query import QueryExpression, equals
from entities.standard.recurrence import Recurrence, recurrence
from entities.standard.system_jobs import JOB_TABLE, SystemJob, queue
from entities.values import Guid

_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class JobKind:
    """The jobs of one action: the name of their work, the action's, and their type in the list of system jobs."""

    work: str
    message_name: str
    operation_type: int


def queue_first(
    context: ExecutionContext, kind: JobKind, payload: Mapping[str, object], start: object, *, runs_now: bool = False
) -> Guid:
    """Queue the first run of the job that an action asks for by its parameters JobName and RecurrencePattern.

    Args:
        context: the action.
        kind: whose job it is.
        payload: what the work is given beside who asked.
        start: when it begins, at once where that has passed.
        runs_now: whether it begins at once in any case.

    Raises:
        InvalidArgument: the name is missing or too long, or the job recurs in a way that these jobs do not.
    """
    name = str(context.parameters["JobName"])
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InvalidArgument(f"The parameter 'JobName' of {kind.message_name} must be a text of up to 256 characters.")
    assert isinstance(start, datetime)
    recurring = recurrence(str(context.parameters["RecurrencePattern"]), start)
    whole = {
        **payload,
        "user": context.caller.user_id,
        "name": name,
        # A job does not know its own id; its row, and the row of the run behind it, are found by these.
        "run": derived_id(kind.work, str(context.system.next_number(kind.work))),
        "recurrence": [recurring.pattern, start.isoformat()] if recurring else None,
    }
    due = start if start > context.system.now and not runs_now else None
    return _queue(context, kind, whole, recurring, due)


def queue_following(context: ExecutionContext, kind: JobKind, payload: Mapping[str, object]) -> None:
    """Queue the run behind one that begins, where a job recurs; that it is repeated changes nothing.

    Args:
        context: whose the job is, and the transaction.
        kind: whose job it is.
        payload: that of the run which begins.
    """
    kept_recurrence = payload.get("recurrence")
    if not isinstance(kept_recurrence, list):
        return
    pattern, start = kept_recurrence
    recurring = recurrence(str(pattern), datetime.fromisoformat(str(start)))
    assert recurring is not None
    following = derived_id(kind.work, str(payload["run"]))
    if context.system.records(
        QueryExpression(JOB_TABLE, (f"{JOB_TABLE}id",), filter=equals("correlationid", following))
    ):
        return
    _queue(context, kind, {**payload, "run": following}, recurring, recurring.following(context.system.now))


def _queue(
    context: ExecutionContext,
    kind: JobKind,
    payload: Mapping[str, object],
    recurring: Recurrence | None,
    due: datetime | None,
) -> Guid:
    run = Guid(str(payload["run"]))
    job = SystemJob(
        str(payload["name"]), kind.message_name, kind.operation_type, correlation_id=run, recurrence=recurring
    )
    return queue(context, kind.work, payload, job, due)
