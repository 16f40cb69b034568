"""Query options as a query, the shape of its rows and the text of its context URL.

Learn: "Query data using the Web API". The result is immutable and holds nothing of the request but its meaning, so
that it can be kept and used again for the same text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.tables import Table
from entities.query import (
    ALL_ROWS,
    ColumnRef,
    Condition,
    ConditionOperator,
    Expansion,
    Filter,
    Or,
    Page,
    QueryExpression,
    both,
)
from odata_server.bind.apply import bind_apply
from odata_server.bind.dialect import Dialect, Style
from odata_server.bind.expand import Expansions, bind_expansions, listed, shown_columns
from odata_server.bind.filters import bind_filter
from odata_server.bind.finance_expand import bind_finance_expansions
from odata_server.bind.paging import Key, keys_of, read_cookie
from odata_server.bind.scope import Scope
from odata_server.bind.selection import Reading, Selection, bind_orders, bind_selection, read_columns
from odata_server.edm.group_shapes import group_shape
from odata_server.edm.representation import RowShape
from odata_server.edm.shapes import finance_shape, web_api_shape
from odata_server.syntax.request_trees import QueryOptions

TOTAL_RECORD_COUNT: Final = "Microsoft.Dynamics.CRM.totalrecordcount"
_LANGUAGES: Final = frozenset({"fetchXml", "savedQuery", "userQuery", "sql"})
"""Other ways to ask for a collection; nothing else takes them."""
_SINGLE_OPTIONS: Final = frozenset({"$select", "$expand"})
_COUNT_OPTIONS: Final = frozenset({"$filter"})


@dataclass(frozen=True, slots=True)
class BoundRows:
    """A collection to read: the query, what its rows show, and what stands around them.

    `keys` are the order terms of a paging cookie; `fragment` is the context URL behind the hash sign; `skip` rows are
    left out at the beginning. `fetch_cookie` says that the caller pages with the cookie of a FetchXML answer instead of
    next links.
    """

    query: QueryExpression
    shape: RowShape
    fragment: str
    keys: tuple[Key, ...]
    counts: bool = False
    annotates_totals: bool = False
    skip: int = 0
    fetch_cookie: bool = False


@dataclass(frozen=True, slots=True)
class BoundRow:
    """A single row to read: columns, shape, the context URL behind the hash sign, and what comes along."""

    columns: tuple[str, ...] | None
    shape: RowShape
    fragment: str
    expansions: tuple[Expansion, ...] = ()


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
    if options.apply is not None:
        return _bind_groups(table, options, reading)
    scope = _scope(table, options, reading)
    filter_ = bind_filter(options.filter, scope) if options.filter is not None else ALL_ROWS
    orders = tuple(bind_orders(options.orderby or (), scope))
    selection = bind_selection(table, options.select, reading.dialect)
    expansions = _expansions(table, options, reading, is_set=True)
    shape = _shape(table, selection, expansions, reading)
    query = QueryExpression(
        table.logical_name,
        columns=read_columns(table, selection, shape),
        filter=filter_,
        links=scope.links(),
        orders=orders,
        count=bool(options.count),
        expansions=expansions.queries,
    )
    keys = keys_of(reading.catalog, query)
    top, page = _extent(options, reading, keys)
    return BoundRows(
        query=replace(query, top=top, page=page),
        shape=shape,
        fragment=f"{table.entity_set_name}{_parenthesized(selection, expansions)}",
        keys=keys,
        counts=bool(options.count),
        annotates_totals=reading.preferences.annotations.includes(TOTAL_RECORD_COUNT),
        skip=options.skip or 0,
    )


def _bind_groups(table: Table, options: QueryOptions, reading: Reading) -> BoundRows:
    """Return the groups that `$apply` asks for; their paging cookie holds nothing but the page's number."""
    query = bind_apply(table, options, _scope(table, options, reading))
    top, page = _extent(options, reading, ())
    annotations = reading.preferences.annotations
    return BoundRows(
        query=replace(query, top=top, page=page),
        shape=group_shape(reading.catalog, query, annotations=annotations, form=reading.form),
        fragment=table.entity_set_name,
        keys=(),
        counts=query.count,
        annotates_totals=annotations.includes(TOTAL_RECORD_COUNT),
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
    expansions = _expansions(table, options, reading, is_set=False)
    shape = _shape(table, selection, expansions, reading)
    return BoundRow(
        read_columns(table, selection, shape),
        shape,
        f"{table.entity_set_name}{_parenthesized(selection, expansions)}/$entity",
        expansions.queries,
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


def _expansions(table: Table, options: QueryOptions, reading: Reading, *, is_set: bool) -> Expansions:
    if reading.dialect.style is Style.FINANCE:
        return bind_finance_expansions(table, options.expand, reading)
    return bind_expansions(table, options.expand, reading, is_set=is_set)


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
    if "$deltatoken" in options.names:
        raise MalformedRequest("The query option '$deltatoken' cannot be applied to the requested resource.")
    for custom in options.custom:
        if custom.name in _LANGUAGES and dialect.style is Style.WEB_API:
            raise MalformedRequest(f"The query option '{custom.name}' cannot be applied to the requested resource.")


def _allowed_text(dialect: Dialect) -> str:
    shown = ", ".join(sorted(dialect.options - {"$skiptoken", "$deltatoken"}))
    return f"The supported query options are {shown}."


def _parenthesized(selection: Selection, expansions: Expansions) -> str:
    names = listed(selection, expansions)
    return f"({names})" if names else ""


def _shape(table: Table, selection: Selection, expansions: Expansions, reading: Reading) -> RowShape:
    names = shown_columns(selection, expansions)
    if reading.dialect.style is Style.FINANCE:
        shape = finance_shape(table, names)
    else:
        annotations = reading.preferences.annotations
        shape = web_api_shape(reading.catalog, table, names, annotations=annotations, form=reading.form)
    return replace(shape, expanded=expansions.shapes) if expansions.shapes else shape


def _extent(options: QueryOptions, reading: Reading, keys: tuple[Key, ...]) -> tuple[int | None, Page | None]:
    """Return `$top` and the page: the page size wins over `$top` where both are given (Learn: "Page results")."""
    largest = reading.dialect.page_size
    preferred = reading.preferences.max_page_size
    anchor = read_cookie(options.skiptoken, keys) if options.skiptoken is not None else None
    if options.top is not None and (preferred is None or reading.dialect.style is Style.FINANCE):
        return min(options.top, largest), None
    return None, Page(min(preferred or largest, largest), anchor)
