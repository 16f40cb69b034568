"""Views of base tables: the rows of all tables that have one as their base type, as activities have.

A view is dropped before a change of metadata and made again behind it: it names columns that may come and go.
"""

from __future__ import annotations

from collections.abc import Iterator

from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import Table, TableKind
from odata_server.engine.database import Connection, quoted
from odata_server.engine.dialect import Dialect
from odata_server.engine.schema import stored_columns
from odata_server.engine.storage import PhysicalColumn, physical, table_of_lookup


def concerns_base_views(before: Catalog, change: CatalogChange) -> bool:
    """Tell whether a change is about base tables, or tables that have one."""
    removed = (before.tables[name] for name in change.remove)
    return any(t.base_type is not None or t.kind is TableKind.BASE for t in (*change.put, *removed))


def drop_base_views(connection: Connection, catalog: Catalog) -> None:
    """Remove the views of a catalog's base tables."""
    for table in _bases(catalog):
        connection.execute(f"DROP VIEW IF EXISTS {quoted(table.logical_name)}")


def create_base_views(connection: Connection, catalog: Catalog) -> None:
    """Make the views of a catalog's base tables; one that no table is derived from has no rows."""
    for table in _bases(catalog):
        derived = [other for other in catalog.tables.values() if other.base_type == table.logical_name]
        selects = [_select(connection.dialect, table, other) for other in derived if other.holds_rows]
        rows = " UNION ALL ".join(selects or [_select(connection.dialect, table, None)])
        connection.execute(f"CREATE VIEW {quoted(table.logical_name)} AS {rows}")


def _bases(catalog: Catalog) -> Iterator[Table]:
    return (table for table in catalog.tables.values() if table.kind is TableKind.BASE)


def _select(dialect: Dialect, base: Table, derived: Table | None) -> str:
    columns = derived.by_name if derived is not None else {}
    found = (
        f"{_value(dialect, part, column, columns.get(column.logical_name))} AS {quoted(part.name)}"
        for column in stored_columns(base)
        for part in physical(column)
    )
    source = f" FROM {quoted(derived.logical_name)}" if derived is not None else " WHERE 1 = 0"
    return f"SELECT {', '.join(found)}{source}"


def _value(dialect: Dialect, part: PhysicalColumn, column: Column, own: Column | None) -> str:
    """Return the expression for a part of the base table's column in a table that has, or has not, the same column."""
    parts = {stored.name for stored in physical(own)} if own is not None else set()
    if part.name in parts:
        return quoted(part.name)
    if own is not None and isinstance(own.type, LookupType) and part.name == table_of_lookup(column.logical_name):
        # A lookup to one table does not say to which: names of tables have letters, digits and underscores only.
        name = quoted(column.logical_name)
        return f"CASE WHEN {name} IS NULL THEN NULL ELSE '{own.type.targets[0]}' END"
    return f"CAST(NULL AS {dialect.types[part.sql_type]})"
