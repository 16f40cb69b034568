"""Values of the Organization Data Service as JSON and as text of XML.

Verbose JSON writes a date-time as `/Date(milliseconds)/`, and Int64 and Decimal as text (OData v2, "JSON Format", 4.);
Atom writes all of them as XML Schema does.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from odata_server.render.v2.entries import Primitive

_DATE_TIME: Final = "Edm.DateTime"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 10


def json_value(type_: str, value: Primitive) -> Primitive:
    """Return what stands for a value in JSON."""
    if type_ == _DATE_TIME and isinstance(value, str):
        passed = _moment(value) - _EPOCH
        return f"/Date({(passed.days * 86_400 + passed.seconds) * 1_000})/"
    return value


def xml_value(type_: str, value: Primitive) -> str | None:
    """Return a value as text of an element, None for null."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str() if type_ == _DATE_TIME:
            return f"{value}T00:00:00Z" if len(value) == _DAY else value
        case _:
            return str(value)


def _moment(text: str) -> datetime:
    """Return the date-time that a row tells; a day is its midnight in UTC."""
    if len(text) == _DAY:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return datetime.fromisoformat(text)
