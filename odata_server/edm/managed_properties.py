"""Managed properties on the wire: a value, and whether an administrator may change it."""

from __future__ import annotations

from entities.metadata.columns import ManagedPropertyType


def managed_property(type_: ManagedPropertyType, *, value: bool) -> str:
    """Return the JSON object of a managed property (complex type BooleanManagedProperty of the real $metadata)."""
    shown = "true" if value else "false"
    return f'{{"Value":{shown},"CanBeChanged":true,"ManagedPropertyLogicalName":"{type_.managed_property}"}}'
