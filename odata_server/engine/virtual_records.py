"""Records of virtual tables: what this database does before a data provider writes them."""

from __future__ import annotations

from entities.errors import NotSupported, RecordNotFound
from entities.messages import Create, Written
from entities.metadata.tables import Table
from entities.pipeline import Caller
from entities.values import EntityReference, KeyReference
from entities.virtual import DataProvider


def id_of(table: Table, target: EntityReference | KeyReference) -> EntityReference:
    """Return the target's id; virtual tables have no alternate keys (Learn: "Limitations of virtual tables").

    Raises:
        RecordNotFound: the target is named by a key.
    """
    if isinstance(target, KeyReference):
        raise RecordNotFound(
            f"The specified key attributes are not a defined key for the {table.logical_name} entity",
            code="0x80060890",
        )
    return target


def create_virtual(provider: DataProvider, message: Create, table: Table, caller: Caller) -> Written:
    """Let a data provider make a record.

    Raises:
        NotSupported: related records are to be made with it.
    """
    if message.related:
        raise NotSupported(f"Related records cannot be created with one of the virtual table '{message.table}'.")
    made = provider.create(table, message.record, caller)
    return Written(EntityReference(table.logical_name, made), created=True)
