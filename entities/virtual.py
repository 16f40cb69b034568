"""What stands behind a virtual table: a data provider (Learn: "Virtual table data providers").

The engine calls it in the main operation, after Dataverse's own authorization. A provider brings its own second layer
of security and its own refusals; the rows never enter the environment's database.
"""

from __future__ import annotations

from typing import Protocol

from entities.messages import Rows
from entities.metadata.tables import Table
from entities.pipeline import Caller
from entities.query import QueryExpression
from entities.values import Guid, Record


class DataProvider(Protocol):
    """Five messages on rows that live elsewhere; ids are those of the virtual table."""

    def retrieve_multiple(self, table: Table, query: QueryExpression, caller: Caller) -> Rows:
        """Return records under the virtual table's column names.

        Raises:
            StepRejected: the source refuses; the text is the source's.
            InvalidOperation: the query's shape is not possible on this source.
        """
        ...

    def create(self, table: Table, record: Record, caller: Caller) -> Guid:
        """Make a record and return its id."""
        ...

    def update(self, table: Table, record_id: Guid, record: Record, caller: Caller) -> None:
        """Change columns of a record.

        Raises:
            RecordNotFound: there is none with this id.
        """
        ...

    def delete(self, table: Table, record_id: Guid, caller: Caller) -> None:
        """Delete a record.

        Raises:
            RecordNotFound: there is none with this id.
        """
        ...
