"""Relationships that lookups bring along, named as Dataverse's $metadata names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from entities.metadata.declare import derived_id
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany, Relationship
from entities.metadata.tables import Table

NO_ACTION = CascadeConfiguration(delete=Cascade.NO_CASCADE)
RESTRICT = CascadeConfiguration(delete=Cascade.RESTRICT)
REMOVE_LINK = CascadeConfiguration(delete=Cascade.REMOVE_LINK)
PARENTAL = CascadeConfiguration(
    Cascade.CASCADE, Cascade.CASCADE, Cascade.CASCADE, Cascade.CASCADE, Cascade.CASCADE, Cascade.CASCADE
)

_SYSTEM_TARGETS: Mapping[str, tuple[str, CascadeConfiguration]] = MappingProxyType(
    {
        "createdby": ("systemuser", NO_ACTION),
        "modifiedby": ("systemuser", NO_ACTION),
        "createdonbehalfby": ("systemuser", NO_ACTION),
        "modifiedonbehalfby": ("systemuser", NO_ACTION),
        # In the EDM `ownerid` leads to `principal`, the base type of systemuser and team. The relationship names
        # systemuser; readers that know the Owner kind of the column accept both.
        "ownerid": ("systemuser", NO_ACTION),
        "owningbusinessunit": ("businessunit", RESTRICT),
        "owninguser": ("systemuser", NO_ACTION),
        "owningteam": ("team", NO_ACTION),
    }
)

_SYSTEM_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "createdby": "lk_{0}_createdby",
        "modifiedby": "lk_{0}_modifiedby",
        "createdonbehalfby": "lk_{0}_createdonbehalfby",
        "modifiedonbehalfby": "lk_{0}_modifiedonbehalfby",
        "ownerid": "owner_{0}",
        "owningbusinessunit": "business_unit_{0}",
        "owninguser": "user_{0}",
        "owningteam": "team_{0}",
    }
)


def reference(
    table: str,
    column: str,
    target: str,
    name: str,
    *,
    navigation: str = "",
    cascade: CascadeConfiguration = REMOVE_LINK,
) -> OneToMany:
    """Declare the relationship of a lookup to one target.

    Args:
        table: the table that has the lookup.
        column: the lookup.
        target: the table it points to; its primary id is `<target>id`.
        name: schema name, also the collection-valued navigation property of the target.
        navigation: the single-valued navigation property; the column's name when empty.
        cascade: what happens to the records of `table`.
    """
    return OneToMany(name, target, f"{target}id", table, column, navigation or column, name, cascade)


def hierarchical(table: str, column: str, name: str, cascade: CascadeConfiguration = REMOVE_LINK) -> OneToMany:
    """Declare the relationship of a table with itself that makes it a hierarchy.

    Args:
        table: the table.
        column: its lookup to the parent.
        name: schema name.
        cascade: what happens to the records below.
    """
    return replace(reference(table, column, table, name, cascade=cascade), is_hierarchical=True)


def delegate_names(base: str) -> Mapping[str, str]:
    """Return the schema names of the references to delegates where they are named after a table's base."""
    return {column: _SYSTEM_NAMES[column].format(base) for column in ("createdonbehalfby", "modifiedonbehalfby")}


def system_references(table: Table, names: Mapping[str, str] | None = None) -> tuple[OneToMany, ...]:
    """Declare the relationships of the audit and owner columns that a table has.

    Args:
        table: any table; columns it does not have bring nothing.
        names: schema names by column where they differ from those of a custom table (`lk_<table>_createdby`).
    """
    given = names or {}
    return tuple(
        reference(
            table.logical_name,
            column,
            target,
            given.get(column, _SYSTEM_NAMES[column].format(table.logical_name)),
            cascade=cascade,
        )
        for column, (target, cascade) in _SYSTEM_TARGETS.items()
        if column in table.by_name
        and table.by_name[column].logical_name != table.primary_id
        and _is_lookup(table, column)
    )


def _is_lookup(table: Table, column: str) -> bool:
    """Tell whether a column is a lookup: `ownerid` of systemuser and team is their own id."""
    return any(lookup.logical_name == column for lookup in table.lookups())


def with_relationship_id(relationship: Relationship) -> Relationship:
    """Return the relationship with the id that belongs to its schema name."""
    return replace(relationship, metadata_id=derived_id("relationship", relationship.schema_name))
