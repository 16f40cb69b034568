"""One JSON value or URL literal as the value of a column.

The types are those of the EDM (Learn: "Web API types and operations", the type map); a value of another JSON type is
refused in Microsoft.OData's words, lengths and ranges are the engine's business.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Final, NoReturn

from entities.errors import InvalidPayload
from entities.metadata.columns import (
    Column,
    DateTimeBehavior,
    DateTimeType,
    DoubleType,
    ManagedPropertyType,
    MemoType,
    MultiChoiceType,
    StringType,
)
from entities.values import ChoiceSet, Guid, Value, guid
from odata_server.edm.naming import WEB_API_ALIAS, edm_type

INT32: Final = 2**31
INT64: Final = 2**63
_MOST_DIGITS: Final = 29
"""Edm.Decimal in Microsoft.OData is System.Decimal: 28 to 29 significant digits."""

_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2})(?::(\d{2})(?:\.\d{1,12})?)?([Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_OPTIONS: Final = re.compile(r"-?\d{1,10}(?:,\s?-?\d{1,10})*\Z", re.ASCII)


class NoValue(InvalidPayload):
    """A JSON value is none of the column that it is meant for; whoever reads the body says where it stands."""


def coerce(json_value: object, column: Column) -> Value:
    """Return the value of a column for a decoded JSON value.

    Args:
        json_value: None, bool, int, Decimal, str, or a JSON object or array.
        column: the column it is meant for.

    Raises:
        NoValue: the JSON value has another type than the column.
    """
    return None if json_value is None else _READERS[edm_type(column.type)](json_value, column)


def reader(column: Column) -> Callable[[object], Value]:
    """Return what reads JSON values of a column, as `coerce` does: for those who read many."""
    read = _READERS[edm_type(column.type)]
    if isinstance(column.type, StringType | MemoType):
        return lambda json_value: (
            json_value if json_value is None or type(json_value) is str else _text(json_value, column)
        )
    return lambda json_value: None if json_value is None else read(json_value, column)


def is_date_only(type_: DateTimeType) -> bool:
    """Return whether the wire shows a date without time."""
    return type_.behavior is DateTimeBehavior.DATE_ONLY


def moment(text: str) -> datetime | None:
    """Return the date-time that an Edm.DateTimeOffset text stands for, in UTC and whole seconds; None if it is none."""
    found = _MOMENT.match(text)
    if found is None:
        return None
    day, minutes, seconds, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{minutes}:{seconds or '00'}{zone.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    """Return the date that an Edm.Date text stands for, None if it is none."""
    if _DATE.match(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _text(json_value: object, column: Column) -> Value:
    if isinstance(column.type, MultiChoiceType):
        return _choices(json_value, column)
    return json_value if isinstance(json_value, str) else _refuse(json_value, column)


def _boolean(json_value: object, column: Column) -> bool:
    if isinstance(json_value, dict) and isinstance(column.type, ManagedPropertyType):
        json_value = json_value.get("Value")
    return json_value if isinstance(json_value, bool) else _refuse(json_value, column)


def _int32(json_value: object, column: Column) -> int:
    return _whole(json_value, column, INT32)


def _int64(json_value: object, column: Column) -> int:
    return _whole(json_value, column, INT64)


def _refuse(json_value: object, column: Column) -> NoReturn:
    raise NoValue(f"Cannot convert the literal '{_shown(json_value)}' to the expected type '{edm_type(column.type)}'.")


def _shown(json_value: object) -> str:
    match json_value:
        case bool():
            return "true" if json_value else "false"
        case dict():
            return "{…}"
        case list():
            return "[…]"
        case _:
            return str(json_value)[:200]


def _whole(json_value: object, column: Column, limit: int) -> int:
    if isinstance(json_value, bool) or not isinstance(json_value, int) or not -limit <= json_value < limit:
        _refuse(json_value, column)
    return json_value


def _number(json_value: object, column: Column) -> Decimal | float:
    if isinstance(json_value, bool) or not isinstance(json_value, int | Decimal):
        _refuse(json_value, column)
    if isinstance(column.type, DoubleType):
        try:
            number = float(json_value)
        except OverflowError:
            _refuse(json_value, column)
        return number if isfinite(number) else _refuse(json_value, column)
    exact = Decimal(json_value)
    if exact and not -_MOST_DIGITS <= exact.adjusted() < _MOST_DIGITS:
        _refuse(json_value, column)
    return exact


def _guid(json_value: object, column: Column) -> Guid:
    found = guid(json_value) if isinstance(json_value, str) else None
    return found or _refuse(json_value, column)


def _moment(json_value: object, column: Column) -> datetime:
    found = moment(json_value) if isinstance(json_value, str) else None
    return found or _refuse(json_value, column)


def _date(json_value: object, column: Column) -> date:
    found = day(json_value) if isinstance(json_value, str) else None
    return found or _refuse(json_value, column)


def _choices(json_value: object, column: Column) -> ChoiceSet | None:
    if json_value == "":
        return None
    if not isinstance(json_value, str) or _OPTIONS.match(json_value) is None:
        _refuse(json_value, column)
    return ChoiceSet(tuple(sorted({int(part) for part in json_value.split(",")})))


def _image(json_value: object, column: Column) -> bytes:
    if not isinstance(json_value, str):
        _refuse(json_value, column)
    try:
        return b64decode(json_value, validate=True)
    except (Base64Error, ValueError):
        _refuse(json_value, column)


_READERS: Final[Mapping[str, Callable[[object, Column], Value]]] = {
    "Edm.String": _text,
    "Edm.Int32": _int32,
    "Edm.Int64": _int64,
    "Edm.Decimal": _number,
    "Edm.Double": _number,
    "Edm.Boolean": _boolean,
    f"{WEB_API_ALIAS}.BooleanManagedProperty": _boolean,
    "Edm.Guid": _guid,
    "Edm.DateTimeOffset": _moment,
    "Edm.Date": _date,
    "Edm.Binary": _image,
}
