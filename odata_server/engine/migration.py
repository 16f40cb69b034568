"""Data of an older release: its tables get what this release declares, after a copy has been kept.

What users have added stays: columns that are theirs, tables and relationships that this release does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import Table
from entities.values import Guid, Record
from odata_server.engine import rows
from odata_server.engine.catalog_store import apply_change, load_catalog
from odata_server.engine.database import Database
from odata_server.engine.environment import fill
from odata_server.engine.organization import OrganizationService


def upgrade(database: Database, declared: Catalog, keep_as: str | None) -> bool:
    """Give a database the tables, columns and relationships that this release declares.

    Args:
        database: an environment's database.
        declared: the catalog of a new environment of this release.
        keep_as: the name of the copy that is kept when something changes; None keeps none.

    Returns:
        Whether something changed.
    """
    change = difference(load_catalog(database.reader()), declared)
    if not change.put and not change.relate:
        return False
    if keep_as is not None:
        database.keep(keep_as)
    with database.writing() as connection:
        apply_change(connection, load_catalog(connection), change)
    return True


def difference(stored: Catalog, declared: Catalog) -> CatalogChange:
    """Return what leads from a stored catalog to the declared one."""
    wanted = (_with_own(table, stored.tables.get(name)) for name, table in declared.tables.items())
    put = tuple(table for table in wanted if stored.tables.get(table.logical_name) != table)
    relate = tuple(r for name, r in declared.relationships.items() if stored.relationships.get(name) != r)
    return CatalogChange(put, relate)


def _with_own(declared: Table, stored: Table | None) -> Table:
    """Return the declared table with the columns, targets and indexes that users have added to the stored one."""
    if stored is None:
        return declared
    own = tuple(c for c in stored.columns if c.is_custom and c.logical_name not in declared.by_name)
    columns = tuple(_with_own_targets(column, stored.by_name.get(column.logical_name)) for column in declared.columns)
    indexed = tuple(dict.fromkeys((*declared.indexed, *stored.indexed)))
    return replace(declared, columns=(*columns, *own), indexed=indexed)


def _with_own_targets(declared: Column, stored: Column | None) -> Column:
    """Return a declared lookup with the tables that it has come to point to: those of users whose rows have files."""
    if stored is None or not isinstance(declared.type, LookupType) or not isinstance(stored.type, LookupType):
        return declared
    own = tuple(target for target in stored.type.targets if target not in declared.type.targets)
    return replace(declared, type=replace(declared.type, targets=(*declared.type.targets, *own))) if own else declared


def complete(service: OrganizationService, seed: Iterable[tuple[str, Record]]) -> int:
    """Add those seed rows, known by their ids, that an older release did not have; return how many."""
    tables, connection = service.catalog.tables, service.database.reader()
    missing = [
        (name, record)
        for name, record in seed
        if (record_id := record.get(tables[name].primary_id)) is not None
        and not rows.exists(connection, tables[name], Guid(str(record_id)))
    ]
    return fill(service, missing) if missing else 0
