"""What the messages of a transaction share: where they read and write, what they have seen, whose steps run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from entities.messages import Message, name_of
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Caller, ExecutionContext, Operations, Stage, Step
from entities.values import EntityReference, Record
from odata_server.engine import reading
from odata_server.engine.admissions import Admissions
from odata_server.engine.catalog_store import bump_stamp
from odata_server.engine.database import Writer
from odata_server.engine.owners import Owners
from odata_server.engine.readings import Readings
from odata_server.engine.row_checks import RowChecks
from odata_server.engine.rules import Rules, not_in_transaction
from security.principals import Principal

_STAGES: Final = tuple(Stage)


class Steps(NamedTuple):
    """The steps of one message on one table, by stage."""

    pre_validation: tuple[Step, ...]
    pre_operation: tuple[Step, ...]
    main: tuple[Step, ...]
    post_operation: tuple[Step, ...]

    def at(self, stage: Stage) -> tuple[Step, ...]:
        """Return those of a stage."""
        return self[_STAGES.index(stage)]


class Work:
    """The state of a running transaction.

    Args:
        connection: the writing connection, inside its transaction.
        catalog: the metadata at its start.
        now: one reading of the clock for everything in it.
        rules: what is the same for every transaction of the environment.
        system: what steps may do inside it.
    """

    def __init__(self, connection: Writer, catalog: Catalog, now: datetime, rules: Rules, system: Operations) -> None:
        self.connection = connection
        self.catalog = catalog
        self.now = now
        self.rules = rules
        self.system = system
        self.admissions = Admissions(catalog)
        self.readings = Readings(
            lambda query: reading.read_records(connection, rules.plans, self.catalog, query).records
        )
        self.owners = Owners(self.readings.records)
        self._steps: dict[tuple[str, str | None], Steps] = {}
        self._registered = rules.registered.at(catalog, self.readings.records)
        self._rights_changed = False

    @property
    def checks(self) -> RowChecks:
        """The rights on rows as they are now."""
        return RowChecks(self.connection, self.rules.plans, self.catalog)

    def standard(self, name: str) -> Table:
        """Return a table whose rows are here.

        Raises:
            NotSupported: they are behind a data provider.
        """
        table = self.catalog.tables[name]
        if table.source is not None:
            raise not_in_transaction(table)
        return table

    def on_behalf(self, caller: Caller) -> Principal:
        """Return the system acting for a caller, who has been authorized for what this follows from."""
        return replace(self.rules.system(), caller=caller)

    def context(
        self,
        message: Message,
        principal: Principal,
        reference: EntityReference | None = None,
        parameters: Mapping[str, object] | None = None,
        pre_image: Record | None = None,
    ) -> ExecutionContext:
        """Return what the steps of a message see."""
        seen = ExecutionContext(message, principal.caller, self.system, pre_image=pre_image, reference=reference)
        seen.parameters = {} if parameters is None else parameters
        return seen

    def run(self, context: ExecutionContext, stage: Stage, table: str | None) -> None:
        """Run the steps of a message at a stage: those of the environment, then those that rows register."""
        for step in self.steps(name_of(context.message), table).at(stage):
            step.handler(context)

    def steps(self, message: str, table: str | None) -> Steps:
        """Return the steps of a message on a table."""
        steps = self._steps.get((message, table))
        if steps is None:
            steps = self._steps[message, table] = Steps(*(self._found(message, table, stage) for stage in Stage))
        return steps

    def _found(self, message: str, table: str | None, stage: Stage) -> tuple[Step, ...]:
        registered = self._registered.steps(message, table, stage) if self._registered is not None else ()
        return (*self.rules.pipeline.steps(message, table, stage), *registered)

    def written(self, table: Table) -> None:
        """Take note that rows of a table have been written; where they decide about rights, all processes must."""
        self.owners.forget(table)
        self.readings.forget()
        if table.logical_name in self.rules.security_tables and not self._rights_changed:
            self._rights_changed = True
            bump_stamp(self.connection)
