"""All records of one owner given to another, whatever table they are of (Learn: "ReassignObjectsOwner Action")."""

from __future__ import annotations

from collections.abc import Iterator

from entities.messages import Update
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Caller, Operations
from entities.query import QueryExpression, equals
from entities.values import EntityReference, Guid


def owned_tables(catalog: Catalog) -> Iterator[Table]:
    """Yield the tables whose records have an owner and are stored in this environment."""
    for table in catalog.tables.values():
        if table.is_user_owned and table.source is None and "ownerid" in table.by_name:
            yield table


def reassign(system: Operations, caller: Caller, owner: EntityReference, successor: EntityReference) -> None:
    """Give all records of an owner to its successor, which may be the owner itself: the records follow it then.

    A record belongs to the business unit of its owner, which is looked up again for each.

    Raises:
        RecordNotFound: there is no such successor.
    """
    for table in list(owned_tables(system.catalog)):
        owned = QueryExpression(table.logical_name, (table.primary_id,), filter=equals("ownerid", owner))
        for row in system.records(owned):
            record = EntityReference(table.logical_name, Guid(str(row[table.primary_id])))
            system.execute(Update(record, {"ownerid": successor}), caller)
