"""GET on data: collections, rows, related rows, references, properties and counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson

from entities.errors import InvalidOperation, MalformedRequest
from entities.messages import Retrieve, RetrieveMultiple, Rows, Target
from entities.metadata.tables import Table
from entities.query import QueryExpression
from odata_server.bind.dialect import property_name
from odata_server.bind.paging import cookie_link
from odata_server.bind.query import (
    BoundRow,
    BoundRows,
    bind_count,
    bind_row,
    bind_rows,
    narrowed,
)
from odata_server.bind.resource import Many, Related, RelatedMember, RelatedRow, RowProperty, Single
from odata_server.bind.selection import reference_shape
from odata_server.edm.control_information import value_facet
from odata_server.edm.etags import web_api_etag
from odata_server.edm.formats import MINIMAL
from odata_server.edm.preferences import INCLUDE_ANNOTATIONS, MAX_PAGE_SIZE, preference_applied
from odata_server.edm.representation import Facet, RowShape
from odata_server.endpoints.call import Call, version_of
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import existing, located, nothing_behind, of_parent, referenced
from odata_server.endpoints.query_languages import bound_rows, fetch_page
from odata_server.endpoints.responses import json_response, no_content, text_response
from odata_server.render import envelope
from odata_server.render.links import entity_id
from odata_server.render.rows import rows as render_rows
from odata_server.render.values import plain
from odata_server.syntax.options import split_query
from odata_server.syntax.percent import encode_query
from odata_server.syntax.request_trees import QueryOptions

COUNT_LIMIT: Final = 5_000
"""`/$count` never says more (Learn: "Count number of rows")."""

_DROPPED_FROM_LINK: Final = frozenset({"$skiptoken", "$count"})


def bound_key(call: Call, table: Table) -> tuple[object, ...]:
    """Return what decides how a query on a table is bound, besides the kind of answer."""
    request, form = call.request, None if call.form is MINIMAL else call.form
    asked = (request.query, request.header("prefer"), form)
    # Rows may hold absolute URLs of the service.
    return (call.catalog.version, call.dialect.style, table.logical_name, call.root, *asked)


def read_collection(call: Call, table: Table) -> ODataResponse:
    """Answer `GET set?options`; the bound query is kept by its exact text."""
    key = bound_key(call, table)
    bound = call.services.rows.get(key)
    if bound is None:
        bound, is_kept = bound_rows(call, table)
        if is_kept:
            call.services.rows.put(key, bound)
    return collection_answer(call, bound)


def collection_answer(call: Call, bound: BoundRows) -> ODataResponse:
    """Execute a bound query and return its page."""
    found = call.read(RetrieveMultiple(bound.query), bound.shape)
    totals = envelope.NO_TOTALS
    if bound.counts or bound.annotates_totals:
        version = call.catalog.version
        totals = envelope.Totals(
            bound.counts, bound.annotates_totals, found.total, found.total_exceeded, version, call.form.exact_text
        )
    if bound.fetch_cookie:
        totals = replace(totals, fetch=fetch_page(call, bound, found))
    body = envelope.collection(
        call.context(bound.fragment),
        row_bytes(found, bound.shape),
        totals=totals,
        next_link=None if bound.fetch_cookie else next_link(call, bound, found),
    )
    applied = preference_applied(call.preferences, MAX_PAGE_SIZE, INCLUDE_ANNOTATIONS)
    return json_response(call.services, body, *applied)


def row_bytes(found: Rows, shape: RowShape, id_column: str = "") -> bytes:
    """Return the rows' JSON: the database's, else rendered from the records."""
    if found.body is not None:
        return found.body
    return render_rows(found.records, shape, id_column=id_column, expanded=found.expanded)


def next_link(call: Call, bound: BoundRows, found: Rows) -> str | None:
    """Return the absolute URL of the next page; the page size travels in the header, not in the link."""
    if found.next is None:
        return None
    token = cookie_link(bound.keys, found.next, found.first or (None,) * len(bound.keys))
    return linked(call, f"$skiptoken={token}", _DROPPED_FROM_LINK)


def linked(call: Call, option: str, dropped: frozenset[str]) -> str:
    """Return the request's URL with one more option in place of some others."""
    kept = [
        f"{encode_query(given.name)}={encode_query(given.value or '')}"
        for given in split_query(call.request.query)
        if given.name not in dropped
    ]
    return f"{call.request.origin}{call.request.path}?{'&'.join((*kept, option))}"


def read_row(call: Call, table: Table, target: Target) -> ODataResponse:
    """Answer `GET set(key)?options`; the bound row is kept without its key, so that ids never fill the memory."""
    key = bound_key(call, table)
    bound = call.services.row.get(key)
    if bound is None:
        bound = bind_row(table, call.options(), call.reading())
        call.services.row.put(key, bound)
    return row_answer(call, target, bound)


def row_answer(call: Call, target: Target, bound: BoundRow, *, status: int = 200) -> ODataResponse:
    """Read one row and return it with its entity tag, or 304 where the caller has this version already."""
    known = version_of(call.request.header("if-none-match"))
    is_plain, is_read = call.preferences.annotations.is_empty and not bound.expansions, call.request.method == "GET"
    unless = known if is_plain and is_read else None
    found = call.read(Retrieve(target, bound.columns, unless, bound.expansions), bound.shape)
    etag = () if found.version is None else (("ETag", web_api_etag(found.version)),)
    if found.not_modified:
        return no_content(call.services, *etag, status=304)
    body = envelope.single(call.context(bound.fragment), row_bytes(found, bound.shape))
    applied = preference_applied(call.preferences, INCLUDE_ANNOTATIONS, *(() if is_read else ("return",)))
    return json_response(call.services, body, *etag, *applied, status=status)


def read_count(call: Call, rows: Many) -> ODataResponse:
    """Answer `/$count`: the number of matching rows, 5,000 at most."""
    query = bind_count(rows.table, call.options(), call.reading())
    if isinstance(rows, Related):
        query = of_parent(call, query, rows)
    return text_response(call.services, envelope.count_text(counted(call, query)))


def counted(call: Call, query: QueryExpression) -> int:
    """Return the number of rows of a counting query; rows behind a virtual table are counted as they come."""
    found = call.read(RetrieveMultiple(query))
    if found.total is not None:
        return found.total
    return min(call.read(RetrieveMultiple(replace(query, top=None, count=False))).count, COUNT_LIMIT)


def read_related(call: Call, related: Related) -> ODataResponse:
    """Answer `GET set(key)/collection?options`."""
    bound, _ = bound_rows(call, related.table)
    return collection_answer(call, _with_query(bound, of_parent(call, bound.query, related)))


def read_selected(call: Call, selected: QueryExpression) -> ODataResponse:
    """Answer a function whose result is records of a table: its URL takes the options of any other collection."""
    bound, _ = bound_rows(call, call.catalog.tables[selected.table])
    return collection_answer(call, _with_query(bound, narrowed(bound.query, selected.filter)))


def _with_query(bound: BoundRows, query: QueryExpression) -> BoundRows:
    return replace(bound, query=query)


def read_references(call: Call, rows: Many) -> ODataResponse:
    """Answer `GET set/$ref` and `GET set(key)/collection/$ref`."""
    bound = bind_rows(rows.table, _without_select(call.options()), call.reading())
    shape = reference_shape(rows.table, call.root)
    query = of_parent(call, bound.query, rows) if isinstance(rows, Related) else bound.query
    found = call.read(RetrieveMultiple(query), shape)
    link = next_link(call, bound, found)
    body = envelope.collection(call.context("Collection($ref)"), row_bytes(found, shape), next_link=link)
    return json_response(call.services, body)


def _without_select(options: QueryOptions) -> QueryOptions:
    for name in ("$select", "$apply"):
        if name in options.names:
            raise MalformedRequest(f"The query option '{name}' cannot be applied to references.")
    return options


def read_related_row(call: Call, row: RelatedRow | RelatedMember) -> ODataResponse:
    """Answer `GET set(key)/lookup`, 204 where there is no row, and `GET set(key)/collection(key)`."""
    if isinstance(row, RelatedMember):
        found = located(call, row)
        return row_answer(call, found.target, bind_row(found.table, call.options(), call.reading()))
    reference = referenced(call, row)
    if reference is None and row.is_cast:
        raise nothing_behind(call, row)
    table = row.table if reference is None else call.catalog.tables[reference.table]
    bound = bind_row(table, call.options(), call.reading())
    return no_content(call.services) if reference is None else row_answer(call, reference, bound)


def read_reference(call: Call, row: Single) -> ODataResponse:
    """Answer `GET single/$ref`: the URL of a row that the caller may read, 204 where there is none behind a lookup."""
    names = call.options().names
    if names:
        raise MalformedRequest(f"The query option '{names[0]}' cannot be applied to references.")
    if isinstance(row, RelatedRow) and not row.is_cast and referenced(call, row) is None:
        return no_content(call.services)
    reference = existing(call, row)
    url = entity_id(call.root, call.catalog.tables[reference.table].entity_set_name, reference.id)
    body = orjson.dumps({"@odata.id": url})
    return json_response(call.services, envelope.single(call.context("$ref"), body))


def read_property(call: Call, asked: RowProperty) -> ODataResponse:
    """Answer `GET set(key)/property` and its `/$value`; 204 where the value is null."""
    column = asked.column
    if not column.valid_for_read:
        raise InvalidOperation(f"The property '{column.logical_name}' cannot be read.")
    source = located(call, asked.source)
    found = call.read(Retrieve(source.target, (source.table.primary_id, column.logical_name)))
    record = found.records[0]
    value = record.get(column.logical_name)
    if value is None:
        return no_content(call.services)
    token = plain(value, column.type)
    if asked.is_raw:
        return text_response(call.services, (value if isinstance(value, str) else token.strip('"')).encode())
    if value_facet(column.type, call.form) is Facet.VALUE_AS_TEXT:
        token = f'"{token}"'
    name = property_name(call.dialect, column)
    identifier = plain(record[source.table.primary_id], column.type).strip('"')
    fragment = f"{source.table.entity_set_name}({identifier})/{name}"
    return json_response(call.services, envelope.single(call.context(fragment), f'{{"value":{token}}}'.encode()))
