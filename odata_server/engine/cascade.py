"""What a deletion or a new owner of a record means for the records that point to it.

Learn: "Configure entity relationship cascading behavior". On delete, Cascade deletes them, Restrict refuses,
RemoveLink clears the lookup, NoCascade leaves them. On assign, Cascade gives all of them to the new owner, Active the
active ones, UserOwned those of the owner before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from entities.errors import MethodNotAllowed
from entities.messages import Delete, Update
from entities.metadata.catalog import Catalog, CollectionNavigation, ManyToManyNavigation
from entities.metadata.columns import LookupType
from entities.metadata.relationships import Cascade, OneToMany
from entities.metadata.tables import Table, TableKind
from entities.query import Filter, QueryExpression, both, equals
from entities.values import EntityReference, Guid
from odata_server.engine.database import Connection, quoted
from odata_server.engine.storage import table_of_lookup

ACTIVE_STATE = 0


def before_delete(connection: Connection, catalog: Catalog, table: Table, record_id: Guid) -> Iterator[Delete | Update]:
    """End the pairs of a record and yield what else must be written before it can be deleted.

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
) -> Iterator[Delete | Update]:
    child = catalog.tables[relationship.referencing_table]
    if child.kind is TableKind.VIRTUAL:
        return
    match relationship.cascade.delete:
        case Cascade.NO_CASCADE:
            return
        case Cascade.RESTRICT:
            if _children(connection, child, relationship, record_id, limit=" LIMIT 1"):
                raise MethodNotAllowed(
                    "The object you tried to delete is associated with another object and cannot be deleted.",
                    code="0x80040227",
                )
        case Cascade.CASCADE:
            for reference in _children(connection, child, relationship, record_id):
                yield Delete(reference)
        # Active and UserOwned are no behaviors of a deletion; the link would point to nothing.
        case Cascade.REMOVE_LINK | Cascade.ACTIVE | Cascade.USER_OWNED:
            for reference in _children(connection, child, relationship, record_id):
                yield Update(reference, {relationship.referencing_column: None})
        case unknown:
            assert_never(unknown)


def _children(
    connection: Connection, child: Table, relationship: OneToMany, record_id: Guid, limit: str = ""
) -> list[EntityReference]:
    lookup = child.by_name[relationship.referencing_column].type
    where, values = f"{quoted(relationship.referencing_column)} = $1", [str(record_id)]
    if isinstance(lookup, LookupType) and lookup.is_polymorphic:
        where += f" AND {quoted(table_of_lookup(relationship.referencing_column))} = $2"
        values.append(relationship.referenced_table)
    sql = f"SELECT {quoted(child.primary_id)} FROM {quoted(child.logical_name)} WHERE {where}{limit}"
    found = connection.execute(sql, tuple(values)).fetchall()
    return [EntityReference(child.logical_name, Guid(str(identifier))) for (identifier,) in found]


def assigned_along(catalog: Catalog, parent: EntityReference, owner_before: EntityReference) -> list[QueryExpression]:
    """Return the queries for the records that get the new owner of a record with it.

    Args:
        catalog: tables and relationships.
        parent: the record that has a new owner.
        owner_before: whose it was.
    """
    queries = []
    for navigation in catalog.navigations[parent.table].values():
        if not isinstance(navigation, CollectionNavigation):
            continue
        child = catalog.tables[navigation.target]
        chosen = _assigned(navigation.relationship, child, parent, owner_before)
        if chosen is not None:
            queries.append(QueryExpression(child.logical_name, (child.primary_id,), filter=chosen))
    return queries


def _assigned(
    relationship: OneToMany, child: Table, parent: EntityReference, owner_before: EntityReference
) -> Filter | None:
    if not child.is_user_owned or child.kind is TableKind.VIRTUAL:
        return None
    points_here = equals(relationship.referencing_column, parent)
    match relationship.cascade.assign:
        case Cascade.CASCADE:
            return points_here
        case Cascade.ACTIVE:
            return both(points_here, equals("statecode", ACTIVE_STATE)) if "statecode" in child.by_name else points_here
        case Cascade.USER_OWNED:
            return both(points_here, equals("ownerid", owner_before))
        case Cascade.NO_CASCADE | Cascade.REMOVE_LINK | Cascade.RESTRICT:
            return None
        case unknown:
            assert_never(unknown)
