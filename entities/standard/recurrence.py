"""Jobs that run again and again: their pattern, and when the next run is due (Learn: "Delete data in bulk").

pattern  = member *(";" member) [";"]
member   = "FREQ=DAILY" / "INTERVAL=" days
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from entities.errors import InvalidArgument

_FREQUENCIES: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_LONGEST_INTERVAL: Final = 365


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How a job recurs: every `days` days from `start` on; `pattern` is what the caller wrote."""

    pattern: str
    days: int
    start: datetime

    def following(self, now: datetime) -> datetime:
        """Return when the next run behind a moment is due; runs that nobody was there for are left out."""
        step = timedelta(self.days)
        passed = max((now - self.start) // step + 1, 1)
        return self.start + step * passed


def recurrence(pattern: str, start: datetime) -> Recurrence | None:
    """Return what a RecurrencePattern says, None where it is empty: the job runs once.

    Raises:
        InvalidArgument: it has another form (0x80040246), another frequency than daily (0x8004d2a0), or an interval
            that is not between 1 and 365 (0x8004d2a1).
    """
    if not pattern.strip():
        return None
    members: dict[str, str] = {}
    for member in pattern.removesuffix(";").split(";"):
        name, equals, value = (part.strip() for part in member.partition("="))
        if not equals or name in members or name not in {"FREQ", "INTERVAL"}:
            raise _malformed()
        members[name] = value
    if members.get("FREQ") not in _FREQUENCIES:
        raise _malformed()
    if members["FREQ"] != "DAILY":
        raise InvalidArgument(
            "Bulk Delete and Duplicate Detection recurrence must be specified as daily.", code="0x8004d2a0"
        )
    return Recurrence(pattern, _days(members.get("INTERVAL", "1")), start)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LONGEST_INTERVAL))):
        raise _wrong_interval()
    if not 1 <= int(text) <= _LONGEST_INTERVAL:
        raise _wrong_interval()
    return int(text)


def _malformed() -> InvalidArgument:
    return InvalidArgument("Error in RecurrencePatternFactory.", code="0x80040246")


def _wrong_interval() -> InvalidArgument:
    return InvalidArgument(
        "To set recurrence, you must specify an interval that is between 1 and 365.", code="0x8004d2a1"
    )
