"""What a resource path stands for: a collection, a row, something of a row, or an operation.

    set                                  Collection
    set(key)                             Row
    single/property[/$value]             RowProperty
    single/collection                    Related
    single/collection(key)               RelatedMember
    single/lookup                        RelatedRow
    many/$count                          Counted
    single/navigation[(key)]/$ref        References
    set/$ref, set(key)/$ref              RowReferences
    single/Namespace.type                the same, as that type
    many/Namespace.type[(key)]           the same, as that type
    many|single/Namespace.Operation(…)   Operation
    Name[(…)]                            Operation, not bound

    many   = Collection | Related
    single = Row | RelatedRow | RelatedMember

OData 4.01 Part 2 §4; Learn: "Query data using the Web API", "Use Web API functions".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from entities.messages import Target
from entities.metadata.catalog import CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from odata_server.syntax.trees import NamedArgument

ManyNavigation: TypeAlias = CollectionNavigation | ManyToManyNavigation


@dataclass(frozen=True, slots=True)
class ServiceRoot:
    """The service document."""


@dataclass(frozen=True, slots=True)
class Collection:
    """An entity set."""

    table: Table


@dataclass(frozen=True, slots=True)
class Row:
    """One row by key."""

    table: Table
    target: Target


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """The row behind a single-valued navigation property of a row.

    It is of one of `tables`: of the only one, or of those that an owner can be of. A path that ends in a cast asks for
    a row of that type and no other (`is_cast`).
    """

    source: Single
    navigation: LookupNavigation
    tables: tuple[Table, ...]
    is_cast: bool = False

    @property
    def table(self) -> Table:
        """The first of the tables; what all of them have is declared there."""
        return self.tables[0]

    @property
    def is_principal(self) -> bool:
        """Whether the row is of the base type of users and teams, which declares a key and what it owns."""
        return len(self.tables) > 1


@dataclass(frozen=True, slots=True)
class RelatedMember:
    """One row of a collection-valued navigation property."""

    source: Single
    navigation: ManyNavigation
    table: Table
    target: Target


Single: TypeAlias = Row | RelatedRow | RelatedMember


@dataclass(frozen=True, slots=True)
class Related:
    """The rows behind a collection-valued navigation property of a row."""

    source: Single
    navigation: ManyNavigation
    table: Table


Many: TypeAlias = Collection | Related


@dataclass(frozen=True, slots=True)
class RowProperty:
    """One property of a row; `is_raw` asks for its bare text."""

    source: Single
    column: Column
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of rows of a collection."""

    rows: Many


@dataclass(frozen=True, slots=True)
class References:
    """Links of a row: all of a navigation property, or the one to `related`."""

    source: Single
    navigation: Navigation
    tables: tuple[Table, ...]
    related: Target | None = None

    @property
    def table(self) -> Table:
        """The table that the links lead to, the first of an owner's."""
        return self.tables[0]


@dataclass(frozen=True, slots=True)
class RowReferences:
    """The URL of a row, or those of the rows of an entity set."""

    rows: Row | Collection


@dataclass(frozen=True, slots=True)
class Operation:
    """A function or action, on a row, on a collection or on nothing; arguments as written in the URL."""

    name: str
    bound: Single | Many | None = None
    arguments: tuple[NamedArgument, ...] = field(default=(), compare=False)


Resource: TypeAlias = ServiceRoot | Many | Single | RowProperty | Counted | References | RowReferences | Operation
