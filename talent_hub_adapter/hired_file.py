"""The file of hired candidates as text: bytes to JSON records, each with the line it begins on.

file    = [ BOM ] ( array / lines )         UTF-8
array   = "[" [ record *( "," record ) ] "]"
lines   = record *( line-break record )     JSON Lines; a record may also run over several lines
record  = a JSON object
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_WHITE_SPACE: Final = re.compile(r"[ \t\n\r]*")


class UnreadableFileError(Exception):
    """The file is no file of hired candidates at all; the text says where and why."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One JSON value of the file: its number from 1, the line it begins on (JSON Lines only), the value."""

    number: int
    line: int | None
    value: object


def read_records(content: bytes) -> tuple[RawRecord, ...]:
    """Split a file into its records.

    Raises:
        UnreadableFileError: not UTF-8, empty, not JSON, or JSON of another shape; with line and column.
    """
    text = _decode(content)
    start = _skip_white_space(text, 0)
    try:
        match text[start : start + 1]:
            case "":
                raise UnreadableFileError(
                    "the file is empty: a JSON array or JSON Lines of hired candidates is expected"
                )
            case "[":
                return _array(text, start)
            case "{":
                return tuple(_lines(text, start))
            case _:
                raise UnreadableFileError(
                    f"{_place(text, start)}: a JSON array or JSON Lines of hired candidates is expected, "
                    f"not {text[start : start + 20].splitlines()[0]!a}"
                )
    except json.JSONDecodeError as error:
        raise UnreadableFileError(f"line {error.lineno}, column {error.colno}: invalid JSON: {error.msg}") from error
    except RecursionError as error:
        raise UnreadableFileError("the JSON is nested too deeply") from error


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Strict decoding guarantees that what stands before the fault is valid.
        place = _place(content[: error.start].decode("utf-8-sig", errors="ignore"), None)
        raise UnreadableFileError(f"{place}: byte 0x{content[error.start]:02x} is not UTF-8") from error


def _array(text: str, start: int) -> tuple[RawRecord, ...]:
    value, end = _value(text, start)
    rest = _skip_white_space(text, end)
    if rest != len(text):
        raise UnreadableFileError(f"{_place(text, rest)}: something follows the end of the array")
    assert isinstance(value, list), "a JSON text that begins with a bracket is an array"
    return tuple(RawRecord(number, None, element) for number, element in enumerate(value, start=1))


def _lines(text: str, start: int) -> Iterator[RawRecord]:
    number = 0
    line, counted = 1, 0
    while start < len(text):
        number += 1
        line, counted = line + text.count("\n", counted, start), start
        value, end = _value(text, start)
        yield RawRecord(number, line, value)
        start = _skip_white_space(text, end)
        if start < len(text) and "\n" not in text[end:start]:
            raise UnreadableFileError(f"{_place(text, start)}: a record of JSON Lines ends with its line")


def _value(text: str, start: int) -> tuple[object, int]:
    """Decode the JSON value at `start`; Python's leniencies (NaN, repeated names) are refused."""

    def refuse_constant(name: str) -> object:
        raise UnreadableFileError(f"{_place(text, start)}: {name} in this value is not JSON")

    def object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise UnreadableFileError(f"{_place(text, start)}: an object in this value has two members named {twice!a}")
        return result

    decoder = json.JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=object_of)
    try:
        value, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        # Python refuses to convert integers of thousands of digits.
        raise UnreadableFileError(f"{_place(text, start)}: a number in this value is too long") from error
    return value, end


def _skip_white_space(text: str, position: int) -> int:
    found = _WHITE_SPACE.match(text, position)
    return found.end() if found else position


def _place(text: str, position: int | None) -> str:
    """Name a position (None: the end) the way editors count: lines and columns from 1."""
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
