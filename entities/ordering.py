"""The place of every row: what the rows of a query are told apart by, and the full order that follows from it.

A page begins behind a row, so no two rows of a query may have the same place. The id settles that, unless links repeat
a record (then the ids of the linked records follow) or the query is distinct (then what makes its rows distinct does).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from entities.hierarchy import children_table
from entities.metadata.catalog import Catalog
from entities.metadata.columns import LookupType
from entities.metadata.tables import Table, TableKind
from entities.query import (
    CHILDREN,
    And,
    ColumnRef,
    Condition,
    ConditionOperator,
    Filter,
    LinkEntity,
    LinkType,
    Order,
    QueryExpression,
)


def full_order(catalog: Catalog, query: QueryExpression) -> tuple[Order, ...]:
    """Return the query's order, continued until every row has its place.

    Args:
        catalog: the definitions of its tables.
        query: any query whose rows are records.
    """
    own = ColumnRef(catalog.tables[query.table].primary_id)
    settling = _by_id(catalog, query) if query.distinct else (own, *repeating_ids(catalog, query.links))
    if settling == (own,):
        # Behind the id nothing is left to be decided.
        for position, order in enumerate(query.orders):
            if order.column == own:
                return query.orders[: position + 1]
    # Two options may have the same label.
    named = {order.column for order in query.orders if order.labels is None}
    return (*query.orders, *(Order(ref) for ref in settling if ref not in named))


def _by_id(catalog: Catalog, query: QueryExpression) -> tuple[ColumnRef, ...]:
    """Return what tells the rows of a distinct query apart: records of the same name are different ones."""
    tables = tables_of(catalog, query)
    return tuple(
        replace(ref, part="id") if isinstance(tables[ref.alias].by_name[ref.name].type, LookupType) else ref
        for ref in distinct_columns(catalog, query)
    )


def tables_of(catalog: Catalog, query: QueryExpression) -> dict[str, Table]:
    """Return the tables of a query by alias, without those that only a condition looks into."""
    table = catalog.tables[query.table]
    counts = {CHILDREN.alias: children_table(table)} if query.counts_children else {}
    return {"": table, **_linked(catalog, query.links), **counts}


def _linked(catalog: Catalog, links: Sequence[LinkEntity]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for link in links:
        tables[link.alias] = catalog.tables[link.table]
        tables.update(_linked(catalog, link.links))
    return tables


def distinct_columns(catalog: Catalog, query: QueryExpression) -> tuple[ColumnRef, ...]:
    """Return the columns of which a distinct query returns each combination once.

    A query that returns the id has a row per record and combination of linked columns, one without it a row per
    combination of its columns. What it is sorted by belongs to them, as in SQL.
    """
    table = catalog.tables[query.table]
    by_record = query.columns is None or table.primary_id in query.columns
    own = (table.primary_id,) if by_record else query.columns or ()
    shown = (*(ColumnRef(name) for name in own), *query.linked_columns, *(order.column for order in query.orders))
    return tuple(dict.fromkeys(shown))


def repeating_ids(catalog: Catalog, links: Sequence[LinkEntity]) -> tuple[ColumnRef, ...]:
    """Return the ids of joined tables of which several records may belong to one row."""
    return tuple(_repeating_ids(catalog, links))


def _repeating_ids(catalog: Catalog, links: Sequence[LinkEntity]) -> Iterator[ColumnRef]:
    for link in links:
        if not _is_single(catalog, link):
            yield ColumnRef(catalog.tables[link.table].primary_id, link.alias)
        yield from _repeating_ids(catalog, link.links)


def _is_single(catalog: Catalog, link: LinkEntity) -> bool:
    """Say whether at most one linked record belongs to a row: it is named by its id, or as a pair by both ends."""
    table = catalog.tables[link.table]
    if link.type is LinkType.MATCH_FIRST_ROW or link.from_column == table.primary_id:
        return True
    pair = catalog.by_intersect.get(link.table) if table.kind is TableKind.INTERSECT else None
    if pair is None:
        return False
    ends = {pair.column1, pair.column2}
    fixed = {name for part in _conjuncts(link.filter) for name in _fixed(part, link.alias)}
    return ends <= {link.from_column, *fixed}


def _conjuncts(node: Filter) -> tuple[Filter, ...]:
    return node.filters if isinstance(node, And) else (node,)


def _fixed(node: Filter, alias: str) -> Iterator[str]:
    match node:
        case Condition(column=ColumnRef(name=name, alias=found), operator=ConditionOperator.EQUAL) if found == alias:
            yield name
        case _:
            pass
