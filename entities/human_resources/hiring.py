"""Rules of hiring: employments, positions and assignments, as pure functions (domain rules R-191 to R-195, b.9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from entities.errors import StepRejected
from entities.human_resources.choices import EMPLOYED
from entities.human_resources.fields import NEVER, is_filled, text_of
from entities.human_resources.rules import personal_details
from entities.values import Record, Value, utc_text


@dataclass(frozen=True, slots=True)
class Period:
    """A time span, both ends included."""

    start: datetime
    end: datetime = NEVER

    def overlaps(self, other: Period) -> bool:
        """Return whether the two have a moment in common."""
        return self.start <= other.end and other.start <= self.end


def assignment_period(position: Record, start: datetime, end: datetime | None = None) -> Period:
    """Return the period of an assignment to a position: until the given end, the position's retirement, or no end.

    Args:
        position: the position.
        start: when the assignment begins.
        end: when it is to end, None for as long as the position lasts.

    Raises:
        StepRejected: the position isn't active at the start, is retired before it, or the period ends before it.
    """
    position_id = text_of(position, "positionid")
    for name, word in (("activation", "activated"), ("availableforassignment", "available for assignment")):
        moment = position.get(name)
        if name == "activation" and not is_filled(moment):
            raise StepRejected(f"Position '{position_id}' isn't activated.")
        if isinstance(moment, datetime) and is_filled(moment) and moment > start:
            raise StepRejected(f"Position '{position_id}' is {word} on {utc_text(moment)}, after {utc_text(start)}.")
    retirement = position.get("retirement")
    last = retirement if isinstance(retirement, datetime) and is_filled(retirement) else NEVER
    if last < start:
        raise StepRejected(f"Position '{position_id}' is retired on {utc_text(last)}, before {utc_text(start)}.")
    if end is not None and end < start:
        raise StepRejected(f"The assignment to position '{position_id}' can't end before it begins.")
    return Period(start, min(last, end or NEVER))


def period_of(assignment: Record) -> Period:
    """Return the period of a stored assignment."""
    start, end = assignment.get("validfrom"), assignment.get("validto")
    assert isinstance(start, datetime)
    return Period(start, end if isinstance(end, datetime) and is_filled(end) else NEVER)


def check_vacant(position_id: str, period: Period, assignments: Iterable[Record]) -> None:
    """Check that nobody holds a position at any time of a period: one worker per position at a time (b.9).

    Raises:
        StepRejected: somebody does.
    """
    for assignment in assignments:
        if period_of(assignment).overlaps(period):
            raise StepRejected(
                f"Position '{position_id}' already has a worker assigned "
                f"({text_of(assignment, 'personnelnumber')}) in the period from {utc_text(period.start)}."
            )


def check_employment(employment: Record) -> None:
    """Check that an employment doesn't end before it starts.

    Raises:
        StepRejected: it does.
    """
    start, end = employment.get("employmentstartdate"), employment.get("employmentenddate")
    if isinstance(start, datetime) and isinstance(end, datetime) and is_filled(end) and end < start:
        raise StepRejected(f"EmploymentEndDate {utc_text(end)} is before EmploymentStartDate {utc_text(start)}.")


def check_unused(personnel_number: str, worker: Record | None) -> None:
    """Check that no worker has a personnel number.

    Raises:
        StepRejected: one has.
    """
    if worker is not None:
        raise StepRejected(f"The value '{personnel_number}' in field 'PersonnelNumber' is already in use.")


def check_no_worker(person: Record, worker: Record | None) -> None:
    """Check that a person isn't a worker yet: an internal candidate is transferred, not hired again.

    Raises:
        StepRejected: the person is one.
    """
    if worker is not None:
        raise StepRejected(
            f"The person with PartyNumber '{text_of(person, 'partynumber')}' is already a worker "
            f"(PersonnelNumber: {text_of(worker, 'personnelnumber')})."
        )


def worker_of_hire(person: Record, personnel_number: str | None) -> dict[str, Value]:
    """Return the worker that a hired person becomes: names, e-mail address and phone number (R-195)."""
    worker: dict[str, Value] = {
        "partynumber": person["partynumber"],
        **personal_details(person),
        "workerstatus": EMPLOYED,
    }
    return worker if personnel_number is None else {"personnelnumber": personnel_number, **worker}


def employment_of_hire(legal_entity: Record, personnel_number: Value, start: datetime) -> dict[str, Value]:
    """Return the employment of a hired person in the chosen legal entity, from its start date."""
    return {
        "legalentityid": legal_entity["legalentityid"],
        "personnelnumber": personnel_number,
        "employmentstartdate": start,
        "employmentenddate": NEVER,
    }


def assignment_of_hire(position: Record, personnel_number: Value, period: Period) -> dict[str, Value]:
    """Return the assignment of a hired person to the chosen position."""
    return {
        "positionid": position["positionid"],
        "personnelnumber": personnel_number,
        "validfrom": period.start,
        "validto": period.end,
    }


def holder_of(assignment: Record | None, worker: Record | None) -> dict[str, Value]:
    """Return what a position shows of the worker that was assigned to it last, nothing when there is none."""
    shown = assignment or {}
    return {
        "workerpersonnelnumber": shown.get("personnelnumber"),
        "workername": (worker or {}).get("name"),
        "workerassignmentstart": shown.get("validfrom"),
        "workerassignmentend": shown.get("validto"),
    }
