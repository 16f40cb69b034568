"""What a `QueryExpression` means, in memory.

It is the reference for the SQL compiler, and the way to query rows that lie in no SQL table.
Written to be obviously right: nested loops over records, one Python expression per operator, no index and no plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, assert_never, cast

from entities.evaluate.calculations import with_calculated
from entities.evaluate.conditions import COMPARISONS, OPERATORS, Comparable, comparable
from entities.evaluate.expansions import related_query
from entities.evaluate.groups import Cell, grouped_records
from entities.grouping import limit_exceeded, record_limit, result_columns, result_table
from entities.hierarchy import HIERARCHICAL, children, hierarchies, related
from entities.messages import Rows
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, ColumnType, EntityNameType, LookupType
from entities.metadata.option_labels import label_order
from entities.metadata.tables import Table
from entities.ordering import distinct_columns, full_order, repeating_ids, tables_of
from entities.query import (
    CHILDREN,
    And,
    ColumnComparison,
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    Filter,
    LinkEntity,
    LinkType,
    Not,
    Or,
    Order,
    PageAnchor,
    QueryExpression,
)
from entities.values import EntityReference, Record, Value

COUNT_LIMIT = 5_000
"""`$count` never says more (Learn: "Count number of rows")."""

Combination: TypeAlias = Mapping[str, Record | None]
"""One row of a query with links: per alias its record, None where an outer link found none."""


def evaluate(query: QueryExpression, catalog: Catalog, tables: Mapping[str, Sequence[Record]]) -> tuple[Record, ...]:
    """Return the records that a query selects, in its order.

    Args:
        query: the query; columns of linked tables are returned under `alias.name`.
        catalog: the definitions of its tables.
        tables: the records of each table by logical name; a column that a record lacks is null.

    Raises:
        InvalidArgument: it groups or aggregates what cannot be, or too many records.
    """
    return tuple(answer(query, catalog, tables).records)


def answer(query: QueryExpression, catalog: Catalog, tables: Mapping[str, Sequence[Record]]) -> Rows:
    """Return what `evaluate` returns together with the count and the beginning of the next page.

    With a page, `top` is ignored (Learn: "Page results").

    Raises:
        InvalidArgument: as `evaluate`.
    """
    tables = with_calculated(catalog, tables)
    if query.is_grouped:
        return _groups(query, catalog, tables)
    run = _Run(catalog, tables, tables_of(catalog, query))
    found = run.selected(query)
    orders = orders_of(catalog, query)
    rows = run.ordered(found, orders)
    anchor = query.page.anchor if query.page else None
    if query.page and anchor is not None and not anchor.values:
        rows = rows[(anchor.number - 1) * query.page.size :]
    elif anchor is not None:
        rows = [row for row in rows if run.follows(row, orders, anchor.values)]
    limit = query.page.size if query.page else query.top
    shown = rows if limit is None else rows[:limit]
    following = None
    if query.page and len(rows) > len(shown):
        following = PageAnchor(anchor.number + 1 if anchor else 2, run.place(shown[-1], orders))
    total = min(len(found), COUNT_LIMIT) if query.count else None
    records = tuple(run.record(query, row) for row in shown)
    expanded = tuple(_expanded(query, row[""] or {}, catalog, tables) for row in shown) if query.expansions else ()
    exceeded = query.count and len(found) > COUNT_LIMIT
    return Rows(len(records), None, records, total, exceeded, following, expanded=expanded)


def _expanded(
    query: QueryExpression, record: Record, catalog: Catalog, tables: Mapping[str, Sequence[Record]]
) -> tuple[Rows, ...]:
    """Return what each expansion of a query adds to a record."""
    queries = (related_query(expansion, query.table, record, catalog, tables) for expansion in query.expansions)
    return tuple(answer(related, catalog, tables) for related in queries)


def _groups(query: QueryExpression, catalog: Catalog, tables: Mapping[str, Sequence[Record]]) -> Rows:
    """Return the groups of a query; their pages go by number.

    Raises:
        InvalidArgument: too many records, or a column that cannot be grouped or aggregated that way.
    """
    columns = result_columns(catalog, query)
    run = _Run(catalog, tables, {"": catalog.tables[query.table], **_aliases(catalog, query.links)})
    found = run.selected(replace(query, distinct=False))
    if len(found) > record_limit(query):
        raise limit_exceeded()
    made = grouped_records([partial(run.cell, row) for row in found], columns)
    outside = _Run(catalog, tables, {"": result_table(catalog, query, columns)})
    ordered = [row[""] or {} for row in outside.ordered([{"": record} for record in made], query.orders)]
    limit = query.page.size if query.page else query.top
    number = query.page.anchor.number if query.page and query.page.anchor else 1
    begin = (number - 1) * query.page.size if query.page else 0
    shown = tuple(ordered[begin:] if limit is None else ordered[begin : begin + limit])
    is_last = query.page is None or begin + len(shown) >= len(ordered)
    total = min(len(ordered), COUNT_LIMIT) if query.count else None
    exceeded = query.count and len(ordered) > COUNT_LIMIT
    return Rows(len(shown), None, shown, total, exceeded, None if is_last else PageAnchor(number + 1, ()))


def orders_of(catalog: Catalog, query: QueryExpression) -> tuple[Order, ...]:
    """Return the full order, which leaves nothing open."""
    return full_order(catalog, query)


def _aliases(catalog: Catalog, links: Sequence[LinkEntity]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for link in links:
        tables[link.alias] = catalog.tables[link.table]
        tables.update(_aliases(catalog, link.links))
    return tables


@dataclass(frozen=True, slots=True)
class _Run:
    """One evaluation: the catalog, the records by table, and the table behind each alias in sight."""

    catalog: Catalog
    tables: Mapping[str, Sequence[Record]]
    aliases: Mapping[str, Table]

    def selected(self, query: QueryExpression) -> list[Combination]:
        """Return the rows of the query in no particular order, each once when the query is distinct."""
        rows: list[Combination] = [{"": record} for record in self.tables.get(query.table, ())]
        if query.counts_children:
            rows = self.with_children(rows)
        for link in query.links:
            rows = self.joined(rows, link)
        rows = [row for row in rows if self.holds(query.filter, row)]
        if not query.distinct:
            return rows
        shown = distinct_columns(self.catalog, query)
        ids = (ColumnRef(self.aliases[""].primary_id), *repeating_ids(self.catalog, query.links))
        rows.sort(key=lambda row: [str(self.value(ref, row) or "") for ref in ids], reverse=True)
        return list({tuple(self.comparable(ref, row) for ref in shown): row for row in rows}.values())

    def with_children(self, rows: Sequence[Combination]) -> list[Combination]:
        """Return the rows, each with the number of records directly below it."""
        table = self.aliases[""]
        counts: Counter[str] = Counter()
        for hierarchy in hierarchies(self.catalog, table, table.primary_id):
            counts += children(hierarchy, self.tables.get(table.logical_name, ()))
        own = ColumnRef(table.primary_id)
        return [{**row, CHILDREN.alias: {CHILDREN.name: counts[str(self.value(own, row))]}} for row in rows]

    def joined(self, rows: Sequence[Combination], link: LinkEntity) -> list[Combination]:
        """Return the rows joined with a linked table and with those below it, as a flat chain of SQL joins does."""
        result: list[Combination] = []
        for row in rows:
            matches = self.linked(row, link)
            if link.type is LinkType.MATCH_FIRST_ROW:
                primary = ColumnRef(self.aliases[link.alias].primary_id, link.alias)
                matches = sorted(matches, key=partial(self.value_text, primary))[:1]
            if not matches and link.type is LinkType.LEFT_OUTER:
                matches = [{**row, link.alias: None}]
            result.extend(matches)
        for inner in link.links:
            result = self.joined(result, inner)
        return result

    def linked(self, row: Combination, link: LinkEntity) -> list[Combination]:
        """Return the row once per record of the linked table that belongs to it."""
        candidates = ({**row, link.alias: record} for record in self.tables.get(link.table, ()))
        return [c for c in candidates if self._belongs(c, link) and self.holds(link.filter, c)]

    def _belongs(self, row: Combination, link: LinkEntity) -> bool:
        near, far = ColumnRef(link.to_column, link.to_alias), ColumnRef(link.from_column, link.alias)
        left, right = self.value(near, row), self.value(far, row)
        if left is None or right is None:
            return False
        for reference, own, other in ((left, near, far), (right, far, near)):
            lookup = self.column(own).type
            if isinstance(lookup, LookupType) and lookup.is_polymorphic:
                assert isinstance(reference, EntityReference)
                # Two lookups meet in the record that both point to.
                is_key = not isinstance(self.column(other).type, LookupType)
                if is_key and reference.table != self.aliases[other.alias].logical_name:
                    return False
        return self.comparable(near, row) == self.comparable(far, row)

    def holds(self, condition: Filter, row: Combination) -> bool:
        """Say whether a filter is true for a row; whatever cannot be told because a value is missing is false."""
        match condition:
            case And(filters):
                return all(self.holds(part, row) for part in filters)
            case Or(filters):
                return any(self.holds(part, row) for part in filters)
            case Not(inner):
                return not self.holds(inner, row)
            case Condition(column, operator, values) if operator in HIERARCHICAL:
                return self._related(column, operator, str(values[0]), row)
            case Condition(column, operator, values):
                wanted = [comparable(self.type_of(column), value) for value in values]
                assert None not in wanted
                return OPERATORS[operator](self.comparable(column, row), cast("list[Comparable]", wanted))
            case ColumnComparison(left, comparison, right):
                own, other = self.comparable(left, row), self.comparable(right, row)
                return own is not None and other is not None and COMPARISONS[comparison](own, other)
            case Exists(link):
                inside = _Run(self.catalog, self.tables, {**self.aliases, **_aliases(self.catalog, [link])})
                rows = inside.linked(row, link)
                for inner_link in link.links:
                    rows = inside.joined(rows, inner_link)
                return bool(rows)
            case _:
                assert_never(condition)

    def _related(self, ref: ColumnRef, operator: ConditionOperator, start: str, row: Combination) -> bool:
        """Say whether a column names a record above or below another one, walking from record to record."""
        levels = hierarchies(self.catalog, self.aliases[ref.alias], ref.name)
        found = self.comparable(ref, row) in related(operator, start, levels, self.tables)
        return found is not (operator is ConditionOperator.NOT_UNDER)

    def column(self, ref: ColumnRef) -> Column:
        """Return the definition of a column."""
        return self.aliases[ref.alias].by_name[ref.name]

    def type_of(self, ref: ColumnRef) -> ColumnType:
        """Return the type that a reference compares by: the table of a lookup is a name."""
        return EntityNameType() if ref.part == "table" else self.column(ref).type

    def value(self, ref: ColumnRef, row: Combination) -> Value:
        """Return the value of a column in a row; every column of a missing linked record is null."""
        record = row[ref.alias]
        value = None if record is None else record.get(ref.name)
        if ref.part == "table":
            return value.table if isinstance(value, EntityReference) else None
        return value

    def cell(self, row: Combination, ref: ColumnRef) -> Cell:
        """Return a column of a row as grouping takes it."""
        return Cell(self.value(ref, row), self.comparable(ref, row))

    def comparable(self, ref: ColumnRef, row: Combination) -> Comparable | None:
        """Return what a column of a row is compared by."""
        return comparable(self.type_of(ref), self.value(ref, row))

    def sorted_by(self, order: Order, row: Combination) -> Comparable | None:
        """Return what a row is sorted by: a lookup by the name of the record it points to, where it has a name.

        A choice may sort by the label of its option.
        """
        value = self.value(order.column, row)
        if order.labels is not None:
            return label_order(self.type_of(order.column), order.labels).get(cast("int", value))
        if not isinstance(value, EntityReference) or order.column.part == "id":
            return self.comparable(order.column, row)
        target = self.catalog.tables[value.table]
        if target.primary_name is None or target.source is not None:
            return value.id
        for record in self.tables.get(value.table, ()):
            if record[target.primary_id] == value.id:
                return comparable(target.by_name[target.primary_name].type, record.get(target.primary_name))
        return None

    def value_text(self, ref: ColumnRef, row: Combination) -> str:
        """Return a column's value as text, for choosing the first of several rows by an id."""
        return str(self.value(ref, row))

    def rank(self, order: Order, row: Combination) -> tuple[bool, Comparable]:
        """Return what a row is sorted by."""
        return _rank(self.sorted_by(order, row))

    def ordered(self, rows: Sequence[Combination], orders: Sequence[Order]) -> list[Combination]:
        """Return the rows sorted, the last term first because sorting is stable; null is less than any value."""
        result = list(rows)
        for order in reversed(orders):
            result.sort(key=partial(self.rank, order), reverse=order.descending)
        return result

    def place(self, row: Combination, orders: Sequence[Order]) -> tuple[Value, ...]:
        """Return the values that a row is sorted by."""
        return tuple(self.sorted_by(order, row) for order in orders)

    def follows(self, row: Combination, orders: Sequence[Order], anchor: Sequence[Value]) -> bool:
        """Say whether a row comes after the row with these order values."""
        for order, value in zip(orders, anchor, strict=True):
            type_ = self.type_of(order.column)
            is_text = order.labels is not None or isinstance(type_, LookupType)
            place = _rank(value if is_text else comparable(type_, value))  # type: ignore[arg-type]  # a name or label is a text
            own = _rank(self.sorted_by(order, row))
            if own != place:
                return own < place if order.descending else own > place
        return False

    def record(self, query: QueryExpression, row: Combination) -> Record:
        """Return the columns that the query asks for."""
        names = query.columns if query.columns is not None else tuple(self.aliases[""].by_name)
        own = {name: self.value(ColumnRef(name), row) for name in names}
        linked = {f"{ref.alias}.{ref.name}" if ref.alias else ref.name: ref for ref in query.linked_columns}
        return {**own, **{name: self.value(ref, row) for name, ref in linked.items()}}


def _rank(value: Comparable | None) -> tuple[bool, Comparable]:
    return (False, 0) if value is None else (True, value)
