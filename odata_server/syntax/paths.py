"""The resource path: split at slashes while encoded, decoded, each segment read (OData 4.01 Part 2 §2, §4).

path    = [ segment *( "/" segment ) ]
segment = name *( "(" keys or arguments ")" ) / $ref / $value / $count / … / $filter(…) / $crossjoin(…) / $1 / value
"""

import re

from odata_server.syntax.expressions import read_expression
from odata_server.syntax.forms import read_arguments, read_array, read_object
from odata_server.syntax.literals import read_literal
from odata_server.syntax.percent import decode_segment
from odata_server.syntax.request_trees import (
    Arguments,
    CrossJoinSegment,
    FilterSegment,
    NamedSegment,
    PathSegment,
    ReferenceSegment,
    ResourcePath,
    SystemName,
    SystemSegment,
    ValueSegment,
)
from odata_server.syntax.tokens import Cursor, Dialect, Span, SyntaxRefused
from odata_server.syntax.trees import Alias, Expression

_NAME = re.compile(r"[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+").fullmatch
_CONTENT_ID = re.compile(r"\$[0-9][\w.~-]*+").fullmatch
_NO_VALUE_CHARACTER = re.compile(r"[()]|^[.$]|\s").search
# A name may carry a call and a key; more parentheses mean nothing.
_MOST_ARGUMENTS = 2

_SYSTEM_NAMES = {name.value: name for name in SystemName}
_FIRST_ONLY = frozenset({SystemName.METADATA, SystemName.BATCH, SystemName.ENTITY, SystemName.ALL})
_LAST_ONLY = frozenset(
    {SystemName.REF, SystemName.VALUE, SystemName.COUNT, SystemName.QUERY, SystemName.METADATA, SystemName.BATCH}
)


def parse_path(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> ResourcePath:
    """Read a percent-encoded path relative to the service root; one slash at either end is ignored.

    Raises:
        SyntaxRefused: an encoding is broken, a segment is not well-formed or stands where it cannot.
    """
    pieces = text.removeprefix("/").removesuffix("/").split("/")
    if pieces == [""]:
        return ResourcePath((), "")
    decoded = [decode_segment(piece) for piece in pieces]
    whole = "/".join(decoded)
    segments: list[PathSegment] = []
    start = 0
    for piece in decoded:
        span = Span(start, start + len(piece))
        start = span.end + 1
        _check_predecessor(segments, whole, span)
        segments.append(_read_segment(whole, span, dialect, is_first=not segments))
    return ResourcePath(tuple(segments), whole)


def _check_predecessor(segments: list[PathSegment], text: str, span: Span) -> None:
    if not segments or not isinstance(segments[-1], SystemSegment):
        return
    if segments[-1].name in _LAST_ONLY:
        # Microsoft.OData's text for anything behind $count, $value or $ref, without its position.
        raise SyntaxRefused(f"The segment '{segments[-1].name.value}' must be the last one", text, span.start - 1)


def _read_segment(text: str, span: Span, dialect: Dialect, *, is_first: bool) -> PathSegment:
    piece = text[span.start : span.end]
    if _NAME(piece) is not None:
        if is_first and "." in piece:
            raise SyntaxRefused("Syntax error", text, span.start + piece.index("."))
        return NamedSegment(piece, (), span)
    if piece.startswith("$"):
        return _read_system_segment(text, span, dialect, is_first=is_first)
    if not is_first and piece and _NO_VALUE_CHARACTER(piece) is None:
        return ValueSegment(piece, span)
    cursor = Cursor(text, dialect=dialect, start=span.start, limit=span.end)
    if not cursor.is_glued():
        raise cursor.refusal(position=span.start)
    return _read_named_segment(cursor, is_first=is_first)


def _read_named_segment(cursor: Cursor, *, is_first: bool) -> NamedSegment:
    start = cursor.start
    name = cursor.take_identifier() if is_first else cursor.take("word")
    arguments: list[Arguments] = []
    while cursor.kind == "(" and cursor.is_glued() and len(arguments) < _MOST_ARGUMENTS:
        positional, named = read_arguments(cursor, _read_key_value)
        arguments.append(Arguments(positional, named))
    _finish_segment(cursor)
    return NamedSegment(name, tuple(arguments), cursor.span_from(start))


def _finish_segment(cursor: Cursor) -> None:
    if cursor.kind != "end" or not cursor.is_glued():
        raise cursor.refusal()


def _read_key_value(cursor: Cursor) -> Expression:
    """Read what a key or a function's parameter can be in a path: a literal, an alias, JSON."""
    literal = read_literal(cursor)
    if literal is not None:
        return literal
    if cursor.kind == "alias" and "." not in cursor.value and "#" not in cursor.value:
        alias = Alias(cursor.value[1:], Span(cursor.start, cursor.end))
        cursor.advance()
        return alias
    if cursor.kind == "[":
        return read_array(cursor, read_expression)
    if cursor.kind == "{":
        return read_object(cursor, read_expression)
    raise cursor.refusal()


def _read_system_segment(text: str, span: Span, dialect: Dialect, *, is_first: bool) -> PathSegment:
    piece = text[span.start : span.end]
    name = _SYSTEM_NAMES.get(piece)
    if name is not None and is_first == (name in _FIRST_ONLY):
        return SystemSegment(name, span)
    if is_first and _CONTENT_ID(piece) is not None:
        return ReferenceSegment(piece[1:], span)
    cursor = Cursor(text, dialect=dialect, start=span.start, limit=span.end)
    opening = cursor.take("system")
    if cursor.kind != "(" or not cursor.is_glued():
        raise cursor.refusal(position=span.start)
    cursor.advance()
    if opening == "$filter" and not is_first:
        predicate = read_expression(cursor)
        cursor.take(")")
        _finish_segment(cursor)
        return FilterSegment(predicate, span)
    if opening == "$crossjoin" and is_first:
        names = [cursor.take_identifier()]
        while cursor.take_if(","):
            names.append(cursor.take_identifier())
        cursor.take(")")
        _finish_segment(cursor)
        return CrossJoinSegment(tuple(names), span)
    raise cursor.refusal(position=span.start)
