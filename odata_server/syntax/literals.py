"""Primitive literals: from tokens to `Literal` and `EnumLiteral` (OData ABNF §7)."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from odata_server.syntax.tokens import Cursor, Dialect, Span, open_text
from odata_server.syntax.trees import EnumLiteral, Literal, LiteralKind, LiteralValue
from odata_server.syntax.v2_literals import read_suffixed_number, read_v2_literal

_DURATION = re.compile(
    r"-?P(?=[0-9T])(?:[0-9]++D)?(?:T(?=[0-9])(?:[0-9]++H)?(?:[0-9]++M)?(?:[0-9]++(?:\.[0-9]++)?S)?)?"
).fullmatch
_BINARY = re.compile(
    r"(?:[A-Za-z0-9_-]{4})*+(?:[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]=?|[A-Za-z0-9_-][AQgw](?:==)?)?"
).fullmatch
_ENUM_MEMBER = re.compile(r"[^\W\d]\w*+|[+-]?[0-9]{1,19}").fullmatch
# Longer integers do not fit Edm.Int64; they are decimals.
_INT64_DIGITS = 19

_NUMBER = r"(?:[+-]?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|NaN|-?INF)"
_POSITION = rf"{_NUMBER}(?:\ {_NUMBER}){{1,3}}"
_POINT = rf"\({_POSITION}\)"
_LINE = rf"\({_POSITION}(?:,{_POSITION})++\)"
_RING = rf"\({_POSITION}(?:,{_POSITION})*+\)"
_RINGS = rf"\({_RING}(?:,{_RING})*+\)"
_SHAPE = (
    rf"(?:Point{_POINT}|LineString{_LINE}|Polygon{_RINGS}|MultiPoint\((?:{_POINT}(?:,{_POINT})*+)?\)"
    rf"|MultiLineString\((?:{_LINE}(?:,{_LINE})*+)?\)|MultiPolygon\((?:{_RINGS}(?:,{_RINGS})*+)?\))"
)
# A collection inside a collection is legal ABNF that no client writes; one level is read here.
_GEO = re.compile(
    rf"SRID=[0-9]{{1,5}};(?:{_SHAPE}|GeometryCollection\({_SHAPE}(?:,{_SHAPE})*+\))", re.IGNORECASE
).fullmatch


def parse_literal(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> Literal | EnumLiteral:
    """Read a text that is one primitive literal in its URL form, percent-decoded.

    Raises:
        SyntaxRefused: it is anything else.
    """
    cursor = open_text(text, dialect)
    literal = read_literal(cursor)
    if literal is None:
        raise cursor.refusal()
    cursor.finish()
    return literal


def read_literal(cursor: Cursor) -> Literal | EnumLiteral | None:
    """Read the literal that starts at the current token; None if none does.

    Raises:
        SyntaxRefused: it starts like a literal but is not well-formed.
    """
    if cursor.kind == "word":
        return read_word_literal(cursor)
    reader = LITERALS.get(cursor.kind)
    return None if reader is None else reader(cursor)


def read_word_literal(cursor: Cursor) -> Literal | None:
    """Read `null`, `true`, `false`, `INF` or `NaN`; None if another word stands here."""
    kind, value, word = WORD_LITERALS.get(cursor.keyword, _NO_LITERAL)
    # Booleans follow the dialect's case; null, INF and NaN are case-sensitive in both (ABNF §7).
    if word != (cursor.keyword if kind is LiteralKind.BOOLEAN else cursor.value):
        return None
    literal = Literal(kind, cursor.value, value, Span(cursor.start, cursor.end))
    cursor.advance()
    return literal


_INFINITY = (LiteralKind.DOUBLE, float("inf"), "INF")
_NOT_A_NUMBER = (LiteralKind.DOUBLE, float("nan"), "NaN")
_NO_LITERAL: tuple[LiteralKind, LiteralValue, str] = (LiteralKind.NULL, None, "")

# The word as a cursor's keyword -> kind, value, spelling.
WORD_LITERALS: dict[str, tuple[LiteralKind, LiteralValue, str]] = {
    "null": (LiteralKind.NULL, None, "null"),
    "true": (LiteralKind.BOOLEAN, True, "true"),
    "false": (LiteralKind.BOOLEAN, False, "false"),
    "INF": _INFINITY,
    "inf": _INFINITY,
    "NaN": _NOT_A_NUMBER,
    "nan": _NOT_A_NUMBER,
}


def number_of(text: str) -> tuple[LiteralKind, LiteralValue]:
    """Classify the text of a number: INTEGER (int), DECIMAL (Decimal) or DOUBLE (float, if it has an exponent)."""
    if text.isdigit() and len(text) <= _INT64_DIGITS:
        return LiteralKind.INTEGER, int(text)
    if text.endswith("INF"):
        return LiteralKind.DOUBLE, float("-inf")
    if "e" in text or "E" in text:
        return LiteralKind.DOUBLE, float(text)
    if "." in text or len(text) > _INT64_DIGITS + 1:
        return LiteralKind.DECIMAL, Decimal(text)
    return LiteralKind.INTEGER, int(text)


def string_of(text: str) -> str:
    """Return the value of a string literal with its quotes."""
    inner = text[1:-1]
    return inner.replace("''", "'") if "'" in inner else inner


def _read_string(cursor: Cursor) -> Literal:
    text = cursor.value
    literal = Literal(LiteralKind.STRING, text, string_of(text), Span(cursor.start, cursor.end))
    cursor.advance()
    return literal


def _read_number(cursor: Cursor) -> Literal:
    kind, value = number_of(cursor.value)
    literal = Literal(kind, cursor.value, value, Span(cursor.start, cursor.end))
    cursor.advance()
    return literal


def _read_guid(cursor: Cursor) -> Literal:
    literal = Literal(LiteralKind.GUID, cursor.value, UUID(cursor.value), Span(cursor.start, cursor.end))
    cursor.advance()
    return literal


def _read_quoted(cursor: Cursor) -> Literal:
    literal = Literal(LiteralKind.STRING, cursor.value, json_string(cursor), Span(cursor.start, cursor.end))
    cursor.advance()
    return literal


def json_string(cursor: Cursor) -> str:
    """Return the value of the JSON string the cursor stands on.

    Raises:
        SyntaxRefused: it is no JSON string, or holds half a surrogate pair or U+0000.
    """
    try:
        value: str = json.loads(cursor.value)
        value.encode()
    except ValueError:
        raise cursor.refusal("Invalid JSON") from None
    if "\0" in value:
        raise cursor.refusal("Hexadecimal value 0x00, is an invalid character")
    return value


def _text_reader(kind: LiteralKind) -> Callable[[Cursor], Literal]:
    def read(cursor: Cursor) -> Literal:
        literal = Literal(kind, cursor.value, cursor.value, Span(cursor.start, cursor.end))
        cursor.advance()
        return literal

    return read


def _read_typed(cursor: Cursor) -> Literal | EnumLiteral:
    text = cursor.value
    prefix, _, rest = text.partition("'")
    content = rest[:-1]
    span = Span(cursor.start, cursor.end)
    if cursor.dialect is Dialect.VERSION_2:
        return read_v2_literal(cursor, prefix, content)
    entry = _PREFIXES.get(prefix if cursor.dialect is Dialect.DATAVERSE else prefix.lower())
    if entry is None:
        literal: Literal | EnumLiteral = EnumLiteral(prefix, _enum_members(cursor, content), span)
    else:
        kind, is_valid = entry
        if not is_valid(content):
            raise cursor.refusal()
        value = _decoded(content) if kind is LiteralKind.BINARY else content
        literal = Literal(kind, text, value, span)
    cursor.advance()
    return literal


def _enum_members(cursor: Cursor, content: str) -> tuple[str, ...]:
    if "." not in cursor.value.partition("'")[0]:
        raise cursor.refusal()
    # Dataverse answers flags joined by ", " and takes them back in that form.
    members = tuple(member.strip() for member in content.split(","))
    if not all(_ENUM_MEMBER(member) for member in members):
        raise cursor.refusal()
    return members


def _decoded(content: str) -> bytes:
    bare = content.rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


_PREFIXES: dict[str, tuple[LiteralKind, Callable[[str], object]]] = {
    "duration": (LiteralKind.DURATION, _DURATION),
    "binary": (LiteralKind.BINARY, _BINARY),
    "geography": (LiteralKind.GEOGRAPHY, _GEO),
    "geometry": (LiteralKind.GEOMETRY, _GEO),
}

LITERALS: dict[str, Callable[[Cursor], Literal | EnumLiteral]] = {
    "string": _read_string,
    "number": _read_number,
    "guid": _read_guid,
    "date": _text_reader(LiteralKind.DATE),
    "datetime": _text_reader(LiteralKind.DATE_TIME),
    "time": _text_reader(LiteralKind.TIME),
    "typed": _read_typed,
    "suffixed": read_suffixed_number,
    "quoted": _read_quoted,
}
