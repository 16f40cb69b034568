"""GET on data of the Organization Data Service: collections, entities, properties, counts and links."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import orjson

from entities.errors import InvalidOperation, MalformedRequest
from entities.messages import Retrieve, RetrieveMultiple, Rows
from entities.metadata.catalog import LookupNavigation
from entities.metadata.tables import Table
from entities.query import Page
from entities.values import EntityReference
from odata_server.bind.paths import not_found
from odata_server.bind.resource import Many, References, Related, RelatedMember, RelatedRow, Row, RowProperty, Single
from odata_server.bind.v2.paging import skiptoken
from odata_server.bind.v2.query import (
    V2Row,
    V2Rows,
    bind_v2_count,
    bind_v2_row,
    bind_v2_rows,
    check_value_options,
)
from odata_server.bind.v2.translation import PAGE_SIZE
from odata_server.edm.v2.names import entity_set
from odata_server.edm.v2.types import COMPLEX_TYPES
from odata_server.endpoints.call import version_of
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.navigation import existing, located, of_parent, referenced
from odata_server.endpoints.reads import counted, row_bytes
from odata_server.endpoints.v2 import answers
from odata_server.endpoints.v2.answers import ONE, TWO
from odata_server.endpoints.v2.call import V2Call
from odata_server.endpoints.v2.formats import Format
from odata_server.render.v2.atom import Feed
from odata_server.render.v2.entries import RowMembers, Value, entry_of, entry_path, value_of
from odata_server.render.v2.values import xml_value
from odata_server.syntax.percent import encode_query
from odata_server.syntax.v2_options import V2Options

_OF_A_PAGE: Final = frozenset({"$skip", "$skiptoken", "$top"})


def read_rows(v2: V2Call, rows: Many) -> ODataResponse:
    """Answer `GET Set?options` and `GET Set(key)/Collection?options`."""
    if v2.form is Format.JSON:
        v2.needs(TWO)
    bound = _bound_rows(v2, rows.table)
    if isinstance(rows, Related):
        bound = replace(bound, query=of_parent(v2.call, bound.query, rows))
    found, is_last = _page(v2, bound)
    place = v2.place()
    entries = (entry_of(row, bound.entry, place) for row in _decoded(found, bound))
    url = f"{v2.call.request.origin}{v2.call.request.path}"
    title = rows.navigation.name if isinstance(rows, Related) else entity_set(rows.table)
    total = found.total if bound.query.count else None
    around = Feed(title, url, total, None if is_last else _next_url(v2, bound, found))
    return answers.feed(v2, entries, around)


def _bound_rows(v2: V2Call, table: Table) -> V2Rows:
    """Return what the options ask for; it is kept by its exact text."""
    key = (v2.call.catalog.version, table.logical_name, v2.call.root, v2.call.request.query)
    bound = v2.state.rows.get(key)
    if bound is None:
        bound = bind_v2_rows(table, v2.options, v2.reading(), v2.meaning)
        v2.state.rows.put(key, bound)
    return bound


def _decoded(found: Rows, bound: V2Rows) -> list[RowMembers]:
    rows: list[RowMembers] = orjson.loads(b"".join((b"[", row_bytes(found, bound.shape), b"]")))
    return rows


def _page(v2: V2Call, bound: V2Rows) -> tuple[Rows, bool]:
    """Execute a query; rows to skip are passed by their ids, as the query form has no offset.

    The second value says that no page follows.
    """
    if not bound.skip or bound.query.top == 0 or v2.options.skiptoken is not None:
        found = v2.call.read(RetrieveMultiple(bound.query), bound.shape)
        return found, found.next is None or bound.rest == 0
    columns = (v2.call.catalog.tables[bound.query.table].primary_id,)
    before = replace(bound.query, columns=columns, expansions=(), top=None, page=Page(bound.skip))
    skipped = v2.call.read(RetrieveMultiple(before))
    if skipped.next is None:
        return replace(skipped, records=(), body=None), True
    size = bound.query.top or PAGE_SIZE
    query = replace(bound.query, top=None, page=Page(size, replace(skipped.next, number=2)), count=False)
    found = v2.call.read(RetrieveMultiple(query), bound.shape)
    return replace(found, total=skipped.total), found.next is None or bound.rest == 0


def _next_url(v2: V2Call, bound: V2Rows, found: Rows) -> str | None:
    """Return the URL of the page behind this one."""
    if found.next is None:
        return None
    token = skiptoken(bound.keys, found.next, found.first or (None,) * len(bound.keys))
    given = [(name, value) for name, value in v2.options.given if name not in _OF_A_PAGE]
    if bound.rest:
        given.append(("$top", str(bound.rest)))
    given.append(("$skiptoken", token))
    query = "&".join(f"{encode_query(name)}={_in_query(value)}" for name, value in given)
    return f"{v2.call.request.origin}{v2.call.request.path}?{query}"


def _in_query(value: str) -> str:
    return encode_query(value).replace(";", "%3B")


def read_row(v2: V2Call, row: Single) -> ODataResponse:
    """Answer `GET Set(key)?options` and what leads to one entity."""
    v2.needs(ONE)
    found = located(v2.call, row)
    return row_answer(v2, found, _bound_row(v2, found.table))


def _bound_row(v2: V2Call, table: Table) -> V2Row:
    key = (v2.call.catalog.version, table.logical_name, v2.call.root, v2.call.request.query)
    bound = v2.state.row.get(key)
    if bound is None:
        bound = bind_v2_row(table, v2.options, v2.reading(), v2.meaning)
        v2.state.row.put(key, bound)
    return bound


def row_answer(v2: V2Call, row: Row, bound: V2Row, *extra: tuple[str, str], status: int = 200) -> ODataResponse:
    """Read one row and return its entity, or 304 where the caller has this version already."""
    asked = bound.row
    known = version_of(v2.call.request.header("if-none-match")) if v2.call.request.method == "GET" else None
    unless = known if bound.entry.has_etag and not asked.expansions else None
    found = v2.call.read(Retrieve(row.target, asked.columns, unless, asked.expansions), asked.shape)
    if found.not_modified:
        return answers.no_content(v2.call.services, status=304)
    shown = entry_of(orjson.loads(row_bytes(found, asked.shape)), bound.entry, v2.place())
    return answers.entry(v2, shown, *extra, status=status)


def read_property(v2: V2Call, asked: RowProperty, member: str) -> ODataResponse:
    """Answer `GET Set(key)/Property[/Member][/$value]`.

    Raises:
        ResourceNotFound: `$value` of null.
        MalformedRequest: `$value` of a complex value.
    """
    v2.needs(ONE)
    check_value_options(v2.options, v2.meaning)
    if not asked.column.valid_for_read:
        raise InvalidOperation(f"The property '{asked.column.schema_name}' cannot be read.")
    row = located(v2.call, asked.source)
    chosen = V2Options(select=((asked.column.schema_name,),))
    bound = bind_v2_row(row.table, chosen, v2.reading(), v2.meaning)
    found = v2.call.read(Retrieve(row.target, bound.row.columns), bound.row.shape)
    value = value_of(orjson.loads(row_bytes(found, bound.row.shape)), bound.entry.properties[0])
    if member:
        value = _member(value, member)
    return _raw(v2, value) if asked.is_raw else answers.property_value(v2, value)


def _member(value: Value, name: str) -> Value:
    assert isinstance(value.value, Mapping)
    return Value(name, dict(COMPLEX_TYPES[value.type])[name], value.value[name])


def _raw(v2: V2Call, value: Value) -> ODataResponse:
    if isinstance(value.value, Mapping):
        raise MalformedRequest(f"'$value' cannot be applied to the complex property '{value.name}'.")
    text = xml_value(value.type, value.value)
    if text is None:
        raise not_found(value.name)
    return answers.binary(v2, b64decode(text)) if value.type == "Edm.Binary" else answers.text(v2, text.encode())


def read_count(v2: V2Call, rows: Many) -> ODataResponse:
    """Answer `/$count`: digits alone; the options `$skip` and `$top` count as they would for the rows."""
    v2.needs(TWO)
    query = bind_v2_count(rows.table, v2.options, v2.reading(), v2.meaning)
    if isinstance(rows, Related):
        query = of_parent(v2.call, query, rows)
    number = max(counted(v2.call, query) - (v2.options.skip or 0), 0)
    if v2.options.top is not None:
        number = min(number, v2.options.top)
    return answers.text(v2, str(number).encode(), version=TWO)


def read_links(v2: V2Call, references: References) -> ODataResponse:
    """Answer `GET Set(key)/$links/Navigation`.

    Raises:
        ResourceNotFound: nothing is behind a single-valued navigation property.
    """
    source, navigation, related = references.source, references.navigation, references.related
    if isinstance(navigation, LookupNavigation):
        check_value_options(v2.options, v2.meaning)
        reference = referenced(v2.call, RelatedRow(source, navigation, references.tables))
        if reference is None:
            raise not_found(navigation.name)
        return answers.link(v2, _url(v2, reference))
    if related is not None:
        check_value_options(v2.options, v2.meaning)
        member = RelatedMember(source, navigation, references.table, related)
        return answers.link(v2, _url(v2, existing(v2.call, member)))
    v2.needs(TWO)
    key = references.table.by_name[references.table.primary_id].schema_name
    bound = bind_v2_rows(references.table, replace(v2.options, select=((key,),)), v2.reading(), v2.meaning)
    bound = replace(bound, query=of_parent(v2.call, bound.query, Related(source, navigation, references.table)))
    found, is_last = _page(v2, bound)
    place = v2.place()
    urls = [entry_of(row, bound.entry, place).url for row in _decoded(found, bound)]
    total = found.total if bound.query.count else None
    return answers.links(v2, urls, total=total, next_url=None if is_last else _next_url(v2, bound, found))


def _url(v2: V2Call, reference: EntityReference) -> str:
    table = v2.call.catalog.tables[reference.table]
    return f"{v2.call.root}/{entry_path(entity_set(table), reference.id)}"
