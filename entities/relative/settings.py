"""Who asks, when, and in which calendar: what relative conditions depend on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Final

from entities.values import Guid

ENGLISH: Final = 1033


class PeriodType(IntEnum):
    """How a fiscal year is divided: the organization's column fiscalperiodtype."""

    ANNUALLY = 2000
    SEMIANNUALLY = 2001
    QUARTERLY = 2002
    MONTHLY = 2003
    FOUR_WEEKS = 2004


@dataclass(frozen=True, slots=True)
class FiscalSettings:
    """The organization's fiscal calendar (Learn: "Set up fiscal year settings").

    `start` gives month and day on which fiscal years begin; a fiscal year is named after the calendar year it begins
    in, or, with `named_by_end`, ends in.
    """

    start: date = date(2019, 1, 1)
    period_type: PeriodType = PeriodType.QUARTERLY
    named_by_end: bool = False


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """What relative conditions are resolved with.

    `time_zone` is an IANA name, `week_start` counts from Sunday (0). `report_ids` are the users below the caller in
    the management hierarchy, `report_team_ids` their teams; both are empty where hierarchical security is off.
    """

    now: datetime
    user_id: Guid
    business_unit_id: Guid
    team_ids: tuple[Guid, ...] = ()
    language: int = ENGLISH
    time_zone: str = "UTC"
    week_start: int = 0
    fiscal: FiscalSettings = FiscalSettings()
    report_ids: tuple[Guid, ...] = ()
    report_team_ids: tuple[Guid, ...] = ()
