"""Trees back to text: expressions and searches decoded, paths and query strings percent-encoded."""

from collections.abc import Callable
from typing import assert_never

from odata_server.syntax.percent import encode_query, encode_segment
from odata_server.syntax.request_trees import (
    Arguments,
    CrossJoinSegment,
    ExpandItem,
    ExpandTarget,
    FilterSegment,
    Levels,
    NamedSegment,
    PathSegment,
    QueryOptions,
    ReferenceSegment,
    ResourcePath,
    SelectItem,
    SystemSegment,
    ValueSegment,
)
from odata_server.syntax.trees import Expression, Search, SearchIncomplete, SearchJoin, SearchNot, SearchTerm
from odata_server.syntax.unparse_apply import unparse_apply, unparse_compute, unparse_orderby
from odata_server.syntax.unparse_expressions import unparse_arguments, unparse_expression, unparse_search


def unparse(tree: Expression | Search | ResourcePath | QueryOptions) -> str:
    """Write a tree as text that reads back as the same tree.

    An expression or a search becomes decoded text; a path or a query string comes out percent-encoded.

    Raises:
        SyntaxRefused: a path or a query string holds half a surrogate pair or U+0000, which have no encoding.
    """
    match tree:
        case ResourcePath(segments=segments):
            return "/".join(encode_segment(_segment(segment)) for segment in segments)
        case QueryOptions():
            return _query(tree)
        case SearchTerm() | SearchIncomplete() | SearchNot() | SearchJoin():
            return unparse_search(tree)
        case _:
            return unparse_expression(tree)


def unparse_select(items: tuple[SelectItem, ...]) -> str:
    """Write the items of `$select` as decoded text."""
    return ",".join(map(_selected, items))


def unparse_expand(items: tuple[ExpandItem, ...]) -> str:
    """Write the items of `$expand` as decoded text."""
    return ",".join(map(_expanded, items))


def _segment(segment: PathSegment) -> str:
    match segment:
        case NamedSegment(name=name, arguments=arguments):
            return name + "".join(map(_parentheses, arguments))
        case ValueSegment(text=text):
            return text
        case ReferenceSegment(content_id=content_id):
            return f"${content_id}"
        case SystemSegment(name=system):
            return system.value
        case CrossJoinSegment(names=names):
            return f"$crossjoin({','.join(names)})"
        case FilterSegment(predicate=predicate):
            return f"$filter({unparse_expression(predicate)})"
        case _:
            assert_never(segment)


def _parentheses(arguments: Arguments) -> str:
    return f"({unparse_arguments(arguments.positional, arguments.named)})"


def _query(options: QueryOptions) -> str:
    pairs = _option_pairs(options)
    pieces = [f"{encode_query(name)}={encode_query(value)}" for name, value in pairs]
    for custom in options.custom:
        name = encode_query(custom.name)
        pieces.append(name if custom.value is None else f"{name}={encode_query(custom.value)}")
    return "&".join(pieces)


def _nested(options: QueryOptions | None) -> str:
    if options is None:
        return ""
    return "(" + ";".join(f"{name}={value}" for name, value in _option_pairs(options)) + ")"


def _option_pairs(options: QueryOptions) -> list[tuple[str, str]]:
    pairs = [(name, _WRITERS[name](options)) for name in options.names]
    pairs.extend((f"@{alias.name}", unparse_expression(alias.value)) for alias in options.aliases)
    return pairs


def _selected(item: SelectItem) -> str:
    parameters = "" if item.parameters is None else f"({','.join(item.parameters)})"
    return "/".join(item.path) + parameters + _nested(item.options)


def _expanded(item: ExpandItem) -> str:
    target = "" if item.target is ExpandTarget.ROWS else f"/{item.target.value}"
    return "/".join(item.path) + target + _nested(item.options)


def _levels(levels: Levels | None) -> str:
    return "max" if levels is None or levels.depth is None else str(levels.depth)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


# An option named in `names` has its value; the fallbacks only satisfy the types.
_WRITERS: dict[str, Callable[[QueryOptions], str]] = {
    "$filter": lambda options: "" if options.filter is None else unparse_expression(options.filter),
    "$search": lambda options: "" if options.search is None else unparse_search(options.search),
    "$orderby": lambda options: unparse_orderby(options.orderby or ()),
    "$select": lambda options: unparse_select(options.select or ()),
    "$expand": lambda options: unparse_expand(options.expand or ()),
    "$compute": lambda options: unparse_compute(options.compute or ()),
    "$apply": lambda options: unparse_apply(options.apply or ()),
    "$top": lambda options: _number(options.top),
    "$skip": lambda options: _number(options.skip),
    "$index": lambda options: _number(options.index),
    "$count": lambda options: "true" if options.count else "false",
    "$levels": lambda options: _levels(options.levels),
    "$format": lambda options: options.format or "",
    "$id": lambda options: options.id or "",
    "$skiptoken": lambda options: options.skiptoken or "",
    "$deltatoken": lambda options: options.deltatoken or "",
    "$schemaversion": lambda options: options.schemaversion or "",
}
