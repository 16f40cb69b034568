"""All records of one owner given to another, whatever table they are of (Learn: "ReassignObjectsOwner Action")."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from entities.messages import Update
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Operations
from entities.query import QueryExpression, equals
from entities.values import EntityReference, Guid


def owned_tables(catalog: Catalog) -> Iterator[Table]:
    """Yield the tables whose records have an owner and are stored in this environment."""
    for table in catalog.tables.values():
        if table.is_user_owned and table.holds_rows and "ownerid" in table.by_name:
            yield table


def reassign(
    system: Operations, owner: EntityReference, successor: EntityReference, write: Callable[[Update], object]
) -> None:
    """Give all records of an owner to its successor, which may be the owner itself: the records follow it then.

    A record belongs to the business unit of its owner, which is looked up again for each.

    Args:
        system: the transaction's operations.
        owner: who has the records.
        successor: who gets them.
        write: executes a change, for whom it is.

    Raises:
        DataverseError: one of the changes is refused.
    """
    for table in list(owned_tables(system.catalog)):
        owned = QueryExpression(table.logical_name, (table.primary_id,), filter=equals("ownerid", owner))
        for row in system.records(owned):
            record = EntityReference(table.logical_name, Guid(str(row[table.primary_id])))
            write(Update(record, {"ownerid": successor}))
