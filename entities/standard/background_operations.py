"""Background operations: custom APIs that are called with `Prefer: respond-async` and run after the answer.

Learn: "Background operations (preview)": the table `backgroundoperation`, cancellation, retries, notification.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum
from functools import partial
from typing import Final

from entities.errors import AccessDenied, InvalidArgument
from entities.messages import Create, Execute, Written
from entities.metadata.columns import RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    choice,
    date_time,
    integer,
    memo,
    plain,
    primary_id,
    string,
    with_ids,
)
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Ownership, Table
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.choices import numbered
from entities.standard.identifiers import system_user_id
from entities.standard.kept_values import kept, listed
from entities.standard.lookups import by_id, referenced
from entities.standard.references import system_references
from entities.standard.sdk_messages import BACKGROUND_COMPLETE
from entities.values import EntityReference, Guid, Record

TABLE: Final = "backgroundoperation"
REQUEST: Final = "ExecuteBackgroundOperation"
BACKGROUND_JOB: Final = "background operation"
EXPIRY_JOB: Final = "background operation expiry"
STATE: Final = "backgroundoperationstatecode"
STATUS: Final = "backgroundoperationstatuscode"

_LONGEST: Final = 1_048_576
_LIFETIME: Final = timedelta(days=90)


class OperationState(IntEnum):
    """States of a background operation."""

    READY = 0
    LOCKED = 2
    COMPLETED = 3


class OperationStatus(IntEnum):
    """Status reasons of a background operation."""

    WAITING_FOR_RESOURCES = 0
    IN_PROGRESS = 20
    CANCELING = 22
    SUCCEEDED = 30
    FAILED = 31
    CANCELED = 32


_STATES: Final = numbered({0: "Ready", 2: "Locked", 3: "Completed"})
_STATUSES: Final = numbered(
    {0: "Waiting For Resources", 20: "In Progress", 22: "Canceling", 30: "Succeeded", 31: "Failed", 32: "Canceled"}
)

BACKGROUND_OPERATION: Final = with_ids(
    Table(
        TABLE,
        "backgroundoperation",
        "backgroundoperations",
        10_080,
        "backgroundoperationid",
        "name",
        (
            primary_id("BackgroundOperationId", "Background Operation"),
            string("Name", 256, "Name", **SERVER_SET),
            string("DisplayName", 256, "DisplayName", **SERVER_SET),
            choice("BackgroundOperationStateCode", _STATES, "Status", default=0, required=RequiredLevel.APPLICATION),
            choice(
                "BackgroundOperationStatusCode",
                _STATUSES,
                "Status Reason",
                default=0,
                required=RequiredLevel.APPLICATION,
            ),
            memo("InputParameters", _LONGEST, "Input Parameters", **SERVER_SET),
            memo("OutputParameters", _LONGEST, "Output Parameters", **SERVER_SET),
            date_time("StartTime", "Start Time", **SERVER_SET),
            date_time("EndTime", "End Time", **SERVER_SET),
            integer("RetryCount", "Retry Count", **SERVER_SET),
            integer("ErrorCode", "Error Code", **SERVER_SET),
            memo("ErrorMessage", _LONGEST, "Error Message", **SERVER_SET),
            string("RunAs", 40, "Run As", **SERVER_SET),
            integer("Priority", "Priority", **SERVER_SET),
            integer("TTLInSeconds", "Time to live", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Background Operation"),
        plain("Background Operations"),
        plain("A request that is processed asynchronously."),
        Ownership.ORGANIZATION,
    )
)

TABLES: Final = (BACKGROUND_OPERATION,)
RELATIONSHIPS: Final[tuple[Relationship, ...]] = system_references(BACKGROUND_OPERATION)


def background_steps(organization_id: Guid) -> tuple[Step, ...]:
    """Return the request for a background operation, its completion as an event, and the rule of its row.

    Args:
        organization_id: the environment's organization.
    """
    check = partial(check_change, system_user=system_user_id(organization_id))
    return (
        Step(REQUEST, None, Stage.MAIN, request),
        Step(BACKGROUND_COMPLETE, None, Stage.MAIN, complete),
        Step("Update", TABLE, Stage.PRE_OPERATION, check),
    )


def request(context: ExecutionContext) -> None:
    """Queue a message with its row; both exist once this is committed.

    The parameters are `Request`, the message; `CallbackUri`, where its end is told, or None; and `LocationRoot`, the
    URL that its status monitor's begins with.
    """
    given, system, caller = context.parameters, context.system, context.caller
    message = given["Request"]
    assert isinstance(message, Execute)
    record: Record = {
        "name": message.name,
        "displayname": message.name,
        STATE: OperationState.READY.value,
        STATUS: OperationStatus.WAITING_FOR_RESOURCES.value,
        "inputparameters": listed(message.parameters),
        "retrycount": 0,
        "runas": caller.user_id,
        "ttlinseconds": int(_LIFETIME.total_seconds()),
    }
    made = system.execute(Create(TABLE, record), caller)
    assert isinstance(made, Written)
    operation = made.reference.id
    payload = {
        "operation": operation,
        "name": message.name,
        "parameters": kept(message.parameters),
        "target": kept(message.target),
        "user": caller.user_id,
        "callback": given.get("CallbackUri"),
        "location": f"{given['LocationRoot']}{operation}",
    }
    system.enqueue(BACKGROUND_JOB, payload)
    system.enqueue(EXPIRY_JOB, {"operation": operation}, system.now + _LIFETIME)
    context.result = {"BackgroundOperationId": operation}


def complete(context: ExecutionContext) -> None:
    """Tell those who hear of the end of background operations how one ended."""
    operation = EntityReference(TABLE, Guid(str(context.parameters["BackgroundOperationId"])))
    row = by_id(context.system, operation, "name", STATE, STATUS)
    context.result = {
        "OperationName": row["name"],
        "BackgroundOperationStateCode": row[STATE],
        "BackgroundOperationStatusCode": row[STATUS],
    }


def check_change(context: ExecutionContext, *, system_user: Guid) -> None:
    """Let a user cancel an operation, and change nothing else of it.

    Raises:
        AccessDenied: somebody else has asked for it.
        InvalidArgument: it is no cancellation, or the operation has come to its end.
    """
    before, record = context.pre_image or {}, context.record
    if context.caller.user_id == system_user:
        return
    wanted = (record.get(STATE, before.get(STATE)), record.get(STATUS, before.get(STATUS)))
    if wanted != (OperationState.LOCKED, OperationStatus.CANCELING):
        raise InvalidArgument("A background operation can only be canceled: state 2 (Locked), status 22 (Canceling).")
    if referenced(before.get("createdby")) != context.caller.user_id:
        raise AccessDenied("A background operation can only be canceled by the user who has initiated it.")
    if before.get(STATE) == OperationState.COMPLETED:
        raise InvalidArgument("Canceling background operation is not allowed after it is in terminal state.")
