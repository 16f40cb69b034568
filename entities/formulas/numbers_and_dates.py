"""The arithmetic of formulas: doubles that are rounded once, and dates as the texts that are stored.

SQLite calls these functions, evaluation in memory does so too; PostgreSQL has functions of the same names.
"""

from __future__ import annotations

import math
from calendar import monthrange
from datetime import UTC, datetime, timedelta

_EARLIEST, _LATEST = 1753, 9999
_LIMITS = {"YEARS": 8_300, "MONTHS": 99_600, "WEEKS": 433_000, "DAYS": 3_031_000, "HOURS": 72_744_000}
"""More than a date can be moved by; PostgreSQL's functions have the same figures."""

_HOUR = 3_600
_MINUTE = 60
_DAY = 86_400
_DAY_LENGTH = len("2024-01-31")


def scaled_number(value: float, digits: int, limit: float) -> int | None:
    """Return a number times a power of ten as a whole number, halves away from zero; None beyond a limit."""
    scaled = value * float(10**digits)
    if abs(scaled) > limit:
        return None
    return int(scaled + math.copysign(0.5, scaled))


def date_plus(text: str, amount: float, unit: str) -> str | None:
    """Return a date or date-time moved by a whole number of units; None where no column could hold it.

    A month that is too short ends on its last day (Learn: "Define calculated columns", ADDMONTHS).

    Args:
        text: the stored text.
        amount: how many; what stands behind the point does not count.
        unit: one of `UNITS` but minutes.
    """
    number = math.trunc(amount)
    if abs(number) > _LIMITS[unit]:
        return None
    moment = _moment(text)
    match unit:
        case "YEARS" | "MONTHS":
            moved = _by_months(moment, number * (12 if unit == "YEARS" else 1))
        case _:
            seconds = {"WEEKS": 7 * _DAY, "DAYS": _DAY, "HOURS": _HOUR}[unit] * number
            moved = _by_seconds(moment, seconds)
    if moved is None or not _EARLIEST <= moved.year <= _LATEST:
        return None
    return moved.date().isoformat() if len(text) == _DAY_LENGTH else f"{moved.isoformat()}Z"


def date_between(first: str, second: str, unit: str) -> float:
    """Return how many units begin behind one date and up to another one; none within the same unit.

    Args:
        first: the stored text of the earlier date, as a rule.
        second: that of the later one.
        unit: one of `UNITS`; weeks begin on Sunday.
    """
    return float(_index(_moment(second), unit) - _index(_moment(first), unit))


def now_text() -> str:
    """Return the present moment as it is stored."""
    return f"{datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))


def _by_seconds(moment: datetime, seconds: int) -> datetime | None:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _by_months(moment: datetime, months: int) -> datetime | None:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not _EARLIEST <= year <= _LATEST:
        return None
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _index(moment: datetime, unit: str) -> int:
    """Return the number of a moment's unit, counted from some day on."""
    days = moment.toordinal()
    match unit:
        case "YEARS":
            return moment.year
        case "MONTHS":
            return moment.year * 12 + moment.month
        case "WEEKS":
            # The first day of the calendar is a Monday; day 0 is the Sunday before.
            return days // 7
        case "DAYS":
            return days
        case "HOURS":
            return days * 24 + moment.hour
        case _:
            return (days * 24 + moment.hour) * _MINUTE + moment.minute
