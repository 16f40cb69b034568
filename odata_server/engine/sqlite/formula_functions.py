"""The functions of calculated columns in SQLite: Python's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entities.formulas.numbers_and_dates import date_between, date_plus, now_text, scaled_number
from entities.text import fold

if TYPE_CHECKING:
    import apsw


def register(connection: apsw.Connection) -> None:
    """Give a connection the functions that compiled formulas call."""
    connection.create_scalar_function("folded_text", _folded_text, 1, deterministic=True)
    connection.create_scalar_function("scaled_number", _scaled_number, 3, deterministic=True)
    connection.create_scalar_function("date_plus", _date_plus, 3, deterministic=True)
    connection.create_scalar_function("date_between", _date_between, 3, deterministic=True)
    connection.create_scalar_function("now_text", _now_text, 0)


def _now_text(*_: apsw.SQLiteValue) -> str:
    return now_text()


def _folded_text(*values: apsw.SQLiteValue) -> str | None:
    (text,) = values
    return None if text is None else fold(str(text))


def _scaled_number(*values: apsw.SQLiteValue) -> int | None:
    value, digits, limit = values
    if value is None:
        return None
    return scaled_number(float(value), int(str(digits)), float(str(limit)))


def _date_plus(*values: apsw.SQLiteValue) -> str | None:
    text, amount, unit = values
    if text is None or amount is None:
        return None
    return date_plus(str(text), float(amount), str(unit))


def _date_between(*values: apsw.SQLiteValue) -> float | None:
    first, second, unit = values
    if first is None or second is None:
        return None
    return date_between(str(first), str(second), str(unit))
