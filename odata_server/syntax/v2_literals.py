"""Literals that only OData v2 writes, as the trees of those that v4 has in their place.

    guid'57d4…'   datetime'2020-01-31T10:00:00'   datetimeoffset'2020-01-31T10:00:00+02:00'   time'PT1H'
    X'0AFF'       binary'0AFF'                    5L   1.5M   1.5d   1.5f

([MS-ODATA] §2.2.2; OData v2, "Overview", 6. Primitive Data Types.) A date-time without zone is in UTC here.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from odata_server.syntax.tokens import GUID_PATTERN, Cursor, Dialect, Span
from odata_server.syntax.trees import Literal, LiteralKind, LiteralValue

_GUID: Final = re.compile(GUID_PATTERN).fullmatch
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.\d{1,7})?)?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
).fullmatch
_DURATION: Final = re.compile(
    r"-?P(?=[0-9T])(?:[0-9]{1,9}D)?(?:T(?=[0-9])(?:[0-9]{1,9}H)?(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:\.[0-9]{1,9})?S)?)?"
).fullmatch
_HEXADECIMAL: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*+").fullmatch
_MOST_DIGITS: Final = 400
"""More digits than any number of the EDM has."""
_INT64: Final = 2**63


def read_v2_literal(cursor: Cursor, prefix: str, content: str) -> Literal:
    """Read a literal with a prefix and quotes.

    Args:
        cursor: stands on it.
        prefix: what stands before the quotes.
        content: what stands between them.

    Raises:
        SyntaxRefused: there is no such prefix, or the content is not of its form.
    """
    read = _PREFIXES.get(prefix)
    literal = read(content, Span(cursor.start, cursor.end)) if read is not None else None
    if literal is None:
        raise cursor.refusal()
    cursor.advance()
    return literal


def read_suffixed_number(cursor: Cursor) -> Literal:
    """Read a number whose suffix names its type.

    Raises:
        SyntaxRefused: another version of OData is spoken, or the number is none of the type.
    """
    digits, suffix = cursor.value[:-1], cursor.value[-1].upper()
    if cursor.dialect is not Dialect.VERSION_2 or len(digits) > _MOST_DIGITS:
        raise cursor.refusal()
    if suffix == "L" and not (digits.lstrip("+-").isdecimal() and -_INT64 <= int(digits) < _INT64):
        raise cursor.refusal()
    kind, make = _SUFFIXES[suffix]
    literal = Literal(kind, digits, make(digits), Span(cursor.start, cursor.end))
    cursor.advance()
    return literal


def _guid(content: str, span: Span) -> Literal | None:
    return Literal(LiteralKind.GUID, content, content, span) if _GUID(content) else None


def _moment(content: str, span: Span) -> Literal | None:
    found = _MOMENT(content)
    if found is None:
        return None
    day, minutes, seconds, zone = found.groups()
    text = f"{day}T{minutes or '00:00'}:{seconds or '00'}{zone or 'Z'}"
    return Literal(LiteralKind.DATE_TIME, text, text, span)


def _duration(content: str, span: Span) -> Literal | None:
    return Literal(LiteralKind.DURATION, content, content, span) if _DURATION(content) else None


def _binary(content: str, span: Span) -> Literal | None:
    return Literal(LiteralKind.BINARY, content, unhexlify(content), span) if _HEXADECIMAL(content) else None


_PREFIXES: Final[dict[str, Callable[[str, Span], Literal | None]]] = {
    "guid": _guid,
    "datetime": _moment,
    "datetimeoffset": _moment,
    "time": _duration,
    "binary": _binary,
    "X": _binary,
}
_SUFFIXES: Final[dict[str, tuple[LiteralKind, Callable[[str], LiteralValue]]]] = {
    "L": (LiteralKind.INTEGER, int),
    "M": (LiteralKind.DECIMAL, Decimal),
    "D": (LiteralKind.DOUBLE, float),
    "F": (LiteralKind.DOUBLE, float),
}
