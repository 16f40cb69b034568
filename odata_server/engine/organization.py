"""The one door of an environment: messages in, responses out.

`execute` takes one message, `execute_transaction` a list that succeeds or fails as a whole, `unit_of_work` one after
the other for as long as it is open. Reads of standard tables run on this thread's reading connection; writes run in a
transaction; messages on virtual tables go to the data provider behind them, in no transaction of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from entities.errors import NotSupported
from entities.grouping import has_dates, with_calendar
from entities.messages import (
    Associate,
    Create,
    Delete,
    Disassociate,
    Done,
    Execute,
    Message,
    ReadMetadata,
    Response,
    Retrieve,
    RetrieveChanges,
    RetrieveMultiple,
    Rows,
    Update,
    Upsert,
    Written,
    table_of,
)
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Pipeline
from entities.query import ALL_ROWS, QueryExpression, both, equals
from entities.relative import concrete, is_relative
from entities.values import EntityReference, Guid
from entities.virtual import DataProvider
from odata_server.edm.representation import RowShape
from odata_server.engine import reading, rows
from odata_server.engine.caller_settings import caller_settings
from odata_server.engine.catalog_store import load_catalog, read_stamp
from odata_server.engine.change_tracking import check_tracked, retrieve_changes
from odata_server.engine.database import Connection, Database, single
from odata_server.engine.files.downloads import Downloading, download, is_download
from odata_server.engine.narrowed import NarrowedQueries
from odata_server.engine.references import not_found, resolve
from odata_server.engine.registered_steps import LoadSteps, RegisteredSteps
from odata_server.engine.relations import Link
from odata_server.engine.rules import Rules, no_versions, not_in_transaction
from odata_server.engine.snapshots import CHANGED, Snapshots, StaleSnapshot, same_tables
from odata_server.engine.transaction import Transaction
from odata_server.engine.virtual_records import create_virtual, id_of
from odata_server.engine.virtual_relations import relate
from security.authorize import Authorized, authorize
from security.denials import row_denied
from security.directory import Directory
from security.principals import Principal


@dataclass(frozen=True, slots=True)
class Parts:
    """What an environment is made of besides its database.

    `directory` is made from the database and a reading of the stamp; `providers` stand behind virtual tables by name;
    `registered` reads the steps that rows register.
    """

    pipeline: Pipeline
    directory: Callable[[Database, Callable[[], int]], Directory]
    security_tables: frozenset[str]
    providers: Mapping[str, DataProvider]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    registered: LoadSteps = lambda _catalog, _records: None


class OrganizationService:
    """An environment at work.

    Args:
        database: an initialized database.
        parts: pipeline, directory, providers, clock.
    """

    def __init__(self, database: Database, parts: Parts) -> None:
        self.database = database
        self._parts = parts
        self._snapshots = Snapshots(load_catalog(database.reader()))
        self._plans = reading.PlanCache()
        self._narrowed = NarrowedQueries()
        self._directory: Directory = parts.directory(database, lambda: self._catalog.version)
        registered = RegisteredSteps(parts.registered)
        self._rules = Rules(parts.pipeline, self._directory, parts.security_tables, self._plans, registered)
        self.organization_id = Guid(str(single(database.reader(), 'SELECT organization_id FROM "$state"')))
        self.on_job: Callable[[], None] = lambda: None
        self.opened: _OpenTransaction | None = None

    @property
    def catalog(self) -> Catalog:
        """The metadata as it is now, in whatever process it was changed; this thread goes on with it."""
        self._refresh()
        return self._catalog

    @property
    def _catalog(self) -> Catalog:
        """The metadata that this thread goes on with, so that a message meets what it was bound against."""
        return self._snapshots.own() if self.opened is None else self.opened.transaction.catalog

    def _refresh(self) -> None:
        if self.opened is not None:
            return
        newest = self._snapshots.newest
        if read_stamp(self.database.reader()) != newest.version:
            newest = load_catalog(self.database.reader(), newest)
        self._snapshots.keep(newest)

    def _reader(self) -> Connection:
        """Return what to read with: what is committed, or what the open transaction sees."""
        return self.database.reader() if self.opened is None else self.opened.connection

    @property
    def plans(self) -> reading.PlanCache:
        """The compiled plans of this process."""
        return self._plans

    @property
    def directory(self) -> Directory:
        """The principals as they are now, in whatever process their rights were changed."""
        self._refresh()
        return self._directory

    @property
    def members(self) -> Directory:
        """The principals as they were when somebody asked for the catalog last: a request looks once."""
        return self._directory

    @property
    def system(self) -> Principal:
        """The principal with every right."""
        return self._directory.system()

    def execute(self, message: Message, principal: Principal, *, shape: RowShape | None = None) -> Response:
        """Execute one message.

        Args:
            message: what is wanted.
            principal: for whom.
            shape: the wire form of the rows to read; without one, rows come as records.

        Raises:
            DataverseError: it is refused; nothing has changed.
            StaleSnapshot: the metadata changed meanwhile.
        """
        table = self._virtual_table(message)
        try:
            message = self._concrete(message, principal)
            if table is not None:
                return self._execute_virtual(message, principal, table)
            match message:
                case RetrieveMultiple():
                    return self._retrieve_multiple(message, principal, shape)
                case Retrieve():
                    return self._retrieve(message, principal, shape)
                case RetrieveChanges():
                    allowed, now = authorize(message, principal, self._catalog).message, self._parts.clock()
                    return retrieve_changes(self._reader(), self._plans, self._catalog, allowed, now, shape)
                case ReadMetadata():
                    authorize(message, principal, self._catalog)
                    return Done()
                case Execute() if is_download(message):
                    work = Downloading(self._reader(), self._catalog, lambda row: self._retrieve(row, principal, None))
                    return download(authorize(message, principal, self._catalog).message, work)
                case _:
                    return self.execute_transaction((message,), principal)[0]
        except self.database.dialect.statement_errors as error:
            if self.opened is None and self._catalog.version != read_stamp(self.database.reader()):
                raise StaleSnapshot(CHANGED) from error
            raise

    def execute_transaction(self, messages: Sequence[Message], principal: Principal) -> tuple[Response, ...]:
        """Execute messages in one transaction: all of them, or none.

        Raises:
            DataverseError: one is refused; nothing has changed.
            StaleSnapshot: a table that a message is about has changed since the message was bound.
        """
        catalog = self._catalog
        messages = [self._concrete(message, principal) for message in messages]
        if self.opened is not None:
            return tuple(self.opened.transaction.perform(message, principal) for message in messages)
        authorized = [authorize(message, principal, catalog) for message in messages]
        with self._writing(messages, catalog) as transaction:
            transaction.admit(authorized if transaction.catalog is catalog else [])
            return tuple(transaction.perform(message, principal) for message in messages)

    def execute_multiple(
        self, changes: Sequence[Create | Update | Upsert], principal: Principal
    ) -> tuple[Written, ...]:
        """Make and change records of one table in one transaction: all of them, or none; their rows go in together.

        Raises:
            DataverseError: one is refused; nothing has changed.
            StaleSnapshot: the table has changed since the changes were bound.
        """
        if self.opened is not None:
            return self.opened.transaction.change_all(changes, principal)
        with self._writing(changes, self._catalog) as transaction:
            return transaction.change_all(changes, principal)

    @contextmanager
    def _writing(self, messages: Sequence[Message], catalog: Catalog) -> Iterator[Transaction]:
        """Give a transaction for messages that were bound against a catalog; it is committed when the block ends."""
        with self.database.writing() as connection:
            if read_stamp(connection) != catalog.version:
                catalog = same_tables(messages, catalog, load_catalog(connection, catalog))
            transaction = Transaction(connection, catalog, self._parts.clock(), self._rules)
            with self._without_plans_to_be(transaction):
                yield transaction
        self._committed(transaction)

    @contextmanager
    def _without_plans_to_be(self, transaction: Transaction) -> Iterator[None]:
        """Forget plans of metadata that was not to be: other metadata will have its version."""
        before = transaction.catalog.version
        try:
            yield
        except BaseException:
            if transaction.catalog.version != before:
                self._plans.plans.clear()
            raise

    @contextmanager
    def unit_of_work(self) -> Iterator[OrganizationService]:
        """Give this environment inside one open transaction, which is committed when the block ends.

        Each message is executed at once and sees what those before it did; an exception takes all of them back. What
        stands behind virtual tables can be read and not changed. The block must not use this object meanwhile.

        Raises:
            TemporarilyUnavailable: others held the database longer than a request may wait.
        """
        with self.database.writing() as connection:
            self._refresh()
            transaction = Transaction(connection, self._catalog, self._parts.clock(), self._rules)
            unit = copy(self)
            unit.opened = _OpenTransaction(connection, transaction)
            with self._without_plans_to_be(transaction):
                yield unit
        self._committed(transaction)

    @contextmanager
    def changing(self) -> Iterator[Transaction]:
        """Give a transaction to a job of the system; it is committed when the block ends."""
        with self.database.writing() as connection:
            catalog = self._catalog
            if read_stamp(connection) != catalog.version:
                catalog = load_catalog(connection, catalog)
            transaction = Transaction(connection, catalog, self._parts.clock(), self._rules)
            with self._without_plans_to_be(transaction):
                yield transaction
        self._committed(transaction)

    def _committed(self, transaction: Transaction) -> None:
        if transaction.jobs_queued:
            self.on_job()

    def _concrete(self, message: Message, principal: Principal) -> Message:
        """Return the message with what depends on the caller resolved: "last week", "me", the calendar of groups."""
        if not isinstance(message, RetrieveMultiple):
            return message
        if not is_relative(message.query) and not has_dates(message.query):
            return message
        return replace(message, query=self._concrete_query(message.query, principal))

    def _concrete_query(self, query: QueryExpression, principal: Principal) -> QueryExpression:
        connection, catalog = self._reader(), self._catalog
        settings = caller_settings(connection, self._plans, catalog, principal, self._parts.clock())
        return with_calendar(concrete(query, settings, catalog), settings)

    def _retrieve_multiple(self, message: RetrieveMultiple, principal: Principal, shape: RowShape | None) -> Rows:
        query = self._narrowed.narrowed(message, principal, self._catalog)
        connection = self._reader()
        if shape is None:
            return reading.read_records(connection, self._plans, self._catalog, query.query)
        return reading.read_signed(connection, self._plans, self._catalog, query, shape)

    def _retrieve(self, message: Retrieve, principal: Principal, shape: RowShape | None) -> Rows:
        authorized = authorize(message, principal, self._catalog)
        connection, catalog = self._reader(), self._catalog
        target = resolve(connection, catalog, message.target)
        table = catalog.tables[target.table]
        own = equals(table.primary_id, target.id)
        expansions = authorized.message.expansions
        query = QueryExpression(target.table, message.columns, filter=both(own, authorized.rows), expansions=expansions)
        if query.expansions and is_relative(query):
            query = self._concrete_query(query, principal)
        if shape is None:
            found = reading.read_records(connection, self._plans, catalog, query)
        else:
            found = reading.read_row(connection, self._plans, catalog, query, shape)
        if not found.count:
            raise self._nothing(authorized, table, target)
        if message.unless_version is not None and found.version == message.unless_version:
            return replace(found, not_modified=True)
        return found

    def _nothing(self, authorized: Authorized[Retrieve], table: Table, target: EntityReference) -> Exception:
        if authorized.rows != ALL_ROWS and rows.exists(self._reader(), table, target.id):
            return row_denied(authorized.principal, authorized.right, target)
        return not_found(table, target.id)

    def _virtual_table(self, message: Message) -> Table | None:
        table = self._catalog.tables.get(table_of(message) or "")
        return table if table is not None and table.source is not None else None

    def _execute_virtual(self, message: Message, principal: Principal, table: Table) -> Response:
        """Hand a message on a virtual table to its provider, after Dataverse's own authorization."""
        authorized = authorize(message, principal, self._catalog)
        self._check_alone(message, table)
        provider, caller = self._provider(table), principal.caller
        match message:
            case RetrieveMultiple():
                assert isinstance(authorized.message, RetrieveMultiple)
                return provider.retrieve_multiple(table, authorized.message.query, caller)
            case Retrieve():
                return self._retrieve_virtual(provider, message, principal, table)
            case Create():
                return create_virtual(provider, message, table, caller)
            case Update() | Upsert():
                target = id_of(table, message.target)
                provider.update(table, target.id, message.record, caller)
                return Written(target, created=False)
            case Delete():
                provider.delete(table, id_of(table, message.target).id, caller)
                return Done()
            case Associate() | Disassociate():
                relate(self._link(message, table), self._catalog, self._provider, caller)
                return Done()
            case Execute() | ReadMetadata() | RetrieveChanges():
                check_tracked(table)
                raise NotSupported(f"This operation is not available on the virtual table '{table.logical_name}'.")

    def _check_alone(self, message: Message, table: Table) -> None:
        if self.opened is not None and not isinstance(message, Retrieve | RetrieveMultiple):
            raise not_in_transaction(table)
        if isinstance(message, Update | Delete | Associate | Disassociate) and message.version is not None:
            raise no_versions(table)

    def _provider(self, table: Table) -> DataProvider:
        """Return what stands behind a virtual table."""
        assert table.source is not None
        return self._parts.providers[table.source.provider]

    def _link(self, message: Associate | Disassociate, table: Table) -> Link:
        """Return the relation that a message makes or ends, its records by id."""
        if message.version is not None:
            raise no_versions(table)
        tables, related = self._catalog.tables, message.related
        other = id_of(tables[related.table], related) if related else None
        navigation = self._catalog.navigations[table.logical_name][message.navigation]
        return Link(navigation, id_of(table, message.target), other, isinstance(message, Associate))

    def _retrieve_virtual(self, provider: DataProvider, message: Retrieve, principal: Principal, table: Table) -> Rows:
        target = id_of(table, message.target)
        query = QueryExpression(table.logical_name, message.columns, filter=equals(table.primary_id, target.id))
        found = provider.retrieve_multiple(table, query, principal.caller)
        if not found.count:
            raise not_found(table, target.id)
        return found


@dataclass(frozen=True, slots=True)
class _OpenTransaction:
    """The transaction that a unit of work runs in."""

    connection: Connection
    transaction: Transaction
