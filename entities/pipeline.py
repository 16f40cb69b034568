"""The event pipeline: code that runs before and after a message's main operation (Learn: "Event framework").

```
pre-validation (10)   before the transaction and before privileges are checked
pre-operation  (20)   in the transaction, may change the record that is about to be written
main operation (30)   the engine, a data provider, or the registered handler of an action
post-operation (40)   in the transaction, sees the written record
```

A step that raises ends the message; the transaction is rolled back.

A step may ask for less and for more (Learn: "Register a plug-in", filtering attributes and entity images): to run only
when an Update names certain columns, and to be given the record as it was and as it is. What it asks for becomes part
of its handler when the pipeline is built, so steps that ask for nothing cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from entities.messages import Message, Response, Update
from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.tables import Table
from entities.query import QueryExpression, equals
from entities.values import EntityReference, Guid, Record, Value

PRE_IMAGE: Final = "PreImage"
"""The name under which a step finds the record as it was before the message."""

POST_IMAGE: Final = "PostImage"
"""The name under which a step finds the record as it is behind the main operation."""

CUSTOM_SYNC: Final = "CustomSync"
CUSTOM_ASYNC: Final = "CustomAsync"
"""The kinds of custom steps, as a request names those that it asks to leave out."""

NO_IMAGES: Final[Mapping[str, Record]] = MappingProxyType({})


class Stage(IntEnum):
    """When a step runs."""

    PRE_VALIDATION = 10
    PRE_OPERATION = 20
    MAIN = 30
    POST_OPERATION = 40


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a message is executed for, as far as rules and providers may know it.

    `application_id` is set for an application user, `domain_name` is the user principal name of a person. `delegate_id`
    is the user who acts for this one (Learn: "Impersonate another user"), `solution` the unique name of the solution
    that takes in what the request makes (Learn: "MSCRM.SolutionUniqueName").
    """

    user_id: Guid
    business_unit_id: Guid
    full_name: str
    application_id: Guid | None = None
    object_id: Guid | None = None
    domain_name: str | None = None
    passes_by: frozenset[str] = frozenset()
    delegate_id: Guid | None = None
    solution: str | None = None


class Operations(Protocol):
    """What a step may do inside the running transaction, with the system's rights."""

    @property
    def catalog(self) -> Catalog:
        """The catalog of this environment as this transaction sees it."""
        ...

    @property
    def now(self) -> datetime:
        """The environment's clock, one reading per transaction."""
        ...

    @property
    def depth(self) -> int:
        """How many messages the running one is nested in, itself counted (Learn: "Depth")."""
        ...

    def execute(self, message: Message, caller: Caller | None = None) -> Response:
        """Execute a message inside the same transaction, pipeline included, in a caller's name or the running one's."""
        ...

    def execute_as(self, message: Message, user_id: Guid) -> Response:
        """Execute a message inside the same transaction as a user, who may do there what it may do anywhere."""
        ...

    def records(self, query: QueryExpression) -> tuple[Record, ...]:
        """Return the records a query selects (all columns unless it names some)."""
        ...

    def count(self, table: Table) -> int:
        """Return the number of a table's records."""
        ...

    def access(self, principal: EntityReference, record: EntityReference) -> tuple[int, int]:
        """Return the flags of the rights that a user or team has on a record: by its roles, and by shares."""
        ...

    def keep(self, target: EntityReference, record: Record, *, as_change: bool) -> None:
        """Write columns that the system keeps of a record, which is no change by anybody: no steps, no stamps of time.

        Its row version grows where `as_change` says that readers must see it.
        """
        ...

    def sequence(self, name: str) -> int | None:
        """Return the number that was taken last from a named sequence, None where none was."""
        ...

    def set_sequence(self, name: str, number: int) -> None:
        """Make a number the one that was taken last from a named sequence."""
        ...

    def next_number(self, sequence: str) -> int:
        """Take the next number of a named sequence (gaps appear when the transaction rolls back)."""
        ...

    def change_catalog(self, change: CatalogChange) -> None:
        """Put or remove definitions; what follows in this transaction sees them."""
        ...

    def removed_since(self, stamp: int) -> tuple[tuple[str, str], ...]:
        """Return the definitions that were removed after a stamp: what kind each was of, and its MetadataId."""
        ...

    def enqueue(self, job: str, payload: Mapping[str, object], due: datetime | None = None) -> Guid:
        """Put a job on the durable queue, due now or later; it exists if and only if the transaction commits."""
        ...


@dataclass(slots=True)
class ExecutionContext:
    """What a step sees.

    Attributes:
        message: the message being executed.
        record: the record about to be written (Create, Update); pre-operation steps may change it.
        pre_image: the stored record before an Update or Delete.
        reference: the record's id once it is known.
        parameters: an action's parameters.
        result: what an action answers; the main-operation handler sets it.
        caller: for whom the message is executed.
        system: operations inside the same transaction.
        pre_images: the record as it was, by image name; only those columns that the running step asked for.
        post_images: the record as it is now, likewise.
        shared: what steps of this message tell one another (Learn: "Shared variables").
    """

    message: Message
    caller: Caller
    system: Operations
    record: dict[str, Value] = field(default_factory=dict)
    pre_image: Record | None = None
    reference: EntityReference | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    result: Mapping[str, object] | None = None
    pre_images: Mapping[str, Record] = field(default_factory=lambda: NO_IMAGES)
    post_images: Mapping[str, Record] = field(default_factory=lambda: NO_IMAGES)
    shared: dict[str, object] = field(default_factory=dict)


Handler: TypeAlias = Callable[[ExecutionContext], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A handler registered for a message on a table (None: on any) at a stage; lower rank runs first.

    Attributes:
        message: the name of the message.
        table: the table it is about.
        stage: when it runs.
        handler: what it does.
        rank: its place among the steps of the same message, table and stage.
        filtering: the columns of which an Update must name one for the step to run; none: it always runs.
        pre_image: columns of the record as it was that the step is given; empty: all, None: no image.
        post_image: columns of the record as it is behind the main operation, likewise.
        custom: the names by which a request may leave the step out: its kind and its id; none for a rule of ours.
    """

    message: str
    table: str | None
    stage: Stage
    handler: Handler
    rank: int = 1
    filtering: frozenset[str] = frozenset()
    pre_image: tuple[str, ...] | None = None
    post_image: tuple[str, ...] | None = None
    custom: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All registered steps, found by (message, table, stage) in one look-up.

    `unknown` are the steps at the main operation of messages that have none of their own: messages that rows declare.
    """

    by_place: Mapping[tuple[str, str | None, Stage], tuple[Step, ...]]
    unknown: tuple[Step, ...] = ()

    def steps(self, message: str, table: str | None, stage: Stage) -> tuple[Step, ...]:
        """Return the steps for a place: those of the table, then those registered for any table."""
        found = self.by_place.get((message, table, stage), ())
        if table is not None:
            found = (*found, *self.by_place.get((message, None, stage), ()))
        return self.unknown if stage is Stage.MAIN and not found else found


def pipeline(*steps: Step, unknown: Handler | None = None) -> Pipeline:
    """Build a pipeline from steps.

    Args:
        steps: the steps, in any order.
        unknown: the main operation of messages that no step at that stage is registered for.
    """
    places: dict[tuple[str, str | None, Stage], list[Step]] = {}
    for step in sorted(steps, key=lambda s: s.rank):
        places.setdefault((step.message, step.table, step.stage), []).append(_complete(step))
    main = () if unknown is None else (Step("", None, Stage.MAIN, unknown),)
    return Pipeline({place: tuple(found) for place, found in places.items()}, main)


def _complete(step: Step) -> Step:
    """Return a step whose handler sees to its filter and its images, the step itself where nothing is asked for."""
    if not step.filtering and step.pre_image is None and step.post_image is None and not step.custom:
        return step

    def run(context: ExecutionContext) -> None:
        if not step.custom.isdisjoint(context.caller.passes_by):
            return
        if step.filtering and isinstance(context.message, Update) and step.filtering.isdisjoint(context.record):
            return
        context.pre_images, context.post_images = _before(step, context), _after(step, context)
        try:
            step.handler(context)
        finally:
            context.pre_images = context.post_images = NO_IMAGES

    return replace(step, handler=run)


def _before(step: Step, context: ExecutionContext) -> Mapping[str, Record]:
    if step.pre_image is None or context.pre_image is None:
        return NO_IMAGES
    return {PRE_IMAGE: _columns(context.pre_image, step.pre_image)}


def _after(step: Step, context: ExecutionContext) -> Mapping[str, Record]:
    reference = context.reference
    if step.post_image is None or step.stage is not Stage.POST_OPERATION or reference is None:
        return NO_IMAGES
    table = context.system.catalog.tables[reference.table]
    found = context.system.records(QueryExpression(table.logical_name, filter=equals(table.primary_id, reference.id)))
    return {POST_IMAGE: _columns(found[0], step.post_image)} if found else NO_IMAGES


def _columns(record: Record, names: tuple[str, ...]) -> Record:
    return {name: record[name] for name in names if name in record} if names else record
