"""Primitive values of bodies, from the form of OData v2 to that of the Web API.

Int64, Decimal and Double may come as text, date-times come as `/Date(milliseconds±minutes)/` or without a zone (OData
v2, "JSON Format", 4.), in Microsoft's own examples as `12/25/2022` (Learn: "Do not use the OData v2.0 endpoint"). What
is of another form goes on as it is, and is refused where the Web API's values are read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from entities.metadata.columns import (
    BigIntType,
    Column,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    MoneyType,
)
from odata_server.bind.coerce import is_date_only

_DATE: Final = re.compile(r"\\?/Date\((-?\d{1,16})(?:[+-]\d{1,5})?\)\\?/\Z", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.\d{1,12})?)?)?(Z|[+-]\d{2}:\d{2})?\Z", re.ASCII
)
_AMERICAN: Final = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([AP])M)?)?\Z", re.ASCII | re.IGNORECASE
)
_WHOLE: Final = re.compile(r"[+-]?\d{1,19}\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def primitive(value: object, column: Column) -> object:
    """Return a value as the Web API takes it for a column."""
    if not isinstance(value, str):
        return value
    match column.type:
        case DateTimeType():
            return _moment(value, column.type)
        case IntegerType() | BigIntType():
            return int(value) if _WHOLE.match(value) else value
        case DecimalType() | MoneyType() | DoubleType():
            return Decimal(value) if _NUMBER.match(value) else value
        case _:
            return value


def _moment(text: str, type_: DateTimeType) -> str:
    """Return a date-time in the Web API's form; the offset of `/Date(…)/` does not change the moment."""
    ticks = _DATE.match(text)
    if ticks is not None:
        try:
            moment = _EPOCH + timedelta(milliseconds=int(ticks[1]))
        except OverflowError:
            return text
        text = f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"
    found = _ISO.match(_iso(text))
    if found is None:
        return text
    day, minutes, seconds, zone = found.groups()
    return day if is_date_only(type_) else f"{day}T{minutes or '00:00'}:{seconds or '00'}{zone or 'Z'}"


def _iso(text: str) -> str:
    """Return an American date, with or without time, in the order of ISO 8601; any other text as it is."""
    found = _AMERICAN.match(text)
    if found is None:
        return text
    month, day, year, hour, minute, second, half = found.groups()
    hours = int(hour or 0)
    if half is not None:
        hours = hours % 12 + (12 if half in "pP" else 0)
    return f"{year}-{month:0>2}-{day:0>2}T{hours:02}:{minute or '00'}:{second or '00'}"
