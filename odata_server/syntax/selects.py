"""`$select`, `$expand` and the options in their parentheses (OData 4.01 Part 2 §5.1.3, §5.1.4).

select = selected *( "," selected )      selected = path [ "(" names ")" / "(" options ")" ]
expand = expanded *( "," expanded )      expanded = path [ "/$ref" / "/$count" ] [ "(" options ")" ]
options = option *( ";" option )         option   = $name "=" value / @alias "=" value
"""

from collections.abc import Callable
from typing import Any

from odata_server.syntax.apply import read_apply
from odata_server.syntax.expressions import read_expression
from odata_server.syntax.forms import read_search_option
from odata_server.syntax.items import read_compute, read_count, read_orderby
from odata_server.syntax.request_trees import (
    AliasAssignment,
    ExpandItem,
    ExpandTarget,
    Levels,
    QueryOptions,
    SelectItem,
)
from odata_server.syntax.tokens import Cursor, Dialect, open_text

_COUNT_OPTIONS = frozenset({"$filter", "$search"})
_REF_OPTIONS = _COUNT_OPTIONS | {"$orderby", "$skip", "$top", "$count"}
_EXPAND_OPTIONS = _REF_OPTIONS | {"$select", "$expand", "$compute", "$levels", "$apply"}
_SELECT_OPTIONS = _REF_OPTIONS | {"$select", "$expand", "$compute"}
_OPTIONS_OF_TARGET: dict[ExpandTarget, frozenset[str]] = {
    ExpandTarget.ROWS: _EXPAND_OPTIONS,
    ExpandTarget.REF: _REF_OPTIONS,
    ExpandTarget.COUNT: _COUNT_OPTIONS,
}
_TARGETS: dict[str, ExpandTarget] = {"$ref": ExpandTarget.REF, "$count": ExpandTarget.COUNT}


def parse_select(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[SelectItem, ...]:
    """Read a whole `$select` value, percent-decoded.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor = open_text(text, dialect)
    items = read_select(cursor)
    cursor.finish()
    return items


def parse_expand(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[ExpandItem, ...]:
    """Read a whole `$expand` value, percent-decoded.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor = open_text(text, dialect)
    items = read_expand(cursor)
    cursor.finish()
    return items


def read_select(cursor: Cursor) -> tuple[SelectItem, ...]:
    """Read the items of `$select`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    items = [_read_selected(cursor)]
    while cursor.take_if(","):
        items.append(_read_selected(cursor))
    return tuple(items)


def _read_selected(cursor: Cursor) -> SelectItem:
    start = cursor.start
    path = [_read_selected_name(cursor)]
    while path[-1] != "*" and not path[-1].endswith(".*") and cursor.take_if("/"):
        path.append(_read_selected_name(cursor))
    parameters: tuple[str, ...] | None = None
    options: QueryOptions | None = None
    if cursor.kind == "(" and "*" not in path[-1]:
        cursor.advance()
        if cursor.kind == "word" and not cursor.follows("="):
            parameters = _read_parameter_names(cursor)
        else:
            options = _read_options(cursor, _SELECT_OPTIONS)
        cursor.take(")")
    return SelectItem(tuple(path), parameters, options, cursor.span_from(start))


def _read_selected_name(cursor: Cursor) -> str:
    if cursor.kind in {"*", "alias"}:
        return cursor.take(cursor.kind)
    start, end = cursor.start, cursor.end
    text = cursor.text
    if cursor.kind == "word" and text[end : end + 2] == ".*" and end + 2 <= cursor.limit:
        cursor.restart(end + 2)
        return text[start : end + 2]
    return cursor.take("word")


def _read_parameter_names(cursor: Cursor) -> tuple[str, ...]:
    names = [cursor.take_identifier()]
    while cursor.take_if(","):
        names.append(cursor.take_identifier())
    return tuple(names)


def read_expand(cursor: Cursor) -> tuple[ExpandItem, ...]:
    """Read the items of `$expand`.

    Raises:
        SyntaxRefused: it is not well-formed, or nested too deeply.
    """
    cursor.enter()
    items = [_read_expanded(cursor)]
    while cursor.take_if(","):
        items.append(_read_expanded(cursor))
    cursor.leave()
    return tuple(items)


def _read_expanded(cursor: Cursor) -> ExpandItem:
    start = cursor.start
    if cursor.kind == "system" and cursor.value == "$value":
        cursor.advance()
        return ExpandItem(("$value",), ExpandTarget.ROWS, None, cursor.span_from(start))
    path, target = _read_expand_path(cursor)
    options: QueryOptions | None = None
    if cursor.kind == "(":
        allowed = _OPTIONS_OF_TARGET[target]
        if path[-1] == "*":
            allowed = frozenset({"$levels"}) if target is ExpandTarget.ROWS else frozenset()
        cursor.advance()
        options = _read_options(cursor, allowed)
        cursor.take(")")
    return ExpandItem(path, target, options, cursor.span_from(start))


def _read_expand_path(cursor: Cursor) -> tuple[tuple[str, ...], ExpandTarget]:
    start = cursor.start
    path: list[str] = []
    target = ExpandTarget.ROWS
    while not path or cursor.take_if("/"):
        if path and cursor.kind == "system" and cursor.value in _TARGETS:
            target = _TARGETS[cursor.value]
            cursor.advance()
            break
        if path and path[-1] == "*":
            raise cursor.refusal()
        path.append(cursor.take(cursor.kind if cursor.kind in {"*", "alias"} else "word"))
    if path == ["*"] and target is ExpandTarget.COUNT:
        raise cursor.refusal(position=start)
    if len(path) == 1 and "." in path[0] and not path[0].startswith("@"):
        raise cursor.refusal(position=start)
    return tuple(path), target


def _read_options(cursor: Cursor, allowed: frozenset[str]) -> QueryOptions:
    cursor.enter()
    values: dict[str, Any] = {}
    names: list[str] = []
    aliases: dict[str, AliasAssignment] = {}
    while True:
        if cursor.kind == "alias":
            _read_alias_assignment(cursor, aliases)
        else:
            name = _read_option_name(cursor, allowed)
            if name in names:
                raise cursor.refusal(f"Query option '{name}' was specified more than once, but it must be once")
            names.append(name)
            values[name[1:]] = _read_option_value(cursor, name)
        if not cursor.take_if(";"):
            break
    cursor.leave()
    return QueryOptions(names=tuple(names), aliases=tuple(aliases.values()), **values)


def _read_option_name(cursor: Cursor, allowed: frozenset[str]) -> str:
    start = cursor.start
    if cursor.dialect is Dialect.STANDARD and cursor.kind in {"word", "system"}:
        name = "$" + cursor.value.removeprefix("$").lower()
    else:
        name = cursor.value if cursor.kind == "system" else ""
    if name not in allowed:
        raise cursor.refusal(position=start)
    cursor.advance()
    return name


def _read_option_value(cursor: Cursor, name: str) -> object:
    if name == "$search":
        return read_search_option(cursor)
    cursor.take("=")
    return OPTION_READERS[name](cursor)


def _read_alias_assignment(cursor: Cursor, aliases: dict[str, AliasAssignment]) -> None:
    start = cursor.start
    name = cursor.value[1:]
    if "." in name or "#" in name or name in aliases:
        raise cursor.refusal()
    cursor.advance()
    cursor.take("=")
    value = read_expression(cursor)
    aliases[name] = AliasAssignment(name, value, cursor.span_from(start))


def _read_boolean(cursor: Cursor) -> bool:
    value = cursor.keyword
    if value not in {"true", "false"}:
        raise cursor.refusal()
    cursor.advance()
    return value == "true"


def _read_levels(cursor: Cursor) -> Levels:
    if cursor.is_word("max"):
        cursor.advance()
        return Levels(None)
    if cursor.value.startswith("0"):
        raise cursor.refusal()
    return Levels(read_count(cursor))


def _read_index(cursor: Cursor) -> int:
    sign = -1 if cursor.kind == "number" and cursor.value.startswith("-") else 1
    if sign == -1:
        cursor.restart(cursor.start + 1)
    return sign * read_count(cursor)


# Option name -> reader of its value, standing behind the equals sign; `$search` has tokens of its own.
OPTION_READERS: dict[str, Callable[[Cursor], Any]] = {
    "$filter": read_expression,
    "$orderby": read_orderby,
    "$select": read_select,
    "$expand": read_expand,
    "$compute": read_compute,
    "$apply": read_apply,
    "$top": read_count,
    "$skip": read_count,
    "$count": _read_boolean,
    "$levels": _read_levels,
    "$index": _read_index,
}
