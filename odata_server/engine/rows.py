"""Single rows in a transaction: insert, update, delete, look up, with the row version kept.

Statements are built per set of columns; SQLite keeps them prepared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache

from entities.errors import DuplicateRecord, EngineFault
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.query import Filter, QueryExpression, both, equals
from entities.values import Guid, Record, Value
from odata_server.engine.catalog_store import next_row_version
from odata_server.engine.database import Connection, quoted, single
from odata_server.engine.dialect import Dialect
from odata_server.engine.reading import PlanCache
from odata_server.engine.schema import key_columns, key_index
from odata_server.engine.slots import signature, split
from odata_server.engine.sql.compiler import Plan
from odata_server.engine.sql.predicates import Scope, filter_sql
from odata_server.engine.storage import SqlValue
from odata_server.engine.stored_columns import stored_columns


def physical_values(table: Table, record: Record) -> Iterator[tuple[str, SqlValue]]:
    """Yield the physical columns and stored values of a record."""
    columns = table.derived(stored_columns)
    for name, value in record.items():
        for part, store in columns[name]:
            yield part, store(value)


def insert(connection: Connection, table: Table, record: Record) -> None:
    """Insert a complete record.

    Raises:
        DuplicateRecord: the id or an alternate key is taken.
    """
    names, values = zip(*physical_values(table, record), strict=True)
    try:
        connection.execute(_insert_sql(table.logical_name, names), values)
    except connection.dialect.constraint_errors as error:
        raise duplicate(connection.dialect, table, record, error) from error


@lru_cache(maxsize=1024)
def _insert_sql(table: str, names: tuple[str, ...]) -> str:
    listed = ", ".join(quoted(name) for name in names)
    return f"INSERT INTO {quoted(table)} ({listed}) VALUES ({', '.join(_places(names))})"


def update(connection: Connection, table: Table, record_id: Guid, record: Record) -> None:
    """Change columns of a row that exists.

    Raises:
        DuplicateRecord: an alternate key is taken.
    """
    names, values = zip(*physical_values(table, record), strict=True)
    listed = ", ".join(f"{quoted(name)} = {place}" for name, place in zip(names, _places(names), strict=True))
    sql = f"UPDATE {quoted(table.logical_name)} SET {listed} WHERE {quoted(table.primary_id)} = ${len(names) + 1}"
    try:
        connection.execute(sql, (*values, record_id))
    except connection.dialect.constraint_errors as error:
        raise duplicate(connection.dialect, table, record, error) from error


def delete(connection: Connection, table: Table, record_id: Guid) -> None:
    """Delete a row that exists."""
    sql = f"DELETE FROM {quoted(table.logical_name)} WHERE {quoted(table.primary_id)} = $1"
    connection.execute(sql, (record_id,))


def delete_pair(connection: Connection, intersect: Table, pair: Record) -> bool:
    """End a relation between two records; say whether there was one."""
    where = " AND ".join(f"{quoted(name)} = {place}" for name, place in zip(pair, _places(pair), strict=True))
    sql = f"DELETE FROM {quoted(intersect.logical_name)} WHERE {where} RETURNING 1"
    return connection.execute(sql, tuple(str(value) for value in pair.values())).fetchone() is not None


def _places(names: Collection[str]) -> list[str]:
    return [f"${number}" for number in range(1, len(names) + 1)]


def duplicate(dialect: Dialect, table: Table, record: Record, error: Exception) -> DuplicateRecord:
    """Return the error for a violated uniqueness.

    Raises:
        EngineFault: the row was refused for another reason; validation should have found it.
    """
    if not dialect.says_taken(error):
        raise EngineFault(f"The database refused a row of '{table.logical_name}': {error}") from error
    for key in table.keys:
        if dialect.violates(error, key_index(table, key), key_columns(table, key)):
            name = key.display_name.text() or key.schema_name or key.logical_name
            shown = ", ".join(str(record.get(column, "")) for column in key.columns)
            return DuplicateRecord(
                f"Entity Key {name} violated. A record with the same value for {shown} already exists. A duplicate"
                " record cannot be created. Select one or more unique values and try again.",
                code="0x80060892",
            )
    return DuplicateRecord("A record with matching key values already exists.")


def exists(connection: Connection, table: Table, record_id: Guid) -> bool:
    """Say whether a row has this id."""
    sql = f"SELECT 1 FROM {quoted(table.logical_name)} WHERE {quoted(table.primary_id)} = $1"
    return connection.execute(sql, (record_id,)).fetchone() is not None


def count(connection: Connection, table: Table) -> int:
    """Return the number of a table's rows."""
    return int(single(connection, f"SELECT count(*) FROM {quoted(table.logical_name)}"))


def version_of(
    connection: Connection, plans: PlanCache, catalog: Catalog, table: Table, record_id: Guid, rows: Filter
) -> tuple[int | None] | None:
    """Return the version of a row that a filter lets through, None when there is none.

    Args:
        connection: the transaction's connection.
        plans: the statements compiled before.
        catalog: the catalog.
        table: the row's table.
        record_id: the row's id.
        rows: the rows the caller may use.
    """
    query = QueryExpression(table.logical_name, filter=both(equals(table.primary_id, record_id), rows))
    key, literals = signature(query)
    plan = plans.plan(
        catalog.version, ("version", key), lambda: _version_plan(Scope(catalog, connection.dialect), split(query)[0])
    )
    found = connection.execute(plan.sql, plan.parameters(literals)).fetchone()
    return None if found is None else (found[0],)


def _version_plan(scope: Scope, query: QueryExpression) -> Plan:
    alias = scope.enter("", query.table)
    version = quoted("versionnumber") if scope.catalog.tables[query.table].has_version else "NULL"
    where = filter_sql(scope, query.filter)
    return Plan(f"SELECT {version} FROM {quoted(query.table)} AS {alias} WHERE {where}", tuple(scope.binders))


def stamped(connection: Connection, table: Table, record: dict[str, Value]) -> None:
    """Give a record the next organization-wide row version."""
    if table.has_version:
        record["versionnumber"] = next_row_version(connection)
