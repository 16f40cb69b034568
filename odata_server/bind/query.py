"""Query options as a query, the shape of its rows and the text of its context URL.

Learn: "Query data using the Web API". The result is immutable and holds nothing of the request but its meaning, so
that it can be kept and used again for the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from entities.errors import MalformedRequest, NotSupported
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from entities.query import (
    ALL_ROWS,
    ColumnRef,
    Condition,
    ConditionOperator,
    Filter,
    Or,
    Order,
    Page,
    QueryExpression,
    both,
)
from odata_server.bind.dialect import Dialect, Style, column_of
from odata_server.bind.filters import bind_filter
from odata_server.bind.paging import Key, read_cookie
from odata_server.bind.scope import Scope, path_names, unknown_property
from odata_server.edm.formats import MINIMAL, Format
from odata_server.edm.preferences import Preferences
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.edm.shapes import finance_shape, web_api_shape
from odata_server.syntax.apply_trees import OrderItem
from odata_server.syntax.request_trees import QueryOptions, SelectItem
from odata_server.syntax.trees import Literal, LiteralKind

TOTAL_RECORD_COUNT: Final = "Microsoft.Dynamics.CRM.totalrecordcount"
_UNSUPPORTED_CUSTOM: Final = frozenset({"fetchXml", "savedQuery", "userQuery", "sql"})
_SINGLE_OPTIONS: Final = frozenset({"$select", "$expand"})
_COUNT_OPTIONS: Final = frozenset({"$filter"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected columns in wire order, and the list as the context URL repeats it; `is_all` where none is chosen."""

    columns: tuple[Column, ...]
    listed: str
    is_all: bool


def _read_columns(table: Table, selection: Selection, shape: RowShape) -> tuple[str, ...] | None:
    """Return the columns to read, None for all of them: what the rows show, and the id."""
    if selection.is_all:
        return None
    names = dict.fromkeys(member.column.name for member in shape.members)
    names.setdefault(table.primary_id)
    return tuple(names)


@dataclass(frozen=True, slots=True)
class BoundRows:
    """A collection to read: the query, what its rows show, and what stands around them.

    `keys` are the order terms of a paging cookie; `fragment` is the context URL behind the hash sign; `skip` rows are
    left out at the beginning.
    """

    query: QueryExpression
    shape: RowShape
    fragment: str
    keys: tuple[Key, ...]
    counts: bool = False
    annotates_totals: bool = False
    skip: int = 0


@dataclass(frozen=True, slots=True)
class BoundRow:
    """A single row to read: columns, shape and the context URL behind the hash sign."""

    columns: tuple[str, ...] | None
    shape: RowShape
    fragment: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What options are read against."""

    catalog: Catalog
    dialect: Dialect
    preferences: Preferences
    form: Format = MINIMAL


def bind_rows(table: Table, options: QueryOptions, reading: Reading) -> BoundRows:
    """Return what a collection's query options ask for.

    Args:
        table: the table of the rows.
        options: the parsed query string.
        reading: catalog, dialect and preferences.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: an option that the service refuses, or operands that do not fit.
        NotSupported: an option that the simulator does not have yet.
    """
    _check_options(options, reading.dialect)
    scope = _scope(table, options, reading)
    filter_ = bind_filter(options.filter, scope) if options.filter is not None else ALL_ROWS
    orders = tuple(bind_orders(options.orderby or (), scope))
    selection = bind_selection(table, options.select, reading.dialect)
    keys = tuple(_keys(table, orders, scope))
    top, page = _extent(options, reading, keys)
    shape = _shape(table, selection, reading)
    query = QueryExpression(
        table.logical_name,
        columns=_read_columns(table, selection, shape),
        filter=filter_,
        links=scope.links(),
        orders=orders,
        top=top,
        page=page,
        count=bool(options.count),
    )
    return BoundRows(
        query=query,
        shape=shape,
        fragment=f"{table.entity_set_name}{selection.listed}",
        keys=keys,
        counts=bool(options.count),
        annotates_totals=reading.preferences.annotations.includes(TOTAL_RECORD_COUNT),
        skip=options.skip or 0,
    )


def bind_row(table: Table, options: QueryOptions, reading: Reading) -> BoundRow:
    """Return what a single row's query options ask for.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: an option that makes no sense on a single row.
        NotSupported: an option that the simulator does not have yet.
    """
    _check_options(options, reading.dialect, _SINGLE_OPTIONS)
    selection = bind_selection(table, options.select, reading.dialect)
    shape = _shape(table, selection, reading)
    return BoundRow(
        _read_columns(table, selection, shape),
        shape,
        f"{table.entity_set_name}{selection.listed}/$entity",
    )


def bind_count(table: Table, options: QueryOptions, reading: Reading) -> QueryExpression:
    """Return the query of `/$count`: only a filter applies."""
    _check_options(options, reading.dialect, _COUNT_OPTIONS)
    scope = _scope(table, options, reading)
    filter_ = bind_filter(options.filter, scope) if options.filter is not None else ALL_ROWS
    return QueryExpression(
        table.logical_name, columns=(table.primary_id,), filter=filter_, links=scope.links(), top=1, count=True
    )


def narrowed(query: QueryExpression, condition: Filter) -> QueryExpression:
    """Return the query with one more condition."""
    return replace(query, filter=both(query.filter, condition))


def of_company(table: Table, company: str) -> Filter:
    """Return the condition for rows of a company and rows without one; all rows where the table has no company."""
    if table.company_column is None:
        return ALL_ROWS
    ref = ColumnRef(table.company_column)
    return Or((Condition(ref, ConditionOperator.IN, (company, "")), Condition(ref, ConditionOperator.NULL)))


def _scope(table: Table, options: QueryOptions, reading: Reading) -> Scope:
    aliases = {assignment.name: assignment.value for assignment in options.aliases}
    return Scope(reading.catalog, reading.dialect, table, aliases)


def _check_options(options: QueryOptions, dialect: Dialect, allowed: frozenset[str] | None = None) -> None:
    """Refuse what the service refuses, and what the simulator does not have yet."""
    for name in options.names:
        if name not in dialect.options:
            raise MalformedRequest(f"Query option '{name}' is not allowed. {_allowed_text(dialect)}")
        if allowed is not None and name not in allowed:
            raise MalformedRequest(f"The query option '{name}' cannot be applied to the requested resource.")
    for name in ("$expand", "$apply", "$deltatoken"):
        if name in options.names:
            raise NotSupported(f"The query option '{name}' is not supported yet.")
    for custom in options.custom:
        if custom.name in _UNSUPPORTED_CUSTOM and dialect.style is Style.WEB_API:
            raise NotSupported(f"The query option '{custom.name}' is not supported yet.")


def _allowed_text(dialect: Dialect) -> str:
    shown = ", ".join(sorted(dialect.options - {"$skiptoken", "$deltatoken"}))
    return f"The supported query options are {shown}."


def bind_selection(table: Table, items: tuple[SelectItem, ...] | None, dialect: Dialect) -> Selection:
    """Return the columns that `$select` chooses, the primary key always among them on the Web API.

    Raises:
        UnknownName: a property that the type does not have.
        NotSupported: a path or options inside `$select`.
    """
    if items is None or any(item.path == ("*",) for item in items):
        return Selection((), "", is_all=True)
    chosen: dict[str, Column] = {}
    listed: list[str] = []
    for item in items:
        if len(item.path) != 1 or item.options is not None or item.parameters is not None:
            raise NotSupported("Paths and options inside $select are not supported.")
        column = column_of(dialect, table, item.path[0])
        if column is None or not column.valid_for_read:
            raise unknown_property(item.path[0], table, dialect)
        chosen[column.logical_name] = column
        listed.append(item.path[0])
    if dialect.style is Style.WEB_API:
        _with_composites(chosen, table)
    return Selection(tuple(chosen.values()), f"({','.join(listed)})", is_all=False)


def _with_composites(chosen: dict[str, Column], table: Table) -> None:
    """Add the composite of an address where a part of it is selected (Learn: "Select columns")."""
    for name in tuple(chosen):
        composite = f"{name.partition('_')[0]}_composite"
        if name.startswith("address") and composite in table.by_name:
            chosen.setdefault(composite, table.by_name[composite])


def _shape(table: Table, selection: Selection, reading: Reading) -> RowShape:
    names = None if selection.is_all else tuple(column.logical_name for column in selection.columns)
    if reading.dialect.style is Style.FINANCE:
        return finance_shape(table, names)
    annotations = reading.preferences.annotations
    return web_api_shape(reading.catalog, table, names, annotations=annotations, form=reading.form)


def reference_shape(table: Table, root: str) -> RowShape:
    """Return the shape of a reference: only the absolute URL of the row.

    Args:
        table: the table of the rows.
        root: the service root, without a final slash.
    """
    column = table.by_name[table.primary_id]
    base = f"{root}/{table.entity_set_name}({{id}})"
    member = Member("@odata.id", Facet.ENTITY_ID, ColumnRef(column.logical_name), column.type, base=base)
    return RowShape(table.logical_name, (member,))


def bind_orders(items: tuple[OrderItem, ...], scope: Scope) -> Iterator[Order]:
    """Yield the sort terms of `$orderby`; a repeated column counts once.

    Raises:
        MalformedRequest: a term is no property path.
    """
    seen: set[ColumnRef] = set()
    for item in items:
        expression = scope.value_of(item.expression)
        if isinstance(expression, Literal) and expression.kind is LiteralKind.NULL:
            continue
        names = path_names(expression)
        if names is None:
            raise MalformedRequest("Only properties are supported in $orderby.")
        found = scope.resolve(names)
        if found.ref not in seen:
            seen.add(found.ref)
            yield Order(found.ref, item.descending)


def _keys(table: Table, orders: tuple[Order, ...], scope: Scope) -> Iterator[Key]:
    """Yield the terms of a paging cookie: the order columns up to the id, which is always the last."""
    tables = {join.alias: scope.catalog.tables[join.navigation.target] for join in scope.joins.values()}
    for order in orders:
        column = tables.get(order.column.alias, table).by_name[order.column.name]
        name = f"{order.column.alias}.{order.column.name}" if order.column.alias else order.column.name
        if name == table.primary_id:
            break
        yield Key(name, column.type, is_stored=bool(order.column.alias))
    yield Key(table.primary_id, table.by_name[table.primary_id].type)


def _extent(options: QueryOptions, reading: Reading, keys: tuple[Key, ...]) -> tuple[int | None, Page | None]:
    """Return `$top` and the page: the page size wins over `$top` where both are given (Learn: "Page results")."""
    largest = reading.dialect.page_size
    preferred = reading.preferences.max_page_size
    anchor = read_cookie(options.skiptoken, keys) if options.skiptoken is not None else None
    if options.top is not None and (preferred is None or reading.dialect.style is Style.FINANCE):
        return min(options.top, largest), None
    return None, Page(min(preferred or largest, largest), anchor)
