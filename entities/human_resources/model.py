"""The Human Resources environment's metadata in one place: tables, relationships, and what the catalog lists."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from entities.human_resources import access, candidates, people, positions
from entities.human_resources.declaring import DataEntity, Reference, relationships_of
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table

ENTITIES: tuple[DataEntity, ...] = (
    *people.ENTITIES,
    *positions.ENTITIES,
    *candidates.ENTITIES,
    *access.ENTITIES,
)

TABLES: tuple[Table, ...] = tuple(entity.table for entity in ENTITIES)

RELATIONSHIPS: tuple[OneToMany, ...] = tuple(r for entity in ENTITIES for r in relationships_of(entity))

PUBLIC_TABLES: tuple[Table, ...] = tuple(entity.table for entity in ENTITIES if entity.is_public)
"""The tables that the virtual-table catalog offers (data entities with IsPublic = Yes)."""

REFERENCES: Mapping[str, tuple[Reference, ...]] = MappingProxyType(
    {entity.table.logical_name: entity.references for entity in ENTITIES}
)
"""Per table, its relations by natural key."""


def is_composition(relationship: OneToMany) -> bool:
    """Say whether rows of a relation are parts of the row they refer to: its key is in their own."""
    table = next(table for table in TABLES if table.logical_name == relationship.referencing_table)
    (reference,) = (r for r in REFERENCES[table.logical_name] if r.lookup == relationship.referencing_column)
    columns = {own for own, _ in reference.columns}
    return bool(columns) and columns <= set(table.natural_key)
