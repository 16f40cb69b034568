"""The handlers of Hire, DoNotHire and Dismiss (R-191 to R-195, b.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from entities.errors import InvalidOperation
from entities.human_resources.fields import date_parameter, found, required_text, text_parameter
from entities.human_resources.finding import reference_to, row_of, row_where, rows_where
from entities.human_resources.hiring import (
    Period,
    assignment_of_hire,
    assignment_period,
    check_no_worker,
    check_unused,
    check_vacant,
    employment_of_hire,
    worker_of_hire,
)
from entities.human_resources.rules import check_not_dismissed, check_unprocessed, dismissed, hired, not_hired
from entities.human_resources.table_steps import (
    ASSIGNMENT,
    CANDIDATE,
    EMPLOYMENT,
    LEGAL_ENTITY,
    PERSON,
    POSITION,
    REASON_CODE,
    WORKER,
    create,
)
from entities.messages import Execute, Update
from entities.pipeline import ExecutionContext, Operations
from entities.values import Record, Value


@dataclass(frozen=True, slots=True)
class _Hiring:
    """A checked hire: everything that is about to be written."""

    person: Record
    legal_entity: Record
    start: datetime
    personnel_number: str | None
    position: Record | None
    period: Period


def hire(ctx: ExecutionContext) -> None:
    """Make the candidate a worker with an employment and, where a position is given, an assignment."""
    candidate = _candidate(ctx)
    hiring = _checked(ctx.system, candidate, ctx.parameters)
    worker = create(ctx.system, WORKER, worker_of_hire(hiring.person, hiring.personnel_number))
    number = worker["personnelnumber"]
    create(ctx.system, EMPLOYMENT, employment_of_hire(hiring.legal_entity, number, hiring.start))
    if hiring.position is not None:
        create(ctx.system, ASSIGNMENT, assignment_of_hire(hiring.position, number, hiring.period))
    _decide(ctx.system, candidate, hired())
    ctx.result = {"PersonnelNumber": number}


def _checked(system: Operations, candidate: Record, parameters: Mapping[str, object]) -> _Hiring:
    """Check everything before anything is written, so that the first wrong field is the one that is named."""
    check_unprocessed(candidate)
    company = required_text("LegalEntityId", parameters.get("LegalEntityId"))
    start = date_parameter("EmploymentStartDate", parameters.get("EmploymentStartDate"))
    legal_entity = found(
        row_where(system, LEGAL_ENTITY, ("legalentityid", company)), "LegalEntityId", company, "Legal entity"
    )
    number = text_parameter("PersonnelNumber", parameters.get("PersonnelNumber"))
    if number is not None:
        check_unused(number, row_where(system, WORKER, ("personnelnumber", number)))
    position = _position(system, text_parameter("PositionId", parameters.get("PositionId")))
    period = Period(start) if position is None else assignment_period(position, start)
    if position is not None:
        held = rows_where(system, ASSIGNMENT, (("positionid", position["positionid"]),))
        check_vacant(str(position["positionid"]), period, held)
    party = candidate["partynumber"]
    person = found(row_where(system, PERSON, ("partynumber", party)), "PartyNumber", party, "Person")
    check_no_worker(person, row_where(system, WORKER, ("partynumber", party)))
    return _Hiring(person, legal_entity, start, number, position, period)


def _position(system: Operations, position_id: str | None) -> Record | None:
    if position_id is None:
        return None
    row = row_where(system, POSITION, ("positionid", position_id))
    return found(row, "PositionId", position_id, "Position")


def do_not_hire(ctx: ExecutionContext) -> None:
    """Close the candidate without hiring, for a reason."""
    candidate = _candidate(ctx)
    check_unprocessed(candidate)
    code = required_text("ReasonCodeId", ctx.parameters.get("ReasonCodeId"))
    comments = text_parameter("Comments", ctx.parameters.get("Comments"))
    reason = found(row_where(ctx.system, REASON_CODE, ("reasoncodeid", code)), "ReasonCodeId", code, "Reason code")
    _decide(ctx.system, candidate, not_hired(reason["reasoncodeid"], comments))


def dismiss(ctx: ExecutionContext) -> None:
    """Dismiss the candidate, before or after hiring."""
    candidate = _candidate(ctx)
    check_not_dismissed(candidate)
    _decide(ctx.system, candidate, dismissed())


def _candidate(ctx: ExecutionContext) -> Record:
    target = ctx.reference or (ctx.message.target if isinstance(ctx.message, Execute) else None)
    if target is None or target.table != CANDIDATE:
        raise InvalidOperation("The action is bound to one row of CandidatesToHire.")
    return row_of(ctx.system, target)


def _decide(system: Operations, candidate: Record, change: Mapping[str, Value]) -> None:
    system.execute(Update(reference_to(system, CANDIDATE, candidate), change))
