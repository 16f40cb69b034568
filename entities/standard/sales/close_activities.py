"""Records that are closed by an action, which brings an activity that says how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from entities.errors import InvalidArgument, RecordNotFound
from entities.messages import Create, Retrieve, Rows, Update, Written
from entities.metadata.columns import StateType, StatusType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext
from entities.values import EntityReference, EntityValue, Record

_COMPLETED: Final = 1
_DEFAULT_REASON: Final = -1
"""The status that asks for the default one of the state (Learn: "SetStateRequest")."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A way to close records of a table.

    Attributes:
        message: the name of the action.
        table: the table whose records are closed.
        state: the state that they get.
        activity: the table of the activity.
        parameter: the parameter that brings it.
        missing: code and text where no record is named.
        closed: code and text where it is in none of the states that it can be closed from.
        opens: those states.
    """

    message: str
    table: str
    state: int
    activity: str
    parameter: str
    missing: tuple[str, str]
    closed: tuple[str, str]
    opens: frozenset[int] = frozenset((0,))

    @property
    def column(self) -> str:
        """The lookup of the activity to the record that it closes."""
        return f"{self.table}id"


def opened(context: ExecutionContext, closing: Closing) -> tuple[Record, EntityReference, Record]:
    """Return the activity as it is given, the record that it closes, and what is stored of that.

    Raises:
        InvalidArgument: no record is named, or it cannot be closed from its state.
        RecordNotFound: there is no such record.
    """
    given = context.parameters[closing.parameter]
    record = given.record if isinstance(given, EntityValue) else {}
    closed = record.get(closing.column)
    if not isinstance(closed, EntityReference):
        code, text = closing.missing
        raise InvalidArgument(text, code=code)
    stored = stored_record(context, closed)
    if stored.get("statecode") not in closing.opens:
        code, text = closing.closed
        raise InvalidArgument(text, code=code)
    return record, closed, stored


def make_activity(context: ExecutionContext, closing: Closing, given: Record, more: Record) -> None:
    """Make the activity as the caller, and complete it."""
    record = {**given, **more}
    record.setdefault("actualend", context.system.now)
    made = context.system.execute_as(Create(closing.activity, record), context.caller.user_id)
    assert isinstance(made, Written)
    context.system.execute(Update(made.reference, {"statecode": _COMPLETED}), context.caller)


def change(context: ExecutionContext, record: EntityReference, changes: Record) -> None:
    """Change a record as the caller, who must be allowed to."""
    context.system.execute_as(Update(record, changes), context.caller.user_id)


def stored_record(context: ExecutionContext, reference: EntityReference) -> Record:
    """Return a record as the caller may read it.

    Raises:
        RecordNotFound: there is no such record.
        AccessDenied: the caller may not read it.
    """
    found = context.system.execute_as(Retrieve(reference), context.caller.user_id)
    assert isinstance(found, Rows)
    if not found.records:
        raise RecordNotFound(f"Entity '{reference.table}' With Id = {reference.id} Does Not Exist")
    return found.records[0]


def status_reason(table: Table, state: int, given: object) -> int:
    """Return a status reason of a state: the given one, the default one for -1.

    Raises:
        InvalidArgument: it is none of the state (0x80048408).
    """
    states, reasons = table.by_name["statecode"].type, table.by_name["statuscode"].type
    assert isinstance(states, StateType)
    assert isinstance(reasons, StatusType)
    if given == _DEFAULT_REASON:
        return next(one.default_status for one in states.states if one.value == state)
    found = [reason.value for reason in reasons.statuses if reason.state == state and reason.value == given]
    if not found:
        name = next(one.invariant_name for one in states.states if one.value == state)
        raise InvalidArgument(
            f"{given} is not a valid status code for state code {name}State.{name} on {table.logical_name}.",
            code="0x80048408",
        )
    return found[0]


def new_state(context: ExecutionContext) -> int | None:
    """Return the state that an update brings, by itself or with a status reason; None where the state stays."""
    assert context.reference is not None
    table = context.system.catalog.tables[context.reference.table]
    state = context.record.get("statecode")
    if state is None:
        reasons = table.by_name["statuscode"].type
        assert isinstance(reasons, StatusType)
        given = context.record.get("statuscode")
        state = next((one.state for one in reasons.statuses if one.value == given), None)
    before = context.pre_image.get("statecode") if context.pre_image else None
    return state if isinstance(state, int) and state != before else None
