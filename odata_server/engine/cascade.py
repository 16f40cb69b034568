"""What a deletion does to the records that point to the deleted one.

Learn: "Configure entity relationship cascading behavior": Cascade deletes them, Restrict refuses, RemoveLink clears
the lookup, NoCascade leaves them.
"""

from __future__ import annotations

from collections.abc import Iterator

from entities.errors import MethodNotAllowed
from entities.metadata.catalog import Catalog, CollectionNavigation, ManyToManyNavigation
from entities.metadata.columns import LookupType
from entities.metadata.relationships import Cascade, OneToMany
from entities.metadata.tables import Table, TableKind
from entities.values import EntityReference, Guid
from odata_server.engine.catalog_store import next_row_version
from odata_server.engine.database import Connection, quoted
from odata_server.engine.storage import table_of_lookup


def before_delete(connection: Connection, catalog: Catalog, table: Table, record_id: Guid) -> Iterator[EntityReference]:
    """Clear or refuse links to a record and yield the records that must be deleted with it.

    Raises:
        MethodNotAllowed: a relationship restricts the deletion.
    """
    for navigation in catalog.navigations[table.logical_name].values():
        if isinstance(navigation, ManyToManyNavigation):
            intersect = quoted(navigation.relationship.intersect_table)
            connection.execute(f"DELETE FROM {intersect} WHERE {quoted(navigation.near)} = $1", (record_id,))
        elif isinstance(navigation, CollectionNavigation):
            yield from _one_to_many(connection, catalog, navigation.relationship, record_id)


def _one_to_many(
    connection: Connection, catalog: Catalog, relationship: OneToMany, record_id: Guid
) -> Iterator[EntityReference]:
    child = catalog.tables[relationship.referencing_table]
    behavior = relationship.cascade.delete
    if child.kind is TableKind.VIRTUAL or behavior is Cascade.NO_CASCADE:
        return
    where, values = _points_to(child, relationship, record_id)
    source = f"FROM {quoted(child.logical_name)} WHERE {where}"
    if behavior is Cascade.RESTRICT:
        if connection.execute(f"SELECT 1 {source} LIMIT 1", values).fetchone():
            raise MethodNotAllowed(
                "The object you tried to delete is associated with another object and cannot be deleted.",
                code="0x80040227",
            )
    elif behavior is Cascade.CASCADE:
        for (found,) in connection.execute(f"SELECT {quoted(child.primary_id)} {source}", values).fetchall():
            yield EntityReference(child.logical_name, Guid(str(found)))
    else:
        _clear(connection, child, relationship.referencing_column, where, values)


def _points_to(child: Table, relationship: OneToMany, record_id: Guid) -> tuple[str, tuple[str, ...]]:
    lookup = child.by_name[relationship.referencing_column].type
    where = f"{quoted(relationship.referencing_column)} = $1"
    if isinstance(lookup, LookupType) and lookup.is_polymorphic:
        named = f"{quoted(table_of_lookup(relationship.referencing_column))} = $2"
        return f"{where} AND {named}", (record_id, relationship.referenced_table)
    return where, (record_id,)


def _clear(connection: Connection, child: Table, column: str, where: str, values: tuple[str, ...]) -> None:
    cleared = [f"{quoted(column)} = NULL"]
    lookup = child.by_name[column].type
    if isinstance(lookup, LookupType) and lookup.is_polymorphic:
        cleared.append(f"{quoted(table_of_lookup(column))} = NULL")
    if child.has_version:
        cleared.append(f'"versionnumber" = {next_row_version(connection)}')
    connection.execute(f"UPDATE {quoted(child.logical_name)} SET {', '.join(cleared)} WHERE {where}", values)
