"""SQL functions for grouped queries: numbers beyond 64 bits, and dates in a time zone or fiscal calendar.

An aggregated exact number is a text of fixed width, its scaled integer plus an offset, so that texts sort as the
numbers do. SQLite calls these functions once per group, `local_day` and `fiscal_group` once per record.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Context, Decimal
from functools import lru_cache

import apsw

from entities.grouping import date_part, fiscal_text, local_date
from entities.query import DateGrouping, GroupCalendar

_WIDTH = 45
_OFFSET = 10**44
_DAYS = 8_192
_EXACT = Context(prec=_WIDTH)


def register(connection: apsw.Connection) -> None:
    """Make the functions known to a connection."""
    connection.create_scalar_function("exact_number", _exact_number, 5, deterministic=True)
    connection.create_scalar_function("exact_text", _exact_text, 2, deterministic=True)
    connection.create_scalar_function("exact_display", _exact_display, 4, deterministic=True)
    connection.create_scalar_function("local_day", _local_day, 2, deterministic=True)
    connection.create_scalar_function("fiscal_group", _fiscal_group, 5, deterministic=True)
    connection.create_scalar_function("fiscal_text", _fiscal_text, 5, deterministic=True)


def decoded(stored: str, digits: int) -> Decimal:
    """Return the number that a stored text stands for."""
    return Decimal(int(stored) - _OFFSET).scaleb(-digits, _EXACT)


def _encoded(number: int) -> str:
    return f"{number + _OFFSET:0{_WIDTH}d}"


def _exact_number(*values: apsw.SQLiteValue) -> str | None:
    """Return (high * 2^32 + low) * 10^shift / count, rounded half up, or cut off where it must be whole."""
    high, low, count, shift, is_whole = values
    if high is None or low is None or not count:
        return None
    assert isinstance(high, int)
    assert isinstance(low, int)
    assert isinstance(count, int)
    assert isinstance(shift, int)
    total = ((high << 32) + low) * 10**shift
    size = abs(total)
    whole = size // count if is_whole else (2 * size + count) // (2 * count)
    return _encoded(-whole if total < 0 else whole)


def _exact_text(*values: apsw.SQLiteValue) -> str | None:
    """Return the number in digits, as JSON takes it."""
    stored, digits = values
    return None if stored is None else format(decoded(str(stored), int(str(digits))), "f")


def _exact_display(*values: apsw.SQLiteValue) -> str | None:
    """Return the number as people read it: rounded half up, in groups of three digits, a symbol before it."""
    stored, digits, shown, symbol = values
    if stored is None:
        return None
    number = int(str(stored)) - _OFFSET
    step = 10 ** (int(str(digits)) - int(str(shown)))
    size = (2 * abs(number) + step) // (2 * step)
    unit = 10 ** int(str(shown))
    # What rounds to nothing is not below it.
    sign = "-" if number < 0 and size else ""
    fraction = f".{size % unit:0{int(str(shown))}d}" if unit > 1 else ""
    return f"{sign}{symbol}{size // unit:,}{fraction}"


def _local_day(*values: apsw.SQLiteValue) -> str | None:
    moment, zone = values
    if moment is None:
        return None
    return local_date(datetime.fromisoformat(str(moment)), str(zone)).isoformat()


def _fiscal_group(*values: apsw.SQLiteValue) -> int | None:
    grouping, moment, *calendar = values
    if moment is None:
        return None
    return _fiscal_number(str(grouping), str(moment)[:10], *map(str, calendar))


@lru_cache(maxsize=_DAYS)
def _fiscal_number(grouping: str, day: str, start: str, period_type: str, named_by_end: str) -> int:
    """Return the fiscal group of a day; many records share one."""
    calendar = _calendar([start, int(period_type), int(named_by_end)])
    return date_part(DateGrouping(grouping), date.fromisoformat(day), calendar)


def _fiscal_text(*values: apsw.SQLiteValue) -> str | None:
    grouping, number, *calendar = values
    return None if number is None else fiscal_text(DateGrouping(grouping), int(str(number)), _calendar(calendar))


def _calendar(values: list[apsw.SQLiteValue]) -> GroupCalendar:
    start, period_type, named_by_end = values
    return GroupCalendar("UTC", date.fromisoformat(str(start)), int(str(period_type)), bool(named_by_end))
