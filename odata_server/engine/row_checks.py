"""Rights on rows, as only the transaction can know them: an authorized message carries filters, the rows decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from entities.errors import VersionMismatch
from entities.messages import Message
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.query import ALL_ROWS, Filter
from entities.values import EntityReference, Guid, Record
from odata_server.engine import reading, rows
from odata_server.engine.database import Connection
from odata_server.engine.own_columns import own_columns
from odata_server.engine.references import check_exists, not_found, resolve
from security.authorize import Authorized, OwnerCheck
from security.denials import row_denied
from security.privileges import AccessRight


@dataclass(frozen=True, slots=True)
class RowChecks:
    """The rows of a transaction as it sees them now."""

    connection: Connection
    plans: reading.PlanCache
    catalog: Catalog

    def check_version(
        self, table: Table, target: EntityReference, authorized: Authorized[Message], version: int | None
    ) -> None:
        """Check that the caller may use the row and that it is the version the caller means.

        Raises:
            RecordNotFound: there is no such row.
            AccessDenied: there is, but not for this caller.
            VersionMismatch: it has changed meanwhile.
        """
        found = rows.version_of(self.connection, self.plans, self.catalog, table, target.id, authorized.rows)
        if found is None:
            if rows.exists(self.connection, table, target.id):
                raise row_denied(authorized.principal, authorized.right, target)
            raise not_found(table, target.id)
        if version is not None and found[0] != version:
            raise VersionMismatch("The version of the existing record doesn't match the RowVersion property provided.")

    def check_made(self, table: Table, made: Iterable[tuple[Authorized[Message], Record]]) -> None:
        """Check that stored records of a table are among those that Create reaches (their owners decide).

        Raises:
            AccessDenied: one is not.
        """
        # What a filter says of its own columns is the same for all rows with the same values in them.
        said: set[tuple[object, ...]] = set()
        columns: frozenset[str] | None = frozenset()
        looked_at: Filter = ALL_ROWS
        for authorized, record in made:
            if authorized.rows is ALL_ROWS:
                continue
            if authorized.rows is not looked_at:
                columns, looked_at = own_columns(authorized.rows), authorized.rows
            if columns is not None:
                values = (id(authorized.rows), *map(record.get, columns))
                if values in said:
                    continue
                said.add(values)
            reference = EntityReference(table.logical_name, Guid(str(record[table.primary_id])))
            self._check_row(authorized, reference, authorized.right, authorized.rows)

    def check_bound(self, authorized: Authorized[Message]) -> None:
        """Check the rights on the records that lookups point to, and that a new owner may read the record.

        Raises:
            AccessDenied: a right is missing.
        """
        for check in authorized.targets:
            subject = resolve(self.connection, self.catalog, check.target)
            self._check_row(authorized, subject, check.right, check.rows)
        if authorized.owner is not None:
            self.check_owner(authorized.owner)

    def check_owner(self, check: OwnerCheck) -> None:
        """Check that a new owner may read the table of the record.

        Raises:
            AccessDenied: it may not.
            RecordNotFound: there is no such user or team.
        """
        owner = resolve(self.connection, self.catalog, check.target)
        if not self.is_among(owner, check.rows):
            check_exists(self.connection, self.catalog, owner)
            raise check.denial

    def _check_row(
        self, authorized: Authorized[Message], subject: EntityReference, right: AccessRight, reached: Filter
    ) -> None:
        if not self.is_among(subject, reached):
            check_exists(self.connection, self.catalog, subject)
            raise row_denied(authorized.principal, right, subject)

    def is_among(self, reference: EntityReference, filter_: Filter) -> bool:
        """Say whether a record is among those of a filter; of virtual tables that is not known here."""
        table = self.catalog.tables[reference.table]
        if filter_ == ALL_ROWS or table.source is not None:
            return True
        return rows.version_of(self.connection, self.plans, self.catalog, table, reference.id, filter_) is not None
