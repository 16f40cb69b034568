"""Closing opportunities and cases: each by its own action, which makes an activity that says how.

Learn: "WinOpportunity Action", "LoseOpportunity Action", "CloseIncident Action".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from entities.errors import InvalidArgument, RecordNotFound
from entities.messages import Create, Retrieve, Rows, Update, Written
from entities.metadata.columns import StateType, StatusType
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import both, equals
from entities.standard.lookups import first
from entities.values import EntityReference, EntityValue, Record, Value

_OPEN: Final = 0
_COMPLETED: Final = 1
_DEFAULT_REASON: Final = -1
"""The status that asks for the default one of the state (Learn: "SetStateRequest")."""

_SCHEDULED: Final = 3


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
        closed: code and text where it is closed already.
    """

    message: str
    table: str
    state: int
    activity: str
    parameter: str
    missing: tuple[str, str]
    closed: tuple[str, str]

    @property
    def column(self) -> str:
        """The lookup of the activity to the record that it closes."""
        return f"{self.table}id"


_NO_OPPORTUNITY: Final = ("0x80043b15", "The opportunity id is missing or invalid.")
_OPPORTUNITY_CLOSED: Final = ("0x80040515", "The opportunity is already closed.")

WIN: Final = Closing(
    "WinOpportunity",
    "opportunity",
    1,
    "opportunityclose",
    "OpportunityClose",
    _NO_OPPORTUNITY,
    _OPPORTUNITY_CLOSED,
)
LOSE: Final = Closing(
    "LoseOpportunity",
    "opportunity",
    2,
    "opportunityclose",
    "OpportunityClose",
    _NO_OPPORTUNITY,
    _OPPORTUNITY_CLOSED,
)
RESOLVE: Final = Closing(
    "CloseIncident",
    "incident",
    1,
    "incidentresolution",
    "IncidentResolution",
    ("0x80044409", "The incident id is missing."),
    ("0x80044411", "Already Closed or Canceled"),
)
_CANCELED_INCIDENT: Final = 2
_OPEN_ACTIVITIES: Final[Mapping[int, tuple[str, str]]] = {
    RESOLVE.state: (
        "0x8004440a",
        "The incident can not be closed because there are open activities for this incident.",
    ),
    _CANCELED_INCIDENT: (
        "0x8004440e",
        "The incident can not be cancelled because there are open activities for this incident.",
    ),
}


def closing_steps() -> tuple[Step, ...]:
    """Return the handlers of the actions, and the steps that keep plain updates from closing."""
    closed = frozenset(("statecode", "statuscode"))
    return (
        Step("WinOpportunity", None, Stage.MAIN, win_opportunity),
        Step("LoseOpportunity", None, Stage.MAIN, lose_opportunity),
        Step("CloseIncident", None, Stage.MAIN, close_incident),
        Step("Update", "opportunity", Stage.PRE_OPERATION, check_opportunity_state, filtering=closed),
        Step("Update", "incident", Stage.PRE_OPERATION, check_incident_state, filtering=closed),
    )


def win_opportunity(context: ExecutionContext) -> None:
    """Close an open opportunity as won: its probability is 100, its actual revenue the one given, or the estimated one.

    Raises:
        InvalidArgument: no opportunity is named (0x80043b15), it is closed already (0x80040515), or the status is
            none of a won one (0x80048408).
        RecordNotFound: there is no such opportunity.
    """
    _close_opportunity(context, WIN, probability=100)


def lose_opportunity(context: ExecutionContext) -> None:
    """Close an open opportunity as lost: its probability is 0, its actual revenue the one given.

    Raises:
        InvalidArgument: no opportunity is named (0x80043b15), it is closed already (0x80040515), or the status is
            none of a lost one (0x80048408).
        RecordNotFound: there is no such opportunity.
    """
    _close_opportunity(context, LOSE, probability=0)


def close_incident(context: ExecutionContext) -> None:
    """Resolve an active case.

    Raises:
        InvalidArgument: no case is named (0x80044409), the status is none of a resolved one (0x80048408), it is closed
            already (0x80044411), or activities are open (0x8004440a).
        RecordNotFound: there is no such case.
    """
    activity, incident, _ = _opened(context, RESOLVE)
    reason = status_reason(context.system.catalog.tables["incident"], RESOLVE.state, context.parameters["Status"])
    _check_activities(context.system, incident, RESOLVE.state)
    more: Record = {"resolutiontypecode": reason}
    _make_activity(context, RESOLVE, activity, more)
    _change(context, incident, {"statecode": RESOLVE.state, "statuscode": reason})


def check_opportunity_state(context: ExecutionContext) -> None:
    """Refuse to close an opportunity by an update; what runs inside another message may.

    Raises:
        InvalidArgument: the state is a closed one (0x80100005).
    """
    state = _new_state(context)
    for closing, name in ((WIN, "Won"), (LOSE, "Lost")):
        if state == closing.state and context.system.depth == 1:
            raise InvalidArgument(
                f"This message can not be used to set the state of opportunity to {name}. In order to set state of "
                f"opportunity to {name}, use the {closing.message} message instead.",
                code="0x80100005",
            )


def check_incident_state(context: ExecutionContext) -> None:
    """Refuse to resolve a case by an update, and to cancel one that has open activities.

    Raises:
        InvalidArgument: the state is the resolved one, or activities are open (0x8004440e).
    """
    state = _new_state(context)
    if state == RESOLVE.state and context.system.depth == 1:
        raise InvalidArgument(
            "This message can not be used to set the state of incident to Resolved. In order to set state of "
            "incident to Resolved, use the CloseIncidentRequest message instead."
        )
    if state == _CANCELED_INCIDENT and context.reference is not None:
        _check_activities(context.system, context.reference, _CANCELED_INCIDENT)


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


def _close_opportunity(context: ExecutionContext, closing: Closing, *, probability: int) -> None:
    activity, opportunity, stored = _opened(context, closing)
    reason = status_reason(context.system.catalog.tables["opportunity"], closing.state, context.parameters["Status"])
    revenue = activity.get("actualrevenue")
    if revenue is None and closing is WIN:
        revenue = stored.get("estimatedvalue")
    facts: dict[str, Value] = {
        "opportunitystatecode": closing.state,
        "opportunitystatuscode": reason,
        "actualrevenue": revenue,
    }
    if activity.get("regardingobjectid") is None:
        facts["regardingobjectid"] = opportunity
    if activity.get("transactioncurrencyid") is None and stored.get("transactioncurrencyid") is not None:
        facts["transactioncurrencyid"] = stored["transactioncurrencyid"]
    _make_activity(context, closing, activity, facts)
    ended = activity.get("actualend")
    changes: dict[str, Value] = {
        "statecode": closing.state,
        "statuscode": reason,
        "actualclosedate": _day(ended, context.system.now),
        "closeprobability": probability,
    }
    if revenue is not None:
        changes["actualvalue"] = revenue
    _change(context, opportunity, changes)


def _opened(context: ExecutionContext, closing: Closing) -> tuple[Record, EntityReference, Record]:
    """Return the activity as it is given, the record that it closes, and what is stored of that."""
    given = context.parameters[closing.parameter]
    record = given.record if isinstance(given, EntityValue) else {}
    closed = record.get(closing.column)
    if not isinstance(closed, EntityReference):
        code, text = closing.missing
        raise InvalidArgument(text, code=code)
    stored = stored_record(context, closed)
    if stored.get("statecode") != _OPEN:
        code, text = closing.closed
        raise InvalidArgument(text, code=code)
    return record, closed, stored


def _make_activity(context: ExecutionContext, closing: Closing, given: Record, more: Record) -> None:
    """Make the activity as the caller, and complete it."""
    record = {**given, **more}
    record.setdefault("actualend", context.system.now)
    made = context.system.execute_as(Create(closing.activity, record), context.caller.user_id)
    assert isinstance(made, Written)
    context.system.execute(Update(made.reference, {"statecode": _COMPLETED}), context.caller)


def _change(context: ExecutionContext, record: EntityReference, changes: Record) -> None:
    """Change a record as the caller, who must be allowed to."""
    context.system.execute_as(Update(record, changes), context.caller.user_id)


def _day(given: Value, now: datetime) -> date:
    moment = given if isinstance(given, datetime) else now
    return moment.date()


def _new_state(context: ExecutionContext) -> Value:
    """Return the state that an update brings, None where it stays."""
    state = context.record.get("statecode")
    before = context.pre_image.get("statecode") if context.pre_image else None
    return None if state == before else state


def _check_activities(system: Operations, incident: EntityReference, state: int) -> None:
    """Refuse where an activity about a case is open or scheduled."""
    for table in _activity_tables(system):
        about = equals("regardingobjectid", incident)
        for unfinished in (_OPEN, _SCHEDULED):
            if first(system, table, both(about, equals("statecode", unfinished)), "activityid") is not None:
                code, text = _OPEN_ACTIVITIES[state]
                raise InvalidArgument(text, code=code)


def _activity_tables(system: Operations) -> Iterator[str]:
    """Yield the tables of activities that may be about a case."""
    for relationship in system.catalog.relationships.values():
        if not isinstance(relationship, OneToMany) or relationship.referencing_column != "regardingobjectid":
            continue
        table = system.catalog.tables[relationship.referencing_table]
        if relationship.referenced_table == "incident" and table.primary_id == "activityid":
            yield table.logical_name
