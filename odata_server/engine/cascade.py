"""What a deletion or a new owner of a record means for the records that point to it.

Learn: "Configure entity relationship cascading behavior". On delete, Cascade deletes them, Restrict refuses,
RemoveLink clears the lookup, NoCascade leaves them. On assign, Cascade gives all of them to the new owner, Active the
active ones, UserOwned those of the owner before. What a new parent or owner means for the access to a record, and to
those below it, is `entities.standard.inherited_access`; here is decided whether there can be any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from entities.errors import MethodNotAllowed
from entities.messages import Delete, Update
from entities.metadata.catalog import Catalog, CollectionNavigation, ManyToManyNavigation
from entities.metadata.columns import LookupType
from entities.metadata.relationships import Cascade, OneToMany
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations
from entities.query import QueryExpression
from entities.standard.cascading import reached
from entities.standard.inherited_access import reparent
from entities.standard.sharing import PRINCIPALS, SHARED_ACCESS, SHARED_TABLES
from entities.values import EntityReference, Guid, Record, Value
from odata_server.engine.database import Connection, quoted
from odata_server.engine.row_checks import RowChecks
from odata_server.engine.storage import table_of_lookup
from security.authorize import owner_check


def before_delete(connection: Connection, catalog: Catalog, table: Table, record_id: Guid) -> Iterator[Delete | Update]:
    """End the pairs and the shares of a record and yield what else must be written before it can be deleted.

    Raises:
        MethodNotAllowed: a relationship restricts the deletion.
    """
    _end_shares(connection, catalog, table, record_id)
    for navigation in catalog.navigations[table.logical_name].values():
        if isinstance(navigation, ManyToManyNavigation):
            intersect = quoted(navigation.relationship.intersect_table)
            connection.execute(f"DELETE FROM {intersect} WHERE {quoted(navigation.near)} = $1", (record_id,))
        elif isinstance(navigation, CollectionNavigation):
            yield from _one_to_many(connection, catalog, navigation.relationship, record_id)


def _end_shares(connection: Connection, catalog: Catalog, table: Table, record_id: Guid) -> None:
    """Take away the access that others have to a record, and that a user or team has to any."""
    if SHARED_ACCESS not in catalog.tables:
        return
    if table.is_user_owned:
        connection.execute(f"DELETE FROM {quoted(SHARED_ACCESS)} WHERE objectid = $1", (record_id,))
    elif table.logical_name in PRINCIPALS:
        for shares in (SHARED_ACCESS, SHARED_TABLES):
            connection.execute(f"DELETE FROM {quoted(shares)} WHERE principalid = $1", (record_id,))


def _one_to_many(
    connection: Connection, catalog: Catalog, relationship: OneToMany, record_id: Guid
) -> Iterator[Delete | Update]:
    child = catalog.tables[relationship.referencing_table]
    if not child.holds_rows:
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
        if not child.is_user_owned or not child.holds_rows:
            continue
        relationship = navigation.relationship
        chosen = reached(relationship.cascade.assign, relationship, child, parent, owner_before)
        if chosen is not None:
            queries.append(QueryExpression(child.logical_name, (child.primary_id,), filter=chosen))
    return queries


def assign_along(
    system: Operations, context: ExecutionContext, checks: RowChecks | None, update: Callable[[Update], object]
) -> None:
    """Give a changed record's new owner the records that go with it, as their relationships say.

    Args:
        system: the transaction's operations.
        context: the message that changed the record.
        checks: finds out whether the new owner may read what goes along; None asks for nothing.
        update: changes a record in the caller's name.

    Raises:
        AccessDenied: the new owner may not read a table of which it would get records.
    """
    owner, before = context.record.get("ownerid"), (context.pre_image or {}).get("ownerid")
    if not isinstance(owner, EntityReference) or not isinstance(before, EntityReference) or owner == before:
        return
    assert context.reference is not None
    for query in assigned_along(system.catalog, context.reference, before):
        table = system.catalog.tables[query.table]
        children = [EntityReference(query.table, Guid(str(row[table.primary_id]))) for row in system.records(query)]
        if children and checks is not None:
            checks.check_owner(owner_check(owner, table))
        for child in children:
            update(Update(child, {"ownerid": owner}))


def inherit_access(connection: Connection, system: Operations, context: ExecutionContext, *, made: bool) -> None:
    """Give a record that has been written the access that its parents and owners pass on, and those below it theirs.

    Args:
        connection: the transaction's connection.
        system: the transaction's operations.
        context: the message that made or changed the record.
        made: whether it is new.
    """
    reference, record, before = context.reference, context.record, context.pre_image or {}
    assert reference is not None
    above = system.catalog.inheriting.get(reference.table, ())
    moved = any(_differs(record, before, relationship.referencing_column) for relationship in above)
    if made:
        if moved and any(_passes_any(connection, system.catalog, relationship, record) for relationship in above):
            reparent(system, context.caller, reference, has_new_owner=False)
        return
    assigned = (bool(above) or reference.table in system.catalog.bequeathing) and _differs(record, before, "ownerid")
    if (moved or assigned) and SHARED_ACCESS in system.catalog.tables:
        reparent(system, context.caller, reference, has_new_owner=assigned)


def _differs(record: Record, before: Record, column: str) -> bool:
    return column in record and record[column] != before.get(column)


def _passes_any(connection: Connection, catalog: Catalog, relationship: OneToMany, record: Record) -> bool:
    """Say whether a new record gets access from its parent: that is another's, or others have access to it."""
    parent, owner = record.get(relationship.referencing_column), record.get("ownerid")
    if not _is(parent, relationship.referenced_table) or SHARED_ACCESS not in catalog.tables:
        return False
    assert isinstance(parent, EntityReference)
    assert isinstance(owner, EntityReference)
    key = catalog.tables[parent.table].primary_id
    shares = f"SELECT 1 FROM {quoted(SHARED_ACCESS)} WHERE objectid = $1"
    sql = f"SELECT 1 FROM {quoted(parent.table)} WHERE {quoted(key)} = $1 AND (ownerid <> $2 OR EXISTS ({shares}))"
    return connection.execute(sql, (parent.id, owner.id)).fetchone() is not None


def _is(value: Value, table: str) -> bool:
    return isinstance(value, EntityReference) and value.table == table
