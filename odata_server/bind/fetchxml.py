"""A FetchXML document as a query (Learn: "Query data using FetchXml", "FetchXml schema reference").

    fetch = entity, with version, mapping, distinct, top, count, page, paging-cookie, returntotalrecordcount, aggregate…
    entity = ( attribute / all-attributes / no-attrs / order / filter / link-entity )*

Attributes that steer only the real service's database (`no-lock`, `latematerialize`, `options`) change nothing here.
No row has ever been moved to long-term retention, so `datasource='retained'` finds none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.tables import Table
from entities.query import NO_ROWS, Filter, Page, PageAnchor, QueryExpression, both
from odata_server.bind.fetchxml_columns import bind_orders, context_list, row_shape, shown_columns
from odata_server.bind.fetchxml_document import MALFORMED, Element, flag, malformed, read_document, required, whole
from odata_server.bind.fetchxml_filters import bind_filters, bind_links, invalid_node
from odata_server.bind.fetchxml_groups import Grouping, bind_grouping
from odata_server.bind.fetchxml_sources import Source, Sources, table_named
from odata_server.bind.paging import Key, keys_of, read_cookie, read_fetch_cookie
from odata_server.bind.query import TOTAL_RECORD_COUNT, BoundRows
from odata_server.bind.selection import Reading
from odata_server.edm.group_shapes import group_shape
from odata_server.edm.representation import RowShape

LARGEST_PAGE: Final = 5_000
FARTHEST: Final = 50_000
"""Rows that can be skipped without a paging cookie (Learn: "Page results using FetchXml", legacy paging)."""

_RETAINED: Final = "retained"
ENTITIES_DO_NOT_MATCH: Final = "0x80041128"
_IN_ENTITY: Final = frozenset({"attribute", "all-attributes", "no-attrs", "order", "filter", "link-entity"})


@dataclass(frozen=True, slots=True)
class _Fetch:
    """A document that is understood: its root element, the query without its page, and what the answer looks like."""

    element: Element
    query: QueryExpression
    shape: RowShape
    fragment: str


def bind_fetch(text: str, table: Table, reading: Reading, *, counts: bool = False) -> BoundRows:
    """Return what a FetchXML text asks for; pages go by its own attributes.

    Args:
        text: the document.
        table: the table of the entity set that it is sent to.
        reading: catalog, preferences and format.
        counts: whether `$count=true` stands beside it.

    Raises:
        UnknownName: a table or column does not exist (0x80041102, 0x80041103).
        MalformedRequest: it is no XML (0x80040201), no FetchXML (0x80040303), or asks for what cannot be.
        InvalidArgument: a value does not fit its column.
    """
    return bind_document(read_document(text), table, reading, counts=counts)


def bind_document(document: Element, table: Table, reading: Reading, *, counts: bool = False) -> BoundRows:
    """Return what a tree of FetchXML asks for, as `bind_fetch`."""
    fetch = _read(document, table, reading)
    keys = _keys(fetch, reading)
    top, page = _extent(fetch.element, keys)
    totals = flag(fetch.element, "returntotalrecordcount")
    query = replace(fetch.query, top=top, page=page, count=counts or totals)
    return _bound(fetch, query, keys, reading, counts=counts or totals, fetch_cookie=True)


def bind_saved(document: Element, table: Table, reading: Reading, *, skiptoken: str | None, counts: bool) -> BoundRows:
    """Return what a saved query asks for; pages go by next links, as those of `$filter` do.

    Args:
        document: the FetchXML of the saved query.
        table: the table of the entity set that it is sent to.
        reading: catalog, preferences and format.
        skiptoken: `$skiptoken` where there is one.
        counts: whether `$count=true` stands beside it.

    Raises:
        DataverseError: as `bind_fetch`.
    """
    fetch = _read(document, table, reading)
    keys = _keys(fetch, reading)
    anchor = read_cookie(skiptoken, keys) if skiptoken is not None else None
    size = reading.preferences.max_page_size or whole(fetch.element, "count", 1) or LARGEST_PAGE
    top = _top(fetch.element)
    page = None if top else Page(min(size, LARGEST_PAGE), anchor)
    query = replace(fetch.query, top=top, page=page, count=counts)
    return _bound(fetch, query, keys, reading, counts=counts, fetch_cookie=False)


def _bound(
    fetch: _Fetch,
    query: QueryExpression,
    keys: tuple[Key, ...],
    reading: Reading,
    *,
    counts: bool,
    fetch_cookie: bool,
) -> BoundRows:
    return BoundRows(
        query=query,
        shape=fetch.shape,
        fragment=fetch.fragment,
        keys=keys,
        counts=counts,
        annotates_totals=reading.preferences.annotations.includes(TOTAL_RECORD_COUNT),
        fetch_cookie=fetch_cookie,
    )


def _read(root: Element, table: Table, reading: Reading) -> _Fetch:
    """Return the query of a document without its page."""
    if root.name != "fetch":
        raise malformed(f"The root element is '{root.name[:128]}', not 'fetch'.")
    entity = _entity(root)
    found = table_named(reading.catalog, required(entity, "name"))
    if found is not table:
        raise MalformedRequest(
            "The entity name specified in fetchxml does not match the entity name specified in the Entity or Query"
            " Expression.",
            code=ENTITIES_DO_NOT_MATCH,
        )
    _check_fetch(root)
    return _bound_entity(root, entity, Sources(reading.catalog, Source("", table.logical_name, table)), reading)


def _entity(root: Element) -> Element:
    for child in root.children:
        if child.name not in {"entity", "order"}:
            raise invalid_node(child)
    entities = tuple(root.named("entity"))
    if not entities:
        raise MalformedRequest("A required element was not specified. 'entity'", code="0x80041123")
    if len(entities) != 1:
        raise malformed("There must be exactly one element 'entity'.")
    for child in entities[0].children:
        if child.name not in _IN_ENTITY:
            raise invalid_node(child)
    return entities[0]


def _check_fetch(root: Element) -> None:
    """Refuse attributes of `fetch` with values that they do not have."""
    if (root.get("mapping") or "logical") not in {"logical", "internal"}:
        raise MalformedRequest(
            "The only valid values for mapping are 'logical' or 'internal' which is deprecated.", code="0x80041116"
        )
    for name in ("no-lock", "min-active-row-version", "latematerialize"):
        flag(root, name)
    if (root.get("datasource") or _RETAINED) != _RETAINED:
        raise malformed(f"The only valid value for datasource attribute is '{_RETAINED}'.")


def _bound_entity(root: Element, entity: Element, sources: Sources, reading: Reading) -> _Fetch:
    demands: list[Filter] = []
    links = bind_links(entity, sources.root, sources, demands)
    condition = bind_filters(entity, sources.root, sources)
    for demand in demands:
        condition = both(condition, demand)
    if root.get("datasource"):
        condition = NO_ROWS
    table = sources.root.table
    query = QueryExpression(table.logical_name, filter=condition, links=links)
    if flag(root, "aggregate"):
        raw = flag(root, "useraworderby")
        return _grouped(root, query, bind_grouping(entity, sources.root, sources.joined, raw=raw), reading)
    columns = shown_columns(entity, sources, sources.joined)
    distinct = flag(root, "distinct")
    if distinct and next(entity.named("no-attrs"), None) is not None:
        raise MalformedRequest(
            "The no-attrs tag cannot be used in conjuction with Distinct set to true.", code="0x8004112c"
        )
    by_value = distinct and not columns.has_own(table.primary_id)
    shape = row_shape(columns, sources.root, reading, by_value=by_value)
    names = dict.fromkeys(member.column.name for member in shape.members if not member.column.alias)
    if not by_value:
        names.setdefault(table.primary_id)
    linked = dict.fromkeys(member.column for member in shape.members if member.column.alias)
    query = replace(
        query,
        columns=None if columns.is_all and not by_value else tuple(names),
        linked_columns=tuple(linked),
        orders=bind_orders(entity, sources, sources.joined, raw=flag(root, "useraworderby")),
        distinct=distinct,
        counts_children=bool(columns.child_counts),
    )
    return _Fetch(root, query, shape, f"{table.entity_set_name}{context_list(columns, shape, sources.root)}")


def _grouped(root: Element, query: QueryExpression, grouping: Grouping, reading: Reading) -> _Fetch:
    grouped = replace(
        query,
        groups=grouping.groups,
        aggregates=grouping.aggregates,
        orders=grouping.orders,
        aggregate_limit=whole(root, "aggregatelimit", 1),
    )
    shape = group_shape(reading.catalog, grouped, annotations=reading.preferences.annotations, form=reading.form)
    return _Fetch(root, grouped, shape, reading.catalog.tables[query.table].entity_set_name)


def _keys(fetch: _Fetch, reading: Reading) -> tuple[Key, ...]:
    """Return the terms of a paging cookie; pages of groups go by number."""
    return () if fetch.query.is_grouped else keys_of(reading.catalog, fetch.query)


def _extent(root: Element, keys: tuple[Key, ...]) -> tuple[int | None, Page | None]:
    """Return `top`, or the page that `page`, `count` and `paging-cookie` say."""
    top = _top(root)
    if top is not None:
        return top, None
    size = min(whole(root, "count", 0) or LARGEST_PAGE, LARGEST_PAGE)
    number = whole(root, "page", 1) or 1
    return None, Page(size, _anchor(root, keys, number, size))


def _top(root: Element) -> int | None:
    """Return `top`, which goes up to a page's size and not together with paging (Learn: "Page results", "Count rows").

    Raises:
        MalformedRequest: it is out of range, or stands beside what belongs to pages.
    """
    top = whole(root, "top", 1)
    if top is None:
        return None
    given = [name for name in ("page", "count", "paging-cookie") if root.get(name) is not None]
    if flag(root, "returntotalrecordcount"):
        given.append("returntotalrecordcount")
    if given:
        raise MalformedRequest(f"The top attribute can't be specified with paging attribute {given[0]}", code=MALFORMED)
    if top > LARGEST_PAGE:
        raise malformed(f"The attribute 'top' must be a whole number between 1 and {LARGEST_PAGE}.")
    return top


def _anchor(root: Element, keys: tuple[Key, ...], number: int, size: int) -> PageAnchor | None:
    """Return where the page begins: behind the cookie's row when it is that of the page before, else by number."""
    if number == 1:
        return None
    cookie = root.get("paging-cookie")
    anchor = read_fetch_cookie(cookie, keys) if cookie and keys else None
    if anchor is not None and anchor.number == number:
        return anchor
    if (number - 1) * size > FARTHEST:
        raise MalformedRequest(
            "Over upper limit of records that can be requested without a paging cookie. A paging cookie is required"
            " when retrieving a high page number.",
            code="0x8004430a",
        )
    return PageAnchor(number, ())
