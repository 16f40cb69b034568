"""Which business unit a record belongs to: that of its owner, looked up once per transaction and owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.query import QueryExpression, equals
from entities.values import EntityReference, Guid, Record
from odata_server.engine.defaults import following_owner
from odata_server.engine.references import not_found

_NOTHING: Final[Record] = MappingProxyType({})


class Owners:
    """What follows from users and teams as owners, as a transaction has seen them.

    Args:
        records: reads records inside the transaction.
    """

    def __init__(self, records: Callable[[QueryExpression], Sequence[Record]]) -> None:
        self._records = records
        self._following: dict[EntityReference, Record] = {}

    def following(self, table: Table, record: Record, catalog: Catalog) -> Record:
        """Return the columns of a record that follow from its owner.

        Raises:
            RecordNotFound: there is no such owner.
        """
        owner = record.get("ownerid")
        if not table.is_user_owned or not isinstance(owner, EntityReference):
            return _NOTHING
        if owner not in self._following:
            self._following[owner] = following_owner(owner, self._unit_of(owner, catalog))
        return self._following[owner]

    def forget(self, table: Table) -> None:
        """Look again where records of users or teams have been written."""
        if table.logical_name in ("systemuser", "team"):
            self._following.clear()

    def _unit_of(self, owner: EntityReference, catalog: Catalog) -> Guid:
        query = QueryExpression(owner.table, ("businessunitid",), filter=equals(f"{owner.table}id", owner.id))
        found = self._records(query)
        unit = found[0]["businessunitid"] if found else None
        if not isinstance(unit, EntityReference):
            raise not_found(catalog.tables[owner.table], owner.id)
        return unit.id
