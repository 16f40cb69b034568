"""Fiscal years and periods (Learn: "Fiscal date and older than datetime query operators in FetchXML").

A fiscal year begins on the organization's start date every year and has 1, 2, 4, 12 or 13 periods; thirteen periods
have four weeks each, and the last one lasts until the next year begins.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from entities.relative.clock import EARLIEST, LATEST, plus_days, plus_months
from entities.relative.settings import FiscalSettings, PeriodType
from entities.time_zones import zone_info

_PERIODS: Final[Mapping[PeriodType, int]] = {
    PeriodType.ANNUALLY: 1,
    PeriodType.SEMIANNUALLY: 2,
    PeriodType.QUARTERLY: 4,
    PeriodType.MONTHLY: 12,
    PeriodType.FOUR_WEEKS: 13,
}
_MONTHS: Final = 12
_FOUR_WEEKS: Final = 28


def periods_per_year(settings: FiscalSettings) -> int:
    """Return the number of periods of a fiscal year."""
    return _PERIODS[settings.period_type]


def year_of(settings: FiscalSettings, day: date) -> int:
    """Return the fiscal year, by its name, that a day lies in."""
    begins_later = day < _anniversary(settings.start, day.year)
    return day.year - begins_later + _name_offset(settings)


def begin_of_year(settings: FiscalSettings, year: int) -> date:
    """Return the first day of a fiscal year given by its name."""
    return _anniversary(settings.start, year - _name_offset(settings))


def period_of(settings: FiscalSettings, day: date) -> int:
    """Return the period, from 1, that a day lies in."""
    year = year_of(settings, day)
    begins = (begin_of_period(settings, year, period) for period in range(1, periods_per_year(settings) + 1))
    return max(1, sum(begin <= day for begin in begins))


def begin_of_period(settings: FiscalSettings, year: int, period: int) -> date:
    """Return the first day of a period; periods before the first and after the last count on into other years."""
    count = periods_per_year(settings)
    years, offset = divmod(period - 1, count)
    first = begin_of_year(settings, year + years)
    if first in {EARLIEST, LATEST}:
        return first
    if settings.period_type is PeriodType.FOUR_WEEKS:
        return plus_days(first, _FOUR_WEEKS * offset)
    return plus_months(first, _MONTHS // count * offset)


def period_at(moment: str | date, start: str, period_type: int, zone: str) -> int:
    """Return the fiscal period of a stored date or date-time, as the databases ask for it.

    Args:
        moment: the value, or its ISO text.
        start: the first day of some fiscal year, as ISO text.
        period_type: a value of `PeriodType`.
        zone: the IANA name of the time zone whose date counts; a date has none.
    """
    settings = FiscalSettings(date.fromisoformat(start), PeriodType(period_type))
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment) if "T" in moment else date.fromisoformat(moment)
    return period_of(settings, moment.astimezone(zone_info(zone)).date() if isinstance(moment, datetime) else moment)


def _name_offset(settings: FiscalSettings) -> int:
    # A year that begins on 1 January ends in the year it begins in.
    return int(settings.named_by_end and (settings.start.month, settings.start.day) != (1, 1))


def _anniversary(start: date, year: int) -> date:
    if year < EARLIEST.year:
        return EARLIEST
    if year > LATEST.year:
        return LATEST
    return date(year, start.month, min(start.day, monthrange(year, start.month)[1]))
