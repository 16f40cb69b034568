"""The catalog in the database: definitions as JSON, one stamp for metadata and security state, online changes.

`$state` has one row. `stamp` grows whenever metadata or anything that grants rights changes; every process compares
it before it uses what it remembers. `row_version` is the organization-wide version behind every etag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import orjson
from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from entities.metadata.catalog import Catalog, catalog, changed, ends_of
from entities.metadata.columns import ColumnType
from entities.metadata.custom_apis import CustomApi
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Table
from odata_server.engine.custom_api_store import read_custom_apis
from odata_server.engine.database import Connection, quoted, single
from odata_server.engine.schema import alter_table, create_relationship, create_table, drop_table

SCHEMA_VERSION = 1
"""The version of the tables of this module and of the storage forms; data of an older release is migrated."""

_INTERNAL_TABLES = {
    "$state": "schema_version {INTEGER} NOT NULL, stamp {INTEGER} NOT NULL, row_version {INTEGER} NOT NULL,"
    " organization_id {TEXT} NOT NULL",
    "$table": "name {TEXT} NOT NULL PRIMARY KEY, definition {TEXT} NOT NULL",
    "$relationship": "name {TEXT} NOT NULL PRIMARY KEY, definition {TEXT} NOT NULL",
    "$sequence": "name {TEXT} NOT NULL PRIMARY KEY, value {INTEGER} NOT NULL",
    "$job": "id {TEXT} NOT NULL PRIMARY KEY, name {TEXT} NOT NULL, payload {TEXT} NOT NULL, state {TEXT} NOT NULL,"
    " attempts {INTEGER} NOT NULL, due {REAL} NOT NULL, lease {REAL}, error {TEXT}, created {REAL} NOT NULL,"
    " finished {REAL}",
    "$deletion": "table_name {TEXT} NOT NULL, id {TEXT} NOT NULL, version {INTEGER} NOT NULL, deleted {REAL} NOT NULL,"
    " PRIMARY KEY (table_name, id)",
    "$file": "id {TEXT} NOT NULL PRIMARY KEY, table_name {TEXT} NOT NULL, record_id {TEXT} NOT NULL,"
    " column_name {TEXT} NOT NULL, user_id {TEXT} NOT NULL, name {TEXT} NOT NULL, mime_type {TEXT} NOT NULL,"
    " size {INTEGER} NOT NULL, complete {INTEGER} NOT NULL, created {REAL} NOT NULL",
    "$block": "file_id {TEXT} NOT NULL, name {TEXT} NOT NULL, size {INTEGER} NOT NULL, file_offset {INTEGER},"
    " data {BLOB} NOT NULL, PRIMARY KEY (file_id, name)",
}
"""Column definitions by table; the types are those of the dialect."""


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """Tables and relationships to put and tables to remove, in one step."""

    put: tuple[Table, ...] = ()
    relate: tuple[Relationship, ...] = ()
    remove: tuple[str, ...] = ()


@cache
def _converter() -> Converter:
    converter = Converter(omit_if_default=True, forbid_extra_keys=False)
    configure_tagged_union(ColumnType, converter)
    configure_tagged_union(Relationship, converter)
    return converter


def _encoded(definition: Table | Relationship, kind: object) -> str:
    return orjson.dumps(_converter().unstructure(definition, unstructure_as=kind)).decode()


_INTERNAL_INDEXES = {
    "$job$due": '"$job" (state, due)',
    "$deletion$version": '"$deletion" (table_name, version)',
    "$deletion$deleted": '"$deletion" (deleted)',
    "$file$record": '"$file" (table_name, record_id)',
}

_TRACKED_FROM = "$tracked_from"
"""The sequence whose value is the row version before which nobody knows what has changed."""


def is_initialized(connection: Connection) -> bool:
    """Say whether the database holds an environment."""
    return ("$state",) in connection.execute(connection.dialect.schema_tables).fetchall()


def initialize(connection: Connection, organization_id: str) -> None:
    """Make the internal tables of a new environment."""
    complete_internal_tables(connection)
    connection.execute('INSERT INTO "$state" VALUES ($1, 1, 1000000, $2)', (SCHEMA_VERSION, organization_id))


def complete_internal_tables(connection: Connection) -> None:
    """Make those internal tables that the environment does not have, as one of an older release."""
    dialect = connection.dialect
    for name, columns in _INTERNAL_TABLES.items():
        definition = columns.format_map(dialect.types)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {quoted(name)} ({definition}){dialect.table_options}")
    for name, columns in _INTERNAL_INDEXES.items():
        connection.execute(f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {columns}")


def read_stamp(connection: Connection) -> int:
    """Return the stamp of metadata and security state."""
    return int(single(connection, 'SELECT stamp FROM "$state"'))


def bump_stamp(connection: Connection) -> None:
    """Say that metadata or security state changed; seen by all processes when the transaction commits."""
    connection.execute('UPDATE "$state" SET stamp = stamp + 1')


def next_row_version(connection: Connection) -> int:
    """Take the next organization-wide row version."""
    return int(single(connection, 'UPDATE "$state" SET row_version = row_version + 1 RETURNING row_version'))


def read_row_version(connection: Connection) -> int:
    """Return the newest row version that is committed."""
    return int(single(connection, 'SELECT row_version FROM "$state"'))


def read_tracked_from(connection: Connection) -> int:
    """Return the row version before which nobody knows what has changed; 0 where everything is known."""
    found = connection.execute('SELECT value FROM "$sequence" WHERE name = $1', (_TRACKED_FROM,)).fetchone()
    return int(found[0]) if found else 0


def resume(connection: Connection, stamp: int, version: int) -> None:
    """Let stamp and row version go on growing in data that have been put back, and forget the history of changes.

    Args:
        connection: the connection that has put them back.
        stamp: the stamp of the data that were there.
        version: their row version.
    """
    version = max(version, read_row_version(connection)) + 1
    connection.execute('UPDATE "$state" SET stamp = $1, row_version = $2', (stamp + 1, version))
    connection.execute(
        'INSERT INTO "$sequence" VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        (_TRACKED_FROM, version),
    )


def load_catalog(connection: Connection) -> Catalog:
    """Return the stored catalog; its version is the stamp."""
    converter = _converter()
    stamp, tables, relations, custom_apis = _definitions(connection)
    while read_stamp(connection) != stamp:
        # It was changed between the statements.
        stamp, tables, relations, custom_apis = _definitions(connection)
    return catalog(
        stamp,
        (converter.structure(orjson.loads(str(d)), Table) for d in tables),
        (converter.structure(orjson.loads(str(d)), Relationship) for d in relations),  # type: ignore[arg-type]  # a union, which cattrs takes
        custom_apis,
    )


def _definitions(connection: Connection) -> tuple[int, list[str], list[str], tuple[CustomApi, ...]]:
    stamp = read_stamp(connection)
    tables, relations = (
        [
            str(definition)
            for (definition,) in connection.execute(f"SELECT definition FROM {quoted(name)} ORDER BY name")
        ]
        for name in ("$table", "$relationship")
    )
    return stamp, tables, relations, read_custom_apis(connection)


def apply_change(connection: Connection, before: Catalog, change: CatalogChange) -> Catalog:
    """Store new definitions and change the SQL tables, inside the caller's transaction.

    Returns:
        The catalog as it is once the transaction commits.
    """
    for name in change.remove:
        drop_table(connection, before.tables[name])
        connection.execute('DELETE FROM "$table" WHERE name = $1', (name,))
        connection.execute('DELETE FROM "$deletion" WHERE table_name = $1', (name,))
        files = 'SELECT id FROM "$file" WHERE table_name = $1'
        connection.execute(f'DELETE FROM "$block" WHERE file_id IN ({files})', (name,))
        connection.execute('DELETE FROM "$file" WHERE table_name = $1', (name,))
    gone = frozenset(change.remove)
    _forget(connection, (n for n, r in before.relationships.items() if not gone.isdisjoint(ends_of(r))))
    for table in change.put:
        known = before.tables.get(table.logical_name)
        if known is None:
            create_table(connection, table)
        elif known != table:
            alter_table(connection, known, table)
        _remember(connection, "$table", table.logical_name, _encoded(table, Table))
    for relationship in change.relate:
        create_relationship(connection, relationship)
        _remember(connection, "$relationship", relationship.schema_name, _encoded(relationship, Relationship))
    bump_stamp(connection)
    return changed(before, version=read_stamp(connection), put=change.put, relate=change.relate, remove=change.remove)


def _remember(connection: Connection, table: str, name: str, definition: str) -> None:
    connection.execute(
        f'INSERT INTO "{table}" VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition',
        (name, definition),
    )


def _forget(connection: Connection, names: Iterable[str]) -> None:
    for name in names:
        connection.execute('DELETE FROM "$relationship" WHERE name = $1', (name,))
