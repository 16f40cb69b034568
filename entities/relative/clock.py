"""The caller's clock and calendar: local days, weeks, months and years, never beyond what Dataverse can store."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from entities.relative.settings import CallerSettings
from entities.time_zones import zone_info

EARLIEST: Final = date(1753, 1, 1)
LATEST: Final = date(9999, 12, 30)
_WEEK: Final = 7
_MONTHS: Final = 12


def clamped(day: date) -> date:
    """Return the nearest day that a column can hold (Learn: "DateTime column", minimum and maximum)."""
    return min(max(day, EARLIEST), LATEST)


def plus_days(day: date, count: int) -> date:
    """Return the day so many days later, or earlier when `count` is negative."""
    ordinal = min(max(day.toordinal() + count, EARLIEST.toordinal()), LATEST.toordinal())
    return date.fromordinal(ordinal)


def plus_months(day: date, count: int) -> date:
    """Return the same day so many months later; the last day of the month where there is no such day."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + count, _MONTHS)
    if year < EARLIEST.year:
        return EARLIEST
    if year > LATEST.year:
        return LATEST
    return clamped(date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])))


@dataclass(frozen=True, slots=True)
class Clock:
    """The time in the caller's zone; `now` has whole seconds, as every stored value has."""

    now: datetime
    week_start: int

    @property
    def today(self) -> date:
        """The caller's date."""
        return self.now.date()

    def begin(self, day: date) -> datetime:
        """Return the instant at which a day begins here; where clocks skip midnight, the first that exists."""
        return datetime.combine(day, time(), self.now.tzinfo)

    def week(self) -> date:
        """Return the first day of this week."""
        # Python counts from Monday, Dataverse from Sunday.
        return plus_days(self.today, -((self.today.weekday() + 1 - self.week_start) % _WEEK))

    def month(self) -> date:
        """Return the first day of this month."""
        return self.today.replace(day=1)

    def year(self) -> date:
        """Return the first day of this year."""
        return self.today.replace(month=1, day=1)

    def hour(self) -> datetime:
        """Return the instant at which this hour began."""
        return self.now.replace(minute=0, second=0)

    def later(self, moment: datetime, span: timedelta, count: int) -> datetime:
        """Return the instant `count` times a span of real time later, whatever the clocks do meanwhile."""
        # In years of 366 days, which no column outlasts: a huge number must not overflow.
        limit = timedelta(days=366 * (LATEST.year - EARLIEST.year)) // span
        try:
            found = moment.astimezone(UTC) + min(max(count, -limit), limit) * span
        except OverflowError:
            return self.begin(LATEST if count > 0 else EARLIEST)
        earliest, latest = (self.begin(day).astimezone(UTC) for day in (EARLIEST, LATEST))
        return min(max(found, earliest), latest).astimezone(self.now.tzinfo)


def clock_of(settings: CallerSettings) -> Clock:
    """Return the caller's clock.

    Raises:
        ZoneInfoNotFoundError: there is no such time zone.
    """
    return Clock(settings.now.replace(microsecond=0).astimezone(zone_info(settings.time_zone)), settings.week_start)
