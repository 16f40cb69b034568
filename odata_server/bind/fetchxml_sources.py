"""The tables of a FetchXML query: names, aliases, and how links join (Learn: "Join tables using FetchXml").

Aliases of the query are numbered here (`f1`, `f2`, …); those of the document name the columns of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from entities.errors import MalformedRequest, UnknownName
from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table
from entities.query import ColumnRef, LinkType
from odata_server.bind.fetchxml_document import Element, malformed, required

NO_ENTITY: Final = "0x80041102"
NO_ATTRIBUTE: Final = "0x80041103"
DUPLICATE_ALIAS: Final = "0x80041130"
UNKNOWN_ALIAS: Final = "0x8004110a"
INVALID_LINK_TYPE: Final = "0x80041117"
INVALID_LINK: Final = "0x800404ba"
PAIR_MISMATCH: Final = "0x80041111"

_ALIAS: Final = re.compile(r"[A-Za-z_]\w{0,127}(?:\.\w{1,128})?\Z", re.ASCII)
JOINS: Final[Mapping[str, LinkType]] = {
    "inner": LinkType.INNER,
    "natural": LinkType.INNER,
    "outer": LinkType.LEFT_OUTER,
    "matchfirstrowusingcrossapply": LinkType.MATCH_FIRST_ROW,
}
SEMI_JOINS: Final = frozenset({"exists", "in"})
QUANTIFIERS: Final = frozenset({"any", "not any", "all", "not all"})


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the query: its alias there (empty for the query's own table) and the name the document gives it."""

    alias: str
    name: str
    table: Table


@dataclass(slots=True)
class Sources:
    """The tables in sight at some place of the document; inner places see the outer ones as well.

    `numbers` counts the links of the whole document; `joined` are the links whose columns an answer may show.
    """

    catalog: Catalog
    root: Source
    named: dict[str, Source] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=lambda: [0])
    joined: list[tuple[Element, Source]] = field(default_factory=list)

    def inside(self) -> Sources:
        """Return what a condition on related rows sees: everything here, and what it adds for itself."""
        return Sources(self.catalog, self.root, dict(self.named), self.numbers)

    def enter(self, element: Element) -> Source:
        """Return the table of a `link-entity`, from here on in sight.

        Raises:
            UnknownName: there is no such table.
            MalformedRequest: the alias is not allowed, or taken.
        """
        table = table_named(self.catalog, required(element, "name"))
        self.numbers[0] += 1
        number = self.numbers[0]
        # The name that Dataverse makes where none is given.
        name = element.get("alias") or f"{table.logical_name}{number}"
        source = Source(f"f{number}", checked_alias(name), table)
        if name in self.named:
            raise MalformedRequest(f"FetchXML should have unique aliases. '{name}'", code=DUPLICATE_ALIAS)
        self.named[name] = source
        self.joined.append((element, source))
        return source

    def of(self, element: Element, near: Source) -> Source:
        """Return the table that a condition or order is about: its own element's, or the one `entityname` names.

        Raises:
            MalformedRequest: no link in sight has the name.
        """
        name = element.get("entityname")
        return near if name is None else self.alias(name)

    def alias(self, name: str) -> Source:
        """Return the table that an alias, or the name of a table that is linked once, stands for.

        Raises:
            MalformedRequest: neither is in sight.
        """
        found = self.named.get(name)
        if found is not None:
            return found
        same = [source for source in self.named.values() if source.table.logical_name == name]
        if len(same) == 1:
            return same[0]
        if not same and name == self.root.table.logical_name:
            return self.root
        raise MalformedRequest(
            f"The specified alias for the given entity in the condition does not exist. '{name}'", code=UNKNOWN_ALIAS
        )


def encoded(alias: str) -> str:
    """Return an alias as the name of an open property."""
    return alias.replace(".", "_x002e_")


def checked_alias(name: str) -> str:
    """Return an alias that may name a member of the answer.

    Raises:
        MalformedRequest: it holds characters that no name has.
    """
    if _ALIAS.match(name) is None:
        raise malformed(f"The alias '{name[:128]}' contains characters that are not allowed.")
    return name


def table_named(catalog: Catalog, name: str) -> Table:
    """Return a table.

    Raises:
        UnknownName: there is none of this name.
    """
    table = catalog.tables.get(name)
    if table is None:
        raise UnknownName(
            f"The entity with a name = '{name[:128]}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code=NO_ENTITY,
        )
    return table


def column_named(source: Source, name: str) -> Column:
    """Return a column of a table.

    Raises:
        UnknownName: there is none of this name.
    """
    column = source.table.by_name.get(name)
    if column is None or not column.valid_for_read:
        raise UnknownName(
            f"'{source.table.logical_name}' entity doesn't contain attribute with Name = '{name[:128]}' and "
            "NameMapping = 'Logical'.",
            code=NO_ATTRIBUTE,
        )
    return column


def ref(source: Source, column: Column) -> ColumnRef:
    """Return how the query refers to a column."""
    return ColumnRef(column.logical_name, source.alias)


def joined_columns(catalog: Catalog, element: Element, near: Source, far: Source) -> tuple[str, str]:
    """Return the columns (`from` of the linked table, `to` of its parent) over which a link joins.

    Where neither is written, the only relationship between the two tables tells.

    Raises:
        UnknownName: a column does not exist.
        MalformedRequest: only one is written, or the tables have no relationship or several.
    """
    from_name, to_name = element.get("from"), element.get("to")
    if from_name and to_name:
        return column_named(far, from_name).logical_name, column_named(near, to_name).logical_name
    if from_name or to_name:
        raise MalformedRequest(
            "AttributeFrom and AttributeTo must be either both specified or both omitted.", code=PAIR_MISMATCH
        )
    pairs = set()
    for relationship in catalog.relationships_of(near.table.logical_name):
        if not isinstance(relationship, OneToMany):
            continue
        ends = (relationship.referencing_table, relationship.referenced_table)
        if ends == (near.table.logical_name, far.table.logical_name):
            pairs.add((relationship.referenced_column, relationship.referencing_column))
        if ends == (far.table.logical_name, near.table.logical_name):
            pairs.add((relationship.referencing_column, relationship.referenced_column))
    if len(pairs) != 1:
        raise MalformedRequest("Invalid link entity, link to attribute, or link from attribute.", code=INVALID_LINK)
    return pairs.pop()
