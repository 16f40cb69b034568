"""Messages: everything that can be asked of an organization (Learn: "Use messages with the SDK").

A message is a value. It says what is wanted, not who wants it; `OrganizationService.execute` takes both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from entities.changes import ChangeAnchor, ChangeToken
from entities.query import Expansion, PageAnchor, QueryExpression
from entities.values import EntityReference, Guid, KeyReference, Record, Value

Target: TypeAlias = EntityReference | KeyReference


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Read one record with those that `expansions` add.

    `unless_version` answers "not modified" when the record is still that version.
    """

    target: Target
    columns: tuple[str, ...] | None = None
    unless_version: int | None = None
    expansions: tuple[Expansion, ...] = ()


@dataclass(frozen=True, slots=True)
class RetrieveMultiple:
    """Read the records that a query selects."""

    query: QueryExpression


@dataclass(frozen=True, slots=True)
class RetrieveChanges:
    """Read a page of what was made, changed and deleted in a table.

    `query` says which columns, how many rows a page has, and whether changes are counted. It is about what happened
    behind `since` (None: all records that there are) up to `until` (None: now); the page begins behind `after`.
    """

    query: QueryExpression
    since: ChangeToken | None = None
    until: ChangeToken | None = None
    after: ChangeAnchor | None = None


@dataclass(frozen=True, slots=True)
class RelatedRecords:
    """What a new record is related to through one of its navigation properties: records to make, and existing ones."""

    navigation: str
    made: tuple[Create, ...] = ()
    bound: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """Make a record, and with it those that are `related`; its id is the server's unless the record carries one.

    `detects_duplicates` has it refused where a duplicate detection rule finds one; likewise in Update and Upsert.
    """

    table: str
    record: Record
    related: tuple[RelatedRecords, ...] = ()
    detects_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """Change columns of an existing record, only if it is at `version` when one is given."""

    target: Target
    record: Record
    version: int | None = None
    detects_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Upsert:
    """Change the record, or make it with this id or these key values when there is none."""

    target: Target
    record: Record
    detects_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a record, only if it is at `version` when one is given."""

    target: Target
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Associate:
    """Relate a record to others over a relationship, through `navigation` of the target's table.

    With a `version` only if the target is at it.
    """

    target: Target
    navigation: str
    related: Target
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Disassociate:
    """End a relation, only if the target is at `version` when one is given; `related` may be absent for a lookup."""

    target: Target
    navigation: str
    related: Target | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Execute:
    """A function or action by its name (`WhoAmI`, `AddPrivilegesRole`, `Hire`), bound to a target or not."""

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class ReadMetadata:
    """Read definitions; the parts asked for decide which privileges it takes (Entity, Attribute, Relationship...)."""

    parts: frozenset[str]


Message: TypeAlias = (
    Retrieve
    | RetrieveMultiple
    | RetrieveChanges
    | Create
    | Update
    | Upsert
    | Delete
    | Associate
    | Disassociate
    | Execute
    | ReadMetadata
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to Retrieve and RetrieveMultiple.

    Where the database made the wire form, `body` holds the rows' JSON objects joined by commas and `records` is
    empty; else `records` holds the rows and `body` is None. `total` is the count when one was asked for, `next` is
    where the following page begins, None on the last page. `version` is that of a single record. `expanded` holds, per
    record, the records that each expansion of the query adds to it.
    """

    count: int
    body: bytes | None = None
    records: Sequence[Record] = ()
    total: int | None = None
    total_exceeded: bool = False
    next: PageAnchor | None = None
    first: tuple[Value, ...] = ()
    version: int | None = None
    not_modified: bool = False
    expanded: tuple[tuple[Rows, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """The answer to RetrieveChanges: new and changed records, ids of deleted ones, and up to when that is the truth.

    `next` is where the following page begins, None on the last one; `total` is the count when one was asked for.
    """

    rows: Rows
    deleted: tuple[Guid, ...]
    until: ChangeToken
    next: ChangeAnchor | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to Create, Update and Upsert: which record, and whether it is new."""

    reference: EntityReference
    created: bool
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to messages that return nothing."""


@dataclass(frozen=True, slots=True)
class Executed:
    """The answer to a function or action with a result."""

    result: Mapping[str, object]


Response: TypeAlias = Rows | Changes | Written | Done | Executed


def name_of(message: Message) -> str:
    """Return the message's SDK name, as pipeline steps are registered for it."""
    match message:
        case (
            Create()
            | Update()
            | Upsert()
            | Delete()
            | Retrieve()
            | RetrieveMultiple()
            | Associate()
            | Disassociate()
            | ReadMetadata()
        ):
            return type(message).__name__
        case Execute():
            return message.name
        case RetrieveChanges():
            return "RetrieveEntityChanges"
        case _:
            assert_never(message)


def table_of(message: Message) -> str | None:
    """Return the logical name of the table the message is about, None for an unbound one."""
    match message:
        case Create():
            return message.table
        case RetrieveMultiple() | RetrieveChanges():
            return message.query.table
        case Execute():
            return message.target.table if message.target else None
        case ReadMetadata():
            return None
        case Retrieve() | Update() | Upsert() | Delete() | Associate() | Disassociate():
            return message.target.table
        case _:
            assert_never(message)
