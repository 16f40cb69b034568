"""Reads: authorized queries through the plan cache to rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from entities.messages import Rows
from entities.metadata.catalog import Catalog
from entities.query import Page, PageAnchor, QueryExpression
from entities.values import Value
from odata_server.edm.representation import RowShape
from odata_server.engine.database import Connection, single
from odata_server.engine.slots import SignedQuery, signature, signed, split
from odata_server.engine.sql.aggregates import group_page_plan, group_records_plan, group_window
from odata_server.engine.sql.compiler import (
    COUNT_LIMIT,
    Plan,
    count_plan,
    exists_after_plan,
    page_plan,
    record_plan,
    records_plan,
    row_plan,
)
from odata_server.engine.sql.fetched import FetchedRecords
from odata_server.engine.sql.predicates import Scope
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
    connection: Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape
) -> Rows:
    """Read a page as JSON, or as the records that a shape shows where the database does not make the JSON."""
    return read_signed(connection, plans, catalog, signed(query), shape)


def read_signed(
    connection: Connection, plans: PlanCache, catalog: Catalog, found: SignedQuery, shape: RowShape
) -> Rows:
    """Read a page of a query whose signature is known already."""
    query, literals = found.query, found.literals
    if not connection.dialect.makes_json:
        return _read_records(connection, plans, catalog, found, shape)
    if query.is_grouped:
        return _read_group_page(connection, plans, catalog, query, shape)
    plan = plans.plan(
        catalog.version,
        ("page", found.signature, shape),
        lambda: page_plan(Scope(catalog, connection.dialect), split(query)[0], shape),
    )
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
    connection: Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape
) -> Rows:
    """Read one row with its version: as JSON, or as the record that a shape shows."""
    make = row_plan if connection.dialect.makes_json else record_plan
    key, literals = signature(query)
    plan = plans.plan(
        catalog.version, ("row", key, shape), lambda: make(Scope(catalog, connection.dialect), split(query)[0], shape)
    )
    row = connection.execute(plan.sql, plan.parameters(literals)).fetchone()
    if row is None:
        return Rows(0)
    if connection.dialect.makes_json:
        return Rows(1, bytes(row[0]), version=row[1])
    return Rows(1, None, FetchedRecords(plan.fetch, (row,)), version=row[-1])


def read_records(
    connection: Connection,
    plans: PlanCache,
    catalog: Catalog,
    query: QueryExpression,
    shape: RowShape | None = None,
) -> Rows:
    """Read records: the columns that the query asks for, or all that a shape shows."""
    return _read_records(connection, plans, catalog, signed(query), shape)


def _read_records(
    connection: Connection, plans: PlanCache, catalog: Catalog, found: SignedQuery, shape: RowShape | None
) -> Rows:
    query, literals = found.query, found.literals
    if query.is_grouped:
        return _read_group_records(connection, plans, catalog, query, shape)
    plan = plans.plan(
        catalog.version,
        ("records", found.signature, shape),
        lambda: records_plan(Scope(catalog, connection.dialect), split(query)[0], shape),
    )
    rows = connection.execute(plan.sql, plan.parameters(literals)).fetchall()
    ends = slice(-len(plan.places), None)
    more: PageAnchor | None = None
    if query.page and len(rows) > query.page.size:
        rows.pop()
        more = _following(query, _values(plan, rows[-1][ends]))
    first = _values(plan, rows[0][ends]) if rows else ()
    records = FetchedRecords(plan.fetch, rows)
    total = _counted(connection, plans, catalog, query) if query.count else None
    shown = records if shape else tuple(records)
    return Rows(len(records), None, shown, _capped(total), _exceeded(total), more, first)


def _counted(connection: Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression) -> int:
    key, literals = signature(query)
    plan = plans.plan(
        catalog.version, ("count", key), lambda: count_plan(Scope(catalog, connection.dialect), split(query)[0])
    )
    return int(single(connection, plan.sql, plan.parameters(literals)))


def _read_group_page(
    connection: Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape
) -> Rows:
    """Read a page of groups as JSON.

    Raises:
        InvalidArgument: more records than may be aggregated, or a column that cannot be.
    """
    window = group_window(query)
    key, literals = signature(window.query)
    plan = plans.plan(
        catalog.version,
        ("groups", key, shape),
        lambda: group_page_plan(Scope(catalog, connection.dialect), split(window.query)[0], shape),
    )
    row = connection.execute(plan.sql, plan.parameters((*literals, *window.numbers))).fetchone()
    assert row is not None
    body, found, records, total = row
    return window.rows(int(found), int(records), int(total), body=bytes(body or b""))


def _read_group_records(
    connection: Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape | None
) -> Rows:
    """Read groups as records.

    Raises:
        InvalidArgument: more records than may be aggregated, or a column that cannot be.
    """
    window = group_window(query)
    key, literals = signature(window.query)
    plan = plans.plan(
        catalog.version,
        ("group records", key, shape),
        lambda: group_records_plan(Scope(catalog, connection.dialect), split(window.query)[0], shape),
    )
    rows = connection.execute(plan.sql, plan.parameters((*literals, *window.numbers))).fetchall()
    records, total = (int(str(value)) for value in rows[0][-2:]) if rows else (0, 0)
    found = FetchedRecords(plan.fetch, rows[: window.size])
    shown = found if shape else tuple(found)
    return window.rows(len(rows), records, total, shown=shown)


def _anchor_after(
    connection: Connection, plans: PlanCache, catalog: Catalog, query: QueryExpression, last: tuple[Value, ...]
) -> PageAnchor | None:
    """Return the anchor of the next page when there is one."""
    anchor = _following(query, last)
    following = replace(query, page=Page(1, anchor), count=False)
    key, literals = signature(following)
    plan = plans.plan(
        catalog.version,
        ("after", key),
        lambda: exists_after_plan(Scope(catalog, connection.dialect), split(following)[0]),
    )
    found = connection.execute(plan.sql, plan.parameters(literals)).fetchone()
    return anchor if found else None


def _following(query: QueryExpression, last: tuple[Value, ...]) -> PageAnchor:
    """Return the anchor of the page behind a row's order values."""
    number = query.page.anchor.number + 1 if query.page and query.page.anchor else 2
    return PageAnchor(number, last)


def _values(plan: Plan, stored_values: list[SqlValue] | tuple[SqlValue, ...]) -> tuple[Value, ...]:
    """Return order values as values (a lookup is ordered by a text: the fold of its record's name)."""
    found = zip(plan.places, stored_values, strict=True)
    return tuple(value if column is None else loaded(column, value) for column, value in found)


def _capped(total: SqlValue) -> int | None:
    return None if total is None else min(int(total), COUNT_LIMIT)


def _exceeded(total: SqlValue) -> bool:
    return total is not None and int(total) > COUNT_LIMIT
