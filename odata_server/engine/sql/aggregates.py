"""Grouped and aggregated queries as one SQL statement: groups are counted and summed where they lie.

The innermost SELECT gives the columns that are needed of at most one record more than may be aggregated; `g` groups
them; the rows of `g` become JSON as those of a table do. Sums of scaled integers are added in two halves, so that no
64-bit integer overflows, and become a text that sorts as the number does (`engine.exact_numbers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never, cast

from entities.grouping import (
    FISCAL,
    ResultColumn,
    limit_exceeded,
    record_limit,
    result_columns,
    result_digits,
    result_table,
    shown_name,
    zone_of,
)
from entities.messages import Rows
from entities.metadata.columns import (
    ColumnType,
    DecimalType,
    EntityNameType,
    LookupType,
    MemoType,
    MoneyType,
    StringType,
)
from entities.query import (
    Aggregate,
    AggregateFunction,
    ColumnRef,
    DateGrouping,
    Group,
    GroupCalendar,
    PageAnchor,
    QueryExpression,
)
from entities.values import Record
from odata_server.edm.representation import RowShape
from odata_server.engine.database import quoted
from odata_server.engine.sql.clauses import sorted_sql, source_sql
from odata_server.engine.sql.compiler import COUNT_LIMIT, Plan
from odata_server.engine.sql.fetched import Fetch, columns_of, named_lookups
from odata_server.engine.sql.predicates import Scope, comparable_sql, filter_sql
from odata_server.engine.sql.row_json import row_sql, text
from odata_server.engine.storage import fold_of, scale_of, table_of_lookup

_LIMIT, _OFFSET, _RECORDS = -3, -2, -1
"""Where a grouped plan finds its three numbers: behind the query's own literals."""

_HALF = 32
_MASK = 2**_HALF - 1
_FOLDED = (StringType, MemoType, EntityNameType)

_READ = "$records"
"""The column of `g` that counts the records of a group."""

_PLAIN_PARTS = {
    DateGrouping.DAY: "CAST(substr({0}, 9, 2) AS INTEGER)",
    DateGrouping.MONTH: "CAST(substr({0}, 6, 2) AS INTEGER)",
    DateGrouping.QUARTER: "(CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3",
    DateGrouping.YEAR: "CAST(substr({0}, 1, 4) AS INTEGER)",
}


def group_page_plan(scope: Scope, query: QueryExpression, shape: RowShape) -> Plan:
    """Compile a grouped query for a page of JSON rows.

    The single row of the statement is (rows' JSON, number of groups from the page's beginning, at most one more than
    the page has, records read, number of groups up to the counting limit).

    Raises:
        InvalidArgument: a column cannot be grouped or aggregated that way.
    """
    groups, order = _grouped(scope, query)
    limit, offset = (_number(scope, place) for place in (_LIMIT, _OFFSET))
    page = f"SELECT {row_sql(scope, shape)} AS j FROM g {order} LIMIT {limit} + 1 OFFSET {offset}"
    parts = (
        f"CAST(group_concat(j, ',') FILTER (WHERE n <= {limit}) AS BLOB)",
        "count(*)",
        f"(SELECT coalesce(sum({quoted(_READ)}), 0) FROM g)",
        f"(SELECT count(*) FROM (SELECT 1 FROM g LIMIT {COUNT_LIMIT + 1}) AS c)",
    )
    sql = f"{groups} SELECT {', '.join(parts)} FROM (SELECT j, row_number() OVER () AS n FROM ({page}))"
    return Plan(sql, tuple(scope.binders))


def group_records_plan(scope: Scope, query: QueryExpression, shape: RowShape | None = None) -> Plan:
    """Compile a grouped query for records: the columns of each group, records read and the number of groups behind.

    Raises:
        InvalidArgument: a column cannot be grouped or aggregated that way.
    """
    groups, order = _grouped(scope, query)
    _, table = scope.tables[""]
    limit, offset = (_number(scope, place) for place in (_LIMIT, _OFFSET))
    exact = {f"g.{quoted(column.alias)}" for column in result_columns(scope.catalog, query) if column.is_exact}
    refs = (ColumnRef(column.logical_name) for column in table.columns)
    found, columns = columns_of(scope, refs, named_lookups(shape) if shape else {})
    selected = [f"exact_text({sql}, 0)" if sql in exact else sql for sql in found]
    selected += [
        f"(SELECT sum({quoted(_READ)}) FROM g)",
        f"(SELECT count(*) FROM (SELECT 1 FROM g LIMIT {COUNT_LIMIT + 1}) AS c)",
    ]
    sql = f"{groups} SELECT {', '.join(selected)} FROM g {order} LIMIT {limit} + 1 OFFSET {offset}"
    return Plan(sql, tuple(scope.binders), fetch=Fetch(columns))


def _grouped(scope: Scope, query: QueryExpression) -> tuple[str, str]:
    """Leave the groups in the scope; return the WITH clause that makes them, and their order."""
    columns = result_columns(scope.catalog, query)
    source = source_sql(scope, query)
    where = filter_sql(scope, query.filter)
    records = _number(scope, _RECORDS)
    needed: list[str] = ["1"]
    made: list[str] = []
    keys: list[str] = []
    for number, column in enumerate(columns):
        match column.made_of:
            case Group() as group:
                inner, outer, by = _group_sql(scope, group, column, f"c{number}")
                keys += by
            case Aggregate() as aggregate:
                inner, outer = _aggregate_sql(scope, aggregate, column, f"c{number}")
            case _:
                assert_never(column.made_of)
        needed += inner
        made += outer
    by_keys = f" GROUP BY {', '.join(keys)}" if keys else ""
    inside = f"SELECT {', '.join(needed)} {source} WHERE {where} LIMIT {records} + 1"
    listed = ", ".join((*made, f"count(*) AS {quoted(_READ)}"))
    clause = f"WITH g AS MATERIALIZED (SELECT {listed} FROM ({inside}) AS r{by_keys})"
    scope.tables = {"": ("g", result_table(scope.catalog, query, columns))}
    return clause, _order_sql(scope, query)


def _number(scope: Scope, place: int) -> str:
    return scope.parameter(lambda literals: cast("int", literals[place]))


def _order_sql(scope: Scope, query: QueryExpression) -> str:
    """Return the order of the groups: the query's, then by what they are grouped by."""
    _, table = scope.tables[""]
    terms = [sorted_sql(scope, query.orders)] if query.orders else []
    for group in query.groups:
        terms.append(f"{comparable_sql(scope, ColumnRef(group.alias))} NULLS FIRST")
        if _is_polymorphic(table.by_name[group.alias].type):
            terms.append(f"g.{quoted(table_of_lookup(group.alias))} NULLS FIRST")
    return f"ORDER BY {', '.join(terms)}" if terms else ""


def _is_polymorphic(type_: ColumnType) -> bool:
    return isinstance(type_, LookupType) and type_.is_polymorphic


def _group_sql(scope: Scope, group: Group, column: ResultColumn, inner: str) -> tuple[list[str], list[str], list[str]]:
    """Return what a group needs of a record, what it shows, and what records are grouped by."""
    assert column.source is not None
    alias, key = quoted(group.alias), comparable_sql(scope, group.column)
    if group.date_grouping is not None:
        part = _date_part_sql(scope, key, group, column.source.type)
        made = [f"{inner} AS {alias}"]
        if group.date_grouping in FISCAL:
            shown = f"fiscal_text({text(group.date_grouping.value)}, {inner}, {_calendar_sql(group.calendar)})"
            made.append(f"{shown} AS {quoted(shown_name(group.alias))}")
        return [f"{part} AS {inner}"], made, [inner]
    if isinstance(column.type, _FOLDED):
        sql_alias, _, _ = scope.column(group.column)
        value = key if group.column.part else f"{sql_alias}.{quoted(group.column.name)}"
        # Texts that compare as equal are one group; the least of them stands for it.
        made = [f"min({inner}v) AS {alias}", f"{inner} AS {quoted(fold_of(group.alias))}"]
        return [f"{key} AS {inner}", f"{value} AS {inner}v"], made, [inner]
    if _is_polymorphic(column.type):
        kind = comparable_sql(scope, ColumnRef(group.column.name, group.column.alias, "table"))
        made = [f"{inner} AS {alias}", f"{inner}t AS {quoted(table_of_lookup(group.alias))}"]
        return [f"{key} AS {inner}", f"{kind} AS {inner}t"], made, [inner, f"{inner}t"]
    return [f"{key} AS {inner}"], [f"{inner} AS {alias}"], [inner]


def _date_part_sql(scope: Scope, moment: str, group: Group, type_: ColumnType) -> str:
    grouping = group.date_grouping
    assert grouping is not None
    zone = zone_of(group, type_)
    local = moment if zone == "UTC" else f"local_day({moment}, {text(zone)})"
    if grouping is DateGrouping.WEEK:
        return scope.dialect.week(local)
    plain = _PLAIN_PARTS.get(grouping)
    if plain is not None:
        return plain.format(local)
    return f"fiscal_group({text(grouping.value)}, {local}, {_calendar_sql(group.calendar)})"


def _calendar_sql(calendar: GroupCalendar) -> str:
    start, kind, by_end = calendar.fiscal_start.isoformat(), calendar.fiscal_period_type, calendar.fiscal_named_by_end
    return f"{text(start)}, {int(kind)}, {int(by_end)}"


def _aggregate_sql(scope: Scope, aggregate: Aggregate, column: ResultColumn, inner: str) -> tuple[list[str], list[str]]:
    """Return what an aggregate needs of a record, and its value in a group."""
    alias = quoted(aggregate.alias)
    if aggregate.column is None or aggregate.function is AggregateFunction.COUNT:
        return [], [f"count(*) AS {alias}"]
    needed = [f"{comparable_sql(scope, aggregate.column)} AS {inner}"]
    if aggregate.function is AggregateFunction.COUNT_COLUMN:
        return needed, [f"count({'DISTINCT ' if aggregate.distinct else ''}{inner}) AS {alias}"]
    assert column.source is not None
    made = _exact_sql(aggregate.function, column, inner) if column.is_exact else f"{aggregate.function.value}({inner})"
    return needed, [f"{made} AS {alias}"]


def _exact_sql(function: AggregateFunction, column: ResultColumn, inner: str) -> str:
    """Return an aggregated exact number: numerator in two halves, denominator, digits to add, whether it is whole."""
    assert column.source is not None
    shift = result_digits(column.source.type) - _digits(column.source.type)
    is_whole = int(not isinstance(column.source.type, DecimalType | MoneyType))
    match function:
        case AggregateFunction.SUM:
            number, count = f"sum({inner} >> {_HALF}), sum({inner} & {_MASK})", "1"
        case AggregateFunction.AVERAGE:
            number, count = f"sum({inner} >> {_HALF}), sum({inner} & {_MASK})", f"count({inner})"
        case AggregateFunction.MINIMUM | AggregateFunction.MAXIMUM:
            least = f"{function.value}({inner})"
            number, count = f"{least} >> {_HALF}, {least} & {_MASK}", "1"
        case AggregateFunction.COUNT | AggregateFunction.COUNT_COLUMN:
            raise AssertionError("counts are plain numbers")
        case _:
            assert_never(function)
    return f"exact_number({number}, {count}, {shift}, {is_whole})"


def _digits(type_: ColumnType) -> int:
    return scale_of(type_) if isinstance(type_, DecimalType | MoneyType) else 0


@dataclass(frozen=True, slots=True)
class GroupWindow:
    """Which groups are asked for: `size` of them behind the first `skipped`; `query` is the query without that.

    Pages go by number, because groups have no id to continue behind.
    """

    query: QueryExpression
    size: int
    number: int
    records: int
    is_paged: bool
    counts: bool

    @property
    def numbers(self) -> tuple[int, int, int]:
        """The literals behind the query's own: page size, groups to skip, records to read."""
        return self.size, (self.number - 1) * self.size, self.records

    def rows(
        self, found: int, records: int, total: int, *, body: bytes | None = None, shown: Sequence[Record] = ()
    ) -> Rows:
        """Return the answer.

        Args:
            found: groups from the window's beginning, at most one more than it shows.
            records: records that were read.
            total: all groups, up to one more than are ever counted.
            body: the JSON of the groups.
            shown: their records.

        Raises:
            InvalidArgument: too many records were read.
        """
        if records > self.records:
            raise limit_exceeded()
        following = PageAnchor(self.number + 1, ()) if self.is_paged and found > self.size else None
        capped = min(total, COUNT_LIMIT) if self.counts else None
        exceeded = self.counts and total > COUNT_LIMIT
        return Rows(min(found, self.size), body, shown, capped, exceeded, following)


def group_window(query: QueryExpression) -> GroupWindow:
    """Return which groups a query asks for: a page of them, its top ones, or all that there can be."""
    records = record_limit(query)
    number = query.page.anchor.number if query.page and query.page.anchor else 1
    size = query.page.size if query.page else records if query.top is None else query.top
    bare = replace(query, page=None, top=None, count=False, aggregate_limit=None)
    return GroupWindow(bare, size, number, records, query.page is not None, query.count)
