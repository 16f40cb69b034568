"""Copies of an environment's schema: schemas of the same tables, made and put back in one transaction.

Rows are deleted, not truncated: a statement that began before sees the old state to its end, and who begins later
waits for nothing but a table whose definition changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from entities.metadata.catalog import Catalog, CatalogChange, catalog
from entities.metadata.relationships import ManyToMany
from entities.metadata.tables import Table
from odata_server.engine.catalog_store import apply_change, complete_internal_tables, initialize, load_catalog, resume
from odata_server.engine.database import Connection, quoted, single
from odata_server.engine.postgres.functions import create_functions
from odata_server.engine.schema import stored_columns
from odata_server.engine.storage import physical

_COLUMNS = """
    SELECT c.relname, a.attname
      FROM pg_attribute AS a
           JOIN pg_class AS c ON c.oid = a.attrelid
           JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY c.relname, a.attnum
"""


def write_copy(connection: Connection, schema: str, copy: str) -> None:
    """Make a schema that holds what another one holds, in place of an older one of its name.

    Args:
        connection: inside a transaction of the only writer of `schema`, which its names are looked up in.
        schema: an environment's schema.
        copy: the new schema; an environment's as well.
    """
    present = load_catalog(connection)
    organization_id = single(connection, 'SELECT organization_id FROM "$state"')
    connection.execute(f"DROP SCHEMA IF EXISTS {quoted(copy)} CASCADE")
    connection.execute(f"CREATE SCHEMA {quoted(copy)}")
    _enter(connection, copy)
    create_functions(connection)
    initialize(connection, organization_id)
    everything = CatalogChange(tuple(present.tables.values()), tuple(present.relationships.values()))
    apply_change(connection, catalog(0, (), ()), everything)
    _replace_rows(connection, schema, copy)


def read_copy(connection: Connection, schema: str, copy: str) -> None:
    """Make a schema what its copy is, except that its stamp and its row version go on growing.

    Args:
        connection: inside a transaction of the only writer of `schema`, which its names are looked up in.
        schema: an environment's schema.
        copy: what `write_copy` made.
    """
    stamp, version = connection.execute('SELECT stamp, row_version FROM "$state"').fetchall()[0]
    present = load_catalog(connection)
    _enter(connection, copy)
    complete_internal_tables(connection)
    kept = load_catalog(connection)
    _enter(connection, schema)
    _restore_tables(connection, present, kept)
    _replace_rows(connection, copy, schema)
    resume(connection, stamp, version)


def _enter(connection: Connection, schema: str) -> None:
    """Look names up in a schema until the transaction ends."""
    connection.execute("SELECT set_config('search_path', $1, true)", (quoted(schema),))


def _restore_tables(connection: Connection, present: Catalog, kept: Catalog) -> None:
    """Give the tables the definitions they had; the stored definitions come back with the rows."""
    gone = tuple(name for name, table in present.tables.items() if not _is_alterable(table, kept.tables.get(name)))
    left = apply_change(connection, present, CatalogChange(remove=gone)) if gone else present
    put = tuple(table for name, table in kept.tables.items() if left.tables.get(name) != table)
    new = {table.logical_name for table in put if table.logical_name not in left.tables}
    relate = tuple(
        relationship
        for relationship in kept.relationships.values()
        if isinstance(relationship, ManyToMany) and relationship.intersect_table in new
    )
    if put:
        apply_change(connection, left, CatalogChange(put, relate))


def _is_alterable(present: Table, kept: Table | None) -> bool:
    """Say whether adding and dropping columns leads from a table to the kept one."""
    if kept is None or present.holds_rows != kept.holds_rows:
        return False
    types, kept_types = _types(present), _types(kept)
    return all(kept_types.get(name, type_) == type_ for name, type_ in types.items())


def _types(table: Table) -> Mapping[str, str]:
    return {part.name: part.sql_type for column in stored_columns(table) for part in physical(column)}


def _replace_rows(connection: Connection, source: str, target: str) -> None:
    """Give every table of a schema the rows of the same table of another one."""
    for name, columns in _columns(connection, target).items():
        table, listed = quoted(name), ", ".join(map(quoted, columns))
        connection.execute(f"DELETE FROM {quoted(target)}.{table}")
        connection.execute(
            f"INSERT INTO {quoted(target)}.{table} ({listed}) SELECT {listed} FROM {quoted(source)}.{table}"
        )


def _columns(connection: Connection, schema: str) -> Mapping[str, list[str]]:
    """Return the columns of each table of a schema."""
    columns: defaultdict[str, list[str]] = defaultdict(list)
    for table, column in connection.execute(_COLUMNS, (schema,)).fetchall():
        columns[table].append(column)
    return columns
