"""The catalog in the database: definitions as JSON, one stamp for metadata and security state, online changes.

`$state` has one row. `stamp` grows whenever metadata or anything that grants rights changes; every process compares
it before it uses what it remembers. `row_version` is the organization-wide version behind every etag.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from entities.metadata.catalog import Catalog, CatalogChange, catalog, changed, completed, names_of, restamped
from entities.metadata.tables import Table
from odata_server.engine.base_views import concerns_base_views, create_base_views, drop_base_views
from odata_server.engine.custom_api_store import read_custom_apis
from odata_server.engine.database import Connection, quoted, single
from odata_server.engine.definition_texts import (
    choice_of,
    choice_text,
    relationship_of,
    relationship_text,
    table_of,
    table_text,
)
from odata_server.engine.schema import alter_table, create_relationship, create_table, drop_table

SCHEMA_VERSION = 1
"""The version of the tables of this module and of the storage forms; data of an older release is migrated."""

_INTERNAL_TABLES = {
    "$state": "schema_version {INTEGER} NOT NULL, stamp {INTEGER} NOT NULL, row_version {INTEGER} NOT NULL,"
    " organization_id {TEXT} NOT NULL",
    "$table": "name {TEXT} NOT NULL PRIMARY KEY, definition {TEXT} NOT NULL",
    "$relationship": "name {TEXT} NOT NULL PRIMARY KEY, definition {TEXT} NOT NULL",
    "$choice": "name {TEXT} NOT NULL PRIMARY KEY, definition {TEXT} NOT NULL",
    "$changed": "name {TEXT} NOT NULL PRIMARY KEY, stamp {INTEGER} NOT NULL, removed_id {TEXT}",
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
"""Column definitions by table; the types are those of the dialect. `$changed` says at which stamp a definition was put,
or removed, last."""

T = TypeVar("T")


_INTERNAL_INDEXES = {
    "$changed$stamp": '"$changed" (stamp)',
    "$job$due": '"$job" (state, due)',
    "$deletion$version": '"$deletion" (table_name, version)',
    "$deletion$deleted": '"$deletion" (deleted)',
    "$file$record": '"$file" (table_name, record_id)',
}

_EVERYTHING: Final = "*"
"""What has changed when the data have been put back: every definition may be another one."""

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
    _note(connection, _EVERYTHING, stamp + 1)
    connection.execute('UPDATE "$state" SET stamp = $1, row_version = $2', (stamp + 1, version))
    connection.execute(
        'INSERT INTO "$sequence" VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        (_TRACKED_FROM, version),
    )


def load_catalog(connection: Connection, known: Catalog | None = None) -> Catalog:
    """Return the stored catalog; its version is the stamp.

    Args:
        connection: what to read with.
        known: an earlier snapshot of the same database: only what has changed since is read.
    """
    while True:
        stamp = read_stamp(connection)
        made = _loaded(connection, stamp, known)
        # It was changed between the statements when the stamp is another one.
        if read_stamp(connection) == stamp:
            return made


def _loaded(connection: Connection, stamp: int, known: Catalog | None) -> Catalog:
    if known is None or stamp < known.version:
        return _everything(connection, stamp)
    rows = 'SELECT name, stamp, removed_id FROM "$changed" WHERE stamp > $1'
    noted = {str(name): (int(at), gone) for name, at, gone in connection.execute(rows, (known.version,)).fetchall()}
    if _EVERYTHING in noted:
        return _everything(connection, stamp)
    apis = {api.name: api for api in read_custom_apis(connection)}
    if apis != known.custom_apis:
        known = replace(known, custom_apis=apis, definitions_version=stamp)
    if not noted:
        return restamped(known, stamp)
    put = {name: at for name, (at, gone) in noted.items() if gone is None}
    gone = [name for name, (_, removed) in noted.items() if removed is not None]
    later = changed(known, _changes(connection, put, gone), version=stamp)
    return replace(later, stamps={**later.stamps, **put})


def _changes(connection: Connection, put: Collection[str], gone: Collection[str]) -> CatalogChange:
    """Return the change that leads to the stored definitions from those before they were put or removed."""
    return CatalogChange(
        _read(connection, "$table", table_of, _of_kind("table", put)),
        _read(connection, "$relationship", relationship_of, _of_kind("relationship", put)),
        _of_kind("table", gone),
        _of_kind("relationship", gone),
        _read(connection, "$choice", choice_of, _of_kind("choice", put)),
        _of_kind("choice", gone),
    )


def _of_kind(kind: str, names: Collection[str]) -> tuple[str, ...]:
    return tuple(name.removeprefix(f"{kind}:") for name in names if name.startswith(f"{kind}:"))


def _read(connection: Connection, store: str, make: Callable[[str], T], names: Collection[str]) -> tuple[T, ...]:
    statement = f"SELECT definition FROM {quoted(store)} WHERE name = $1"
    found = (connection.execute(statement, (name,)).fetchone() for name in names)
    return tuple(make(str(row[0])) for row in found if row is not None)


def _everything(connection: Connection, stamp: int) -> Catalog:
    def stored(table: str, make: Callable[[str], T]) -> Iterator[T]:
        statement = f"SELECT definition FROM {quoted(table)} ORDER BY name"
        return (make(str(text)) for (text,) in connection.execute(statement).fetchall())

    made = catalog(
        stamp,
        stored("$table", table_of),
        stored("$relationship", relationship_of),
        read_custom_apis(connection),
        stored("$choice", choice_of),
    )
    stamps = connection.execute('SELECT name, stamp FROM "$changed" WHERE removed_id IS NULL').fetchall()
    return replace(made, stamps={str(name): int(at) for name, at in stamps if name != _EVERYTHING})


def removed_since(connection: Connection, stamp: int) -> tuple[tuple[str, str], ...]:
    """Return the definitions that were removed after a stamp: what kind each was of, and its MetadataId.

    The kind `*` stands for all of them: the data have been put back meanwhile.
    """
    condition = f"stamp > $1 AND (removed_id IS NOT NULL OR name = '{_EVERYTHING}')"
    statement = f'SELECT name, removed_id FROM "$changed" WHERE {condition} ORDER BY name'
    return tuple((str(n).partition(":")[0], str(gone or "")) for n, gone in connection.execute(statement, (stamp,)))


def apply_change(connection: Connection, before: Catalog, change: CatalogChange) -> Catalog:
    """Store new definitions and change the SQL tables, inside the caller's transaction.

    Returns:
        The catalog as it is once the transaction commits.
    """
    change = completed(before, change)
    concerns_views = concerns_base_views(before, change)
    if concerns_views:
        drop_base_views(connection, before)
    for name in change.remove:
        _drop(connection, before.tables[name])
    # A column costs what the whole schema does (SQLite reads it anew), so new tables come last.
    for table in sorted(change.put, key=lambda table: table.logical_name not in before.tables):
        known = before.tables.get(table.logical_name)
        if known is None:
            create_table(connection, table)
        elif known != table:
            alter_table(connection, known, table)
    for relationship in change.relate:
        create_relationship(connection, relationship)
    bump_stamp(connection)
    stamp = read_stamp(connection)
    _store(connection, change)
    _note_all(connection, before, change, stamp)
    after = changed(before, change, version=stamp)
    if concerns_views:
        create_base_views(connection, after)
    return after


def _note_all(connection: Connection, before: Catalog, change: CatalogChange, stamp: int) -> None:
    """Note at which stamp definitions were put or removed; what has been there from the start has not changed."""
    for name in names_of(change) if before.version else ():
        _note(connection, name, stamp)
    for name, removed_id in _removed(before, change):
        _note(connection, name, stamp, removed_id)
    for name in _back(before, change):
        connection.execute('DELETE FROM "$changed" WHERE name = $1', (name,))


def _drop(connection: Connection, table: Table) -> None:
    """Remove a table with its rows, their files and the memory of those that were deleted."""
    name = (table.logical_name,)
    drop_table(connection, table)
    connection.execute('DELETE FROM "$deletion" WHERE table_name = $1', name)
    files = 'SELECT id FROM "$file" WHERE table_name = $1'
    connection.execute(f'DELETE FROM "$block" WHERE file_id IN ({files})', name)
    connection.execute('DELETE FROM "$file" WHERE table_name = $1', name)


def _store(connection: Connection, change: CatalogChange) -> None:
    """Put the texts of definitions that are new or changed, and remove those of what is gone."""
    gone: Mapping[str, tuple[str, ...]] = {
        "$table": change.remove,
        "$relationship": change.unrelate,
        "$choice": change.drop_choices,
    }
    for store, names in gone.items():
        for name in names:
            connection.execute(f"DELETE FROM {quoted(store)} WHERE name = $1", (name,))
    for table in change.put:
        _remember(connection, "$table", table.logical_name, table_text(table))
    for relationship in change.relate:
        _remember(connection, "$relationship", relationship.schema_name, relationship_text(relationship))
    for choice in change.choices:
        _remember(connection, "$choice", choice.name, choice_text(choice))


def _removed(before: Catalog, change: CatalogChange) -> Iterator[tuple[str, str]]:
    """Yield name and MetadataId of definitions that go; columns are named by their tables as well."""
    for name in change.remove:
        yield f"table:{name}", before.tables[name].metadata_id or ""
    for table in change.put:
        known = before.tables.get(table.logical_name)
        for column in known.columns if known is not None else ():
            if column.logical_name not in table.by_name:
                yield f"column:{table.logical_name}.{column.logical_name}", column.metadata_id or ""
    for name in change.unrelate:
        yield f"relationship:{name}", before.relationships[name].metadata_id or ""
    for name in change.drop_choices:
        yield f"choice:{name}", before.own_choices[name].metadata_id or ""


def _back(before: Catalog, change: CatalogChange) -> Iterator[str]:
    """Yield the columns that tables get, which may have had them before."""
    for table in change.put:
        known = before.tables.get(table.logical_name, table)
        for column in table.columns:
            if column.logical_name not in known.by_name:
                yield f"column:{table.logical_name}.{column.logical_name}"


def _remember(connection: Connection, table: str, name: str, definition: str) -> None:
    connection.execute(
        f'INSERT INTO "{table}" VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition',
        (name, definition),
    )


def _note(connection: Connection, name: str, stamp: int, removed_id: str | None = None) -> None:
    """Note at which stamp a definition was put, or removed, last."""
    statement = 'INSERT INTO "$changed" VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE'
    connection.execute(
        f"{statement} SET stamp = excluded.stamp, removed_id = excluded.removed_id", (name, stamp, removed_id)
    )
