"""Queries as one SQL statement each: the database makes the JSON.

A page is one statement whose single row is (rows' JSON joined by commas, number of rows, count, order values of the
first and of the last row). A query for records is one statement with a row per record. Literals are slots here; the
caller has the query authorized before it is split.
"""

from __future__ import annotations

from dataclasses import dataclass

from entities.metadata.columns import Column, LookupType
from entities.ordering import distinct_columns, repeating_ids
from entities.query import ColumnRef, Order, QueryExpression
from entities.values import Value
from odata_server.edm.representation import RowShape
from odata_server.engine.database import quoted
from odata_server.engine.sql.clauses import limit_sql, offset_sql, order_sql, orders_of, sorted_sql, source_sql
from odata_server.engine.sql.expansions import expanded_row_sql
from odata_server.engine.sql.fetched import Fetch, columns_of_query, columns_of_shape
from odata_server.engine.sql.predicates import Binder, Scope, bound, comparable_sql, filter_sql
from odata_server.engine.storage import SqlValue

COUNT_LIMIT = 5_000
"""`$count` never says more (Learn: "Count number of rows")."""


_NOTHING = Fetch(())


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled statement: its text, and how each parameter is taken from the literals.

    `places` are the columns of the order values that a page returns for its first and for its last row (None where a
    text stands for a lookup), empty where nobody can page on. `fetch` says what the rows of a query for records hold;
    the order values stand behind it.
    """

    sql: str
    binders: tuple[Binder, ...]
    places: tuple[Column | None, ...] = ()
    fetch: Fetch = _NOTHING

    def parameters(self, literals: tuple[Value, ...]) -> tuple[SqlValue, ...]:
        """Return the parameter values for a query's literals."""
        return tuple([binder(literals) for binder in self.binders])


def page_plan(scope: Scope, query: QueryExpression, shape: RowShape) -> Plan:
    """Compile a query for a page of JSON rows."""
    source = source_sql(scope, query)
    orders = orders_of(scope.catalog, query)
    keys = len(orders) if query.page is not None else 0
    key_list = [f"{order_sql(scope, order)} AS k{n}" for n, order in enumerate(orders[:keys])]
    row, joins = expanded_row_sql(scope, query, shape)
    inner = _select(scope, query, [f"{row} AS j", *key_list], source + joins, orders)
    ends: list[str] = []
    if keys:
        inner = f"SELECT *, row_number() OVER () AS n FROM ({inner})"
        limit = limit_sql(scope, query)
        ends = [f"max(k{n}) FILTER (WHERE n = 1)" for n in range(keys)]
        ends += [f"max(k{n}) FILTER (WHERE n = {limit})" for n in range(keys)]
    outer = ["CAST(group_concat(j, ',') AS BLOB)", "count(*)", _count_sql(scope, query, source), *ends]
    return Plan(f"SELECT {', '.join(outer)} FROM ({inner})", tuple(scope.binders), _places(scope, orders[:keys]))


def row_plan(scope: Scope, query: QueryExpression, shape: RowShape) -> Plan:
    """Compile a query for one JSON row and its version."""
    source = source_sql(scope, query)
    table = scope.catalog.tables[query.table]
    version = f"t0.{quoted('versionnumber')}" if table.has_version else "NULL"
    row, joins = expanded_row_sql(scope, query, shape)
    sql = f"SELECT CAST({row} AS BLOB), {version} {source}{joins} WHERE {filter_sql(scope, query.filter)}"
    return Plan(f"{sql} LIMIT 1", tuple(scope.binders))


def records_plan(scope: Scope, query: QueryExpression, shape: RowShape | None = None) -> Plan:
    """Compile a query for records, row by row: what a shape shows of them, or the columns that the query asks for.

    A page has one row more where another page follows.
    """
    source = source_sql(scope, query)
    orders = orders_of(scope.catalog, query)
    selected, fetch = columns_of_shape(scope, query, shape) if shape else columns_of_query(scope, query)
    keys = [order_sql(scope, order) for order in orders]
    make = _select if scope.dialect.takes_first_of_group or not query.distinct else _select_distinct
    sql = make(scope, query, [*selected, *keys], source, orders, " + 1" if query.page else "")
    return Plan(sql, tuple(scope.binders), _places(scope, orders), fetch)


def record_plan(scope: Scope, query: QueryExpression, shape: RowShape) -> Plan:
    """Compile a query for one record as a shape shows it; its version is the last value."""
    source = source_sql(scope, query)
    table = scope.catalog.tables[query.table]
    selected, fetch = columns_of_shape(scope, query, shape)
    version = f"t0.{quoted('versionnumber')}" if table.has_version else "NULL"
    where = filter_sql(scope, query.filter)
    sql = f"SELECT {', '.join((*selected, version))} {source} WHERE {where} LIMIT 1"
    return Plan(sql, tuple(scope.binders), fetch=fetch)


def count_plan(scope: Scope, query: QueryExpression) -> Plan:
    """Compile a query for its number of rows, one more than the limit at most."""
    source = source_sql(scope, query)
    return Plan(f"SELECT {_counted_sql(scope, query, source)}", tuple(scope.binders))


def exists_after_plan(scope: Scope, query: QueryExpression) -> Plan:
    """Compile the question whether any row follows the query's anchor."""
    source = source_sql(scope, query)
    where = " AND ".join(_conditions(scope, query, orders_of(scope.catalog, query)))
    return Plan(f"SELECT 1 {source} WHERE {where} LIMIT 1", tuple(scope.binders))


def _select(
    scope: Scope, query: QueryExpression, selected: list[str], source: str, orders: tuple[Order, ...], more: str = ""
) -> str:
    where = " AND ".join(_conditions(scope, query, orders))
    sql = f"SELECT {', '.join(selected)} {source} WHERE {where}{_grouped_sql(scope, query)}"
    return f"{sql} ORDER BY {sorted_sql(scope, orders)}{_window_sql(scope, query, more)}"


def _window_sql(scope: Scope, query: QueryExpression, more: str) -> str:
    limit = limit_sql(scope, query)
    if not limit:
        return ""
    offset = offset_sql(scope, query)
    return f" LIMIT {limit}{more} OFFSET {offset}" if offset else f" LIMIT {limit}{more}"


def _select_distinct(
    scope: Scope, query: QueryExpression, selected: list[str], source: str, orders: tuple[Order, ...], more: str
) -> str:
    """Return the query for one row per distinct combination, that of the first record, where SQL must choose it."""
    where = " AND ".join(_conditions(scope, query, orders))
    named = ", ".join(f"{sql} AS v{n}" for n, sql in enumerate(selected))
    shown, first = ", ".join(_distinct_sql(scope, query)), _first_sql(scope, query)
    rows = f"SELECT DISTINCT ON ({shown}) {named} {source} WHERE {where} ORDER BY {shown}, {first}"
    begin = len(selected) - len(orders)
    order = ", ".join(
        f"v{begin + n}{' DESC NULLS LAST' if order.descending else ' NULLS FIRST'}" for n, order in enumerate(orders)
    )
    values = ", ".join(f"v{n}" for n in range(len(selected)))
    return f"SELECT {values} FROM ({rows}) AS d ORDER BY {order}{_window_sql(scope, query, more)}"


def _grouped_sql(scope: Scope, query: QueryExpression) -> str:
    """Return the grouping that leaves one row per distinct combination: that of the first record.

    SQLite takes the other columns of a group from the row that has the only minimum of the query.
    """
    if not query.distinct:
        return ""
    shown = ", ".join(_distinct_sql(scope, query))
    return f" GROUP BY {shown} HAVING min({_first_sql(scope, query)}) IS NOT NULL"


def _first_sql(scope: Scope, query: QueryExpression) -> str:
    """Return what is least for the first record of those that are shown once."""
    own = ColumnRef(scope.catalog.tables[query.table].primary_id)
    ids = (own, *repeating_ids(scope.catalog, query.links))
    return " || ".join(f"coalesce({comparable_sql(scope, ref)}, '')" for ref in ids)


def _distinct_sql(scope: Scope, query: QueryExpression) -> tuple[str, ...]:
    return tuple(comparable_sql(scope, ref) for ref in distinct_columns(scope.catalog, query))


def _conditions(scope: Scope, query: QueryExpression, orders: tuple[Order, ...]) -> list[str]:
    conditions = [filter_sql(scope, query.filter)]
    if query.page and query.page.anchor and query.page.anchor.values:
        conditions.append(_after_sql(scope, orders, query.page.anchor.values))
    return conditions


def _places(scope: Scope, orders: tuple[Order, ...]) -> tuple[Column | None, ...]:
    columns = ((order, scope.column(order.column)[2]) for order in orders)
    return tuple(
        None if order.labels is not None or isinstance(column.type, LookupType) else column for order, column in columns
    )


def _after_sql(scope: Scope, orders: tuple[Order, ...], values: tuple[Value, ...]) -> str:
    """Return the condition that a row comes after the anchor, term by term; nulls come first ascending."""
    terms = list(zip(orders, values, strict=True))
    # Nothing comes after null in descending order: such a term at the end adds no row, and must bind no value.
    while terms and terms[-1][0].descending and terms[-1][1] is None:
        terms.pop()
    alternatives = []
    equal: list[str] = []
    for position, (order, value) in enumerate(terms, start=1):
        column = order_sql(scope, order)
        later = _later_sql(scope, order, column, value)
        if later:
            alternatives.append("(" + " AND ".join((*equal, later)) + ")")
        if position < len(terms):
            equal.append(_equal_sql(scope, order, column, value))
    return "(" + (" OR ".join(alternatives) or "FALSE") + ")"


def _later_sql(scope: Scope, order: Order, column: str, value: Value) -> str:
    if value is None:
        return "" if order.descending else f"{column} IS NOT NULL"
    place = _anchor_sql(scope, order, value)
    return f"({column} < {place} OR {column} IS NULL)" if order.descending else f"{column} > {place}"


def _equal_sql(scope: Scope, order: Order, column: str, value: Value) -> str:
    return f"{column} IS NULL" if value is None else f"{column} = {_anchor_sql(scope, order, value)}"


def _anchor_sql(scope: Scope, order: Order, value: Value) -> str:
    _, _, column = scope.column(order.column)
    return scope.parameter(bound(column.type, value))


def _count_sql(scope: Scope, query: QueryExpression, source: str) -> str:
    return _counted_sql(scope, query, source) if query.count else "NULL"


def _counted_sql(scope: Scope, query: QueryExpression, source: str) -> str:
    where = filter_sql(scope, query.filter)
    rows = "SELECT 1"
    if query.distinct:
        rows = f"SELECT DISTINCT {', '.join(_distinct_sql(scope, query))}"
    return f"(SELECT count(*) FROM ({rows} {source} WHERE {where} LIMIT {COUNT_LIMIT + 1}) AS c)"
