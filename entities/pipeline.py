"""The event pipeline: code that runs before and after a message's main operation (Learn: "Event framework").

```
pre-validation (10)   before the transaction and before privileges are checked
pre-operation  (20)   in the transaction, may change the record that is about to be written
main operation (30)   the engine, a data provider, or the registered handler of an action
post-operation (40)   in the transaction, sees the written record
```

A step that raises ends the message; the transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol, TypeAlias

from entities.messages import Message, Response
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.query import QueryExpression
from entities.values import EntityReference, Guid, Record, Value


class Stage(IntEnum):
    """When a step runs."""

    PRE_VALIDATION = 10
    PRE_OPERATION = 20
    MAIN = 30
    POST_OPERATION = 40


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a message is executed for, as far as rules and providers may know it.

    `application_id` is set for an application user, `domain_name` is the user principal name of a person.
    """

    user_id: Guid
    business_unit_id: Guid
    full_name: str
    application_id: Guid | None = None
    object_id: Guid | None = None
    domain_name: str | None = None


class Operations(Protocol):
    """What a step may do inside the running transaction, with the system's rights."""

    @property
    def catalog(self) -> Catalog:
        """The catalog of this environment at the start of the request."""
        ...

    @property
    def now(self) -> datetime:
        """The environment's clock, one reading per transaction."""
        ...

    def execute(self, message: Message, caller: Caller | None = None) -> Response:
        """Execute a message inside the same transaction, pipeline included, in a caller's name or the system's own."""
        ...

    def records(self, query: QueryExpression) -> tuple[Record, ...]:
        """Return the records a query selects (all columns unless it names some)."""
        ...

    def count(self, table: Table) -> int:
        """Return the number of a table's records."""
        ...

    def next_number(self, sequence: str) -> int:
        """Take the next number of a named sequence (gaps appear when the transaction rolls back)."""
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
    """

    message: Message
    caller: Caller
    system: Operations
    record: dict[str, Value] = field(default_factory=dict)
    pre_image: Record | None = None
    reference: EntityReference | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    result: Mapping[str, object] | None = None


Handler: TypeAlias = Callable[[ExecutionContext], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A handler registered for a message on a table (None: on any) at a stage; lower rank runs first."""

    message: str
    table: str | None
    stage: Stage
    handler: Handler
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All registered steps, found by (message, table, stage) in one look-up."""

    by_place: Mapping[tuple[str, str | None, Stage], tuple[Step, ...]]

    def steps(self, message: str, table: str | None, stage: Stage) -> tuple[Step, ...]:
        """Return the steps for a place: those of the table, then those registered for any table."""
        own = self.by_place.get((message, table, stage), ())
        if table is None:
            return own
        return (*own, *self.by_place.get((message, None, stage), ()))


def pipeline(*steps: Step) -> Pipeline:
    """Build a pipeline from steps."""
    places: dict[tuple[str, str | None, Stage], list[Step]] = {}
    for step in sorted(steps, key=lambda s: s.rank):
        places.setdefault((step.message, step.table, step.stage), []).append(step)
    return Pipeline({place: tuple(found) for place, found in places.items()})
