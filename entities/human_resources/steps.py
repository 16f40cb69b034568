"""Which rule of Human Resources runs on which message."""

from __future__ import annotations

from datetime import date
from functools import partial

from entities.human_resources.action_steps import dismiss, do_not_hire, hire
from entities.human_resources.actions import DISMISS, DO_NOT_HIRE, HIRE
from entities.human_resources.model import TABLES
from entities.human_resources.table_steps import (
    ASSIGNMENT,
    CANDIDATE,
    EMPLOYMENT,
    EXPORT,
    PERSON,
    WORKER,
    carry_result,
    change_export,
    check_assignment,
    check_employment_dates,
    complete_candidate,
    complete_person,
    complete_worker,
    receive_export,
    require_fields,
    resolve_references,
    share_person,
    show_holder,
    show_person,
    take_keys,
)
from entities.pipeline import Handler, Stage, Step

_WRITES = ("Create", "Update")


def human_resources_steps(*, end_of_service: date | None = None) -> tuple[Step, ...]:
    """Return the steps of the Human Resources environment.

    The key of the row that a new one is part of comes first, then a table's own step, then the required fields, then
    the references, then what needs both.

    Args:
        end_of_service: the last day on which LinkedIn Talent Hub may export; None: no end.
    """
    tables = [table.logical_name for table in TABLES]
    return (
        _before("Create", PERSON, complete_person),
        _before("Update", PERSON, complete_person),
        _before("Create", WORKER, complete_worker),
        _before("Create", CANDIDATE, complete_candidate),
        _before("Update", WORKER, share_person),
        _before("Update", CANDIDATE, share_person),
        _before("Create", EXPORT, partial(receive_export, end_of_service=end_of_service)),
        _before("Update", EXPORT, change_export),
        *(_before("Create", table, take_keys, rank=0) for table in tables),
        *(_before(message, table, require_fields, rank=2) for table in tables for message in _WRITES),
        *(_before(message, table, resolve_references, rank=3) for table in tables for message in _WRITES),
        *(_before(message, EMPLOYMENT, check_employment_dates, rank=4) for message in _WRITES),
        *(_before(message, ASSIGNMENT, check_assignment, rank=4) for message in _WRITES),
        *(_after(message, ASSIGNMENT, show_holder) for message in (*_WRITES, "Delete")),
        _after("Update", CANDIDATE, carry_result),
        _after("Update", PERSON, show_person),
        Step(HIRE.name, CANDIDATE, Stage.MAIN, hire),
        Step(DO_NOT_HIRE.name, CANDIDATE, Stage.MAIN, do_not_hire),
        Step(DISMISS.name, CANDIDATE, Stage.MAIN, dismiss),
    )


def _before(message: str, table: str, handler: Handler, rank: int = 1) -> Step:
    return Step(message, table, Stage.PRE_OPERATION, handler, rank)


def _after(message: str, table: str, handler: Handler) -> Step:
    return Step(message, table, Stage.POST_OPERATION, handler)
