"""Automatic numbers: the formats of autonumber columns (Learn: "Create auto-number columns")."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

_PLACEHOLDER = re.compile(r"\{(SEQNUM|RANDSTRING|DATETIMEUTC):([^{}]*)\}")
_DATE_PART = re.compile("yyyy|yy|MM|dd|HH|hh|mm|ss|tt")
_DATE_PARTS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "tt": "%p",
}
_LONGEST_RANDOM = 6
LONGEST_NUMBER = 16
"""Digits of a number."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def is_format(form: str) -> bool:
    """Say whether a text is a format of automatic numbers: constant text and at most one of each placeholder.

    `{SEQNUM:n}` has at least n digits, `{RANDSTRING:n}` n characters up to 6, `{DATETIMEUTC:format}` a moment.
    """
    found = _PLACEHOLDER.findall(form)
    names = [name for name, _ in found]
    if not names or len(set(names)) < len(names) or re.search("[{}]", _PLACEHOLDER.sub("", form)):
        return False
    return all(_is_argument(name, argument) for name, argument in found)


def _is_argument(name: str, argument: str) -> bool:
    if name == "DATETIMEUTC":
        return bool(_DATE_PART.search(argument))
    longest = LONGEST_NUMBER if name == "SEQNUM" else _LONGEST_RANDOM
    return argument.isascii() and argument.isdigit() and 1 <= int(argument) <= longest


def counts(form: str) -> bool:
    """Say whether a format has a number that grows from record to record."""
    return "{SEQNUM:" in form


def automatic_number(form: str, next_number: Callable[[], int], moment: datetime, pick: Callable[[str], str]) -> str:
    """Return the next value of a format.

    Args:
        form: the format.
        next_number: takes the next number of the column's sequence.
        moment: the present moment, in UTC.
        pick: chooses one of some characters.
    """

    def value(match: re.Match[str]) -> str:
        match match[1]:
            case "SEQNUM":
                return str(next_number()).zfill(int(match[2]))
            case "RANDSTRING":
                return "".join(pick(_LETTERS) for _ in range(int(match[2])))
            case _:
                return _DATE_PART.sub(lambda part: moment.strftime(_DATE_PARTS[part[0]]), match[2])

    return _PLACEHOLDER.sub(value, form)
