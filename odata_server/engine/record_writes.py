"""Making and changing records: the stages before the row is written, the row, and the stages behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from entities.messages import Create, Update, Upsert, Written
from entities.pipeline import ExecutionContext, Stage
from entities.query import ALL_ROWS
from entities.values import EntityReference, Guid
from odata_server.engine import rows
from odata_server.engine.bulk import Draft
from odata_server.engine.cascade import assign_along, inherit_access
from odata_server.engine.change_tracking import note_creation
from odata_server.engine.defaults import NewRecords, complete_change, require
from odata_server.engine.files.images import attach_images, take_images
from odata_server.engine.identifiers import SequentialIds, new_id
from odata_server.engine.references import resolve, resolved
from odata_server.engine.row_sets import write_all
from odata_server.engine.upserts import settled
from odata_server.engine.validation import validate
from odata_server.engine.work import Work
from security.principals import Principal


class RecordWrites:
    """The writes of records in a transaction.

    Args:
        work: the transaction's state.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._new = NewRecords(
            work.now,
            work.system.next_number,
            lambda table, record: work.owners.following(table, record, work.catalog),
        )
        self._next_id = SequentialIds()

    def write(self, message: Create | Update, principal: Principal) -> Written:
        """Make or change a record for a principal.

        Raises:
            DataverseError: it is refused.
        """
        draft = self.begin(message, principal)
        rows.stamped(self._work.connection, draft.table, draft.context.record)
        write_all(self._work.connection, draft.table, [draft.row()])
        self.check([draft])
        return self.end(draft)

    def settled(self, message: Upsert, principal: Principal) -> Create | Update:
        """Return what an upsert does: there is such a record, or there is not.

        Raises:
            DataverseError: it is refused in either case.
        """
        self._work.admissions.authorized(message, principal, self._work.catalog)
        self._work.standard(message.target.table)
        return settled(self._work.connection, self._work.catalog, message, principal)

    def begin(self, message: Create | Update, principal: Principal) -> Draft:
        """Do everything up to the main operation.

        Raises:
            DataverseError: it is refused.
        """
        return self._made(message, principal) if isinstance(message, Create) else self._changed(message, principal)

    def _made(self, message: Create, principal: Principal) -> Draft:
        work = self._work
        authorized = work.admissions.authorized(message, principal, work.catalog)
        table = work.standard(message.table)
        record = resolved(work.connection, work.catalog, message.record)
        context = ExecutionContext(message, principal.caller, work.system, record)
        steps = work.steps("Create", table.logical_name)
        for step in steps.pre_validation:
            step.handler(context)
        if table.primary_id not in record:
            record[table.primary_id] = new_id(work.connection, table.record_number, self._next_id)
        new = context.record = self._new.completed(table, record, principal.caller)
        context.reference = EntityReference(table.logical_name, cast("Guid", new[table.primary_id]))
        for step in steps.pre_operation:
            step.handler(context)
        require(table, new)
        take_images(work.connection, table, context)
        validate(table, new, new.unchecked(message.record))
        return Draft(message, authorized, table, context)

    def _changed(self, message: Update, principal: Principal) -> Draft:
        work = self._work
        authorized = work.admissions.authorized(message, principal, work.catalog)
        table = work.standard(message.target.table)
        target = resolve(work.connection, work.catalog, message.target)
        if message.version is not None or authorized.rows != ALL_ROWS:
            work.checks.check_version(table, target, authorized, message.version)
        record = resolved(work.connection, work.catalog, message.record)
        record.pop(table.primary_id, None)
        image = work.readings.image(table, target)
        context = ExecutionContext(message, principal.caller, work.system, record, image, target)
        work.run(context, Stage.PRE_VALIDATION, table.logical_name)
        work.run(context, Stage.PRE_OPERATION, table.logical_name)
        complete_change(table, record, principal.caller, work.now, cast("int | None", image.get("statecode")))
        if "ownerid" in record:
            record.update(work.owners.following(table, record, work.catalog))
        take_images(work.connection, table, context)
        validate(table, record)
        return Draft(message, authorized, table, context)

    def check(self, drafts: Sequence[Draft]) -> None:
        """Take note of rows that have been written, and check the rights that they decide.

        Args:
            drafts: records of one table.

        Raises:
            AccessDenied: one is missing.
        """
        self._work.written(drafts[0].table)
        if drafts[0].table.base_type == "principal":
            self._new.forget()
        checks = self._work.checks
        made = [(draft.authorized, draft.context.record) for draft in drafts if isinstance(draft.message, Create)]
        checks.check_made(drafts[0].table, made)
        for draft in drafts:
            if draft.authorized.targets or draft.authorized.owner is not None:
                checks.check_bound(draft.authorized)

    def end(self, draft: Draft) -> Written:
        """Do what is left when a record is written and its rights are checked.

        Raises:
            DataverseError: what follows from it is refused.
        """
        work, table, context = self._work, draft.table, draft.context
        made, reference = isinstance(draft.message, Create), draft.reference
        if not made:
            if "ownerid" in context.record:
                self._assign_along(context, draft.authorized.principal)
        elif table.primary_id in draft.message.record:
            note_creation(work.connection, table, reference.id)
        inherit_access(work.connection, work.system, context, made=made)
        attach_images(work.connection, table, context)
        work.run(context, Stage.POST_OPERATION, table.logical_name)
        return Written(reference, made, cast("int | None", context.record.get("versionnumber")))

    def _assign_along(self, context: ExecutionContext, principal: Principal) -> None:
        """Give a changed record's new owner the records that go with it, as their relationships say."""
        work = self._work
        checks = None if principal.caller == work.rules.system().caller else work.checks
        on_behalf = work.on_behalf(principal.caller)
        assign_along(work.system, context, checks, lambda change: self.write(change, on_behalf))
