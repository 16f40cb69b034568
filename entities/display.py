"""How values look to a person: date-times in a time zone and a pattern, numbers and amounts with separators.

A user's settings decide (Learn: table UserSettings); their codes are those of Windows and .NET: patterns as in "Custom
date and time format strings", codes of negative numbers and amounts as in NumberFormatInfo (NumberNegativePattern,
CurrencyPositivePattern, CurrencyNegativePattern). Month and weekday names are English. The database's functions and
the row renderer call the same functions, so both write the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, TypeAlias

from entities.time_zones import zone_info
from entities.values import Guid

ENGLISH_LANGUAGE: Final = 1033
_KEPT: Final = 1_024


@dataclass(frozen=True, slots=True)
class DateFormat:
    """Patterns of dates and times; `/` and `:` in them stand for the separators."""

    date: str = "M/d/yyyy"
    time: str = "h:mm tt"
    date_separator: str = "/"
    time_separator: str = ":"
    morning: str = "AM"
    afternoon: str = "PM"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers are written.

    `groups` are the sizes of the groups of digits before the decimal symbol, the last one again and again; none is no
    groups. The other three are codes: of a negative number, of an amount and of a negative amount.
    """

    decimal: str = "."
    separator: str = ","
    groups: tuple[int, ...] = (3,)
    negative: int = 1
    amount: int = 0
    negative_amount: int = 1


@dataclass(frozen=True, slots=True)
class Currency:
    """A transaction currency: its symbol and the digits behind the decimal symbol."""

    symbol: str
    precision: int


@dataclass(frozen=True, slots=True)
class Currencies:
    """The currencies of an organization by id, and the one its base amounts are in."""

    by_id: tuple[tuple[Guid, Currency], ...] = ()
    base: Currency | None = None
    _found: Mapping[str, Currency] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_found", dict(self.by_id))

    def of(self, currency_id: str | None) -> Currency | None:
        """Return the currency of an amount: the record's, else the base currency."""
        return self._found.get(currency_id or "", self.base)


ENGLISH_DATES: Final = DateFormat()
ENGLISH_NUMBERS: Final = NumberFormat()
NO_CURRENCIES: Final = Currencies()


@dataclass(frozen=True, slots=True)
class Display:
    """How a user sees values: time zone (an IANA name), formats, the language of labels, and the currencies.

    It is hashed once, because plans and bound requests are kept by it.
    """

    time_zone: str = "UTC"
    dates: DateFormat = ENGLISH_DATES
    numbers: NumberFormat = ENGLISH_NUMBERS
    currencies: Currencies = NO_CURRENCIES
    language: int = ENGLISH_LANGUAGE
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = (self.time_zone, self.dates, self.numbers, self.currencies, self.language)
        object.__setattr__(self, "_hash", hash(own))

    def __hash__(self) -> int:
        return self._hash


ENGLISH: Final = Display()
"""English (United States), UTC and the currency of each column's own precision: what nobody has changed."""


def moment_text(moment: datetime, zone: str, dates: DateFormat) -> str:
    """Return a date-time as it is shown.

    Args:
        moment: an aware date-time.
        zone: the IANA name of the time zone it is shown in.
        dates: the patterns.
    """
    return _written(f"{dates.date} {dates.time}", dates, _local(moment, zone))


def day_text(day: date, zone: str, dates: DateFormat) -> str:
    """Return a date, or the date of a date-time in a time zone, as it is shown."""
    local = _local(day, zone) if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _written(dates.date, dates, local)


def _local(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(zone_info(zone))
    except OverflowError:
        # The first and the last day that there are: another zone's date cannot be said.
        return moment.astimezone(UTC)


def number_text(english: str, numbers: NumberFormat) -> str:
    """Return a number as it is shown.

    Args:
        english: the number as English writes it: `-1,234.50`; commas may be missing.
        numbers: how it is shown.
    """
    is_negative, digits = _digits(english, numbers)
    return _NEGATIVE_NUMBERS[numbers.negative].replace("n", digits) if is_negative else digits


def amount_text(english: str, symbol: str, numbers: NumberFormat) -> str:
    """Return an amount as it is shown.

    Args:
        english: the number as English writes it: `-1,234.50`; commas may be missing.
        symbol: the currency's.
        numbers: how it is shown.
    """
    is_negative, digits = _digits(english, numbers)
    pattern = _NEGATIVE_AMOUNTS[numbers.negative_amount] if is_negative else _AMOUNTS[numbers.amount]
    # One pass, because a symbol may hold an n or a $.
    return "".join({"$": symbol, "n": digits}.get(character, character) for character in pattern)


_NEGATIVE_NUMBERS: Final = ("(n)", "-n", "- n", "n-", "n -")
_AMOUNTS: Final = ("$n", "n$", "$ n", "n $")
_NEGATIVE_AMOUNTS: Final = (
    *("($n)", "-$n", "$-n", "$n-", "(n$)", "-n$", "n-$", "n$-"),
    *("-n $", "-$ n", "n $-", "$ n-", "$ -n", "n- $", "($ n)", "(n $)"),
)


def _digits(english: str, numbers: NumberFormat) -> tuple[bool, str]:
    """Return whether a number is negative, and its digits with the separators."""
    whole, _, fraction = english.removeprefix("-").replace(",", "").partition(".")
    shown = _grouped(whole, numbers)
    return english.startswith("-"), f"{shown}{numbers.decimal}{fraction}" if fraction else shown


def _grouped(whole: str, numbers: NumberFormat) -> str:
    pieces: list[str] = []
    sizes = list(numbers.groups)
    while sizes and len(whole) > sizes[0]:
        whole, piece = whole[: -sizes[0]], whole[-sizes[0] :]
        pieces.append(piece)
        if len(sizes) > 1:
            del sizes[0]
    return numbers.separator.join((whole, *reversed(pieces)))


def group_sizes(text: str) -> tuple[int, ...]:
    """Return the sizes in a numbergroupformat: `3` and `3,2` as Windows writes them; `0` is no groups."""
    return tuple(int(size) for size in re.findall(r"[1-9]", text))


_Piece: TypeAlias = Callable[[datetime, DateFormat], str]
_TOKEN: Final = re.compile(r"d+|M+|y+|h+|H+|m+|s+|t+|f+|/|:|'([^']*)'|\"([^\"]*)\"|\\(.)|.", re.DOTALL)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHORT: Final = 3
_NOON: Final = 12


def _half(moment: datetime, dates: DateFormat) -> str:
    return dates.morning if moment.hour < _NOON else dates.afternoon


_PIECES: Final[Mapping[str, _Piece]] = {
    "d": lambda at, _: str(at.day),
    "dd": lambda at, _: f"{at.day:02}",
    "ddd": lambda at, _: _DAYS[at.weekday()][:_SHORT],
    "dddd": lambda at, _: _DAYS[at.weekday()],
    "M": lambda at, _: str(at.month),
    "MM": lambda at, _: f"{at.month:02}",
    "MMM": lambda at, _: _MONTHS[at.month - 1][:_SHORT],
    "MMMM": lambda at, _: _MONTHS[at.month - 1],
    "y": lambda at, _: str(at.year % 100),
    "yy": lambda at, _: f"{at.year % 100:02}",
    "yyy": lambda at, _: f"{at.year:03}",
    "yyyy": lambda at, _: f"{at.year:04}",
    "h": lambda at, _: str((at.hour - 1) % _NOON + 1),
    "hh": lambda at, _: f"{(at.hour - 1) % _NOON + 1:02}",
    "H": lambda at, _: str(at.hour),
    "HH": lambda at, _: f"{at.hour:02}",
    "m": lambda at, _: str(at.minute),
    "mm": lambda at, _: f"{at.minute:02}",
    "s": lambda at, _: str(at.second),
    "ss": lambda at, _: f"{at.second:02}",
    "t": lambda at, dates: _half(at, dates)[:1],
    "tt": _half,
    "/": lambda _, dates: dates.date_separator,
    ":": lambda _, dates: dates.time_separator,
}
_LONGEST: Final[Mapping[str, int]] = {"d": 4, "M": 4, "y": 4, "h": 2, "H": 2, "m": 2, "s": 2, "t": 2}


def _written(pattern: str, dates: DateFormat, moment: datetime) -> str:
    return "".join([piece if isinstance(piece, str) else piece(moment, dates) for piece in _pieces(pattern)])


@lru_cache(maxsize=_KEPT)
def _pieces(pattern: str) -> tuple[_Piece | str, ...]:
    """Return what a pattern consists of: texts that stand for themselves, and parts of a date-time."""
    return tuple(_piece(found) for found in _TOKEN.finditer(pattern))


def _piece(found: re.Match[str]) -> _Piece | str:
    """Return a token's meaning; a longer run of a letter means what the longest known one does."""
    token = found[0]
    literal = next((text for text in found.groups() if text is not None), None)
    if literal is not None:
        return literal
    if token[0] == "f":
        # Values have whole seconds.
        return "0" * len(token)
    return _PIECES.get(token[: _LONGEST.get(token[0], 1)], token)
