"""Background operations at work: the message runs as the user who asked for it, and its row tells how it goes.

Learn: "Background operations (preview)": a failed operation is tried three times more, with pauses that grow twofold;
one that was canceled before it began does not run; its end is told to a URL and to those who hear of the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from entities.errors import DataverseError
from entities.messages import Delete, Execute, Executed, Update
from entities.pipeline import Operations
from entities.query import equals
from entities.standard.background_operations import (
    BACKGROUND_JOB,
    STATE,
    STATUS,
    TABLE,
    OperationState,
    OperationStatus,
)
from entities.standard.kept_values import listed, restored
from entities.standard.lookups import first
from entities.standard.sdk_messages import BACKGROUND_COMPLETE
from entities.values import EntityReference, Guid, KeyReference, Record, Value
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.jobs import Job, JobFailed, News, Progress
from odata_server.engine.organization import OrganizationService
from odata_server.providers.system_jobs import report, signed_code
from odata_server.providers.webhooks import Letter, Post, WebhookFailed, attempts_after, deliver_to, post

CALLBACK_JOB: Final = "background operation callback"
_ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 1.0


def run_operation(dataverse: OrganizationService, payload: Mapping[str, object]) -> None:
    """Run a background operation, unless it is canceled, done or gone.

    What it does and the row that tells of it are one transaction, so that it happens once.

    Args:
        dataverse: the environment.
        payload: as `entities.standard.background_operations.request` has made it.

    Raises:
        JobFailed: the message was refused.
    """
    operation = EntityReference(TABLE, Guid(str(payload["operation"])))
    if not _begin(dataverse, operation, payload):
        return
    try:
        _run(dataverse, operation, payload)
    except DataverseError as refusal:
        raise JobFailed(refusal.message, attempts=_ATTEMPTS, code=refusal.code, pause=_PAUSE_SECONDS) from refusal


def _begin(dataverse: OrganizationService, operation: EntityReference, payload: Mapping[str, object]) -> bool:
    with dataverse.changing() as transaction:
        row = _row(transaction, operation)
        if row is None or row[STATE] == OperationState.COMPLETED:
            return False
        if row[STATUS] == OperationStatus.CANCELING:
            _end(transaction, operation, payload, OperationStatus.CANCELED)
            return False
        change = {STATE: OperationState.LOCKED.value, STATUS: OperationStatus.IN_PROGRESS.value}
        transaction.execute(Update(operation, {**change, "starttime": row["starttime"] or transaction.now}))
    return True


def _run(dataverse: OrganizationService, operation: EntityReference, payload: Mapping[str, object]) -> None:
    directory = dataverse.directory
    assert isinstance(directory, DataverseDirectory)
    principal = directory.by_id(Guid(str(payload["user"])))
    parameters, target = restored(payload["parameters"]), restored(payload["target"])
    assert isinstance(parameters, dict)
    assert target is None or isinstance(target, EntityReference | KeyReference)
    with dataverse.unit_of_work() as unit:
        answer = unit.execute(Execute(str(payload["name"]), parameters, target), principal)
        assert unit.opened is not None
        result = answer.result if isinstance(answer, Executed) else {}
        _end(
            unit.opened.transaction, operation, payload, OperationStatus.SUCCEEDED, {"outputparameters": listed(result)}
        )


def report_job(dataverse: OrganizationService, job: Job, progress: Progress, news: News) -> None:
    """Note how a job goes, in the row of whichever table tells of it."""
    note = note_operation if job.name == BACKGROUND_JOB else report
    note(dataverse, job, progress, news)


def note_operation(dataverse: OrganizationService, job: Job, progress: Progress, news: News) -> None:
    """Note in the row of a background operation that it failed, and whether it will be tried again.

    Args:
        dataverse: the environment.
        job: the claimed job.
        progress: how it goes.
        news: what is to be said of it.
    """
    if progress not in {Progress.WAITING, Progress.FAILED}:
        return
    operation = EntityReference(TABLE, Guid(str(job.payload["operation"])))
    with dataverse.changing() as transaction:
        row = _row(transaction, operation)
        if row is None or row[STATE] == OperationState.COMPLETED:
            return
        if row[STATUS] == OperationStatus.CANCELING or progress is Progress.FAILED:
            error: dict[str, Value] = {
                "errorcode": signed_code(news.code) if news.code else 0,
                "errormessage": news.text,
                "retrycount": job.attempts - 1,
            }
            _end(transaction, operation, job.payload, OperationStatus.FAILED, error)
            return
        change = {STATE: OperationState.READY.value, STATUS: OperationStatus.WAITING_FOR_RESOURCES.value}
        transaction.execute(Update(operation, {**change, "retrycount": job.attempts}))


def _row(system: Operations, operation: EntityReference) -> Record | None:
    return first(system, TABLE, equals(f"{TABLE}id", operation.id), STATE, STATUS, "starttime")


def _end(
    system: Operations,
    operation: EntityReference,
    payload: Mapping[str, object],
    status: OperationStatus,
    more: Record | None = None,
) -> None:
    """Write the end of an operation into its row, and tell it to whoever wants to hear of it."""
    told = {STATE: OperationState.COMPLETED.value, STATUS: status.value, "endtime": system.now, **(more or {})}
    system.execute(Update(operation, told))
    given = {"PayloadType": 0, "LocationUrl": payload["location"], "BackgroundOperationId": operation.id}
    system.execute(Execute(BACKGROUND_COMPLETE, given))
    if payload["callback"]:
        system.enqueue(CALLBACK_JOB, {"url": payload["callback"], "body": _callback(operation, payload, told)})


def _callback(operation: EntityReference, payload: Mapping[str, object], told: Record) -> dict[str, object]:
    error = {
        f"backgroundOperationError{name}": told[f"error{name.lower()}"]
        for name in ("Code", "Message")
        if f"error{name.lower()}" in told
    }
    return {
        "location": payload["location"],
        "backgroundOperationId": operation.id,
        "backgroundOperationStateCode": told[STATE],
        "backgroundOperationStatusCode": told[STATUS],
        **error,
    }


def call_back(payload: Mapping[str, object], send: Post = post) -> None:
    """Tell a URL that an operation has come to its end.

    Args:
        payload: `url` and `body`.
        send: how a URL is called.

    Raises:
        JobFailed: nobody took it.
    """
    try:
        deliver_to(
            str(payload["url"]), Letter(orjson.dumps(payload["body"]), {"Content-Type": "application/json"}), send
        )
    except WebhookFailed as failed:
        raise JobFailed(failed.text, code=failed.code, attempts=attempts_after(failed)) from failed


def expire(dataverse: OrganizationService, payload: Mapping[str, object]) -> None:
    """Delete the row of an operation whose time to live is over."""
    operation = EntityReference(TABLE, Guid(str(payload["operation"])))
    with dataverse.changing() as transaction:
        if _row(transaction, operation) is not None:
            transaction.execute(Delete(operation))
