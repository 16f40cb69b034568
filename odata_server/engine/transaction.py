"""One unit of work: messages executed inside one transaction, with the event pipeline around each.

It is what a pipeline step knows as `Operations`. Order per message: table privilege, pre-validation, row access,
pre-operation, main operation, post-operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import assert_never, cast

from entities.errors import NotSupported
from entities.messages import (
    Associate,
    Changes,
    Create,
    Delete,
    Disassociate,
    Done,
    Execute,
    Executed,
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
from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.tables import Table
from entities.pipeline import Caller, Stage
from entities.query import QueryExpression, equals
from entities.values import EntityReference, Guid, Record
from odata_server.engine import file_store, jobs, reading, rows
from odata_server.engine.admissions import Admissions
from odata_server.engine.bulk import Pending, Stages
from odata_server.engine.cascade import before_delete
from odata_server.engine.catalog_store import apply_change, removed_since
from odata_server.engine.change_tracking import note_deletion, retrieve_changes
from odata_server.engine.database import Writer
from odata_server.engine.deep_insert import Writing, create_with_related
from odata_server.engine.files.definitions import with_files
from odata_server.engine.files.uploads import Uploading, is_upload, upload
from odata_server.engine.identifiers import set_number, take_number, taken_number
from odata_server.engine.record_writes import RecordWrites
from odata_server.engine.references import check_exists, navigation_of, resolve
from odata_server.engine.relations import Link, PairChange, apply_pair, change_of, proof_of, unrelated
from odata_server.engine.rules import Callers, Rules
from odata_server.engine.sharing import access_to
from odata_server.engine.work import Work
from security.authorize import Authorized, authorize
from security.principals import Principal


class Transaction:
    """The running unit of work.

    Args:
        connection: the writing connection, inside its transaction.
        catalog: the metadata at its start.
        now: one reading of the clock for everything in it.
        rules: what is the same for every transaction of the environment.
    """

    def __init__(self, connection: Writer, catalog: Catalog, now: datetime, rules: Rules) -> None:
        self._work = Work(connection, catalog, now, rules, self)
        self._records = RecordWrites(self._work)
        self._callers = Callers(rules.system().caller)
        self._deleting: set[EntityReference] = set()
        self._pending: Pending | None = None
        self.jobs_queued = False

    @property
    def catalog(self) -> Catalog:
        """The metadata as this transaction sees it."""
        return self._work.catalog

    @property
    def depth(self) -> int:
        """How many messages the running one is nested in, itself counted."""
        return self._callers.depth

    @depth.setter
    def depth(self, depth: int) -> None:
        """Say how deep what caused the whole transaction was nested."""
        self._callers.outer = depth

    @property
    def now(self) -> datetime:
        """The transaction's time."""
        return self._work.now

    def execute(self, message: Message, caller: Caller | None = None) -> Response:
        """Execute a message with the system's rights, in a caller's name or in that of the running message."""
        return self.perform(message, self._work.on_behalf(caller or self._callers.now))

    def execute_as(self, message: Message, user_id: Guid) -> Response:
        """Execute a message as a user, who may do here what it may do anywhere."""
        return self.perform(message, self._work.rules.user(user_id))

    def records(self, query: QueryExpression) -> tuple[Record, ...]:
        """Return the records a query selects, read with the system's rights."""
        if self._pending is not None and self._pending.is_seen_by(query):
            self.write_pending()
        return self._work.readings.records(query)

    def access(self, principal: EntityReference, record: EntityReference) -> tuple[int, int]:
        """Return the flags of the rights that a user or team has on a record: by its roles, and by shares."""
        return access_to(self._work.checks, self._work.rules, principal, record)

    def count(self, table: Table) -> int:
        """Return the number of a table's records."""
        self.write_pending()
        return rows.count(self._work.connection, table)

    def keep(self, target: EntityReference, record: Record, *, as_change: bool) -> None:
        """Write columns that the system keeps of a record, which is no change by anybody."""
        table, kept = self._work.standard(target.table), dict(record)
        if as_change:
            rows.stamped(self._work.connection, table, kept)
        rows.update(self._work.connection, table, target.id, kept)
        self._work.readings.forget()

    def sequence(self, name: str) -> int | None:
        """Return the number that was taken last from a named sequence, None where none was."""
        return taken_number(self._work.connection, name)

    def set_sequence(self, name: str, number: int) -> None:
        """Make a number the one that was taken last from a named sequence."""
        set_number(self._work.connection, name, number)

    def next_number(self, sequence: str) -> int:
        """Take the next number of a named sequence."""
        return take_number(self._work.connection, sequence, 1)

    def enqueue(self, job: str, payload: Mapping[str, object], due: datetime | None = None) -> Guid:
        """Queue a job that exists if and only if this transaction commits."""
        self.jobs_queued = True
        moment = due.timestamp() if due else None
        return jobs.enqueue(self._work.connection, job, payload, self._work.now.timestamp(), moment)

    def admit(self, authorized: Iterable[Authorized[Message]]) -> None:
        """Take note of messages that have been authorized with this transaction's catalog already."""
        self._work.admissions = Admissions(self._work.catalog, authorized)

    def change_catalog(self, change: CatalogChange) -> None:
        """Put or remove tables and relationships."""
        work = self._work
        change = with_files(work.connection, work.catalog, change)
        work.catalog = apply_change(work.connection, work.catalog, change)
        work.readings.forget()

    def removed_since(self, stamp: int) -> tuple[tuple[str, str], ...]:
        """Return the definitions that were removed after a stamp: what kind each was of, and its MetadataId."""
        return removed_since(self._work.connection, stamp)

    def perform(self, message: Message, principal: Principal) -> Response:
        """Execute a message for a principal.

        Raises:
            DataverseError: it is refused; the caller of the transaction rolls back.
        """
        self.write_pending()
        with self._callers(principal.caller):
            return self._dispatch(message, principal)

    def change_all(self, messages: Sequence[Create | Update | Upsert], principal: Principal) -> tuple[Written, ...]:
        """Make and change records of one table for a principal; their rows are written together.

        Raises:
            DataverseError: one is refused; the caller of the transaction rolls back.
        """
        self.write_pending()
        self._pending = Pending(self._stages(principal), principal)
        with self._callers(principal.caller):
            return self._pending.change_all(messages)

    def write_pending(self) -> None:
        """Write the rows of all records that have been begun.

        Raises:
            DataverseError: one of them is refused; the caller of the transaction rolls back.
        """
        if self._pending is not None and self._pending.drafts:
            with self._callers(self._pending.principal.caller):
                self._pending.write()

    def _stages(self, principal: Principal) -> Stages:
        work, records = self._work, self._records
        return Stages(
            work.connection,
            partial(records.settled, principal=principal),
            partial(records.begin, principal=principal),
            records.check,
            records.end,
            lambda message: cast("Written", self._dispatch(message, principal)),
            work.rules.security_tables,
            lambda name, ids: work.readings.read_ahead(work.standard(name), ids),
        )

    def _dispatch(self, message: Message, principal: Principal) -> Response:
        match message:
            case Create():
                return create_with_related(message, self._writing(principal))
            case Update():
                return self._records.write(message, principal)
            case Upsert():
                return self._records.write(self._records.settled(message, principal), principal)
            case Delete():
                return self._delete(message, principal)
            case Associate() | Disassociate():
                return self._relate(message, principal)
            case Execute():
                return self._run_action(message, principal)
            case Retrieve() | RetrieveMultiple() | RetrieveChanges():
                return self._read(message, principal)
            case ReadMetadata():
                authorize(message, principal, self._work.catalog)
                return Done()
            case _:
                assert_never(message)

    def _writing(self, principal: Principal) -> Writing:
        return Writing(
            self._work.catalog,
            lambda new: self._records.write(new, principal),
            lambda link: self._relate(link, principal),
        )

    def _delete(self, message: Delete, principal: Principal) -> Done:
        work = self._work
        authorized = work.admissions.authorized(message, principal, work.catalog)
        table = work.standard(message.target.table)
        target = resolve(work.connection, work.catalog, message.target)
        work.checks.check_version(table, target, authorized, message.version)
        context = work.context(message, principal, pre_image=work.readings.image(table, target), reference=target)
        work.run(context, Stage.PRE_VALIDATION, table.logical_name)
        work.run(context, Stage.PRE_OPERATION, table.logical_name)
        self._deleting.add(target)
        for change in list(before_delete(work.connection, work.catalog, table, target.id)):
            self._follow(change, principal)
        self._deleting.discard(target)
        rows.delete(work.connection, table, target.id)
        note_deletion(work.connection, table, target.id, work.now)
        file_store.remove_of_record(work.connection, table, target.id)
        work.written(table)
        work.run(context, Stage.POST_OPERATION, table.logical_name)
        return Done()

    def _follow(self, change: Delete | Update, principal: Principal) -> None:
        """Write what follows from a deletion, unless another consequence of it has taken the record away."""
        work = self._work
        # Records may depend on one another in a circle, or on the deleted one in more than one way.
        child = resolve(work.connection, work.catalog, change.target)
        if child in self._deleting or not rows.exists(work.connection, work.catalog.tables[child.table], child.id):
            return
        if isinstance(change, Delete):
            self._delete(change, work.on_behalf(principal.caller))
        else:
            self._records.write(change, work.on_behalf(principal.caller))

    def _relate(self, message: Associate | Disassociate, principal: Principal) -> Done:
        work = self._work
        authorized = work.admissions.authorized(message, principal, work.catalog)
        table = work.standard(message.target.table)
        target = resolve(work.connection, work.catalog, message.target)
        work.checks.check_version(table, target, authorized, message.version)
        related = resolve(work.connection, work.catalog, message.related) if message.related else None
        if related:
            check_exists(work.connection, work.catalog, related)
        navigation = navigation_of(work.catalog, table, message.navigation)
        parameters = {"relationship": navigation.relationship.schema_name, "target": target, "related": related}
        context = work.context(message, principal, reference=target, parameters=parameters)
        work.run(context, Stage.PRE_VALIDATION, table.logical_name)
        work.run(context, Stage.PRE_OPERATION, table.logical_name)
        self._set_link(Link(navigation, target, related, isinstance(message, Associate)), principal)
        work.checks.check_bound(authorized)
        work.run(context, Stage.POST_OPERATION, table.logical_name)
        return Done()

    def _set_link(self, link: Link, principal: Principal) -> None:
        work = self._work
        proof = proof_of(link, work.catalog)
        if proof is not None and link.related is not None and not self.records(proof):
            raise unrelated(link.related)
        match change_of(link):
            case PairChange() as change:
                work.written(apply_pair(work.connection, work.catalog, change))
            case Update() as change:
                # The caller has been authorized for the relation; the lookup behind it changes on its behalf.
                self.perform(change, work.on_behalf(principal.caller))

    def _run_action(self, message: Execute, principal: Principal) -> Response:
        work = self._work
        authorized = work.admissions.authorized(message, principal, work.catalog)
        if is_upload(message):
            return upload(
                message, Uploading(work.checks, principal, self, lambda row: self._records.write(row, principal))
            )
        table = table_of(message)
        handlers = work.rules.pipeline.steps(message.name, table, Stage.MAIN)
        if not handlers:
            raise NotSupported(f"The operation '{message.name}' is not available in this version of Talentverse.")
        target = resolve(work.connection, work.catalog, message.target) if message.target else None
        if target:
            work.checks.check_version(work.standard(target.table), target, authorized, None)
        work.checks.check_bound(authorized)
        context = work.context(message, principal, reference=target, parameters=message.parameters)
        for stage in Stage:
            work.run(context, stage, table)
        return Done() if context.result is None else Executed(context.result)

    def _read(self, message: Retrieve | RetrieveMultiple | RetrieveChanges, principal: Principal) -> Rows | Changes:
        work = self._work
        if isinstance(message, RetrieveChanges):
            allowed = authorize(message, principal, work.catalog).message
            return retrieve_changes(work.connection, work.rules.plans, work.catalog, allowed, work.now)
        if isinstance(message, Retrieve):
            target = resolve(work.connection, work.catalog, message.target)
            table = work.catalog.tables[target.table]
            query = QueryExpression(target.table, message.columns, filter=equals(table.primary_id, target.id))
        else:
            query = message.query
        narrowed = authorize(RetrieveMultiple(query), principal, work.catalog).message.query
        return reading.read_records(work.connection, work.rules.plans, work.catalog, narrowed)
