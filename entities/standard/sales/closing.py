"""Closing opportunities and cases: each by its own action, which makes an activity that says how.

Learn: "WinOpportunity Action", "LoseOpportunity Action", "CloseIncident Action".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Update
from entities.metadata.relationships import OneToMany
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import QueryExpression, both, equals
from entities.standard.lookups import first
from entities.standard.sales.close_activities import (
    Closing,
    change,
    make_activity,
    new_state,
    opened,
    status_reason,
)
from entities.values import EntityReference, Guid, Record, Value

_OPEN: Final = 0
_COMPLETED, _CANCELED, _SCHEDULED = 1, 2, 3
"""States of activities; the one of open records is that of open activities."""


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
        *(
            Step("Update", table, Stage.POST_OPERATION, cancel_activity, filtering=closed)
            for table in ("opportunity", "incident")
        ),
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
    activity, incident, _ = opened(context, RESOLVE)
    reason = status_reason(context.system.catalog.tables["incident"], RESOLVE.state, context.parameters["Status"])
    _check_activities(context.system, incident, RESOLVE.state)
    more: Record = {"resolutiontypecode": reason}
    make_activity(context, RESOLVE, activity, more)
    change(context, incident, {"statecode": RESOLVE.state, "statuscode": reason})


def cancel_activity(context: ExecutionContext) -> None:
    """Cancel the activity that closed an opportunity or case when that is opened again."""
    reference, before = context.reference, context.pre_image or {}
    if reference is None or new_state(context) != _OPEN or before.get("statecode") == _OPEN:
        return
    activity = (WIN if reference.table == WIN.table else RESOLVE).activity
    of_record = both(equals(f"{reference.table}id", reference), equals("statecode", _COMPLETED))
    for row in context.system.records(QueryExpression(activity, ("activityid",), filter=of_record)):
        made = EntityReference(activity, Guid(str(row["activityid"])))
        context.system.execute(Update(made, {"statecode": _CANCELED}), context.caller)


def check_opportunity_state(context: ExecutionContext) -> None:
    """Refuse to close an opportunity by an update; what runs inside another message may.

    Raises:
        InvalidArgument: the state is a closed one (0x80100005).
    """
    state = new_state(context)
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
    state = new_state(context)
    if state == RESOLVE.state and context.system.depth == 1:
        raise InvalidArgument(
            "This message can not be used to set the state of incident to Resolved. In order to set state of "
            "incident to Resolved, use the CloseIncidentRequest message instead."
        )
    if state == _CANCELED_INCIDENT and context.reference is not None:
        _check_activities(context.system, context.reference, _CANCELED_INCIDENT)


def _close_opportunity(context: ExecutionContext, closing: Closing, *, probability: int) -> None:
    activity, opportunity, stored = opened(context, closing)
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
    make_activity(context, closing, activity, facts)
    ended = activity.get("actualend")
    changes: dict[str, Value] = {
        "statecode": closing.state,
        "statuscode": reason,
        "actualclosedate": _day(ended, context.system.now),
        "closeprobability": probability,
    }
    if revenue is not None:
        changes["actualvalue"] = revenue
    change(context, opportunity, changes)


def _day(given: Value, now: datetime) -> date:
    moment = given if isinstance(given, datetime) else now
    return moment.date()


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
