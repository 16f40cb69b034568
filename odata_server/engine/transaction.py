"""One unit of work: messages executed inside one transaction, with the event pipeline around each.

It is what a pipeline step knows as `Operations`. Order per message: table privilege, pre-validation, row access,
pre-operation, main operation, post-operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
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
    name_of,
    table_of,
)
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Caller, ExecutionContext, Stage, Step
from entities.query import ALL_ROWS, QueryExpression, equals
from entities.values import EntityReference, Guid, Record
from odata_server.engine import file_store, jobs, reading, rows
from odata_server.engine.admissions import Admissions
from odata_server.engine.bulk import Draft, Pending, Stages
from odata_server.engine.cascade import assign_along, before_delete, inherit_access
from odata_server.engine.catalog_store import CatalogChange, apply_change, bump_stamp
from odata_server.engine.change_tracking import note_creation, note_deletion, retrieve_changes
from odata_server.engine.database import Writer
from odata_server.engine.deep_insert import Writing, create_with_related
from odata_server.engine.defaults import NewRecords, complete_change, require
from odata_server.engine.files.definitions import with_files
from odata_server.engine.files.images import attach_images, take_images
from odata_server.engine.files.uploads import Uploading, is_upload, upload
from odata_server.engine.identifiers import SequentialIds, new_id, set_number, take_number, taken_number
from odata_server.engine.owners import Owners
from odata_server.engine.readings import Readings
from odata_server.engine.references import check_exists, navigation_of, resolve, resolved
from odata_server.engine.relations import Link, PairChange, apply_pair, change_of, proof_of, unrelated
from odata_server.engine.row_checks import RowChecks
from odata_server.engine.row_sets import write_all
from odata_server.engine.rules import Callers, Rules, not_in_transaction
from odata_server.engine.sharing import access_to
from odata_server.engine.upserts import settled
from odata_server.engine.validation import unproven, validate
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
        self._connection = connection
        self._catalog = catalog
        self._now = now
        self._rules = rules
        self._callers = Callers(rules.system().caller)
        self._deleting: set[EntityReference] = set()
        self._admissions = Admissions(catalog)
        self.jobs_queued = False
        self._rights_changed = False
        self._owners = Owners(self.records)
        self._new = NewRecords(now, self.next_number)
        self._next_id = SequentialIds()
        self._pending: Pending | None = None
        self._steps: dict[tuple[str, str | None, Stage], tuple[Step, ...]] = {}
        self._readings = Readings(
            lambda query: reading.read_records(connection, rules.plans, self._catalog, query).records
        )
        self._registered = rules.registered.at(catalog, self.records)

    @property
    def catalog(self) -> Catalog:
        """The metadata as this transaction sees it."""
        return self._catalog

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
        return self._now

    def execute(self, message: Message, caller: Caller | None = None) -> Response:
        """Execute a message with the system's rights, in a caller's name or in that of the running message."""
        return self.perform(message, self._on_behalf(caller or self._callers.now))

    def execute_as(self, message: Message, user_id: Guid) -> Response:
        """Execute a message as a user, who may do here what it may do anywhere."""
        return self.perform(message, self._rules.user(user_id))

    def records(self, query: QueryExpression) -> tuple[Record, ...]:
        """Return the records a query selects, read with the system's rights."""
        if self._pending is not None and self._pending.is_seen_by(query):
            self.write_pending()
        return self._readings.records(query)

    def access(self, principal: EntityReference, record: EntityReference) -> tuple[int, int]:
        """Return the flags of the rights that a user or team has on a record: by its roles, and by shares."""
        return access_to(self._checks, self._rules, principal, record)

    def count(self, table: Table) -> int:
        """Return the number of a table's records."""
        self.write_pending()
        return rows.count(self._connection, table)

    def keep(self, target: EntityReference, record: Record, *, as_change: bool) -> None:
        """Write columns that the system keeps of a record, which is no change by anybody."""
        table, kept = self._standard(target.table), dict(record)
        if as_change:
            rows.stamped(self._connection, table, kept)
        rows.update(self._connection, table, target.id, kept)
        self._readings.forget()

    def sequence(self, name: str) -> int | None:
        """Return the number that was taken last from a named sequence, None where none was."""
        return taken_number(self._connection, name)

    def set_sequence(self, name: str, number: int) -> None:
        """Make a number the one that was taken last from a named sequence."""
        set_number(self._connection, name, number)

    def next_number(self, sequence: str) -> int:
        """Take the next number of a named sequence."""
        return take_number(self._connection, sequence, 1)

    def enqueue(self, job: str, payload: Mapping[str, object], due: datetime | None = None) -> Guid:
        """Queue a job that exists if and only if this transaction commits."""
        self.jobs_queued = True
        return jobs.enqueue(self._connection, job, payload, self._now.timestamp(), due.timestamp() if due else None)

    def admit(self, authorized: Iterable[Authorized[Message]]) -> None:
        """Take note of messages that have been authorized with this transaction's catalog already."""
        self._admissions = Admissions(self._catalog, authorized)

    def change_catalog(self, change: CatalogChange) -> None:
        """Put or remove tables and relationships."""
        change = with_files(self._connection, self._catalog, change)
        self._catalog = apply_change(self._connection, self._catalog, change)
        self._readings.forget()

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
        with self._callers(principal.caller):
            return self._pending_of(principal).change_all(messages)

    def write_pending(self) -> None:
        """Write the rows of all records that have been begun.

        Raises:
            DataverseError: one of them is refused; the caller of the transaction rolls back.
        """
        if self._pending is not None and self._pending.drafts:
            with self._callers(self._pending.principal.caller):
                self._pending.write()

    def _pending_of(self, principal: Principal) -> Pending:
        if self._pending is None or self._pending.principal is not principal:
            self.write_pending()
            self._pending = Pending(self._stages(principal), principal)
        return self._pending

    def _stages(self, principal: Principal) -> Stages:
        return Stages(
            self._connection,
            lambda message: self._settled(message, principal),
            lambda message: self._begin(message, principal),
            self._check,
            self._end,
            lambda message: cast("Written", self._dispatch(message, principal)),
            self._rules.security_tables,
            lambda name, ids: self._readings.read_ahead(self._standard(name), ids),
        )

    def _dispatch(self, message: Message, principal: Principal) -> Response:
        match message:
            case Create():
                return create_with_related(message, self._writing(principal))
            case Update():
                return self._update(message, principal)
            case Upsert():
                return self._upsert(message, principal)
            case Delete():
                return self._delete(message, principal)
            case Associate() | Disassociate():
                return self._relate(message, principal)
            case Execute():
                return self._run_action(message, principal)
            case Retrieve() | RetrieveMultiple() | RetrieveChanges():
                return self._read(message, principal)
            case ReadMetadata():
                authorize(message, principal, self._catalog)
                return Done()
            case _:
                assert_never(message)

    def _writing(self, principal: Principal) -> Writing:
        return Writing(
            self._catalog, lambda new: self._create(new, principal), lambda link: self._relate(link, principal)
        )

    def _run(self, context: ExecutionContext, stage: Stage, table: str | None) -> None:
        place = (name_of(context.message), table, stage)
        steps = self._steps.get(place)
        if steps is None:
            registered = self._registered.steps(*place) if self._registered is not None else ()
            steps = self._steps[place] = (*self._rules.pipeline.steps(*place), *registered)
        for step in steps:
            step.handler(context)

    def _context(self, message: Message, principal: Principal, **more: object) -> ExecutionContext:
        return replace(ExecutionContext(message, principal.caller, self), **more)  # type: ignore[arg-type]  # replace() checks the names

    def _create(self, message: Create, principal: Principal) -> Written:
        return self._write(self._begin_create(message, principal))

    def _write(self, draft: Draft) -> Written:
        rows.stamped(self._connection, draft.table, draft.context.record)
        write_all(self._connection, draft.table, [draft.row()])
        self._check([draft])
        return self._end(draft)

    def _begin(self, message: Create | Update, principal: Principal) -> Draft:
        if isinstance(message, Create):
            return self._begin_create(message, principal)
        return self._begin_update(message, principal)

    def _begin_create(self, message: Create, principal: Principal) -> Draft:
        authorized = self._admissions.authorized(message, principal, self._catalog)
        table = self._standard(message.table)
        record = resolved(self._connection, self._catalog, message.record)
        context = ExecutionContext(message, principal.caller, self, record)
        self._run(context, Stage.PRE_VALIDATION, table.logical_name)
        if table.primary_id not in record:
            record[table.primary_id] = new_id(self._connection, table.record_number, self._next_id)
        record = context.record = self._new.completed(table, record, principal.caller)
        self._owners.complete(table, record, self._catalog)
        context.reference = EntityReference(table.logical_name, Guid(str(record[table.primary_id])))
        filled = dict(record)
        self._run(context, Stage.PRE_OPERATION, table.logical_name)
        require(table, record)
        take_images(self._connection, table, context)
        validate(table, record, unproven(message.record, filled, record))
        return Draft(message, authorized, table, context)

    def _check(self, drafts: Sequence[Draft]) -> None:
        """Check the rights that written rows decide."""
        self._readings.forget()
        checks = self._checks
        made = [(draft.authorized, draft.context.record) for draft in drafts if isinstance(draft.message, Create)]
        checks.check_made(drafts[0].table, made)
        for draft in drafts:
            checks.check_bound(draft.authorized)

    def _end(self, draft: Draft) -> Written:
        """Do what is left when a record is written and its rights are checked."""
        self._readings.forget()
        table, context, made = draft.table, draft.context, isinstance(draft.message, Create)
        assert context.reference is not None
        if made and table.primary_id in draft.message.record:
            note_creation(self._connection, table, context.reference.id)
        if not made:
            self._assign_along(context, draft.authorized.principal)
        inherit_access(self._connection, self, context, made=made)
        attach_images(self._connection, table, context)
        self._written(table)
        self._run(context, Stage.POST_OPERATION, table.logical_name)
        return Written(context.reference, made, cast("int | None", context.record.get("versionnumber")))

    def _update(self, message: Update, principal: Principal) -> Written:
        return self._write(self._begin_update(message, principal))

    def _begin_update(self, message: Update, principal: Principal) -> Draft:
        authorized = self._admissions.authorized(message, principal, self._catalog)
        table = self._standard(message.target.table)
        target = resolve(self._connection, self._catalog, message.target)
        if message.version is not None or authorized.rows != ALL_ROWS:
            self._checks.check_version(table, target, authorized, message.version)
        record = resolved(self._connection, self._catalog, message.record)
        record.pop(table.primary_id, None)
        image = self._readings.image(table, target)
        context = self._context(message, principal, record=record, pre_image=image, reference=target)
        self._run(context, Stage.PRE_VALIDATION, table.logical_name)
        self._run(context, Stage.PRE_OPERATION, table.logical_name)
        complete_change(table, record, principal.caller, self._now, cast("int | None", image.get("statecode")))
        if "ownerid" in record:
            self._owners.complete(table, record, self._catalog)
        take_images(self._connection, table, context)
        validate(table, record)
        return Draft(message, authorized, table, context)

    def _upsert(self, message: Upsert, principal: Principal) -> Written:
        change = self._settled(message, principal)
        return self._create(change, principal) if isinstance(change, Create) else self._update(change, principal)

    def _settled(self, message: Upsert, principal: Principal) -> Create | Update:
        self._admissions.authorized(message, principal, self._catalog)
        self._standard(message.target.table)
        return settled(self._connection, self._catalog, message, principal)

    def _delete(self, message: Delete, principal: Principal) -> Done:
        authorized = self._admissions.authorized(message, principal, self._catalog)
        table = self._standard(message.target.table)
        target = resolve(self._connection, self._catalog, message.target)
        self._checks.check_version(table, target, authorized, message.version)
        context = self._context(message, principal, pre_image=self._readings.image(table, target), reference=target)
        self._run(context, Stage.PRE_VALIDATION, table.logical_name)
        self._run(context, Stage.PRE_OPERATION, table.logical_name)
        self._deleting.add(target)
        for change in list(before_delete(self._connection, self._catalog, table, target.id)):
            self._follow(change, principal)
        self._deleting.discard(target)
        rows.delete(self._connection, table, target.id)
        note_deletion(self._connection, table, target.id, self._now)
        file_store.remove_of_record(self._connection, table, target.id)
        self._written(table)
        self._run(context, Stage.POST_OPERATION, table.logical_name)
        return Done()

    def _follow(self, change: Delete | Update, principal: Principal) -> None:
        """Write what follows from a deletion, unless another consequence of it has taken the record away."""
        # Records may depend on one another in a circle, or on the deleted one in more than one way.
        child = resolve(self._connection, self._catalog, change.target)
        if child in self._deleting or not rows.exists(self._connection, self._catalog.tables[child.table], child.id):
            return
        if isinstance(change, Delete):
            self._delete(change, self._on_behalf(principal.caller))
        else:
            self._update(change, self._on_behalf(principal.caller))

    def _on_behalf(self, caller: Caller) -> Principal:
        """Return the system acting for a caller, who has been authorized for what this follows from."""
        return replace(self._rules.system(), caller=caller)

    def _assign_along(self, context: ExecutionContext, principal: Principal) -> None:
        """Give a changed record's new owner the records that go with it, as their relationships say."""
        checks = None if principal.caller == self._rules.system().caller else self._checks
        on_behalf = self._on_behalf(principal.caller)
        assign_along(self, context, checks, lambda change: self._update(change, on_behalf))

    def _relate(self, message: Associate | Disassociate, principal: Principal) -> Done:
        authorized = self._admissions.authorized(message, principal, self._catalog)
        table = self._standard(message.target.table)
        target = resolve(self._connection, self._catalog, message.target)
        self._checks.check_version(table, target, authorized, message.version)
        related = resolve(self._connection, self._catalog, message.related) if message.related else None
        if related:
            check_exists(self._connection, self._catalog, related)
        navigation = navigation_of(self._catalog, table, message.navigation)
        parameters = {"relationship": navigation.relationship.schema_name, "target": target, "related": related}
        context = self._context(message, principal, reference=target, parameters=parameters)
        self._run(context, Stage.PRE_VALIDATION, table.logical_name)
        self._run(context, Stage.PRE_OPERATION, table.logical_name)
        self._set_link(Link(navigation, target, related, isinstance(message, Associate)), principal)
        self._checks.check_bound(authorized)
        self._run(context, Stage.POST_OPERATION, table.logical_name)
        return Done()

    def _set_link(self, link: Link, principal: Principal) -> None:
        proof = proof_of(link, self._catalog)
        if proof is not None and link.related is not None and not self.records(proof):
            raise unrelated(link.related)
        match change_of(link):
            case PairChange() as change:
                self._written(apply_pair(self._connection, self._catalog, change))
            case Update() as change:
                # The caller has been authorized for the relation; the lookup behind it changes on its behalf.
                self.perform(change, self._on_behalf(principal.caller))

    def _run_action(self, message: Execute, principal: Principal) -> Response:
        authorized = self._admissions.authorized(message, principal, self._catalog)
        if is_upload(message):
            return upload(message, Uploading(self._checks, principal, self, lambda row: self._update(row, principal)))
        table = table_of(message)
        handlers = self._rules.pipeline.steps(message.name, table, Stage.MAIN)
        if not handlers:
            raise NotSupported(f"The operation '{message.name}' is not available in this version of Talentverse.")
        target = resolve(self._connection, self._catalog, message.target) if message.target else None
        if target:
            self._checks.check_version(self._standard(target.table), target, authorized, None)
        self._checks.check_bound(authorized)
        context = self._context(message, principal, reference=target, parameters=message.parameters)
        for stage in Stage:
            self._run(context, stage, table)
        return Done() if context.result is None else Executed(context.result)

    def _read(self, message: Retrieve | RetrieveMultiple | RetrieveChanges, principal: Principal) -> Rows | Changes:
        if isinstance(message, RetrieveChanges):
            allowed = authorize(message, principal, self._catalog).message
            return retrieve_changes(self._connection, self._rules.plans, self._catalog, allowed, self._now)
        if isinstance(message, Retrieve):
            target = resolve(self._connection, self._catalog, message.target)
            table = self._catalog.tables[target.table]
            query = QueryExpression(target.table, message.columns, filter=equals(table.primary_id, target.id))
        else:
            query = message.query
        narrowed = authorize(RetrieveMultiple(query), principal, self._catalog).message.query
        return reading.read_records(self._connection, self._rules.plans, self._catalog, narrowed)

    def _standard(self, name: str) -> Table:
        table = self._catalog.tables[name]
        if table.source is not None:
            raise not_in_transaction(table)
        return table

    @property
    def _checks(self) -> RowChecks:
        return RowChecks(self._connection, self._rules.plans, self._catalog)

    def _written(self, table: Table) -> None:
        self._owners.forget(table)
        self._readings.forget()
        if table.logical_name in self._rules.security_tables and not self._rights_changed:
            self._rights_changed = True
            bump_stamp(self._connection)
