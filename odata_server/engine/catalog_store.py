"""The catalog in the database: definitions as JSON, one stamp for metadata and security state, online changes.

`$state` has one row. `stamp` grows whenever metadata or anything that grants rights changes; every process compares
it before it uses what it remembers. `row_version` is the organization-wide version behind every etag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import apsw
import orjson
from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from entities.metadata.catalog import Catalog, catalog, changed, ends_of
from entities.metadata.columns import ColumnType
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Table
from odata_server.engine.schema import alter_table, create_relationship, create_table, drop_table

SCHEMA_VERSION = 1
"""The version of the tables of this module and of the storage forms; data of an older release is migrated."""

_INTERNAL_TABLES = """
CREATE TABLE "$state" (schema_version INTEGER NOT NULL, stamp INTEGER NOT NULL, row_version INTEGER NOT NULL,
  organization_id TEXT NOT NULL) STRICT;
CREATE TABLE "$table" (name TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL) STRICT;
CREATE TABLE "$relationship" (name TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL) STRICT;
CREATE TABLE "$sequence" (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE "$job" (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, due REAL NOT NULL, lease REAL, error TEXT, created REAL NOT NULL, finished REAL) STRICT;
CREATE INDEX "$job$due" ON "$job" (state, due);
"""


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


def is_initialized(connection: apsw.Connection) -> bool:
    """Say whether the database holds an environment."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = '$state'").fetchone() is not None


def initialize(connection: apsw.Connection, organization_id: str) -> None:
    """Make the internal tables of a new environment."""
    connection.execute(_INTERNAL_TABLES)
    connection.execute('INSERT INTO "$state" VALUES (?, 1, 1000000, ?)', (SCHEMA_VERSION, organization_id))


def read_stamp(connection: apsw.Connection) -> int:
    """Return the stamp of metadata and security state."""
    return int(connection.execute('SELECT stamp FROM "$state"').get)


def bump_stamp(connection: apsw.Connection) -> None:
    """Say that metadata or security state changed; seen by all processes when the transaction commits."""
    connection.execute('UPDATE "$state" SET stamp = stamp + 1')


def next_row_version(connection: apsw.Connection) -> int:
    """Take the next organization-wide row version."""
    return int(connection.execute('UPDATE "$state" SET row_version = row_version + 1 RETURNING row_version').get)


def load_catalog(connection: apsw.Connection) -> Catalog:
    """Return the stored catalog; its version is the stamp."""
    converter = _converter()
    with connection:
        stamp = read_stamp(connection)
        tables = [d for (d,) in connection.execute('SELECT definition FROM "$table" ORDER BY name')]
        relations = [d for (d,) in connection.execute('SELECT definition FROM "$relationship" ORDER BY name')]
    return catalog(
        stamp,
        (converter.structure(orjson.loads(str(d)), Table) for d in tables),
        (converter.structure(orjson.loads(str(d)), Relationship) for d in relations),  # type: ignore[arg-type]  # a union, which cattrs takes
    )


def apply_change(connection: apsw.Connection, before: Catalog, change: CatalogChange) -> Catalog:
    """Store new definitions and change the SQL tables, inside the caller's transaction.

    Returns:
        The catalog as it is once the transaction commits.
    """
    for name in change.remove:
        drop_table(connection, before.tables[name])
        connection.execute('DELETE FROM "$table" WHERE name = ?', (name,))
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


def _remember(connection: apsw.Connection, table: str, name: str, definition: str) -> None:
    connection.execute(
        f'INSERT INTO "{table}" VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition',
        (name, definition),
    )


def _forget(connection: apsw.Connection, names: Iterable[str]) -> None:
    connection.executemany('DELETE FROM "$relationship" WHERE name = ?', [(name,) for name in names])
