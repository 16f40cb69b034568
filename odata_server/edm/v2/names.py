"""What the Organization Data Service calls tables, columns and relationships: all by their schema names.

`AccountSet` holds entities of the type `Account` with properties such as `PrimaryContactId`; a navigation property has
the name of its relationship, with `Referencing` or `Referenced` before it where both ends are one table (MSDN gg328090,
gg309461).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from entities.metadata.catalog import (
    Catalog,
    CollectionNavigation,
    LookupNavigation,
    ManyToManyNavigation,
    Navigation,
)
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.relationships import ManyToMany
from entities.metadata.tables import Table
from odata_server.edm.naming import readable_columns
from odata_server.edm.v2.types import NAMESPACE

_SET: Final = "Set"


def entity_set(table: Table) -> str:
    """Return the entity set of a table."""
    return f"{table.schema_name}{_SET}"


def entity_type(table: Table) -> str:
    """Return the qualified name of a table's entity type."""
    return f"{NAMESPACE}.{table.schema_name}"


def properties(table: Table) -> Mapping[str, Column]:
    """Return the columns that properties of a table's type show, by the properties' names."""
    return table.derived(_properties)


def _properties(table: Table) -> Mapping[str, Column]:
    return {column.schema_name: column for column in readable_columns(table)}


def key_property(table: Table) -> str:
    """Return the property that is the key of a table's type."""
    return table.by_name[table.primary_id].schema_name


class Names:
    """The names over one snapshot of the catalog; those of navigation properties are made when they are asked for.

    Args:
        catalog: the snapshot.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.sets: Mapping[str, Table] = {
            entity_set(table): table for table in sorted(catalog.tables.values(), key=lambda t: t.schema_name)
        }
        self._navigations: dict[str, Mapping[str, Navigation]] = {}

    def navigations(self, table: Table) -> Mapping[str, Navigation]:
        """Return the navigation properties of a table's type by name.

        There are none over owners: `user_…` and `team_…` lead to the same records by type.
        """
        found = self._navigations.get(table.logical_name)
        if found is None:
            found = self._navigations[table.logical_name] = dict(self._named(table))
        return found

    def _named(self, table: Table) -> Iterator[tuple[str, Navigation]]:
        taken = properties(table)
        for navigation in self.catalog.navigations[table.logical_name].values():
            if self._is_of_owner(navigation):
                continue
            name = navigation.relationship.schema_name
            is_same = navigation.target == table.logical_name
            end = "Referencing" if is_referencing(navigation) else "Referenced"
            yield (f"{end}{name}" if is_same or name in taken else name), navigation

    def _is_of_owner(self, navigation: Navigation) -> bool:
        relationship = navigation.relationship
        if isinstance(relationship, ManyToMany):
            return False
        type_ = self.catalog.tables[relationship.referencing_table].by_name[relationship.referencing_column].type
        return isinstance(type_, LookupType) and type_.kind is LookupKind.OWNER


def is_referencing(navigation: Navigation) -> bool:
    """Tell whether a navigation property leads away from the end of a relationship that refers to the other one."""
    match navigation:
        case LookupNavigation():
            return True
        case CollectionNavigation():
            return False
        case ManyToManyNavigation(relationship=relationship, near=near):
            return near == relationship.column1
