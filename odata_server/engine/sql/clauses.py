"""The clauses that a query's statement and its expansions share: source, order and limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from entities.hierarchy import children_table, hierarchies
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, LookupType
from entities.metadata.option_labels import label_order
from entities.ordering import full_order
from entities.query import CHILDREN, Order, QueryExpression
from odata_server.engine.database import quoted
from odata_server.engine.slots import Slot
from odata_server.engine.sql.formula_sql import table_sql
from odata_server.engine.sql.hierarchy_sql import children_sql
from odata_server.engine.sql.predicates import Scope, comparable_sql, join_sql
from odata_server.engine.sql.row_json import text
from odata_server.engine.storage import fold_of, table_of_lookup


def source_sql(scope: Scope, query: QueryExpression) -> str:
    """Return the FROM clause of a query with its links; its table enters the scope under the empty alias."""
    alias = scope.enter("", query.table)
    joins = [join_sql(scope, link) for link in query.links]
    if query.counts_children:
        joins.append(_children_sql(scope, query.table, alias))
    return " ".join((f"FROM {table_sql(scope.catalog, query.table)} AS {alias}", *joins))


def _children_sql(scope: Scope, name: str, near: str) -> str:
    """Return the JOIN clause that brings the number of records below each row."""
    table = scope.catalog.tables[name]
    (hierarchy,) = hierarchies(scope.catalog, table, table.primary_id)
    alias = scope.enter(CHILDREN.alias, name)
    scope.tables[CHILDREN.alias] = (alias, children_table(table))
    key = quoted(table.primary_id)
    return f"JOIN ({children_sql(hierarchy)}) AS {alias} ON {alias}.{key} = {near}.{key}"


def orders_of(catalog: Catalog, query: QueryExpression) -> tuple[Order, ...]:
    """Return the full order, in which every row has its place."""
    return full_order(catalog, query)


def limit_sql(scope: Scope, query: QueryExpression) -> str:
    """Return the row limit: the page's size, or `$top` where there is no paging."""
    slot = query.page.size if query.page else query.top
    if slot is None:
        return ""
    index = cast("Slot", slot).index
    return scope.parameter(lambda literals: cast("int", literals[index]))


def offset_sql(scope: Scope, query: QueryExpression) -> str:
    """Return how many rows stand before a page that is given by its number; nothing where it begins behind a row."""
    anchor = query.page.anchor if query.page else None
    if anchor is None or anchor.values:
        return ""
    index = cast("Slot", anchor.number).index
    return scope.parameter(lambda literals: cast("int", literals[index]))


def order_sql(scope: Scope, order: Order) -> str:
    """Return what a term sorts by: a lookup by the name of its record, everything else by its comparable form.

    A choice may sort by the label of its option; a number that is no option sorts as if there was none.
    """
    alias, _, column = scope.column(order.column)
    if order.labels is not None:
        labels = label_order(column.type, order.labels)
        arms = " ".join(f"WHEN {value} THEN {text(label)}" for value, label in labels.items())
        return f"CASE {comparable_sql(scope, order.column)} {arms} END" if arms else "NULL"
    if isinstance(column.type, LookupType) and order.column.part != "id":
        return lookup_name_sql(scope.catalog, alias, column)
    return comparable_sql(scope, order.column)


def sorted_sql(scope: Scope, orders: Iterable[Order]) -> str:
    """Return the terms behind ORDER BY, where nulls come first ascending (as SQL Server sorts them)."""
    return ", ".join(_term_sql(scope, order) for order in orders)


def _term_sql(scope: Scope, order: Order) -> str:
    sql = order_sql(scope, order)
    if not order.column.alias and order.column.name == scope.tables[""][1].primary_id:
        # An id is never null, and without the words its index gives the order.
        return f"{sql} DESC" if order.descending else sql
    return f"{sql} DESC NULLS LAST" if order.descending else f"{sql} NULLS FIRST"


def lookup_name_sql(catalog: Catalog, alias: str, lookup: Column) -> str:
    """Return the fold of the primary name of a referenced record, for sorting; its id where the table has no names."""
    assert isinstance(lookup.type, LookupType)
    column = f"{alias}.{quoted(lookup.logical_name)}"
    names = {
        name: f"(SELECT n.{quoted(fold_of(table.primary_name))} FROM {quoted(name)} AS n"
        f" WHERE n.{quoted(table.primary_id)} = {column})"
        for name in lookup.type.targets
        if (table := catalog.tables.get(name)) and table.primary_name and not table.source
    }
    if not lookup.type.is_polymorphic or not names:
        return next(iter(names.values()), column)
    arms = " ".join(f"WHEN '{name}' THEN {sql}" for name, sql in names.items())
    return f"CASE {alias}.{quoted(table_of_lookup(lookup.logical_name))} {arms} ELSE {column} END"
