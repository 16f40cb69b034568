"""Reads: authorized queries through the plan cache to rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import apsw

from entities.messages import Rows
from entities.metadata.catalog import Catalog
from entities.metadata.columns import LookupType
from entities.query import Page, PageAnchor, QueryExpression
from entities.values import Record, Value
from odata_server.edm.representation import RowShape
from odata_server.engine.aggregates import group_page_plan, group_records_plan, group_window
from odata_server.engine.compiler import (
    COUNT_LIMIT,
    Plan,
    count_plan,
    exists_after_plan,
    page_plan,
    records_plan,
    row_plan,
)
from odata_server.engine.slots import signature, split
from odata_server.engine.storage import SqlValue, loaded

_Compile: TypeAlias = Callable[[], Plan]

_CACHED_PLANS = 4_096


@dataclass(slots=True)
class PlanCache:
    """Compiled plans by catalog version and query shape; the oldest goes first.

    The version is part of the key because threads may be at different versions at the same time.
    """

    plans: OrderedDict[object, Plan] = field(default_factory=OrderedDict)
    hits: int = 0
    misses: int = 0

    def plan(self, version: int, key: object, compile_: _Compile) -> Plan:
        """Return the plan for a key, compiled when it is not there."""
        place = (version, key)
        found = self.plans.get(place)
        if found is not None:
            self.hits += 1
            return found
        self.misses += 1
        made = self.plans[place] = compile_()
        if len(self.plans) > _CACHED_PLANS:
            self.plans.popitem(last=False)
        return made


def read_page(
    connection: apsw.Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape
) -> Rows:
    """Read a page as JSON."""
    if query.is_grouped:
        return _read_group_page(connection, plans, catalog, query, shape)
    key, literals = signature(query)
    plan = plans.plan(catalog.version, ("page", key, shape), lambda: page_plan(catalog, split(query)[0], shape))
    row = connection.execute(plan.sql, plan.parameters(literals)).fetchone()
    assert row is not None
    body, count, total, *ends = row
    size = len(plan.places)
    first = _values(plan, ends[:size])
    more: PageAnchor | None = None
    if query.page and count == query.page.size:
        more = _anchor_after(connection, plans, catalog, query, _values(plan, ends[size:]))
    return Rows(int(count), bytes(body or b""), (), _capped(total), _exceeded(total), more, first)


def read_row(
    connection: apsw.Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape
) -> Rows:
    """Read one row as JSON with its version."""
    key, literals = signature(query)
    plan = plans.plan(catalog.version, ("row", key, shape), lambda: row_plan(catalog, split(query)[0], shape))
    row = connection.execute(plan.sql, plan.parameters(literals)).fetchone()
    if row is None:
        return Rows(0)
    return Rows(1, bytes(row[0]), version=row[1])


def read_records(connection: apsw.Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression) -> Rows:
    """Read records."""
    if query.is_grouped:
        return _read_group_records(connection, plans, catalog, query)
    key, literals = signature(query)
    plan = plans.plan(catalog.version, ("records", key), lambda: records_plan(catalog, split(query)[0]))
    rows = connection.execute(plan.sql, plan.parameters(literals)).fetchall()
    records = tuple(_record(plan, row) for row in rows)
    more: PageAnchor | None = None
    if query.page and len(rows) == query.page.size:
        last = _values(plan, rows[-1][-len(plan.places) :])
        more = _anchor_after(connection, plans, catalog, query, last)
    total: SqlValue = None
    if query.count:
        counting = plans.plan(catalog.version, ("count", key), lambda: count_plan(catalog, split(query)[0]))
        total = connection.execute(counting.sql, counting.parameters(literals)).get
    return Rows(len(records), None, records, _capped(total), _exceeded(total), more)


def _read_group_page(
    connection: apsw.Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape
) -> Rows:
    """Read a page of groups as JSON.

    Raises:
        InvalidArgument: more records than may be aggregated, or a column that cannot be.
    """
    window = group_window(query)
    key, literals = signature(window.query)
    plan = plans.plan(
        catalog.version, ("groups", key, shape), lambda: group_page_plan(catalog, split(window.query)[0], shape)
    )
    row = connection.execute(plan.sql, plan.parameters((*literals, *window.numbers))).fetchone()
    assert row is not None
    body, found, records, total = row
    return window.rows(int(found), int(records), int(total), body=bytes(body or b""))


def _read_group_records(
    connection: apsw.Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression
) -> Rows:
    """Read groups as records.

    Raises:
        InvalidArgument: more records than may be aggregated, or a column that cannot be.
    """
    window = group_window(query)
    key, literals = signature(window.query)
    plan = plans.plan(
        catalog.version, ("group records", key), lambda: group_records_plan(catalog, split(window.query)[0])
    )
    rows = connection.execute(plan.sql, plan.parameters((*literals, *window.numbers))).fetchall()
    records, total = (int(str(value)) for value in rows[0][-2:]) if rows else (0, 0)
    shown = tuple(_record(plan, row) for row in rows[: window.size])
    return window.rows(len(rows), records, total, shown=shown)


def _anchor_after(
    connection: apsw.Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, last: tuple[Value, ...]
) -> PageAnchor | None:
    """Return the anchor of the next page when there is one."""
    number = query.page.anchor.number + 1 if query.page and query.page.anchor else 2
    anchor = PageAnchor(number, last)
    following = replace(query, page=Page(1, anchor), count=False)
    key, literals = signature(following)
    plan = plans.plan(catalog.version, ("after", key), lambda: exists_after_plan(catalog, split(following)[0]))
    found = connection.execute(plan.sql, plan.parameters(literals)).fetchone()
    return anchor if found else None


def _values(plan: Plan, stored_values: list[SqlValue] | tuple[SqlValue, ...]) -> tuple[Value, ...]:
    """Return order values as values (a lookup is ordered by a text: the fold of its record's name)."""
    found = zip(plan.places, stored_values, strict=True)
    return tuple(value if column is None else loaded(column, value) for column, value in found)


def _record(plan: Plan, row: tuple[SqlValue, ...]) -> Record:
    record: dict[str, Value] = {}
    position = 0
    for name, column in plan.columns:
        if isinstance(column.type, LookupType) and column.type.is_polymorphic:
            record[name] = loaded(column, row[position], row[position + 1])
            position += 2
        else:
            record[name] = loaded(column, row[position])
            position += 1
    return record


def _capped(total: SqlValue) -> int | None:
    return None if total is None else min(int(total), COUNT_LIMIT)


def _exceeded(total: SqlValue) -> bool:
    return total is not None and int(total) > COUNT_LIMIT
