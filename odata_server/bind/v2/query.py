"""The options of the Organization Data Service as a query, the shape of its rows, and the entities made of them.

MSDN, "OData system query options using the REST endpoint" (gg309461). The real service takes at most six expanded
navigation properties, one level deep, orders by properties of the set alone, and knows neither `$inlinecount` nor
`$format`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.tables import Table
from entities.query import ALL_ROWS, Filter, Page, PageAnchor, QueryExpression
from odata_server.bind.paging import Key, keys_of
from odata_server.bind.query import BoundRow
from odata_server.bind.scope import Scope
from odata_server.bind.selection import Reading, bind_orders
from odata_server.bind.v2.filters import bind_v2_filter, check_one_group
from odata_server.bind.v2.paging import read_skiptoken
from odata_server.bind.v2.selection import Entities, bind_entities
from odata_server.bind.v2.translation import AS_WEB_API, PAGE_SIZE, Meaning, web_api_path
from odata_server.edm.formats import Format
from odata_server.edm.preferences import FORMATTED_VALUE, LOOKUP_LOGICAL_NAME, AnnotationFilter, Preferences
from odata_server.edm.representation import RowShape
from odata_server.edm.v2.shapes import EntryShape
from odata_server.syntax.apply_trees import OrderItem
from odata_server.syntax.trees import Path
from odata_server.syntax.v2_options import V2Options

_EXTENSIONS: Final = frozenset({"$inlinecount", "$format"})
_ROWS: Final = frozenset(
    {"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$select", "$expand", "$inlinecount", "$format"}
)
_ROW: Final = frozenset({"$select", "$expand", "$format"})
_COUNT: Final = frozenset({"$filter", "$orderby", "$top", "$skip", "$format"})
_VALUE: Final = frozenset({"$format"})
_PREFERENCES: Final = Preferences(annotations=AnnotationFilter((FORMATTED_VALUE, LOOKUP_LOGICAL_NAME)))
_EXACT: Final = Format(exact_text=True)


@dataclass(frozen=True, slots=True)
class V2Rows:
    """A collection to read: the query, what its rows show, and the entities that are made of them.

    `skip` rows are left out at the beginning; `rest` is what `$top` leaves for the pages behind this one, None where it
    does not limit them.
    """

    query: QueryExpression
    shape: RowShape
    entry: EntryShape
    keys: tuple[Key, ...]
    skip: int = 0
    rest: int | None = None


@dataclass(frozen=True, slots=True)
class V2Row:
    """One entity to read: what of its row, and the entity that is made of it."""

    row: BoundRow
    entry: EntryShape


def reading_of(meaning: Meaning, root: str) -> Reading:
    """Return what translated options are read against: lookups come with the table and the name of their records."""
    return Reading(meaning.names.catalog, AS_WEB_API, _PREFERENCES, _EXACT, root)


def bind_v2_rows(table: Table, options: V2Options, reading: Reading, meaning: Meaning) -> V2Rows:
    """Return what a collection's options ask for.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: an option that the service refuses, or operands that do not fit.
    """
    check_options(options, meaning, _ROWS)
    scope = Scope(reading.catalog, AS_WEB_API, table, {})
    filter_ = _filter(options, scope, meaning)
    orders = tuple(bind_orders(_orders(options.orderby or (), table, meaning), scope))
    entities = _entities(table, options, reading, meaning, is_set=True)
    query = QueryExpression(
        table.logical_name,
        columns=entities.columns,
        filter=filter_,
        links=scope.links(),
        orders=orders,
        count=bool(options.inlinecount),
        expansions=entities.expansions,
    )
    keys = keys_of(reading.catalog, query)
    anchor = read_skiptoken(options.skiptoken, keys) if options.skiptoken is not None else None
    top, page, rest = _extent(options.top, anchor)
    query = replace(query, top=top, page=page)
    return V2Rows(query, entities.shape, entities.entry, keys, options.skip or 0, rest)


def _extent(top: int | None, anchor: PageAnchor | None) -> tuple[int | None, Page | None, int | None]:
    """Return `$top` where it says how many rows there are, else the page, and what is left for the pages behind it."""
    if top is None:
        return None, Page(PAGE_SIZE, anchor), None
    if top > PAGE_SIZE:
        return None, Page(PAGE_SIZE, anchor), top - PAGE_SIZE
    if anchor is None or top == 0:
        return top, None, 0
    return None, Page(top, anchor), 0


def bind_v2_row(table: Table, options: V2Options, reading: Reading, meaning: Meaning) -> V2Row:
    """Return what a single entity's options ask for.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: an option that makes no sense on one entity, or that the service refuses.
    """
    check_options(options, meaning, _ROW)
    entities = _entities(table, options, reading, meaning, is_set=False)
    return V2Row(BoundRow(entities.columns, entities.shape, "", entities.expansions), entities.entry)


def bind_v2_count(table: Table, options: V2Options, reading: Reading, meaning: Meaning) -> QueryExpression:
    """Return the query of `/$count`.

    Raises:
        DataverseError: as `bind_v2_rows`.
    """
    check_options(options, meaning, _COUNT)
    scope = Scope(reading.catalog, AS_WEB_API, table, {})
    filter_ = _filter(options, scope, meaning)
    return QueryExpression(
        table.logical_name, columns=(table.primary_id,), filter=filter_, links=scope.links(), top=1, count=True
    )


def check_value_options(options: V2Options, meaning: Meaning) -> None:
    """Refuse options that make no sense on a property or on links.

    Raises:
        MalformedRequest: there is one.
    """
    check_options(options, meaning, _VALUE)


def check_options(options: V2Options, meaning: Meaning, allowed: frozenset[str]) -> None:
    """Refuse what the service does not have, and what cannot be applied to the resource.

    Raises:
        MalformedRequest: there is such an option.
    """
    for name in options.names:
        if meaning.is_faithful and name in _EXTENSIONS:
            raise MalformedRequest(f"The query parameter '{name}' is not supported.")
        if name not in allowed:
            raise MalformedRequest(f"Query option '{name}' cannot be applied to the requested resource.")


def _filter(options: V2Options, scope: Scope, meaning: Meaning) -> Filter:
    if options.filter is None:
        return ALL_ROWS
    if meaning.is_faithful:
        check_one_group(options.filter, scope.table, meaning)
    return bind_v2_filter(options.filter, scope, meaning)


def _orders(items: tuple[OrderItem, ...], table: Table, meaning: Meaning) -> tuple[OrderItem, ...]:
    """Return the terms of `$orderby` with the names of the Web API."""
    found: list[OrderItem] = []
    for item in items:
        expression = item.expression
        if not isinstance(expression, Path) or expression.root is not None:
            raise MalformedRequest("Only properties are supported in $orderby.")
        names = expression.names
        if meaning.is_faithful and names[0] in meaning.names.navigations(table):
            raise MalformedRequest("$orderby is supported for properties of the root entity set only.")
        found.append(replace(item, expression=Path(web_api_path(names, table, meaning))))
    return tuple(found)


def _entities(table: Table, options: V2Options, reading: Reading, meaning: Meaning, *, is_set: bool) -> Entities:
    return bind_entities(table, options.select, options.expand or (), reading, meaning, is_set=is_set)
