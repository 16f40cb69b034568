"""What can be about the records of a table: notes, activities, system jobs; their lookups lead to one more table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, LookupType
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany
from entities.metadata.tables import Table
from entities.standard.customization.system_columns import plural
from entities.standard.references import NO_ACTION

_ACTIVITY: Final = "activitypointer"
_REGARDING: Final = "regardingobjectid"
_WITH_PARENT: Final = CascadeConfiguration(
    Cascade.CASCADE, Cascade.CASCADE, Cascade.NO_CASCADE, Cascade.CASCADE, Cascade.CASCADE, Cascade.CASCADE
)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A lookup that can lead to many tables, and what a relationship over it is called."""

    table: Table
    column: str
    suffix: str
    navigation: str
    cascade: CascadeConfiguration


def regarding(catalog: Catalog, table: Table) -> tuple[tuple[Table, OneToMany], ...]:
    """Return the tables whose rows can be about those of a table, with the relationships that say so.

    Args:
        catalog: the definitions that there are.
        table: the table; lookups that lead to it already are left out.
    """
    return tuple(_towards(one, table) for one in _lookups(catalog, table) if not _leads(one, table.logical_name))


def _lookups(catalog: Catalog, table: Table) -> Iterator[_Lookup]:
    name, tables = table.logical_name, catalog.tables
    if "asyncoperation" in tables:
        jobs = tables["asyncoperation"]
        yield _Lookup(jobs, _REGARDING, "AsyncOperations", f"{_REGARDING}_{name}", NO_ACTION)
    if table.has_notes and "annotation" in tables:
        yield _Lookup(tables["annotation"], "objectid", "Annotations", f"objectid_{name}", _WITH_PARENT)
    if not table.has_activities:
        return
    for other in tables.values():
        if other.logical_name == _ACTIVITY:
            yield _Lookup(other, _REGARDING, "ActivityPointers", f"{_REGARDING}_{name}", _WITH_PARENT)
        elif other.base_type == _ACTIVITY and _is_lookup(other):
            suffix, navigation = plural(other.schema_name), f"{_REGARDING}_{name}_{other.logical_name}"
            yield _Lookup(other, _REGARDING, suffix, navigation, _WITH_PARENT)


def _leads(lookup: _Lookup, target: str) -> bool:
    type_ = lookup.table.by_name[lookup.column].type
    return isinstance(type_, LookupType) and target in type_.targets


def _is_lookup(table: Table) -> bool:
    column = table.by_name.get(_REGARDING)
    return column is not None and isinstance(column.type, LookupType)


def _towards(lookup: _Lookup, table: Table) -> tuple[Table, OneToMany]:
    other = with_target(lookup.table, lookup.column, table.logical_name)
    schema_name = f"{table.logical_name}_{lookup.suffix}"
    relationship = OneToMany(
        schema_name,
        table.logical_name,
        table.primary_id,
        other.logical_name,
        lookup.column,
        lookup.navigation,
        schema_name,
        lookup.cascade,
        is_custom=True,
    )
    return other, relationship


def with_target(table: Table, column: str, target: str) -> Table:
    """Return a table whose lookup can lead to one more table."""
    return replace(table, columns=tuple(_wider(c, target) if c.logical_name == column else c for c in table.columns))


def _wider(column: Column, target: str) -> Column:
    assert isinstance(column.type, LookupType)
    targets = tuple(dict.fromkeys((*column.type.targets, target)))
    return replace(column, type=replace(column.type, targets=targets))


def leads_to(table: Table, target: str) -> bool:
    """Say whether a lookup of a table can lead to another one."""
    return any(isinstance(c.type, LookupType) and target in c.type.targets for c in table.columns)


def without_target(table: Table, target: str) -> Table:
    """Return a table whose lookups do not lead to a target any more."""
    return replace(table, columns=tuple(_narrower(column, target) for column in table.columns))


def _narrower(column: Column, target: str) -> Column:
    if not isinstance(column.type, LookupType) or target not in column.type.targets:
        return column
    return replace(column, type=replace(column.type, targets=tuple(t for t in column.type.targets if t != target)))
