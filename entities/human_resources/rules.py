"""Rules of exported candidates and candidates to hire, as pure functions (domain rules a.17, b.9, d.4, d.6).

A refusal is a `StepRejected` whose text is what the infolog would say: it names the field and the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from entities.errors import StepRejected
from entities.human_resources.choices import DISMISSED, HIRED, INTEGRATION_RESULT, NOT_HIRED, NOT_PROCESSED
from entities.human_resources.fields import is_filled, text_of
from entities.human_resources.people import CONTACT_COLUMNS, NAME_COLUMNS, PERSONAL_COLUMNS
from entities.text import fold
from entities.values import Record, Value


def full_name(record: Record) -> str:
    """Return a person's name from its parts (first, middle, prefix, last), 100 characters at most."""
    parts = (text_of(record, name) for name in NAME_COLUMNS)
    return " ".join(part for part in parts if part)[:100]


# Exports from LinkedIn Talent Hub (R-180 to R-190, d.6)


def check_service(today: date, end_of_service: date | None) -> None:
    """Check that the integration is still in service (R-120): the last day is a day of service.

    Raises:
        StepRejected: the service has ended.
    """
    if end_of_service is not None and today > end_of_service:
        raise StepRejected(
            f"The LinkedIn Talent Hub integration ended on {end_of_service.isoformat()}. The candidate wasn't exported."
        )


def open_person_key(export: Record) -> str | None:
    """Return who an export is about, None when it is dismissed: only then the person may be exported again.

    Two exports are about the same person when e-mail address and names are equal, compared as the database compares.
    """
    if export.get("applicantintegrationresult") == DISMISSED:
        return None
    person = "\n".join(fold(text_of(export, name)) for name in ("emailaddress", "firstname", "lastname"))
    return sha256(person.encode()).hexdigest()


def check_new_request(export: Record, known: Sequence[Record]) -> None:
    """Check that no other export carries the same hiring context and HRIS request id.

    Args:
        export: the new row.
        known: the rows with the same two values.

    Raises:
        StepRejected: there is one; its number is named, so that a repeated export can be confirmed.
    """
    for row in known:
        raise StepRejected(
            "Cannot create a record in LinkedIn exported candidate. "
            f"HiringContext: {text_of(export, 'hiringcontext')}, HrisRequestId: {text_of(export, 'hrisrequestid')}. "
            "The record already exists "
            f"(ExportedCandidateId: {text_of(row, 'exportedcandidateid')})."
        )


def check_new_person(export: Record, known: Sequence[Record]) -> None:
    """Check that the person isn't waiting, hired or refused already under another request (ACC-72).

    Args:
        export: the new row.
        known: the rows about the same person that aren't dismissed.

    Raises:
        StepRejected: there is one.
    """
    for row in known:
        raise StepRejected(
            f"{full_name(export)} with EmailAddress '{text_of(export, 'emailaddress')}' was exported before "
            f"(ExportedCandidateId: {text_of(row, 'exportedcandidateid')}). "
            "Dismiss that candidate before the person is exported again."
        )


def person_of_export(export: Record) -> dict[str, Value]:
    """Return the person that an export brings: names, and e-mail and phone as primary contacts."""
    return {
        "firstname": export["firstname"],
        "lastname": export["lastname"],
        "primarycontactemail": export["emailaddress"],
        "primarycontactphone": export.get("phonenumber"),
    }


def candidate_of_export(export: Record, party_number: Value) -> dict[str, Value]:
    """Return the candidate that an export brings: available from the start date, in no company (b.9).

    Job title and location stay on the exported row alone (R-195).
    """
    return {
        "dataareaid": "",
        "partynumber": party_number,
        "availabilitydate": export["startdate"],
        "applicantintegrationresult": NOT_PROCESSED,
    }


# Candidates


def check_candidate_person(candidate: Record) -> None:
    """Check that a candidate is either an existing person or described by personal columns, not both (d.4).

    Raises:
        StepRejected: both are given.
    """
    # Gender None is the option 0, which is as good as not given.
    given = [name for name in PERSONAL_COLUMNS if is_filled(candidate.get(name)) and candidate[name] != 0]
    if is_filled(candidate.get("partynumber")) and given:
        raise StepRejected(
            f"PartyNumber '{text_of(candidate, 'partynumber')}' names an existing person. "
            f"Field '{given[0]}' must not be given with it."
        )


def personal_details(record: Record) -> dict[str, Value]:
    """Return the columns of a record that describe the person itself."""
    return {name: record[name] for name in (*PERSONAL_COLUMNS, *CONTACT_COLUMNS) if name in record}


def check_unprocessed(candidate: Record) -> None:
    """Check that nobody has decided about a candidate yet.

    Raises:
        StepRejected: the result is no longer Not processed.
    """
    result = candidate.get("applicantintegrationresult")
    if result != NOT_PROCESSED:
        raise StepRejected(
            f"Candidate '{text_of(candidate, 'candidateid')}' has already been processed. "
            f"Result: {_result_label(result)}."
        )


def check_not_dismissed(candidate: Record) -> None:
    """Check that a candidate can be dismissed: always, also after hiring, but only once (b.9).

    Raises:
        StepRejected: it is dismissed already.
    """
    if candidate.get("applicantintegrationresult") == DISMISSED:
        raise StepRejected(f"Candidate '{text_of(candidate, 'candidateid')}' has already been dismissed.")


def _result_label(result: Value) -> str:
    labels = {option.value: option.label.text() or "" for option in INTEGRATION_RESULT.options}
    return labels.get(result, str(result)) if isinstance(result, int) else "none"


def hired() -> dict[str, Value]:
    """Return what changes on a candidate that is hired."""
    return {"applicantintegrationresult": HIRED}


def not_hired(reason_code: Value, comments: str | None) -> dict[str, Value]:
    """Return what changes on a candidate that isn't hired; comments are kept when given."""
    change: dict[str, Value] = {"applicantintegrationresult": NOT_HIRED, "donothirereasoncodeid": reason_code}
    return change if comments is None else {**change, "comments": comments}


def dismissed() -> dict[str, Value]:
    """Return what changes on a candidate that is dismissed."""
    return {"applicantintegrationresult": DISMISSED}
