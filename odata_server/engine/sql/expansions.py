"""Expanded records as SQL: what stands under a row's navigation properties, made by the same statement.

A lookup is a left join that gives an object or null, a collection a subquery that is correlated with its row and gives
an array. Both are text that is concatenated, because SQLite versions differ in whether a subquery's result is still
known to be JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import orjson

from entities.errors import EngineFault
from entities.metadata.catalog import CollectionNavigation, LookupNavigation, ManyToManyNavigation
from entities.metadata.tables import Table
from entities.query import Expansion, LinkEntity, QueryExpression
from odata_server.edm.representation import Expanded, NextLink, RowShape
from odata_server.engine.database import quoted
from odata_server.engine.sql.clauses import limit_sql, orders_of, sorted_sql, source_sql
from odata_server.engine.sql.formula_sql import table_sql
from odata_server.engine.sql.predicates import Scope, filter_sql, join_condition
from odata_server.engine.sql.row_json import json_name, row_sql, text

_PARENT = "$parent"
"""The alias of the row in the scope of its expansions; a query's own aliases are names."""


def expanded_row_sql(scope: Scope, query: QueryExpression, shape: RowShape) -> tuple[str, str]:
    """Return the SQL text expression of one row's JSON object with its expanded records, and the joins it needs.

    Args:
        scope: the statement, with the query's table under the empty alias.
        query: the query; its literals are slots.
        shape: the members of its rows, with as many shapes of expanded records as the query has expansions.
    """
    waiting = iter(query.expansions)
    appended, joins = [], []
    for expanded in shape.expanded:
        expansions = [next(waiting) for _ in expanded.shapes]
        if expanded.is_collection:
            appended.append((expanded.name, _records_sql(scope, query.table, expansions[0], expanded)))
        else:
            value, joined = _record_sql(scope, query.table, expansions, expanded.shapes)
            appended.append((expanded.name, value))
            joins.append(joined)
    return row_sql(scope, shape, appended), "".join(joins)


def _record_sql(
    scope: Scope, table: str, expansions: Sequence[Expansion], shapes: Sequence[RowShape]
) -> tuple[str, str]:
    """Return the JSON of the one record a lookup points to, and the joins that find it.

    A join costs a fifth of a subquery, which opens the related table anew for every row.
    """
    arms, joins = "", ""
    for expansion, shape in zip(expansions, shapes, strict=True):
        assert not expansion.query.links, "the record behind a lookup takes no options that need a link"
        outside = row_in_sight(scope)
        alias = scope.enter("", expansion.query.table)
        condition = f"{tie_sql(scope, table, expansion)} AND {filter_sql(scope, expansion.query.filter)}"
        row, inner = expanded_row_sql(scope, expansion.query, shape)
        scope.tables = outside
        source = table_sql(scope.catalog, expansion.query.table)
        joins += f" LEFT JOIN {source} AS {alias} ON {condition}{inner}"
        key = quoted(scope.catalog.tables[expansion.query.table].primary_id)
        arms += f" WHEN {alias}.{key} IS NOT NULL THEN {row}"
    return f"CASE{arms} ELSE 'null' END", joins


def _records_sql(scope: Scope, table: str, expansion: Expansion, expanded: Expanded) -> str:
    """Return the subquery of the array of related records in their order, with the next link behind it."""
    shape = expanded.shapes[0]
    outside = row_in_sight(scope)
    query = expansion.query
    source = source_sql(scope, query)
    key = f"{scope.tables[''][0]}.{quoted(scope.catalog.tables[query.table].primary_id)}"
    row, joins = expanded_row_sql(scope, query, shape)
    where = f"{tie_sql(scope, table, expansion)} AND {filter_sql(scope, query.filter)}"
    orders = orders_of(scope.catalog, query)
    order = sorted_sql(scope, orders)
    limit = limit_sql(scope, query)
    end = f" LIMIT {limit}" if limit else ""
    scope.tables = outside
    link = "" if expanded.link is None else f" || {_link_sql(scope, expanded.name, expanded.link)}"
    inner = f"SELECT {row} AS j, {key} AS k {source}{joins} WHERE {where} ORDER BY {order}{end}"
    return f"(SELECT '[' || coalesce(group_concat(j, ','), '') || ']'{link} FROM ({inner}))"


def _link_sql(scope: Scope, name: str, link: NextLink) -> str:
    """Return the member with the URL of the collection, as seen from the aggregate over its records."""
    alias, _ = scope.tables[""]
    before = text(f',{json_name(f"{name}@odata.nextLink")}"{_escaped(link.before)}')
    url = f"{before} || {alias}.{quoted(link.key)} || {text(_escaped(link.after))}"
    cookie = link.cookie
    if cookie is None:
        return f"{url} || '\"'"
    before_last, before_first, behind = (text(_escaped(t)) for t in (cookie.before, cookie.between, cookie.after))
    # Paged collections are in the order of their ids.
    token = f"{before_last} || max(k) || {before_first} || min(k) || {behind}"
    return f"CASE WHEN count(*) = {cookie.size} THEN {url} || {token} || '\"' ELSE '' END"


def _escaped(url: str) -> str:
    """Return a URL as it stands between the quotation marks of a JSON string."""
    return orjson.dumps(url).decode()[1:-1]


def row_in_sight(scope: Scope) -> dict[str, tuple[str, Table]]:
    """Leave only the row in sight, under an alias of its own, and return what was in sight."""
    outside = scope.tables
    scope.tables = {_PARENT: outside[""]}
    return outside


def tie_sql(scope: Scope, table: str, expansion: Expansion) -> str:
    """Return the condition that a record belongs to the row."""
    near, far = scope.catalog.tables[table], scope.catalog.tables[expansion.query.table]
    navigation = scope.catalog.navigation(table, expansion.navigation)
    match navigation:
        case LookupNavigation(relationship=relationship):
            link = LinkEntity("", far.logical_name, far.primary_id, relationship.referencing_column, _PARENT)
            return join_condition(scope, link)
        case CollectionNavigation(relationship=relationship):
            link = LinkEntity("", far.logical_name, relationship.referencing_column, near.primary_id, _PARENT)
            return join_condition(scope, link)
        case ManyToManyNavigation(relationship=relationship):
            own, other = (scope.tables[alias][0] for alias in (_PARENT, ""))
            pairs = f"SELECT {quoted(navigation.far)} FROM {quoted(relationship.intersect_table)}"
            of_row = f"{quoted(navigation.near)} = {own}.{quoted(near.primary_id)}"
            return f"{other}.{quoted(far.primary_id)} IN ({pairs} WHERE {of_row})"
        case None:
            raise EngineFault(f"The table '{table}' has no navigation property '{expansion.navigation}'.")
        case _:
            assert_never(navigation)
