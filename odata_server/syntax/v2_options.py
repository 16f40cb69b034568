"""The query string of OData v2: the options that it has, each read into its tree.

    $select, $expand = path *( "," path )      path = name *( "/" name )      $inlinecount = allpages / none

(OData v2, "URI Conventions", 4. Query String Options.) Expressions are read as those of v4, with the literals of v2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from odata_server.syntax.apply_trees import OrderItem
from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.items import parse_orderby
from odata_server.syntax.percent import decode_query
from odata_server.syntax.tokens import Dialect, SyntaxRefused
from odata_server.syntax.trees import Expression

NamePath: TypeAlias = tuple[str, ...]

_NAMES: Final = re.compile(r"[^\W\d]\w*+(?:/[^\W\d]\w*+)*+(?:/\*)?|\*").fullmatch
_NUMBER: Final = re.compile(r"[0-9]{1,9}").fullmatch
_INLINE_COUNTS: Final = {"allpages": True, "none": False}
_MOST_PATHS: Final = 2_000


@dataclass(frozen=True, slots=True)
class V2Options:
    """The options of a request; None where one is not given.

    `given` are all options of the URL in order, decoded, custom ones among them.
    """

    given: tuple[tuple[str, str], ...] = ()
    filter: Expression | None = None
    orderby: tuple[OrderItem, ...] | None = None
    select: tuple[NamePath, ...] | None = None
    expand: tuple[NamePath, ...] | None = None
    top: int | None = None
    skip: int | None = None
    skiptoken: str | None = None
    inlinecount: bool | None = None
    format: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The system options that are given, each with its dollar sign."""
        return tuple(name for name, _ in self.given if name.startswith("$"))


def parse_v2_query(text: str) -> V2Options:
    """Read a percent-encoded query string (without its question mark).

    Raises:
        SyntaxRefused: an encoding is broken, a system option is unknown, given twice or not well-formed.
    """
    given: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for piece in filter(None, text.split("&")):
        name, value = _decoded(piece)
        given.append((name, value))
        if not name.startswith("$"):
            continue
        read = _READERS.get(name)
        if read is None:
            raise SyntaxRefused(f"The query parameter '{name}' is not supported.", text, 0)
        if name[1:] in values:
            raise SyntaxRefused(
                f"Query parameter '{name}' is specified, but it should be specified exactly once.", "", 0
            )
        values[name[1:]] = read(value)
    return V2Options(given=tuple(given), **values)


def _decoded(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return decode_query(name).strip(), decode_query(value)


def _paths(text: str) -> tuple[NamePath, ...]:
    paths = [path.strip() for path in text.split(",")] if text.strip() else []
    if len(paths) > _MOST_PATHS:
        raise SyntaxRefused("Too many properties are listed.", "", 0)
    for path in paths:
        if not _NAMES(path):
            raise SyntaxRefused("Syntax error", text, text.index(path))
    return tuple(tuple(path.split("/")) for path in paths)


def _number(text: str) -> int:
    if not _NUMBER(text.strip()):
        raise SyntaxRefused(f"Incorrect format for a number of rows: '{text[:50]}'.", text, 0)
    return int(text)


def _inline_count(text: str) -> bool:
    found = _INLINE_COUNTS.get(text.strip())
    if found is None:
        raise SyntaxRefused("Unknown $inlinecount option, only 'allpages' and 'none' are supported.", text, 0)
    return found


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "$filter": lambda text: parse_filter(text, dialect=Dialect.VERSION_2),
    "$orderby": lambda text: parse_orderby(text, dialect=Dialect.VERSION_2),
    "$select": _paths,
    "$expand": _paths,
    "$top": _number,
    "$skip": _number,
    "$skiptoken": str,
    "$inlinecount": _inline_count,
    "$format": str.strip,
}
