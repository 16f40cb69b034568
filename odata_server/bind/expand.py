"""`$expand` as expansions of a query, shapes of their records and their part of the context URL.

Learn: "Join tables using OData", "Web API navigation properties". One nested `$expand` anywhere changes every
collection of the request: it is paged, its records have no entity tag, and `$top` and `$orderby` are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from entities.errors import InvalidOperation, MalformedRequest, UnknownName
from entities.metadata.catalog import CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.tables import Table
from entities.query import ALL_ROWS, ColumnRef, Expansion, Page, QueryExpression
from odata_server.bind.dialect import column_of, type_name
from odata_server.bind.filters import bind_filter
from odata_server.bind.paging import nested_cookie
from odata_server.bind.scope import Scope, unknown_property
from odata_server.bind.selection import (
    Reading,
    Selection,
    bind_orders,
    bind_selection,
    read_columns,
    reference_shape,
)
from odata_server.edm.naming import PRINCIPAL, WEB_API_NAMESPACE, entity_type
from odata_server.edm.representation import Expanded, Facet, Member, NextLink, RowShape
from odata_server.edm.shapes import ETAG, Wanted, web_api_members
from odata_server.syntax.request_trees import ExpandItem, ExpandTarget, QueryOptions
from odata_server.syntax.unparse import unparse

LARGEST: Final = 15
"""Items of `$expand` in a request, nested ones included (Learn: "Join tables using OData")."""

_MANY_OPTIONS: Final = frozenset({"$select", "$filter", "$orderby", "$top", "$expand"})
_ONE_OPTIONS: Final = frozenset({"$select", "$expand"})
_UNORDERED: Final = frozenset({"$orderby", "$top"})
_NO_OPTIONS: Final = QueryOptions()
_TYPE: Final = "@odata.type"
_OWNER: Final = "ownerid"


@dataclass(frozen=True, slots=True)
class Expansions:
    """What `$expand` adds to a query, to the shape of its rows and to the list in the context URL.

    `columns` are lookups of the row that come along with references.
    """

    queries: tuple[Expansion, ...] = ()
    shapes: tuple[Expanded, ...] = ()
    listed: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One item of `$expand`, bound."""

    queries: tuple[Expansion, ...]
    shape: Expanded
    listed: str


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every item: whether rows of a set are read, and whether any item is nested."""

    reading: Reading
    is_set: bool
    is_nested: bool


def bind_expansions(
    table: Table, items: tuple[ExpandItem, ...] | None, reading: Reading, *, is_set: bool
) -> Expansions:
    """Return what the items of `$expand` add to the rows of a table.

    Args:
        table: the table of the rows.
        items: the parsed option, None where it is not given.
        reading: catalog, dialect and preferences.
        is_set: rows of a collection are read, not a single one.

    Raises:
        UnknownName: a property that the type does not have.
        MalformedRequest: an item or an option that the service refuses.
        InvalidOperation: rows of a virtual table and other rows cannot be joined (0x80044822).
    """
    if items is None:
        return Expansions()
    if _count(items) > LARGEST:
        raise MalformedRequest(f"A query can have no more than {LARGEST} $expand options.", code=_CODE)
    is_nested = any(item.options is not None and item.options.expand for item in items)
    return _bound(table, items, _Request(reading, is_set, is_nested), depth=0)


_CODE: Final = "0x80060888"


def _count(items: Sequence[ExpandItem]) -> int:
    nested = (item.options.expand for item in items if item.options is not None and item.options.expand)
    return len(items) + sum(map(_count, nested))


def _bound(table: Table, items: tuple[ExpandItem, ...], request: _Request, depth: int) -> Expansions:
    found = [(item, _navigation(table, item, request.reading)) for item in items]
    names = [navigation.name for _, navigation in found]
    if len(set(names)) < len(names):
        raise MalformedRequest("A navigation property can be expanded only once.", code=_CODE)
    _check_many_to_many([navigation for _, navigation in found], request, depth)
    parts = [_part(table, item, navigation, request, depth) for item, navigation in found]
    columns = [
        table.by_name[navigation.relationship.referencing_column]
        for item, navigation in found
        if item.target is ExpandTarget.REF and isinstance(navigation, LookupNavigation)
    ]
    return Expansions(
        tuple(query for part in parts for query in part.queries),
        tuple(part.shape for part in parts),
        tuple(part.listed for part in parts),
        tuple(columns),
    )


def _navigation(table: Table, item: ExpandItem, reading: Reading) -> Navigation:
    """Return the navigation property that an item names.

    Raises:
        UnknownName: there is none.
        MalformedRequest: the item is a property, a path or a wildcard.
        InvalidOperation: the related rows lie in another source.
    """
    name = item.path[0]
    if len(item.path) > 1:
        raise MalformedRequest(
            "Found a path traversing multiple navigation properties. Please rephrase the query such that each expand "
            "path contains only type segments and navigation properties."
        )
    if name in {"*", "$value"} or item.target is ExpandTarget.COUNT:
        raise MalformedRequest(f"'{name}' with '$count' or as a wildcard is not allowed in $expand.")
    navigation = reading.catalog.navigation(table.logical_name, name)
    if navigation is None:
        if column_of(reading.dialect, table, name) is None:
            raise unknown_property(name, table, reading.dialect)
        raise MalformedRequest(
            f"Property '{name}' on type '{type_name(reading.dialect, table)}' is not a navigation property or complex "
            "property. Only navigation properties can be expanded."
        )
    if table.source is not None or reading.catalog.tables[navigation.target].source is not None:
        raise InvalidOperation("The query specified is not supported for virtual entity.", code="0x80044822")
    return navigation


def _check_many_to_many(navigations: Sequence[Navigation], request: _Request, depth: int) -> None:
    """Refuse many-to-many relationships where they cannot be expanded: nested, or beside other relationships."""
    pairs = [navigation for navigation in navigations if isinstance(navigation, ManyToManyNavigation)]
    if pairs and (depth or request.is_nested):
        raise MalformedRequest("Nested $expand is not supported with many-to-many relationships.", code=_CODE)
    if pairs and len(pairs) < len(navigations):
        raise MalformedRequest(
            "Many-to-many relationships cannot be expanded together with one-to-many or many-to-one relationships.",
            code=_CODE,
        )


def _part(table: Table, item: ExpandItem, navigation: Navigation, request: _Request, depth: int) -> _Part:
    options = item.options or _NO_OPTIONS
    if item.target is ExpandTarget.REF:
        return _references(table, options, navigation, request)
    _check_options(options, navigation, request)
    if isinstance(navigation, LookupNavigation):
        if _is_owner(table, navigation):
            return _owners(table, options, navigation, request)
        return _record(options, navigation, request, depth)
    return _records(table, options, navigation, request, depth)


def _check_options(options: QueryOptions, navigation: Navigation, request: _Request) -> None:
    is_one = isinstance(navigation, LookupNavigation)
    if _UNORDERED.intersection(options.names) and (is_one or request.is_nested):
        raise MalformedRequest(
            "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or "
            "nested one-to-many relationship.",
            code=_CODE,
        )
    for name in options.names:
        if name not in (_ONE_OPTIONS if is_one else _MANY_OPTIONS):
            raise MalformedRequest(
                f"The query option '{name}' cannot be applied to the expanded navigation property '{navigation.name}'.",
                code=_CODE,
            )
    if options.aliases:
        raise MalformedRequest("Parameter aliases are not supported inside $expand.", code=_CODE)


def _references(table: Table, options: QueryOptions, navigation: Navigation, request: _Request) -> _Part:
    """Bind `nav/$ref`: the URL of the record instead of its columns."""
    if not isinstance(navigation, LookupNavigation):
        raise MalformedRequest("Expand with $ref is only supported on lookup type navigation property.", code=_CODE)
    if options.names:
        raise MalformedRequest(f"The query option '{options.names[0]}' cannot be applied to references.", code=_CODE)
    targets = tuple(_targets(table, navigation, request.reading))
    shapes = tuple(reference_shape(target, request.reading.root) for target in targets)
    queries = tuple(
        Expansion(navigation.name, QueryExpression(target.logical_name, (target.primary_id,))) for target in targets
    )
    return _Part(queries, Expanded(navigation.name, shapes), f"{navigation.name},{navigation.name}/$ref()")


def _is_owner(table: Table, navigation: LookupNavigation) -> bool:
    """Tell whether a navigation property leads to the base type of users and teams."""
    type_ = table.by_name[navigation.relationship.referencing_column].type
    return isinstance(type_, LookupType) and type_.kind is LookupKind.OWNER


def _targets(table: Table, navigation: LookupNavigation, reading: Reading) -> Iterator[Table]:
    type_ = table.by_name[navigation.relationship.referencing_column].type
    if isinstance(type_, LookupType) and type_.kind is LookupKind.OWNER:
        yield from (reading.catalog.tables[name] for name in type_.targets if name in reading.catalog.tables)
    else:
        yield reading.catalog.tables[navigation.target]


def _owners(table: Table, options: QueryOptions, navigation: LookupNavigation, request: _Request) -> _Part:
    """Bind an owner: a record of the type `principal`, whose only property is its key, as the user or team it is."""
    unknown = [item.path[0] for item in options.select or () if item.path not in {(_OWNER,), ("*",)}]
    unknown += [item.path[0] for item in options.expand or ()]
    if unknown:
        raise UnknownName(f"Could not find a property named '{unknown[0]}' on type '{WEB_API_NAMESPACE}.{PRINCIPAL}'.")
    targets = tuple(_targets(table, navigation, request.reading))
    queries = tuple(
        Expansion(navigation.name, QueryExpression(target.logical_name, (target.primary_id, _OWNER, "versionnumber")))
        for target in targets
    )
    shapes = tuple(_owner_shape(target, request) for target in targets)
    listed = ",".join("/".join(item.path) for item in options.select or ())
    return _Part(queries, Expanded(navigation.name, shapes), f"{navigation.name}({listed})")


def _owner_shape(table: Table, request: _Request) -> RowShape:
    wanted = Wanted(
        request.reading.preferences.annotations, with_etag=_one_has_etag(request), form=request.reading.form
    )
    shown = [
        member
        for member in web_api_members(request.reading.catalog, table, (_OWNER,), wanted)
        if member.name == ETAG or member.column.name == _OWNER
    ]
    key = table.by_name[_OWNER]
    type_ = Member(_TYPE, Facet.TYPE, ColumnRef(_OWNER), key.type, base=f"#{entity_type(table)}")
    return RowShape(table.logical_name, (type_, *shown))


def _one_has_etag(request: _Request) -> bool:
    """Tell whether records behind lookups carry an entity tag: where one row is read, and nothing is nested."""
    return not request.is_set and not request.is_nested


def _record(options: QueryOptions, navigation: LookupNavigation, request: _Request, depth: int) -> _Part:
    reading = request.reading
    target = reading.catalog.tables[navigation.target]
    inner = _inner(target, options, request, depth)
    selection = bind_selection(target, options.select, reading.dialect)
    shape = _shape(target, selection, inner, request, with_etag=_one_has_etag(request))
    query = QueryExpression(target.logical_name, read_columns(target, selection, shape), expansions=inner.queries)
    return _Part(
        (Expansion(navigation.name, query),),
        Expanded(navigation.name, (shape,)),
        f"{navigation.name}({listed(selection, inner)})",
    )


def _records(
    table: Table,
    options: QueryOptions,
    navigation: CollectionNavigation | ManyToManyNavigation,
    request: _Request,
    depth: int,
) -> _Part:
    reading = request.reading
    target = reading.catalog.tables[navigation.target]
    inner = _inner(target, options, request, depth)
    selection = bind_selection(target, options.select, reading.dialect)
    context = f"{navigation.name}({listed(selection, inner)})"
    if isinstance(navigation, CollectionNavigation) and not request.is_nested and not selection.is_all:
        lookup = target.by_name[navigation.relationship.referencing_column]
        selection = replace(selection, columns=tuple(dict.fromkeys((*selection.columns, lookup))))
    shape = _shape(target, selection, inner, request, with_etag=not request.is_nested)
    scope = Scope(reading.catalog, reading.dialect, target, None)
    largest = reading.dialect.page_size
    size = min(reading.preferences.max_page_size or largest, largest)
    query = QueryExpression(
        target.logical_name,
        columns=read_columns(target, selection, shape),
        filter=bind_filter(options.filter, scope) if options.filter is not None else ALL_ROWS,
        orders=tuple(bind_orders(options.orderby or (), scope)),
        top=None if request.is_nested else min(largest if options.top is None else options.top, largest),
        page=Page(size) if request.is_nested else None,
        expansions=inner.queries,
    )
    link = _link(table, target, options, navigation.name, request, size)
    return _Part(
        (Expansion(navigation.name, replace(query, links=scope.links())),),
        Expanded(navigation.name, (shape,), is_collection=True, link=link),
        context,
    )


def _inner(target: Table, options: QueryOptions, request: _Request, depth: int) -> Expansions:
    return _bound(target, options.expand, request, depth + 1) if options.expand else Expansions()


def _shape(target: Table, selection: Selection, inner: Expansions, request: _Request, *, with_etag: bool) -> RowShape:
    reading = request.reading
    names = shown_columns(selection, inner)
    wanted = Wanted(reading.preferences.annotations, with_etag=with_etag, form=reading.form)
    return RowShape(target.logical_name, web_api_members(reading.catalog, target, names, wanted), inner.shapes)


def _link(
    table: Table, target: Table, options: QueryOptions, name: str, request: _Request, size: int
) -> NextLink | None:
    """Return the link that stands beside a collection: always in rows of a set, behind full pages where nested."""
    if not request.is_set and not request.is_nested:
        return None
    written = unparse(options)
    before = f"{request.reading.root}/{table.entity_set_name}("
    after = f")/{name}" + (f"?{written}" if written else "")
    if not request.is_nested:
        return NextLink(table.primary_id, before, after)
    joint = "&" if written else "?"
    cookie = nested_cookie(target.primary_id, size)
    return NextLink(table.primary_id, before, f"{after}{joint}$skiptoken=", cookie)


def listed(selection: Selection, expansions: Expansions) -> str:
    """Return what the context URL lists between parentheses: selected properties, then expanded ones."""
    return ",".join((*selection.names, *expansions.listed))


def shown_columns(selection: Selection, expansions: Expansions) -> tuple[str, ...] | None:
    """Return the columns of a row: the selected ones and lookups of references; None for all of them."""
    if selection.is_all:
        return None
    return tuple(column.logical_name for column in (*selection.columns, *expansions.columns))
