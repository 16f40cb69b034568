"""The catalog: one immutable snapshot of every table and relationship of an environment.

Changing a table makes a new snapshot that shares all other tables. Look-ups on a request path are dictionary hits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar, assert_never

from entities.metadata.columns import Choice
from entities.metadata.custom_apis import CustomApi
from entities.metadata.global_choices import global_choices, with_choices
from entities.metadata.relationships import Cascade, ManyToMany, OneToMany, Relationship
from entities.metadata.tables import Table, TableKind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LookupNavigation:
    """A single-valued navigation property: this table's lookup, to one target."""

    name: str
    relationship: OneToMany

    @property
    def target(self) -> str:
        """The table it leads to."""
        return self.relationship.referenced_table


@dataclass(frozen=True, slots=True)
class CollectionNavigation:
    """A collection-valued navigation property over a one-to-many relationship."""

    name: str
    relationship: OneToMany

    @property
    def target(self) -> str:
        """The table it leads to."""
        return self.relationship.referencing_table


@dataclass(frozen=True, slots=True)
class ManyToManyNavigation:
    """A collection-valued navigation property over a many-to-many relationship.

    `near` is the intersect column that points to this table, `far` the one that points to the target.
    """

    name: str
    relationship: ManyToMany
    near: str
    far: str
    target: str


Navigation: TypeAlias = LookupNavigation | CollectionNavigation | ManyToManyNavigation


def _navigations(relationship: Relationship) -> tuple[tuple[str, Navigation], ...]:
    """Return (table, navigation) for both ends."""
    match relationship:
        case OneToMany():
            return (
                (
                    relationship.referencing_table,
                    LookupNavigation(relationship.referencing_navigation, relationship),
                ),
                (
                    relationship.referenced_table,
                    CollectionNavigation(relationship.referenced_navigation, relationship),
                ),
            )
        case ManyToMany() as r:
            return (
                (r.table1, ManyToManyNavigation(r.navigation1, r, r.column1, r.column2, r.table2)),
                (r.table2, ManyToManyNavigation(r.navigation2, r, r.column2, r.column1, r.table1)),
            )
        case _:
            assert_never(relationship)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables and relationships at one version.

    `version` grows with every change of metadata and of rights, and is part of every plan's cache key;
    `definitions_version` is the version at which the metadata changed last. `own_choices` are the global choices that
    are kept by themselves, `choices` those and the ones that columns bring. `stamps` say at which version a definition
    was put last, by its kind and name ("table:account"); one that is not there has been there from the start.

    `inheriting` are the relationships by which records get access from those they belong to, by the table that gets
    it; `bequeathing` the same ones by the table that gives it.
    """

    version: int
    tables: Mapping[str, Table]
    relationships: Mapping[str, Relationship]
    custom_apis: Mapping[str, CustomApi] = field(default_factory=dict)
    own_choices: Mapping[str, Choice] = field(default_factory=dict)
    stamps: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    definitions_version: int = field(default=0, compare=False)
    choices: Mapping[str, Choice] = field(init=False, repr=False, compare=False)
    by_entity_set: Mapping[str, Table] = field(init=False, repr=False, compare=False)
    by_object_type_code: Mapping[int, Table] = field(init=False, repr=False, compare=False)
    by_intersect: Mapping[str, ManyToMany] = field(init=False, repr=False, compare=False)
    navigations: Mapping[str, Mapping[str, Navigation]] = field(init=False, repr=False, compare=False)
    inheriting: Mapping[str, tuple[OneToMany, ...]] = field(init=False, repr=False, compare=False)
    bequeathing: Mapping[str, tuple[OneToMany, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_entity_set", {t.entity_set_name: t for t in self.tables.values()})
        object.__setattr__(self, "by_object_type_code", {t.object_type_code: t for t in self.tables.values()})
        pairs = {r.intersect_table: r for r in self.relationships.values() if isinstance(r, ManyToMany)}
        object.__setattr__(self, "by_intersect", pairs)
        choices = {n: choice for t in self.tables.values() for n, choice in t.derived(global_choices).items()}
        object.__setattr__(self, "choices", {**choices, **self.own_choices})
        navigations: dict[str, dict[str, Navigation]] = {name: {} for name in self.tables}
        for relationship in self.relationships.values():
            for table, navigation in _navigations(relationship):
                if table in navigations and navigation.target in self.tables and navigation.name:
                    navigations[table][navigation.name] = navigation
        object.__setattr__(self, "navigations", navigations)
        passing = [r for r in self.relationships.values() if isinstance(r, OneToMany) and self._passes_access(r)]
        object.__setattr__(self, "inheriting", _grouped((r.referencing_table, r) for r in passing))
        object.__setattr__(self, "bequeathing", _grouped((r.referenced_table, r) for r in passing))

    def _passes_access(self, relationship: OneToMany) -> bool:
        ends = (self.tables.get(relationship.referenced_table), self.tables.get(relationship.referencing_table))
        cascade = relationship.cascade
        return any(
            behavior in (Cascade.CASCADE, Cascade.ACTIVE, Cascade.USER_OWNED)
            for behavior in (cascade.reparent, cascade.share, cascade.unshare)
        ) and all(end is not None and end.is_user_owned and end.kind is TableKind.STANDARD for end in ends)

    def navigation(self, table: str, name: str) -> Navigation | None:
        """Return a table's navigation property by name."""
        return self.navigations[table].get(name)

    def lookup_navigations(self, table: str, column: str) -> tuple[LookupNavigation, ...]:
        """Return the single-valued navigation properties over one lookup column, one per target."""
        return tuple(
            navigation
            for navigation in self.navigations[table].values()
            if isinstance(navigation, LookupNavigation) and navigation.relationship.referencing_column == column
        )

    def relationships_of(self, table: str) -> tuple[Relationship, ...]:
        """Return every relationship that has the table at either end."""
        return tuple(r for r in self.relationships.values() if table in ends_of(r))


def _grouped(found: Iterable[tuple[str, OneToMany]]) -> Mapping[str, tuple[OneToMany, ...]]:
    groups: dict[str, tuple[OneToMany, ...]] = {}
    for table, relationship in found:
        groups[table] = (*groups.get(table, ()), relationship)
    return groups


def ends_of(relationship: Relationship) -> tuple[str, ...]:
    """Return the tables a relationship touches, the intersect table included."""
    match relationship:
        case OneToMany():
            return (relationship.referenced_table, relationship.referencing_table)
        case ManyToMany():
            return (relationship.table1, relationship.table2, relationship.intersect_table)
        case _:
            assert_never(relationship)


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """Definitions to put and to remove, in one step.

    Attributes:
        put: tables that are new or replace those of the same name.
        relate: relationships that are new or replace those of the same schema name.
        remove: logical names of tables that go, with every relationship that touches them.
        unrelate: schema names of relationships that go.
        choices: global choices that are new or replace those of the same name, in the columns that use them, too.
        drop_choices: names of global choices that go; no column uses them.
    """

    put: tuple[Table, ...] = ()
    relate: tuple[Relationship, ...] = ()
    remove: tuple[str, ...] = ()
    unrelate: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    drop_choices: tuple[str, ...] = ()


def catalog(
    version: int,
    tables: Iterable[Table],
    relationships: Iterable[Relationship],
    custom_apis: Iterable[CustomApi] = (),
    choices: Iterable[Choice] = (),
) -> Catalog:
    """Build a catalog from declarations."""
    return Catalog(
        version,
        {t.logical_name: t for t in tables},
        {r.schema_name: r for r in relationships},
        {api.name: api for api in custom_apis},
        {choice.name: choice for choice in choices},
        definitions_version=version,
    )


def completed(before: Catalog, change: CatalogChange) -> CatalogChange:
    """Return a change with what follows from it: relationships that go with their ends, columns of global choices."""
    gone = frozenset(change.remove)
    ends = (name for name, r in before.relationships.items() if not gone.isdisjoint(ends_of(r)))
    unrelate = tuple(dict.fromkeys((*change.unrelate, *ends)))
    choices = {choice.name: choice for choice in change.choices}
    if not choices:
        return replace(change, unrelate=unrelate)
    tables = {n: table for n, table in before.tables.items() if n not in gone}
    tables.update((table.logical_name, table) for table in change.put)
    put = {table.logical_name: table for table in change.put}
    put.update((table.logical_name, table) for table in with_choices(tables.values(), choices))
    return replace(change, unrelate=unrelate, put=tuple(put.values()))


def changed(before: Catalog, change: CatalogChange, *, version: int) -> Catalog:
    """Return a snapshot in which definitions are added, replaced or removed.

    Args:
        before: the snapshot to start from.
        change: what changes.
        version: the new snapshot's version.
    """
    change = completed(before, change)
    return Catalog(
        version,
        _put(before.tables, change.remove, {table.logical_name: table for table in change.put}),
        _put(before.relationships, change.unrelate, {r.schema_name: r for r in change.relate}),
        before.custom_apis,
        _put(before.own_choices, change.drop_choices, {choice.name: choice for choice in change.choices}),
        _put(before.stamps, gone_in(change), dict.fromkeys(names_of(change), version)),
        definitions_version=version,
    )


def restamped(before: Catalog, version: int) -> Catalog:
    """Return the same definitions at a later version: rights have changed, and no metadata."""
    later = copy(before)
    object.__setattr__(later, "version", version)
    return later


def same_definitions(one: Catalog, other: Catalog) -> bool:
    """Say whether two snapshots have the very same definitions, as they do where only rights have changed."""
    return (
        one.tables is other.tables
        and one.relationships is other.relationships
        and one.own_choices is other.own_choices
        and one.custom_apis is other.custom_apis
    )


def names_of(change: CatalogChange) -> tuple[str, ...]:
    """Return what a change puts, as the stamps of a catalog call it."""
    return (
        *(f"table:{table.logical_name}" for table in change.put),
        *(f"relationship:{relationship.schema_name}" for relationship in change.relate),
        *(f"choice:{choice.name}" for choice in change.choices),
    )


def gone_in(change: CatalogChange) -> tuple[str, ...]:
    """Return what a change removes, as the stamps of a catalog call it."""
    return (
        *(f"table:{name}" for name in change.remove),
        *(f"relationship:{name}" for name in change.unrelate),
        *(f"choice:{name}" for name in change.drop_choices),
    )


def _put(before: Mapping[str, T], gone: Collection[str], put: Mapping[str, T]) -> Mapping[str, T]:
    return {**{name: found for name, found in before.items() if name not in gone}, **put}
