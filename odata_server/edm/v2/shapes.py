"""How an entity of the Organization Data Service is made of a row of the Web API: properties, links, expanded entities.

A shape names members of the Web API's JSON, which the database writes; `render.v2.entries` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from entities.metadata.catalog import LookupNavigation, Navigation
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import Table
from odata_server.edm.naming import columns_of_rows, web_api_property
from odata_server.edm.representation import Facet, RowShape
from odata_server.edm.v2.names import Names, entity_set, entity_type
from odata_server.edm.v2.types import property_type


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its name and type, and the member of the row that has its value."""

    name: str
    type: str
    member: str


@dataclass(frozen=True, slots=True)
class Link:
    """A navigation property; `entry` is the shape of its entities where they are expanded.

    `member` is where the row has them, `is_collection` whether there may be several.
    """

    name: str
    member: str
    is_collection: bool
    entry: EntryShape | None = None


@dataclass(frozen=True, slots=True)
class EntryShape:
    """An entity: its set and type, its properties and navigation properties in order.

    `id_member` and `title_member` say where the row has its id and its name (empty: nowhere), `has_etag` whether it has
    an entity tag.
    """

    entity_set: str
    type: str
    id_member: str
    title_member: str
    properties: tuple[Property, ...]
    links: tuple[Link, ...]
    has_etag: bool = False


def property_of(column: Column) -> Property:
    """Return the property that shows a column."""
    return Property(column.schema_name, property_type(column.type), web_api_property(column))


def _properties_of_rows(table: Table) -> tuple[Property, ...]:
    return tuple(map(property_of, columns_of_rows(table)))


def entry_shape(
    names: Names,
    table: Table,
    *,
    columns: Iterable[Column] | None = None,
    navigations: Mapping[str, Navigation] | None = None,
    expanded: Mapping[str, EntryShape],
    has_etag: bool,
) -> EntryShape:
    """Return the shape of a table's entities.

    Args:
        names: the names over the catalog.
        table: the table.
        columns: those whose properties are shown; None for all.
        navigations: the navigation properties that are shown; None for all.
        expanded: the shapes of expanded entities by navigation property.
        has_etag: whether entities carry entity tags.
    """
    linked = names.navigations(table) if navigations is None else navigations
    return EntryShape(
        entity_set(table),
        entity_type(table),
        table.primary_id,
        table.primary_name or "",
        table.derived(_properties_of_rows) if columns is None else tuple(map(property_of, columns)),
        tuple(
            Link(name, navigation.name, not isinstance(navigation, LookupNavigation), expanded.get(name))
            for name, navigation in linked.items()
        ),
        has_etag and table.has_version,
    )


def without_display_texts(shape: RowShape) -> RowShape:
    """Return a row shape of the Web API with the display texts of lookups only: the names of the records."""
    return replace(
        shape,
        members=tuple(
            member
            for member in shape.members
            if member.facet is not Facet.FORMATTED or isinstance(member.type, LookupType)
        ),
        expanded=tuple(replace(one, shapes=tuple(map(without_display_texts, one.shapes))) for one in shape.expanded),
    )
