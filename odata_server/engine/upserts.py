"""What an upsert does: make the record, or change the one that is there (Learn: "Use Upsert to create or update")."""

from __future__ import annotations

from entities.messages import Create, Update, Upsert
from entities.metadata.catalog import Catalog
from entities.values import EntityReference, KeyReference
from odata_server.engine import rows
from odata_server.engine.database import Connection
from odata_server.engine.references import by_key, not_found
from odata_server.engine.validation import settable
from security.principals import Principal
from security.privileges import AccessRight, rights_of


def settled(connection: Connection, catalog: Catalog, message: Upsert, principal: Principal) -> Create | Update:
    """Return the message that an upsert stands for now; columns that cannot be set by it are left out.

    Raises:
        RecordNotFound: there is no such record, and nobody makes records of its table.
    """
    table = catalog.tables[message.target.table]
    match message.target:
        case KeyReference() as key:
            found = by_key(connection, catalog, key)
            new = {**dict(key.values), **message.record}
        case EntityReference(id=chosen):
            found = message.target if rows.exists(connection, table, chosen) else None
            if found is None and AccessRight.CREATE not in rights_of(table) and not principal.is_system:
                raise not_found(table, chosen)
            new = {**message.record, table.primary_id: chosen}
    record = new if found is None else message.record
    if not principal.is_system:
        record = settable(table, record, creating=found is None)
    if found is None:
        return Create(table.logical_name, record, detects_duplicates=message.detects_duplicates)
    return Update(found, record, detects_duplicates=message.detects_duplicates)
