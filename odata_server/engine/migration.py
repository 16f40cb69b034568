"""Data of an older release: its tables get what this release declares, after a copy has been kept.

What users have added stays: columns that are theirs, tables and relationships that this release does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.values import Guid, Record
from odata_server.engine import rows
from odata_server.engine.baseline import keep
from odata_server.engine.catalog_store import CatalogChange, apply_change, load_catalog
from odata_server.engine.database import Durability
from odata_server.engine.environment import fill
from odata_server.engine.organization import OrganizationService
from odata_server.engine.sqlite.database import SqliteDatabase


def upgrade(path: Path, declared: Catalog) -> bool:
    """Give a database the tables, columns and relationships that this release declares.

    Args:
        path: the database; a copy named `….before-upgrade.sqlite` is kept beside it when something changes.
        declared: the catalog of a new environment of this release.

    Returns:
        Whether something changed.
    """
    database = SqliteDatabase(path, Durability.FULL)
    try:
        change = difference(load_catalog(database.reader()), declared)
        if not change.put and not change.relate:
            return False
        keep(database, path.with_suffix(".before-upgrade.sqlite"))
        with database.writing() as connection:
            apply_change(connection, load_catalog(connection), change)
    finally:
        database.close()
    return True


def difference(stored: Catalog, declared: Catalog) -> CatalogChange:
    """Return what leads from a stored catalog to the declared one."""
    wanted = (_with_own_columns(table, stored.tables.get(name)) for name, table in declared.tables.items())
    put = tuple(table for table in wanted if stored.tables.get(table.logical_name) != table)
    relate = tuple(r for name, r in declared.relationships.items() if stored.relationships.get(name) != r)
    return CatalogChange(put, relate)


def _with_own_columns(declared: Table, stored: Table | None) -> Table:
    """Return the declared table with the columns that users have added to the stored one."""
    if stored is None:
        return declared
    own = tuple(c for c in stored.columns if c.is_custom and c.logical_name not in declared.by_name)
    return replace(declared, columns=(*declared.columns, *own)) if own else declared


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
