"""Data definition: SQL tables, columns and indexes that follow from the metadata.

Every table is a rowid table with its GUID as primary key. Indexed are: the id, alternate keys (unique), the fold of
the primary name, the owner of user-owned records, every lookup that a caller can set, the row version of tables
whose changes are tracked, and the values of columns that the table has `indexed`.
"""

from __future__ import annotations

from collections.abc import Iterator

from entities.metadata.columns import Column, EntityNameType, LookupType, MemoType, StringType
from entities.metadata.relationships import ManyToMany, Relationship
from entities.metadata.tables import AlternateKey, KeyIndexStatus, Table, TableKind
from odata_server.engine.database import Connection, quoted
from odata_server.engine.dialect import Dialect
from odata_server.engine.storage import PhysicalColumn, fold_of, physical, stored, table_of_lookup

_LOOKED_AT = ("versionnumber", "owningbusinessunit", "ownerid", "statecode")

_FOLDED = (StringType, MemoType, EntityNameType)


def create_table(connection: Connection, table: Table) -> None:
    """Make the SQL table and its indexes; a table that holds no rows has none."""
    if not table.holds_rows:
        return
    dialect = connection.dialect
    columns = ",\n  ".join(_column_definition(dialect, table, column) for column in _in_rows(table))
    connection.execute(f"CREATE TABLE {quoted(table.logical_name)} (\n  {columns}\n){dialect.table_options}")
    for statement in _indexes(dialect, table):
        connection.execute(statement)


def create_relationship(connection: Connection, relationship: Relationship) -> None:
    """Make the indexes of an intersect table: a pair exists once and is found from both ends."""
    if not isinstance(relationship, ManyToMany):
        return
    table = quoted(relationship.intersect_table)
    near, far = quoted(relationship.column1), quoted(relationship.column2)
    pair, back = (quoted(f"{relationship.intersect_table}${end}") for end in ("pair", "back"))
    connection.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {pair} ON {table} ({near}, {far})")
    connection.execute(f"CREATE INDEX IF NOT EXISTS {back} ON {table} ({far}, {near})")


def drop_table(connection: Connection, table: Table) -> None:
    """Remove the SQL table with its rows."""
    if table.holds_rows:
        connection.execute(f"DROP TABLE {quoted(table.logical_name)}")


def alter_table(connection: Connection, before: Table, after: Table) -> None:
    """Add the columns and indexes that are new in `after`, drop those that are gone.

    A column keeps its rows' values as long as its physical columns stay; a change of type is not a change of storage
    here (Dataverse does not allow it either).
    """
    if not after.holds_rows:
        return
    name, dialect = quoted(after.logical_name), connection.dialect
    kept = {p.name for column in stored_columns(after) for p in physical(column)}
    held = {p.name for column in stored_columns(before) for p in physical(column)}
    wanted = dict(_index_columns(after))
    for index, columns in _index_columns(before):
        if wanted.get(index) != columns:
            connection.execute(f"DROP INDEX IF EXISTS {quoted(index)}")
    for column in stored_columns(after):
        for part in physical(column):
            if part.name not in held:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {_part_definition(dialect, part)}")
                _fill_default(connection, after, part.name)
                _fill_target(connection, before.by_name.get(column.logical_name), after, part.name)
    for gone in held - kept:
        connection.execute(f"ALTER TABLE {name} DROP COLUMN {quoted(gone)}")
    for statement in _indexes(dialect, after):
        connection.execute(statement)


def _fill_default(connection: Connection, table: Table, column: str) -> None:
    """Give the rows that are there already the default of a new column."""
    default = table.defaults.get(column)
    if default is not None:
        value = stored(table.by_name[column].type, default)
        connection.execute(f"UPDATE {quoted(table.logical_name)} SET {quoted(column)} = $1", (value,))


def _fill_target(connection: Connection, known: Column | None, table: Table, part: str) -> None:
    """Say of the rows whose lookup led to one table only that it leads there, now that it can lead to others, too."""
    if known is not None and isinstance(known.type, LookupType) and part == table_of_lookup(known.logical_name):
        filled = f"{quoted(known.logical_name)} IS NOT NULL"
        statement = f"UPDATE {quoted(table.logical_name)} SET {quoted(part)} = $1 WHERE {filled}"
        connection.execute(statement, (known.type.targets[0],))


def _in_rows(table: Table) -> list[Column]:
    """Return the columns as they lie in a row: first those that nearly every query looks at.

    A database reads a row from its beginning as far as it must.
    """
    places = {name: place for place, name in enumerate((table.primary_id, *_LOOKED_AT, table.primary_name))}
    return sorted(stored_columns(table), key=lambda column: places.get(column.logical_name, len(places)))


def stored_columns(table: Table) -> list[Column]:
    """Return the columns whose values lie in rows: calculated ones are computed when they are read."""
    return [column for column in table.columns if not column.formula]


def _column_definition(dialect: Dialect, table: Table, column: Column) -> str:
    parts = [_part_definition(dialect, part) for part in physical(column)]
    if column.logical_name == table.primary_id:
        parts[0] += " NOT NULL PRIMARY KEY"
    return ", ".join(parts)


def _part_definition(dialect: Dialect, part: PhysicalColumn) -> str:
    return f"{quoted(part.name)} {dialect.types[part.sql_type]}"


def key_index(table: Table, key: AlternateKey) -> str:
    """Return the name of the unique index behind an alternate key."""
    return f"{table.logical_name}${key.logical_name}"


def key_columns(table: Table, key: AlternateKey) -> tuple[str, ...]:
    """Return the physical columns that an alternate key is unique over (text by its fold)."""
    return tuple(comparable(table.by_name[name]) for name in key.columns)


def comparable(column: Column) -> str:
    """Return the physical column that comparisons and sorting use."""
    return fold_of(column.logical_name) if isinstance(column.type, _FOLDED) else column.logical_name


def _index_columns(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key in table.keys:
        if key.index_status is not KeyIndexStatus.ACTIVE:
            continue
        yield key_index(table, key), key_columns(table, key)
    single = [table.by_name[table.primary_name]] if table.primary_name else []
    single += [c for c in table.lookups() if c.valid_for_create or table.kind is TableKind.INTERSECT]
    if table.change_tracking and table.has_version:
        single.append(table.by_name["versionnumber"])
    for column in single:
        yield _lookup_index(table, column), (comparable(column),)
    for name in table.indexed:
        if name in table.by_name:
            yield _value_index(table, name), (comparable(table.by_name[name]),)


def _lookup_index(table: Table, column: Column) -> str:
    return f"{table.logical_name}${column.logical_name}"


def _value_index(table: Table, column: str) -> str:
    return f"{table.logical_name}$values${column}"


def _indexes(dialect: Dialect, table: Table) -> Iterator[str]:
    unique = {key_index(table, key) for key in table.keys}
    # Rows without a value cost nothing where nobody looks for them.
    of_values = {_value_index(table, name) for name in table.indexed}
    of_values.update(_lookup_index(table, column) for column in table.lookups())
    for index, columns in _index_columns(table):
        kind = "UNIQUE INDEX" if index in unique else "INDEX"
        listed = ", ".join(f"{quoted(column)}{dialect.index_order}" for column in columns)
        rows = f" WHERE {quoted(columns[0])} IS NOT NULL" if index in of_values else ""
        yield f"CREATE {kind} IF NOT EXISTS {quoted(index)} ON {quoted(table.logical_name)} ({listed}){rows}"
