"""The definitions of a catalog snapshot: each made once, when it is first asked for, and found by name or id.

One `Definitions` belongs to one snapshot; whoever keeps it across requests drops it when the snapshot changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, assert_never

from entities.metadata.catalog import Catalog, same_definitions
from entities.metadata.columns import Choice, ChoiceType, Column, LookupType, MultiChoiceType
from entities.metadata.ids import table_id
from entities.metadata.relationships import ManyToMany, OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Table
from odata_server.edm.definition_types import alternate_key
from odata_server.render.definition_choices import choice_values, option_set_values
from odata_server.render.definition_columns import column_kind, column_values
from odata_server.render.definition_labels import Json
from odata_server.render.definition_managed_properties import managed_properties, managed_property_values
from odata_server.render.definition_tables import (
    key_values,
    many_to_many_values,
    one_to_many_values,
    table_values,
)


@dataclass(frozen=True, slots=True)
class ColumnOf:
    """A column and the table it belongs to."""

    table: Table
    column: Column


@dataclass(frozen=True, slots=True)
class Plain:
    """A definition with nothing behind its navigation properties: a key, a choice, the name of a managed property."""

    part_of: AlternateKey | Choice | str


Subject: TypeAlias = Table | ColumnOf | OneToMany | ManyToMany | Plain


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition: its entity type's name without namespace, its properties, and what it defines."""

    type_name: str
    values: Json
    subject: Subject = field(compare=False, repr=False)

    @property
    def id(self) -> str:
        """The MetadataId."""
        return str(self.values["MetadataId"])

    @property
    def name(self) -> str:
        """The value of the alternate key."""
        return str(self.values.get(alternate_key(self.type_name), ""))


class Shelf:
    """Definitions of one kind in the order of their names, found by name or id."""

    def __init__(self, items: Iterable[Definition]) -> None:
        self.items = tuple(sorted(items, key=lambda item: item.name))
        self.by_name: Mapping[str, Definition] = {item.name: item for item in self.items}
        self.by_id: Mapping[str, Definition] = {item.id: item for item in self.items}


Related: TypeAlias = Shelf | Definition | None


class Definitions:
    """The definitions of one snapshot.

    Two threads may make the same one at the same time; both are equal, and one stays.

    Args:
        catalog: the snapshot.
        earlier: the definitions of the snapshot before; those of tables that did not change are taken over.
    """

    def __init__(self, catalog: Catalog, earlier: Definitions | None = None) -> None:
        self.catalog = catalog
        self._tables: dict[str, Definition] = {}
        self._columns: dict[str, Shelf] = {}
        self._option_sets: dict[tuple[str, str, str], Definition | None] = {}
        if earlier is not None:
            self._take_over(earlier)

    def _take_over(self, earlier: Definitions) -> None:
        """Keep what was made of tables that both snapshots share."""
        known, tables = earlier.catalog.tables, self.catalog.tables
        same = {name for name, table in known.items() if tables.get(name) is table}
        self._tables.update((name, made) for name, made in earlier._tables.copy().items() if name in same)
        self._columns.update((name, made) for name, made in earlier._columns.copy().items() if name in same)

    def table(self, name: str) -> Definition | None:
        """Return a table's definition by logical name."""
        found = self._tables.get(name)
        if found is None and name in self.catalog.tables:
            table = self.catalog.tables[name]
            found = self._tables[name] = Definition("EntityMetadata", table_values(table), table)
        return found

    def table_by_id(self, metadata_id: str) -> Definition | None:
        """Return a table's definition by MetadataId."""
        return self.table(self._table_names.get(metadata_id, ""))

    @cached_property
    def _table_names(self) -> Mapping[str, str]:
        return {table_id(table): table.logical_name for table in self.catalog.tables.values()}

    @cached_property
    def tables(self) -> Shelf:
        """All tables."""
        return Shelf(found for name in self.catalog.tables if (found := self.table(name)) is not None)

    @cached_property
    def relationships(self) -> Shelf:
        """All relationships."""
        return Shelf(_relationship(relationship) for relationship in self.catalog.relationships.values())

    @cached_property
    def choices(self) -> Shelf:
        """All global choices, those that no column uses among them."""
        custom = {choice.name for choice in self._chosen_by_custom_columns()}
        return Shelf(
            Definition(
                "OptionSetMetadata",
                choice_values(choice, is_custom=choice.is_custom or choice.name in custom),
                Plain(choice),
            )
            for choice in self.catalog.choices.values()
        )

    @cached_property
    def managed_properties(self) -> Shelf:
        """All managed properties."""
        names = managed_properties(self.catalog.tables.values())
        return Shelf(Definition("ManagedPropertyMetadata", managed_property_values(n), Plain(n)) for n in names)

    def _chosen_by_custom_columns(self) -> Iterator[Choice]:
        for table in self.catalog.tables.values():
            for column in table.columns:
                choice = _global_choice(column)
                if choice is not None and column.is_custom:
                    yield choice

    @cached_property
    def _by_end(self) -> Mapping[tuple[str, str], Shelf]:
        """Return relationships by (table, navigation property of EntityMetadata), found in one pass."""
        found: dict[tuple[str, str], list[Definition]] = {}
        for item in self.relationships.items:
            for end in _ends(item.subject):
                found.setdefault(end, []).append(item)
        return {end: Shelf(items) for end, items in found.items()}

    def columns(self, table: Table) -> Shelf:
        """Return the definitions of a table's columns."""
        shelf = self._columns.get(table.logical_name)
        if shelf is None:
            shelf = self._columns[table.logical_name] = Shelf(
                Definition(column_kind(c.type).type_name, column_values(table, c, number), ColumnOf(table, c))
                for number, c in enumerate(table.columns, 1)
            )
        return shelf

    def related(self, definition: Definition, navigation: str) -> Related:
        """Return what a navigation property of a definition leads to.

        Args:
            definition: a definition of this snapshot.
            navigation: a navigation property that its type has.
        """
        match definition.subject:
            case Table() as table:
                return self._of_table(table, navigation)
            case ColumnOf() as of:
                return self._option_set(of, navigation)
            case OneToMany() as relationship:
                return self._lookup(relationship)
            case ManyToMany() | Plain():
                return None
            case _:
                assert_never(definition.subject)

    def _of_table(self, table: Table, navigation: str) -> Related:
        readers: Mapping[str, Callable[[], Shelf]] = {
            "Attributes": lambda: self.columns(table),
            "Keys": lambda: Shelf(_key(table, key) for key in table.keys),
        }
        reader = readers.get(navigation)
        return reader() if reader else self._by_end.get((table.logical_name, navigation)) or Shelf(())

    def _option_set(self, of: ColumnOf, navigation: str) -> Definition | None:
        key = (of.table.logical_name, of.column.logical_name, navigation)
        if key not in self._option_sets:
            self._option_sets[key] = _option_set(of, navigation)
        return self._option_sets[key]

    def _lookup(self, relationship: OneToMany) -> Definition | None:
        table = self.catalog.tables.get(relationship.referencing_table)
        column = table.by_name.get(relationship.referencing_column) if table else None
        if table is None or column is None or not isinstance(column.type, LookupType):
            return None
        return self.columns(table).by_name[column.logical_name]


class KeptDefinitions:
    """The definitions of the newest snapshot, kept as long as it is the newest."""

    def __init__(self) -> None:
        self._newest: Definitions | None = None

    def of(self, catalog: Catalog) -> Definitions:
        """Return the definitions of a snapshot, the same object as long as the snapshot is the same."""
        kept = self._newest
        if kept is None or not same_definitions(kept.catalog, catalog):
            kept = self._newest = Definitions(catalog, earlier=kept)
        return kept


def _ends(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Return where a relationship is found: tables, with the navigation property of their definitions."""
    if isinstance(subject, OneToMany):
        return (
            (subject.referenced_table, "OneToManyRelationships"),
            (subject.referencing_table, "ManyToOneRelationships"),
        )
    if isinstance(subject, ManyToMany):
        return tuple((table, "ManyToManyRelationships") for table in dict.fromkeys((subject.table1, subject.table2)))
    return ()


def _relationship(relationship: Relationship) -> Definition:
    match relationship:
        case OneToMany():
            return Definition("OneToManyRelationshipMetadata", one_to_many_values(relationship), relationship)
        case ManyToMany():
            return Definition("ManyToManyRelationshipMetadata", many_to_many_values(relationship), relationship)
        case _:
            assert_never(relationship)


def _key(table: Table, key: AlternateKey) -> Definition:
    return Definition("EntityKeyMetadata", key_values(table, key), Plain(key))


def _global_choice(column: Column) -> Choice | None:
    match column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice) if choice.is_global:
            return choice
        case _:
            return None


def _option_set(of: ColumnOf, navigation: str) -> Definition | None:
    """Return a column's option set; GlobalOptionSet is null where the choice is the column's own."""
    choice = _global_choice(of.column)
    values = option_set_values(of.table, of.column)
    if values is None or (navigation == "GlobalOptionSet" and choice is None):
        return None
    type_name = "BooleanOptionSetMetadata" if "TrueOption" in values else "OptionSetMetadata"
    return Definition(type_name, values, Plain(choice or Choice(str(values["Name"]), ())))
