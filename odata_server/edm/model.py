"""A catalog seen as an EDM: per table the look-ups that a request needs, made when a table is first asked for.

One `EdmModel` belongs to one catalog snapshot; `EdmModels` keeps the one of the newest snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entities.metadata.catalog import Catalog, LookupNavigation, Navigation
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.tables import Table
from odata_server.edm.naming import PRINCIPAL, finance_columns, finance_property, readable_properties


@dataclass(frozen=True, slots=True)
class EntityTypeView:
    """A table as an entity type of both services.

    `properties` are those that a Web API `$select` may name, `finance_properties` those of `/data`. `navigations` are
    the navigation properties by name; `lookup_navigations` gives per lookup column the navigation property that leads
    to each target table.
    """

    table: Table
    properties: Mapping[str, Column]
    finance_properties: Mapping[str, Column]
    navigations: Mapping[str, Navigation]
    lookup_navigations: Mapping[str, tuple[tuple[str, str], ...]]

    @property
    def key(self) -> str:
        """The property of the entity type's key: `ownerid` for principals, else the primary id."""
        return "ownerid" if self.table.base_type == PRINCIPAL else self.table.primary_id


def view_of(catalog: Catalog, table: Table) -> EntityTypeView:
    """Return a table as an entity type; linear in the table's own columns and relationships."""
    navigations = catalog.navigations[table.logical_name]
    return EntityTypeView(
        table,
        readable_properties(table),
        {finance_property(column): column for column in finance_columns(table)},
        navigations,
        _lookup_navigations(table, navigations),
    )


def _lookup_navigations(
    table: Table, navigations: Mapping[str, Navigation]
) -> Mapping[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for name, navigation in navigations.items():
        if isinstance(navigation, LookupNavigation):
            found.setdefault(navigation.relationship.referencing_column, []).append((navigation.target, name))
    for column in table.lookups():
        # `ownerid` leads to the base type of all its targets, under one name.
        if isinstance(column.type, LookupType) and column.type.kind is LookupKind.OWNER:
            found[column.logical_name] = [(target, column.logical_name) for target in column.type.targets]
    return {column: tuple(pairs) for column, pairs in found.items()}


class EdmModel:
    """The entity types of one catalog snapshot, each made once.

    Two threads may make the same view at the same time; they are equal, and one of them stays.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._views: dict[str, EntityTypeView] = {}

    def view(self, table: str) -> EntityTypeView:
        """Return the entity type of a table by logical name.

        Raises:
            KeyError: the catalog has no such table.
        """
        view = self._views.get(table)
        if view is None:
            view = self._views[table] = view_of(self.catalog, self.catalog.tables[table])
        return view


class EdmModels:
    """The model of the newest catalog snapshot; an older one is dropped."""

    def __init__(self) -> None:
        self._model: EdmModel | None = None

    def of(self, catalog: Catalog) -> EdmModel:
        """Return the model of a snapshot; the same object as long as the snapshot is the same."""
        model = self._model
        if model is None or model.catalog is not catalog:
            model = self._model = EdmModel(catalog)
        return model
