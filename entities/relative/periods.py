"""What each relative date operator means: a half-open range of the caller's local time.

Bounds are those of Dataverse's own database functions: `last-x` begins at midnight (the full hour, the fiscal period)
x units ago and ends now; `next-x` begins now and ends after x whole units that follow the current one; `olderthan-x`
ends where `last-x` would begin, minutes and hours by the second (Learn: "Condition operators").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from entities.errors import InvalidArgument
from entities.query import ConditionOperator
from entities.relative.clock import Clock, plus_days, plus_months
from entities.relative.fiscal import begin_of_period, begin_of_year, period_of, periods_per_year, year_of
from entities.relative.settings import FiscalSettings

_SECOND: Final = timedelta(seconds=1)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_WEEK: Final = 7
_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin`, which belongs to it, to `end`, which does not; None is open."""

    begin: datetime | None
    end: datetime | None


_Fixed: TypeAlias = Callable[[Clock], tuple[date, date]]
_Step: TypeAlias = Callable[[date, int], date]


def _weeks(day: date, count: int) -> date:
    return plus_days(day, _WEEK * count)


def _years(day: date, count: int) -> date:
    return plus_months(day, _YEAR * count)


def _spans(first: Callable[[Clock], date], step: _Step, offset: int) -> _Fixed:
    """Return the calendar unit that lies `offset` units after the current one."""
    return lambda clock: (step(first(clock), offset), step(first(clock), offset + 1))


def _today(clock: Clock) -> date:
    return clock.today


_FIXED: Final[Mapping[ConditionOperator, _Fixed]] = {
    ConditionOperator.YESTERDAY: _spans(_today, plus_days, -1),
    ConditionOperator.TODAY: _spans(_today, plus_days, 0),
    ConditionOperator.TOMORROW: _spans(_today, plus_days, 1),
    ConditionOperator.LAST_WEEK: _spans(Clock.week, _weeks, -1),
    ConditionOperator.THIS_WEEK: _spans(Clock.week, _weeks, 0),
    ConditionOperator.NEXT_WEEK: _spans(Clock.week, _weeks, 1),
    ConditionOperator.LAST_MONTH: _spans(Clock.month, plus_months, -1),
    ConditionOperator.THIS_MONTH: _spans(Clock.month, plus_months, 0),
    ConditionOperator.NEXT_MONTH: _spans(Clock.month, plus_months, 1),
    ConditionOperator.LAST_YEAR: _spans(Clock.year, _years, -1),
    ConditionOperator.THIS_YEAR: _spans(Clock.year, _years, 0),
    ConditionOperator.NEXT_YEAR: _spans(Clock.year, _years, 1),
}

_Counted: TypeAlias = Callable[[Clock, int], Period]


def _through_now(clock: Clock) -> datetime:
    # Values have whole seconds: up to and including now is before the next second.
    return clock.later(clock.now, _SECOND, 1)


def _last(step: _Step, clock: Clock, count: int) -> Period:
    return Period(clock.begin(step(clock.today, -count)), _through_now(clock))


def _next(step: _Step, clock: Clock, count: int) -> Period:
    return Period(clock.now, clock.begin(plus_days(step(clock.today, count), 1)))


def _older(step: _Step, clock: Clock, count: int) -> Period:
    return Period(None, clock.begin(step(clock.today, -count)))


def _older_by_the_clock(span: timedelta, clock: Clock, count: int) -> Period:
    return Period(None, clock.later(clock.now, span, -count))


def _last_hours(clock: Clock, count: int) -> Period:
    return Period(clock.later(clock.hour(), _HOUR, -count), _through_now(clock))


def _next_hours(clock: Clock, count: int) -> Period:
    return Period(clock.now, clock.later(clock.hour(), _HOUR, count + 1))


_COUNTED: Final[Mapping[ConditionOperator, _Counted]] = {
    ConditionOperator.LAST_X_HOURS: _last_hours,
    ConditionOperator.LAST_X_DAYS: partial(_last, plus_days),
    ConditionOperator.LAST_X_WEEKS: partial(_last, _weeks),
    ConditionOperator.LAST_X_MONTHS: partial(_last, plus_months),
    ConditionOperator.LAST_X_YEARS: partial(_last, _years),
    ConditionOperator.NEXT_X_HOURS: _next_hours,
    ConditionOperator.NEXT_X_DAYS: partial(_next, plus_days),
    ConditionOperator.NEXT_X_WEEKS: partial(_next, _weeks),
    ConditionOperator.NEXT_X_MONTHS: partial(_next, plus_months),
    ConditionOperator.NEXT_X_YEARS: partial(_next, _years),
    ConditionOperator.OLDER_THAN_X_MINUTES: partial(_older_by_the_clock, _MINUTE),
    ConditionOperator.OLDER_THAN_X_HOURS: partial(_older_by_the_clock, _HOUR),
    ConditionOperator.OLDER_THAN_X_DAYS: partial(_older, plus_days),
    ConditionOperator.OLDER_THAN_X_WEEKS: partial(_older, _weeks),
    ConditionOperator.OLDER_THAN_X_MONTHS: partial(_older, plus_months),
    ConditionOperator.OLDER_THAN_X_YEARS: partial(_older, _years),
}


@dataclass(frozen=True, slots=True)
class _Fiscal:
    """The caller's clock and the organization's fiscal calendar."""

    clock: Clock
    settings: FiscalSettings

    def year(self, offset: int) -> datetime:
        """Return the beginning of the fiscal year that lies `offset` years after the current one."""
        return self.named(year_of(self.settings, self.clock.today) + offset)

    def named(self, year: int) -> datetime:
        """Return the beginning of a fiscal year."""
        return self.clock.begin(begin_of_year(self.settings, year))

    def period(self, offset: int) -> datetime:
        """Return the beginning of the fiscal period that lies `offset` periods after the current one."""
        today = self.clock.today
        return self.numbered(year_of(self.settings, today), period_of(self.settings, today) + offset)

    def numbered(self, year: int, period: int) -> datetime:
        """Return the beginning of a fiscal period."""
        return self.clock.begin(begin_of_period(self.settings, year, period))

    def through_now(self) -> datetime:
        """Return the end of a range that includes this second."""
        return _through_now(self.clock)


_FISCAL: Final[Mapping[ConditionOperator, Callable[[_Fiscal, tuple[int, ...]], Period]]] = {
    ConditionOperator.LAST_FISCAL_YEAR: lambda at, _: Period(at.year(-1), at.year(0)),
    ConditionOperator.THIS_FISCAL_YEAR: lambda at, _: Period(at.year(0), at.year(1)),
    ConditionOperator.NEXT_FISCAL_YEAR: lambda at, _: Period(at.year(1), at.year(2)),
    ConditionOperator.LAST_FISCAL_PERIOD: lambda at, _: Period(at.period(-1), at.period(0)),
    ConditionOperator.THIS_FISCAL_PERIOD: lambda at, _: Period(at.period(0), at.period(1)),
    ConditionOperator.NEXT_FISCAL_PERIOD: lambda at, _: Period(at.period(1), at.period(2)),
    ConditionOperator.LAST_X_FISCAL_YEARS: lambda at, x: Period(at.year(-x[0]), at.through_now()),
    ConditionOperator.NEXT_X_FISCAL_YEARS: lambda at, x: Period(at.clock.now, at.year(x[0] + 1)),
    ConditionOperator.LAST_X_FISCAL_PERIODS: lambda at, x: Period(at.period(-x[0]), at.through_now()),
    ConditionOperator.NEXT_X_FISCAL_PERIODS: lambda at, x: Period(at.clock.now, at.period(x[0] + 1)),
    ConditionOperator.IN_FISCAL_YEAR: lambda at, x: Period(at.named(x[0]), at.named(x[0] + 1)),
    ConditionOperator.IN_FISCAL_PERIOD_AND_YEAR: lambda at, x: Period(
        at.numbered(x[1], x[0]), at.numbered(x[1], x[0] + 1)
    ),
    ConditionOperator.IN_OR_BEFORE_FISCAL_PERIOD_AND_YEAR: lambda at, x: Period(None, at.numbered(x[1], x[0] + 1)),
    ConditionOperator.IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR: lambda at, x: Period(at.numbered(x[1], x[0]), None),
}
_WITH_PERIOD: Final = frozenset(
    {
        ConditionOperator.IN_FISCAL_PERIOD_AND_YEAR,
        ConditionOperator.IN_OR_BEFORE_FISCAL_PERIOD_AND_YEAR,
        ConditionOperator.IN_OR_AFTER_FISCAL_PERIOD_AND_YEAR,
    }
)
_ON: Final = frozenset({ConditionOperator.ON, ConditionOperator.ON_OR_BEFORE, ConditionOperator.ON_OR_AFTER})

COUNTED: Final = frozenset({*_COUNTED, *(operator for operator in _FISCAL if "-x-" in operator.value)})
"""Date operators that take a number of units, which must be greater than zero."""

_SEVEN_DAYS: Final = frozenset({ConditionOperator.LAST_SEVEN_DAYS, ConditionOperator.NEXT_SEVEN_DAYS})

DATE_OPERATORS: Final = frozenset(
    {*_FIXED, *_SEVEN_DAYS, *_COUNTED, *_FISCAL, *_ON, ConditionOperator.IN_FISCAL_PERIOD}
)
"""Operators that ask when something was."""

_WITH_NUMBER: Final = COUNTED | {ConditionOperator.IN_FISCAL_YEAR, ConditionOperator.IN_FISCAL_PERIOD}


def operands(operator: ConditionOperator) -> int:
    """Return how many values a date operator takes."""
    if operator in _WITH_PERIOD:
        return 2
    return int(operator in _WITH_NUMBER or operator in _ON)


def period(operator: ConditionOperator, values: tuple[int, ...], clock: Clock, fiscal: FiscalSettings) -> Period:
    """Return the range that an operator with its numbers means; for `on` and its kin, see `days`.

    Raises:
        InvalidArgument: there is no such fiscal period (0x80044814).
    """
    if operator in _FIXED:
        first, last = _FIXED[operator](clock)
        return Period(clock.begin(first), clock.begin(last))
    if operator in _COUNTED:
        return _COUNTED[operator](clock, values[0])
    if operator is ConditionOperator.LAST_SEVEN_DAYS:
        return _last(plus_days, clock, _WEEK)
    if operator is ConditionOperator.NEXT_SEVEN_DAYS:
        return _next(plus_days, clock, _WEEK)
    if operator in _WITH_PERIOD:
        check_period(values[0], fiscal)
    return _FISCAL[operator](_Fiscal(clock, fiscal), values)


def days(operator: ConditionOperator, day: date, clock: Clock) -> Period:
    """Return the range of `on`, `on-or-before` and `on-or-after` a day."""
    begin, end = clock.begin(day), clock.begin(plus_days(day, 1))
    match operator:
        case ConditionOperator.ON:
            return Period(begin, end)
        case ConditionOperator.ON_OR_BEFORE:
            return Period(None, end)
        case _:
            return Period(begin, None)


def check_period(number: int, fiscal: FiscalSettings) -> None:
    """Check that fiscal years have a period of this number.

    Raises:
        InvalidArgument: they have not (0x80044814).
    """
    if not 1 <= number <= periods_per_year(fiscal):
        raise InvalidArgument(
            f"The fiscal period {number} does not fall in the permitted range of fiscal periods as per organization's"
            " fiscal settings.",
            code="0x80044814",
        )
