"""The MetadataId of each kind of definition: the one it was given, else the one that follows from its name."""

from __future__ import annotations

from entities.metadata.columns import Choice, Column
from entities.metadata.declare import derived_id
from entities.metadata.relationships import Relationship
from entities.metadata.tables import AlternateKey, Table
from entities.values import Guid


def table_id(table: Table) -> Guid:
    """Return a table's MetadataId."""
    return table.metadata_id or derived_id(table.logical_name)


def column_id(table: Table, column: Column) -> Guid:
    """Return the MetadataId of a column of a table."""
    return column.metadata_id or derived_id(table.logical_name, column.logical_name)


def key_id(table: Table, key: AlternateKey) -> Guid:
    """Return the MetadataId of an alternate key of a table."""
    return key.metadata_id or derived_id(table.logical_name, "key", key.logical_name)


def relationship_id(relationship: Relationship) -> Guid:
    """Return a relationship's MetadataId."""
    return relationship.metadata_id or derived_id("relationship", relationship.schema_name)


def choice_id(choice: Choice) -> Guid:
    """Return a global choice's MetadataId."""
    return choice.metadata_id or derived_id("choice", choice.name)
