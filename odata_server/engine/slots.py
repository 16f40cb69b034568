"""A query without its literals: what its plan is compiled from, and the key under which the plan is kept.

`split` replaces every literal by a `Slot`, so that two queries that differ in literals only are the same plan. Nulls
stay, because they change the SQL. `signature` is the key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never, cast

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


Signature: TypeAlias = tuple[object, ...]
"""What decides a query's plan, as nested tuples of hashable values."""


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """A query with its signature and its literals."""

    query: QueryExpression
    signature: Signature
    literals: tuple[Value, ...]


def signed(query: QueryExpression) -> SignedQuery:
    """Return a query with what its plan is found by."""
    return SignedQuery(query, *signature(query))


def signature(query: QueryExpression) -> tuple[Signature, tuple[Value, ...]]:
    """Return what decides a query's plan, and the literals by slot index.

    Two queries have the same signature exactly when `split` gives the same query for both. It is made for every
    request, and so of plain tuples: they are built and hashed several times as fast as the query that `split` builds.
    """
    literals: list[Value] = []
    return _query_signature(query, literals), tuple(literals)


def _query_signature(query: QueryExpression, literals: list[Value]) -> Signature:
    return (
        query.table,
        query.columns,
        query.linked_columns,
        _filter_signature(query.filter, literals),
        tuple([_link_signature(link, literals) for link in query.links]),
        query.orders,
        _is_literal(query.top, literals),
        _page_signature(query.page, literals),
        query.count,
        query.distinct,
        query.groups,
        query.aggregates,
        query.aggregate_limit,
        query.counts_children,
        tuple([(e.navigation, _query_signature(e.query, literals)) for e in query.expansions]),
    )


def _is_literal(value: Value, literals: list[Value]) -> bool:
    """Note a literal; a null is none."""
    if value is None:
        return False
    literals.append(value)
    return True


def _filter_signature(node: Filter, literals: list[Value]) -> Signature:
    match node:
        case Condition(column, operator, values):
            marks = [_is_literal(value, literals) for value in values]
            return (operator, column.name, column.alias, column.part, *marks)
        case And(filters):
            return ("and", *[_filter_signature(part, literals) for part in filters])
        case Or(filters):
            return ("or", *[_filter_signature(part, literals) for part in filters])
        case Not(inner):
            return ("not", _filter_signature(inner, literals))
        case Exists(link):
            return ("exists", _link_signature(link, literals))
        case ColumnComparison():
            return ("columns", node)
        case _:
            assert_never(node)


def _link_signature(link: LinkEntity, literals: list[Value]) -> Signature:
    return (
        link.alias,
        link.table,
        link.from_column,
        link.to_column,
        link.to_alias,
        link.type,
        _filter_signature(link.filter, literals),
        tuple([_link_signature(inner, literals) for inner in link.links]),
    )


def _page_signature(page: Page | None, literals: list[Value]) -> Signature | None:
    if page is None:
        return None
    anchor = page.anchor
    if anchor is None:
        place: Signature | None = None
    elif not anchor.values:
        literals.append(_skipped(page, anchor))
        place = ("number",)
    else:
        place = tuple([_is_literal(value, literals) for value in anchor.values])
    literals.append(page.size)
    return (place,)


def _skipped(page: Page, anchor: PageAnchor) -> int:
    """Return how many rows stand before a page that is given by its number."""
    return (anchor.number - 1) * page.size


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
    if anchor is not None and not anchor.values:
        anchor = PageAnchor(cast("int", _slot(_skipped(page, anchor), literals)), ())
    elif anchor is not None:
        anchor = PageAnchor(0, tuple(_slot(value, literals) for value in anchor.values))
    return Page(cast("int", _slot(page.size, literals)), anchor)
