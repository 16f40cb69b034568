"""What the rows of a FetchXML query show, in which order, and under which names.

Learn: "Select columns using FetchXml", "Order rows using FetchXml". Columns of the query's own table look as elsewhere
in the Web API; those of links and columns with an alias are open properties, the dot of `alias.column` written
`_x002e_`. What is null is left out (Learn: "Use FetchXML with the Web API").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from entities.errors import MalformedRequest
from entities.metadata.columns import Column, LookupType
from entities.metadata.option_labels import has_sorted_labels
from entities.query import CALLERS_LANGUAGE, ColumnRef, Order
from odata_server.bind.fetchxml_children import child_counts, child_members, counts_children
from odata_server.bind.fetchxml_document import Element, flag, required
from odata_server.bind.fetchxml_sources import (
    DUPLICATE_ALIAS,
    Source,
    Sources,
    checked_alias,
    column_named,
    encoded,
    ref,
)
from odata_server.bind.selection import Reading, check_sortable
from odata_server.edm.naming import columns_of_rows, web_api_property
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.edm.shapes import Wanted, web_api_members

_VALUES: Final = frozenset({Facet.VALUE, Facet.VALUE_AS_TEXT})


@dataclass(frozen=True, slots=True)
class Shown:
    """A column that the answer shows, under `alias` where the document gives one."""

    source: Source
    column: Column
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """What an answer shows: columns of the query's own table (`is_all`: every one of them), and of the links.

    `child_counts` are the aliases of the number of records below each row.
    """

    own: tuple[Shown, ...]
    linked: tuple[Shown, ...]
    is_all: bool
    child_counts: tuple[str, ...] = ()

    def has_own(self, name: str) -> bool:
        """Say whether a column of the query's own table is chosen."""
        return self.is_all or any(shown.column.logical_name == name for shown in self.own)


def shown_columns(entity: Element, sources: Sources, links: Sequence[tuple[Element, Source]]) -> Columns:
    """Return the columns that the document chooses; an `entity` that chooses none shows them all.

    Raises:
        UnknownName: a column does not exist.
        InvalidArgument: `rowaggregate` stands on a column that it cannot stand on.
        MalformedRequest: two columns have the same alias.
    """
    counts = child_counts(entity, sources.root, links, sources.catalog)
    own = tuple(_chosen(entity, sources.root))
    linked = tuple(shown for element, source in links for shown in _chosen(element, source))
    names = [*counts, *(shown.alias for shown in (*own, *linked) if shown.alias is not None)]
    if len(set(names)) < len(names):
        raise MalformedRequest("FetchXML should have unique aliases.", code=DUPLICATE_ALIAS)
    chooses = next(entity.named("attribute", "no-attrs"), None) is not None
    is_all = next(entity.named("all-attributes"), None) is not None or not chooses
    return Columns(own, linked, is_all, tuple(counts))


def _chosen(element: Element, source: Source) -> Iterator[Shown]:
    for child in element.named("attribute", "all-attributes"):
        if child.name == "attribute" and counts_children(child):
            continue
        if child.name == "attribute":
            alias = child.get("alias")
            column = column_named(source, required(child, "name"))
            yield Shown(source, column, checked_alias(alias) if alias else None)
        elif source.alias:
            yield from (Shown(source, column) for column in columns_of_rows(source.table))


def row_shape(columns: Columns, root: Source, reading: Reading, *, by_value: bool) -> RowShape:
    """Return the members of the rows.

    Args:
        columns: what is shown.
        root: the query's own table.
        reading: catalog, annotations and format.
        by_value: rows are combinations of values: they have no tag, and nothing comes along with what was chosen.
    """
    members = list(_own_members(columns, root, reading, by_value=by_value))
    for source in dict.fromkeys(shown.source for shown in columns.linked):
        members.extend(_linked_members(source, [s for s in columns.linked if s.source == source], reading))
    members.extend(child_members(columns.child_counts, reading))
    seen: dict[str, Member] = {}
    for member in members:
        optional = replace(member, omits_null=True) if member.facet in _VALUES else member
        seen.setdefault(member.name, optional)
    return RowShape(root.table.logical_name, tuple(seen.values()))


def _own_members(columns: Columns, root: Source, reading: Reading, *, by_value: bool) -> Iterator[Member]:
    names = None if columns.is_all else tuple(shown.column.logical_name for shown in columns.own)
    wanted = Wanted(reading.preferences.annotations, with_etag=not by_value, form=reading.form)
    aliases: dict[str, list[str | None]] = {}
    for shown in columns.own:
        aliases.setdefault(shown.column.logical_name, []).append(shown.alias)
    for member in web_api_members(reading.catalog, root.table, names, wanted):
        suffix = _suffix(member)
        name = member.column.name
        if by_value and (suffix is None or name not in aliases):
            continue
        for alias in aliases.get(name, (None,)) if suffix is not None else (None,):
            yield member if alias is None else replace(member, name=f"{encoded(alias)}{suffix}")


def _linked_members(source: Source, shown: list[Shown], reading: Reading) -> Iterator[Member]:
    names = tuple(one.column.logical_name for one in shown)
    wanted = Wanted(reading.preferences.annotations, alias=source.alias, with_etag=False, form=reading.form)
    found: dict[str, list[tuple[Member, str]]] = {}
    for member in web_api_members(reading.catalog, source.table, names, wanted):
        suffix = _suffix(member)
        if suffix is not None:
            found.setdefault(member.column.name, []).append((member, suffix))
    for one in shown:
        name = encoded(one.alias or f"{source.name}.{one.column.logical_name}")
        for member, suffix in found.get(one.column.logical_name, ()):
            yield replace(member, name=f"{name}{suffix}")


def _suffix(member: Member) -> str | None:
    """Return the annotation in a member's name, empty for the value itself; None where it is not about its column."""
    name = member.column.name
    property_name = f"_{name}_value" if isinstance(member.type, LookupType) else name
    rest = member.name.removeprefix(property_name)
    return rest if member.name.startswith(property_name) and (not rest or rest.startswith("@")) else None


def context_list(columns: Columns, shape: RowShape, root: Source) -> str:
    """Return the list of properties in the context URL; lookups stand there with their navigation property."""
    if columns.is_all:
        return ""
    listed: list[str] = []
    for member in shape.members:
        column = root.table.by_name[member.column.name] if not member.column.alias else None
        if column is None or member.facet not in _VALUES or member.name != web_api_property(column):
            continue
        listed.append(member.name)
        if isinstance(column.type, LookupType):
            listed.append(column.logical_name)
    return f"({','.join(listed)})" if listed else ""


def bind_orders(
    entity: Element, sources: Sources, links: Iterable[tuple[Element, Source]], *, raw: bool = False
) -> tuple[Order, ...]:
    """Return the sort terms: those of the `entity`, then those of each link; a repeated column counts once.

    Lookups sort by the name of the record, choices by the label; `raw` sorts both by what is stored (Learn: "Order rows
    using FetchXml", `useraworderby`).

    Raises:
        UnknownName: a column does not exist.
        MalformedRequest: a term names no column, or an alias.
    """
    orders: dict[ColumnRef, Order] = {}
    for element, near in ((entity, sources.root), *links):
        for child in element.named("order"):
            if child.get("alias") is not None:
                raise MalformedRequest(
                    "An alias cannot be specified for an order clause for a non-aggregate Query. Use an attribute.",
                    code="0x80041132",
                )
            if child.get("attribute") is None:
                raise MalformedRequest(
                    "An attribute is required for an order clause for a non-aggregate Query.", code="0x80041133"
                )
            source = sources.of(child, near)
            column = column_named(source, required(child, "attribute"))
            orders.setdefault(ref(source, column), _order(source, column, child, raw=raw))
    return tuple(orders.values())


def _order(source: Source, column: Column, element: Element, *, raw: bool) -> Order:
    check_sortable(column)
    term, descending = ref(source, column), flag(element, "descending")
    if raw and isinstance(column.type, LookupType):
        return Order(replace(term, part="id"), descending)
    return Order(term, descending, None if raw or not has_sorted_labels(column.type) else CALLERS_LANGUAGE)
