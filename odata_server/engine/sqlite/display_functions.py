"""SQL functions for display texts in other formats than English in UTC, which statements write themselves.

Formats come as one parameter, JSON of the fields of `DateFormat` and `NumberFormat`. The row renderer calls the same
functions of `entities.display`.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import date, datetime
from functools import lru_cache

import apsw

from entities.display import DateFormat, NumberFormat, amount_text, day_text, moment_text, number_text

_KEPT = 256


def register(connection: apsw.Connection) -> None:
    """Make the functions known to a connection."""
    connection.create_scalar_function("moment_display", _moment_display, 3, deterministic=True)
    connection.create_scalar_function("day_display", _day_display, 3, deterministic=True)
    connection.create_scalar_function("number_display", _number_display, 2, deterministic=True)
    connection.create_scalar_function("amount_display", _amount_display, 3, deterministic=True)


def parameter(formats: DateFormat | NumberFormat) -> str:
    """Return formats as the functions take them."""
    return json.dumps(astuple(formats))


@lru_cache(maxsize=_KEPT)
def _dates(parameter_text: str) -> DateFormat:
    return DateFormat(*json.loads(parameter_text))


@lru_cache(maxsize=_KEPT)
def _numbers(parameter_text: str) -> NumberFormat:
    decimal, separator, groups, *codes = json.loads(parameter_text)
    return NumberFormat(decimal, separator, tuple(groups), *codes)


def _moment_display(*values: apsw.SQLiteValue) -> str | None:
    stored, zone, formats = values
    if stored is None:
        return None
    return moment_text(datetime.fromisoformat(str(stored)), str(zone), _dates(str(formats)))


def _day_display(*values: apsw.SQLiteValue) -> str | None:
    stored, zone, formats = values
    if stored is None:
        return None
    text = str(stored)
    day = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return day_text(day, str(zone), _dates(str(formats)))


def _number_display(*values: apsw.SQLiteValue) -> str | None:
    english, formats = values
    return None if english is None else number_text(str(english), _numbers(str(formats)))


def _amount_display(*values: apsw.SQLiteValue) -> str | None:
    english, symbol, formats = values
    return None if english is None else amount_text(str(english), str(symbol), _numbers(str(formats)))
