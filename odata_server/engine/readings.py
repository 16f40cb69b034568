"""What a transaction has read and nobody has written since: the same question is asked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from entities.metadata.tables import Table
from entities.query import ColumnRef, Condition, ConditionOperator, QueryExpression, equals
from entities.values import EntityReference, Guid, Record
from odata_server.engine.references import not_found

_PORTION: Final = 500


class Readings:
    """The answers to the queries of a transaction; each write makes them stale.

    Args:
        read: runs a query inside the transaction.
    """

    def __init__(self, read: Callable[[QueryExpression], Sequence[Record]]) -> None:
        self._read = read
        self._known: dict[QueryExpression, tuple[Record, ...]] = {}

    def forget(self) -> None:
        """Ask again: something has been written."""
        self._known.clear()

    def records(self, query: QueryExpression) -> tuple[Record, ...]:
        """Return the records that a query selects."""
        if query not in self._known:
            self._known[query] = tuple(self._read(query))
        return self._known[query]

    def image(self, table: Table, target: EntityReference) -> Record:
        """Return the stored record, all columns of it.

        Raises:
            RecordNotFound: there is none.
        """
        found = self.records(_of_one(table, target.id))
        if not found:
            raise not_found(table, target.id)
        return found[0]

    def read_ahead(self, table: Table, ids: Sequence[Guid]) -> None:
        """Read records whose images will be asked for, many with one query."""
        for start in range(0, len(ids), _PORTION):
            some = Condition(ColumnRef(table.primary_id), ConditionOperator.IN, tuple(ids[start : start + _PORTION]))
            for record in self._read(QueryExpression(table.logical_name, filter=some)):
                self._known[_of_one(table, Guid(str(record[table.primary_id])))] = (record,)


def _of_one(table: Table, record_id: Guid) -> QueryExpression:
    return QueryExpression(table.logical_name, filter=equals(table.primary_id, record_id))
