"""The query string: split while encoded, decoded piece by piece, each option read into its tree.

    query = [ option *( "&" option ) ]      option = $name "=" value / @alias "=" value / custom [ "=" value ]

Spans inside an option count in that option's decoded value (OData 4.01 Part 2 §2 and §5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.percent import decode_query
from odata_server.syntax.request_trees import AliasAssignment, CustomOption, QueryOptions
from odata_server.syntax.search import parse_search
from odata_server.syntax.selects import OPTION_READERS
from odata_server.syntax.tokens import Cursor, Dialect, Span, SyntaxRefused, open_text

_TOP_LEVEL = frozenset(OPTION_READERS) - {"$levels"}
_TEXT_OPTIONS = frozenset({"$format", "$id", "$skiptoken", "$deltatoken", "$schemaversion"})
SYSTEM_OPTIONS = _TOP_LEVEL | _TEXT_OPTIONS | {"$search"}


@dataclass(frozen=True, slots=True)
class RawOption:
    """An option of a query string, decoded but not read: `value` is None where no equals sign stands."""

    name: str
    value: str | None
    span: Span


def split_query(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[RawOption, ...]:
    """Split a percent-encoded query string (without its question mark) into decoded options, in order.

    System options come out in the spelling of the standard, with their dollar sign. This much a plan cache needs.

    Raises:
        SyntaxRefused: an encoding is broken, a system option is unknown or has no value, or an option other than a
            custom one is given twice.
    """
    fragment = text.find("#")
    if fragment >= 0:
        raise SyntaxRefused("Syntax error", text, fragment)
    options: list[RawOption] = []
    seen: set[str] = set()
    start = 0
    for piece in text.split("&"):
        span = Span(start, start + len(piece))
        start = span.end + 1
        if piece:
            option = _raw_option(piece, span, dialect)
            _check_option(option, seen, text)
            options.append(option)
    return tuple(options)


def _raw_option(piece: str, span: Span, dialect: Dialect) -> RawOption:
    encoded_name, equals, encoded_value = piece.partition("=")
    name = decode_query(encoded_name)
    value = decode_query(encoded_value) if equals else None
    if dialect is Dialect.STANDARD:
        known = "$" + name.removeprefix("$").lower()
        name = known if known in SYSTEM_OPTIONS else name
    return RawOption(name, value, span)


def _check_option(option: RawOption, seen: set[str], text: str) -> None:
    name = option.name
    if not name.startswith(("$", "@")):
        return
    if name in seen:
        message = f"Query option '{name}' was specified more than once, but it must be specified at most once"
        raise SyntaxRefused(message, text, option.span.start)
    seen.add(name)
    if name.startswith("$") and name not in SYSTEM_OPTIONS:
        raise SyntaxRefused(f"The query parameter '{name}' is not supported", text, option.span.start)
    if option.value is None:
        raise SyntaxRefused("Syntax error", text, option.span.end)


def parse_query(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> QueryOptions:
    """Read a whole percent-encoded query string (without its question mark) into trees.

    Raises:
        SyntaxRefused: it cannot be split, or an option is not well-formed (then `text` is that option's value).
    """
    return parse_options(split_query(text, dialect=dialect), dialect=dialect)


def parse_options(options: tuple[RawOption, ...], *, dialect: Dialect = Dialect.DATAVERSE) -> QueryOptions:
    """Read split options into trees.

    Raises:
        SyntaxRefused: an option is not well-formed; `text` is that option's value.
    """
    names: list[str] = []
    values: dict[str, Any] = {}
    aliases: list[AliasAssignment] = []
    custom: list[CustomOption] = []
    for option in options:
        name = option.name
        if name.startswith("$"):
            names.append(name)
            values[name[1:]] = _parse_value(name, option.value or "", dialect)
        elif name.startswith("@"):
            aliases.append(_parse_alias(option, dialect))
        else:
            custom.append(CustomOption(name, option.value))
    return QueryOptions(names=tuple(names), aliases=tuple(aliases), custom=tuple(custom), **values)


def _parse_value(name: str, text: str, dialect: Dialect) -> object:
    if name in _TEXT_OPTIONS:
        return _parse_text(text)
    if name == "$search":
        return parse_search(text, dialect=dialect)
    return _parse_whole(text, OPTION_READERS[name], dialect)


def _parse_text(text: str) -> str:
    if not text:
        raise SyntaxRefused("Expression expected", text, 0)
    return text


def _parse_whole(text: str, read: Callable[[Cursor], object], dialect: Dialect) -> object:
    cursor = open_text(text, dialect)
    tree = read(cursor)
    cursor.finish()
    return tree


def _parse_alias(option: RawOption, dialect: Dialect) -> AliasAssignment:
    name = option.name[1:]
    if not name.isidentifier():
        raise SyntaxRefused("Syntax error", option.name, 1)
    value = option.value or ""
    return AliasAssignment(name, parse_filter(value, dialect=dialect), Span(0, len(value)))
