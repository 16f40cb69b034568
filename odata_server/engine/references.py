"""Pointers to records inside a transaction: alternate keys become ids, and what they point to must exist."""

from __future__ import annotations

from entities.errors import InvalidArgument, MalformedRequest, RecordNotFound
from entities.metadata.catalog import Catalog, Navigation
from entities.metadata.tables import KeyIndexStatus, Table, TableKind
from entities.values import EntityReference, Guid, KeyReference, Record, Value, references_in
from odata_server.engine import rows
from odata_server.engine.database import Connection, quoted
from odata_server.engine.schema import comparable
from odata_server.engine.storage import folded, stored


def not_found(table: Table, record_id: str) -> RecordNotFound:
    """Return the error for an id that no record has."""
    return RecordNotFound(f"Entity '{table.logical_name}' With Id = {record_id} Does Not Exist")


def by_key(connection: Connection, catalog: Catalog, key: KeyReference) -> EntityReference | None:
    """Return the record that alternate-key values name, None when there is none.

    Raises:
        InvalidArgument: the columns are not a key of the table, or more than one record matches.
    """
    table = catalog.tables[key.table]
    names = frozenset(name for name, _ in key.values)
    known = (frozenset(k.columns) for k in table.keys if k.index_status is KeyIndexStatus.ACTIVE)
    if names not in known and names != frozenset(table.natural_key):
        raise InvalidArgument(
            f"The specified key attributes are not a defined key for the {table.logical_name} entity",
            code="0x80060890",
        )
    conditions, values = [], []
    for name, value in key.values:
        column = table.by_name[name]
        raw = stored(column.type, value)
        if raw is None:
            conditions.append(f"{quoted(comparable(column))} IS NULL")
            continue
        values.append(folded(raw) if comparable(column) != name else raw)
        conditions.append(f"{quoted(comparable(column))} = ${len(values)}")
    where = " AND ".join(conditions)
    sql = f"SELECT {quoted(table.primary_id)} FROM {quoted(table.logical_name)} WHERE {where} LIMIT 2"
    found = connection.execute(sql, values).fetchall()
    if len(found) > 1:
        raise InvalidArgument(
            f"More than one record exists for entity {table.logical_name} with entity key involving attributes"
            f" {','.join(sorted(names))}",
            code="0x8006089d",
        )
    return EntityReference(table.logical_name, Guid(str(found[0][0]))) if found else None


def resolve(connection: Connection, catalog: Catalog, target: EntityReference | KeyReference) -> EntityReference:
    """Return a target as an id.

    Raises:
        RecordNotFound: no record has the key values.
    """
    if isinstance(target, EntityReference):
        return target
    found = by_key(connection, catalog, target)
    if found is None:
        raise RecordNotFound(
            f"A record with the specified key values does not exist in {target.table} entity", code="0x80060891"
        )
    return found


def resolved(connection: Connection, catalog: Catalog, record: Record) -> dict[str, Value]:
    """Return a record whose lookups are ids of records that exist.

    Raises:
        RecordNotFound: a lookup points to nothing.
    """
    result = dict(record)
    if not references_in(record):
        return result
    for name, value in record.items():
        if isinstance(value, EntityReference | KeyReference):
            reference = result[name] = resolve(connection, catalog, value)
            check_exists(connection, catalog, reference)
    return result


def check_exists(connection: Connection, catalog: Catalog, reference: EntityReference) -> None:
    """Check that a reference points to a record (rows behind virtual tables are not looked up).

    Raises:
        RecordNotFound: it does not.
    """
    table = catalog.tables[reference.table]
    if table.kind is not TableKind.VIRTUAL and not rows.exists(connection, table, reference.id):
        raise not_found(table, reference.id)


def navigation_of(catalog: Catalog, table: Table, name: str) -> Navigation:
    """Return a table's navigation property.

    Raises:
        MalformedRequest: it has none of this name.
    """
    found = catalog.navigation(table.logical_name, name)
    if found is None:
        raise MalformedRequest(f"Could not find a property named '{name}' on '{table.logical_name}'.")
    return found
