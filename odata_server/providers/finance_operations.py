"""The finance-and-operations data provider: virtual tables over the data entities of Human Resources.

The caller is looked up in Human Resources and every message runs as the user found there, with that user's rights
(domain rule b.10). Human Resources does the filtering, the ordering, the paging and the validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from entities.errors import (
    AccessDenied,
    DuplicateRecord,
    InvalidArgument,
    InvalidOperation,
    InvalidPayload,
    MethodNotAllowed,
    RecordNotFound,
    StepRejected,
    TooManyRequests,
    VersionMismatch,
)
from entities.messages import Create, Delete, Message, Response, RetrieveMultiple, Rows, Update, Written
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Caller
from entities.query import QueryExpression
from entities.values import EntityReference, Guid, Record
from odata_server.providers.query_translation import source_query, source_record, virtual_rows
from odata_server.providers.table_mapping import TableMapping, table_mapping
from security.principals import Principal

PLUGIN_CODE: Final = "0x80040265"
"""What Dataverse answers when the plug-in behind the table refuses, with 403 as with 400."""


class CallerDirectory(Protocol):
    """Who a caller is in the source."""

    def application_user(self, application_id: Guid, object_id: Guid | None) -> Principal:
        """Return the user an application is mapped to.

        Raises:
            AccessDenied: the application is not registered, or its user is disabled.
        """
        ...

    def user(self, object_id: Guid | None, upn: str | None) -> Principal:
        """Return the user that a person is.

        Raises:
            AccessDenied: there is none, or it is disabled.
        """
        ...


class SourceEnvironment(Protocol):
    """The environment that holds the rows."""

    @property
    def catalog(self) -> Catalog:
        """Its metadata."""
        ...

    @property
    def directory(self) -> CallerDirectory:
        """Its users."""
        ...

    def execute(self, message: Message, principal: Principal) -> Response:
        """Execute a message as one of its users."""
        ...


class FinanceOperationsProvider:
    """Implements `entities.virtual.DataProvider` over another environment of this process.

    Args:
        source: the Human Resources environment.
    """

    def __init__(self, source: SourceEnvironment) -> None:
        self._source = source
        # The pairing of columns follows from two immutable tables; it is made anew when one of them is another object.
        self._mappings: dict[str, TableMapping] = {}

    def retrieve_multiple(self, table: Table, query: QueryExpression, caller: Caller) -> Rows:
        """Return records under the virtual table's column names.

        Raises:
            AccessDenied: the caller is unknown in Human Resources, or may not read there.
            StepRejected: Human Resources refuses.
            InvalidOperation: the query's shape is not possible.
        """
        mapping = self._mapping(table)
        translated = source_query(mapping, query)
        answer = self._execute(mapping, RetrieveMultiple(translated), caller, "Read")
        assert isinstance(answer, Rows)
        return virtual_rows(mapping, query, answer)

    def create(self, table: Table, record: Record, caller: Caller) -> Guid:
        """Make a record and return its id, which is the source row's.

        Raises:
            AccessDenied: the caller is unknown in Human Resources, or may not create there.
            StepRejected: a business rule refuses; the text is the last of the infolog.
            InvalidArgument: a choice has no such option.
        """
        mapping = self._mapping(table)
        message = Create(mapping.source.logical_name, source_record(mapping, record))
        answer = self._execute(mapping, message, caller, "Create")
        assert isinstance(answer, Written)
        return answer.reference.id

    def update(self, table: Table, record_id: Guid, record: Record, caller: Caller) -> None:
        """Change columns of a record.

        Raises:
            RecordNotFound: there is none with this id.
            AccessDenied: the caller is unknown in Human Resources, or may not write there.
            StepRejected: a business rule refuses.
            InvalidArgument: a choice has no such option.
        """
        mapping = self._mapping(table)
        target = EntityReference(mapping.source.logical_name, record_id)
        self._execute(mapping, Update(target, source_record(mapping, record)), caller, "Write")

    def delete(self, table: Table, record_id: Guid, caller: Caller) -> None:
        """Delete a record.

        Raises:
            RecordNotFound: there is none with this id.
            AccessDenied: the caller is unknown in Human Resources, or may not delete there.
            StepRejected: a business rule refuses.
        """
        mapping = self._mapping(table)
        self._execute(mapping, Delete(EntityReference(mapping.source.logical_name, record_id)), caller, "Delete")

    def _mapping(self, table: Table) -> TableMapping:
        assert table.source is not None
        source = self._source.catalog.tables[table.source.name.lower()]
        known = self._mappings.get(table.logical_name)
        if known is not None and known.virtual is table and known.source is source:
            return known
        made = self._mappings[table.logical_name] = table_mapping(table, source)
        return made

    def _execute(self, mapping: TableMapping, message: Message, caller: Caller, right: str) -> Response:
        principal = self._principal(caller)
        with _refusals(mapping, principal, right):
            return self._source.execute(message, principal)

    def _principal(self, caller: Caller) -> Principal:
        """Return the user of the source that the caller is.

        Raises:
            AccessDenied: there is none; the text is the documented one.
        """
        if caller.application_id is None and not caller.domain_name:
            raise AccessDenied("Unable to determine the user in CDS", code=PLUGIN_CODE)
        directory = self._source.directory
        try:
            if caller.application_id is not None:
                return directory.application_user(caller.application_id, caller.object_id)
            return directory.user(caller.object_id, caller.domain_name)
        except AccessDenied as error:
            raise AccessDenied(
                f"User {caller.full_name} was not found in finance and operations. Please ensure this user exists.",
                code=PLUGIN_CODE,
            ) from error


@contextmanager
def _refusals(mapping: TableMapping, principal: Principal, right: str) -> Iterator[None]:
    """Turn the source's refusals into those of a plug-in; the text stays the source's."""
    source = mapping.source
    try:
        yield
    except AccessDenied as error:
        raise AccessDenied(
            f"Access denied in finance and operations: user '{principal.caller.full_name}' doesn't have the right "
            f"{right} on table '{source.display_name.text()}' ({source.schema_name}).",
            code=PLUGIN_CODE,
        ) from error
    except RecordNotFound as error:
        raise RecordNotFound(error.message.replace(source.logical_name, mapping.virtual.logical_name)) from error
    except TooManyRequests as error:
        raise TooManyRequests(
            "A token was obtained to call Finance and Operations, but Finance and Operations returned an error of "
            "type 429.",
            retry_after=error.retry_after,
        ) from error
    except (
        DuplicateRecord,
        InvalidArgument,
        InvalidOperation,
        InvalidPayload,
        MethodNotAllowed,
        StepRejected,
        VersionMismatch,
    ) as error:
        raise StepRejected(error.message) from error
