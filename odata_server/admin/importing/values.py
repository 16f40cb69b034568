"""Values as files give them, as the JSON that the Web API takes: nothing depends on a locale."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from entities.text import fold
from entities.values import guid, utc_text
from odata_server.admin.remote_tables import RemoteColumn

_WHOLE: Final = re.compile(r"[+-]?\d{1,19}\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?\Z", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?([Zz]|[+-]\d{2}:\d{2})?)?\Z", re.ASCII
)
_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})([Tt ]00:00(:00(\.0+)?)?[Zz]?)?\Z", re.ASCII)
_SEPARATORS: Final = re.compile(r"[;,|]")
_ALWAYS: Final[Mapping[str, bool]] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class ValueRefusedError(Exception):
    """A value cannot be one of its column; one line that says why."""


def json_value(column: RemoteColumn, given: object) -> object:
    """Return what the Web API takes for a value of a column.

    Args:
        column: any column but a lookup.
        given: a text, or what a line of JSON holds: a number (int or Decimal), true, false, a list.

    Raises:
        ValueRefusedError: it is a text that stands for no value of the column.
    """
    read = _READERS.get(column.kind)
    return given if given is None or read is None else read(column, given)


def _refused(column: RemoteColumn, given: object, wanted: str) -> ValueRefusedError:
    return ValueRefusedError(f"'{str(given)[:100]}' in column '{column.name}' is no {wanted}")


def _whole(column: RemoteColumn, given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.strip()
    if _WHOLE.match(text) is None:
        raise _refused(column, given, "whole number")
    return int(text)


def _number(column: RemoteColumn, given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.strip()
    if _NUMBER.match(text) is None:
        raise _refused(column, given, "number: write digits and a decimal point, as in 1234.5")
    return Decimal(text)


def _yes_or_no(column: RemoteColumn, given: object) -> object:
    if not isinstance(given, str):
        return bool(given) if given in (0, 1) else given
    text = fold(given.strip())
    if text in column.options:
        return bool(column.options[text])
    if text not in _ALWAYS:
        raise _refused(column, given, "yes or no: write true or false, or one of its labels")
    return _ALWAYS[text]


def _moment(column: RemoteColumn, given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.strip()
    if column.is_date_only:
        found = _DAY.match(text)
        if found is None:
            raise _refused(column, given, "date: write it as 2026-01-31")
        return found[1]
    if _MOMENT.match(text) is None:
        raise _refused(column, given, "moment: write it as 2026-01-31T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text.replace(" ", "T", 1).replace(" ", "").upper())
    except ValueError as error:
        raise _refused(column, given, f"moment ({error})") from error
    try:
        return utc_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError as error:
        raise _refused(column, given, "moment of the years 1 to 9999 in UTC") from error


def _option(column: RemoteColumn, given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.strip()
    if _WHOLE.match(text) is not None:
        return int(text)
    number = column.options.get(fold(text))
    if number is None:
        raise _refused(column, given, "option: write its number or its label")
    return number


def _options(column: RemoteColumn, given: object) -> object:
    """Return options as the Web API writes them; a list in brackets is that of a configuration migration."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    parts = given if isinstance(given, list) else _parts(str(given))
    return ",".join(str(_option(column, part)) for part in parts)


def _parts(text: str) -> list[str]:
    bracketed = text.startswith("[") and text.endswith("]")
    parts = [part.strip() for part in _SEPARATORS.split(text.strip("[]")) if part.strip()]
    return [part for part in parts if part != "-1"] if bracketed else parts


def _identifier(column: RemoteColumn, given: object) -> object:
    found = guid(given.strip().strip("{}")) if isinstance(given, str) else None
    if found is None:
        raise _refused(column, given, "id: it looks like 00000000-0000-0000-0000-000000000001")
    return str(found)


_READERS: Final[Mapping[str, Callable[[RemoteColumn, object], object]]] = {
    "Integer": _whole,
    "BigInt": _whole,
    "Decimal": _number,
    "Double": _number,
    "Money": _number,
    "Boolean": _yes_or_no,
    "ManagedProperty": _yes_or_no,
    "DateTime": _moment,
    "Picklist": _option,
    "State": _option,
    "Status": _option,
    "MultiSelectPicklist": _options,
    "Uniqueidentifier": _identifier,
}
