"""A query without its literals: the key under which a compiled plan is kept.

`split` replaces every literal by a `Slot`, so that two queries that differ in literals only are the same plan. Nulls
stay, because they change the SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never, cast

from entities.query import (
    And,
    ColumnComparison,
    Condition,
    Exists,
    Expansion,
    Filter,
    LinkEntity,
    Not,
    Or,
    Page,
    PageAnchor,
    QueryExpression,
)
from entities.values import Value


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a literal: its position among the query's literals."""

    index: int


def split(query: QueryExpression) -> tuple[QueryExpression, tuple[Value, ...]]:
    """Return the query with slots in place of literals, and the literals by slot index."""
    literals: list[Value] = []
    return _query(query, literals), tuple(literals)


def _query(query: QueryExpression, literals: list[Value]) -> QueryExpression:
    return replace(
        query,
        filter=_filter(query.filter, literals),
        links=tuple(_link(link, literals) for link in query.links),
        top=cast("int | None", _slot(query.top, literals)),
        page=_page(query.page, literals),
        expansions=tuple(Expansion(e.navigation, _query(e.query, literals)) for e in query.expansions),
    )


def _slot(value: Value, literals: list[Value]) -> Value:
    if value is None:
        return None
    literals.append(value)
    return cast("Value", Slot(len(literals) - 1))


def _filter(node: Filter, literals: list[Value]) -> Filter:
    match node:
        case Condition():
            return Condition(node.column, node.operator, tuple(_slot(value, literals) for value in node.values))
        case And():
            return And(tuple(_filter(part, literals) for part in node.filters))
        case Or():
            return Or(tuple(_filter(part, literals) for part in node.filters))
        case Not():
            return Not(_filter(node.filter, literals))
        case Exists():
            return Exists(_link(node.link, literals))
        case ColumnComparison():
            return node
        case _:
            assert_never(node)


def _link(link: LinkEntity, literals: list[Value]) -> LinkEntity:
    return replace(
        link,
        filter=_filter(link.filter, literals),
        links=tuple(_link(inner, literals) for inner in link.links),
    )


def _page(page: Page | None, literals: list[Value]) -> Page | None:
    if page is None:
        return None
    anchor = page.anchor
    if anchor is not None:
        anchor = PageAnchor(0, tuple(_slot(value, literals) for value in anchor.values))
    return Page(cast("int", _slot(page.size, literals)), anchor)
