"""What a metadata document says of tables, put in order: properties, navigation and keys by table.

Types of definitions, complex types and the abstract bases are left out: they are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from odata_server.edm.csdl_document import CSDL, Element, bare, is_collection, refused
from odata_server.edm.csdl_tables import BASE
from odata_server.edm.naming import PRINCIPAL

OWNER: Final = "ownerid"
_NO_TABLES: Final = frozenset({BASE, PRINCIPAL, "expando"})


@dataclass(frozen=True, slots=True)
class Navigated:
    """A navigation property: where it leads, its partner, and the properties of its referential constraint."""

    name: str
    target: str
    partner: str
    is_collection: bool
    dependent: str
    referenced: str


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table as the document has it: what its entity type declares itself, not what it has from its base.

    `singles` and `collections` are its navigation properties by name.
    """

    name: str
    base: str
    entity_set: str
    key: str
    properties: Mapping[str, str]
    singles: Mapping[str, Navigated]
    collections: Mapping[str, Navigated]
    alternate_keys: tuple[tuple[str, ...], ...]

    @property
    def primary_id(self) -> str:
        """The primary id: of users and teams not the key, which is their owner id."""
        return f"{self.name}id" if self.base == PRINCIPAL else self.key


@dataclass(frozen=True, slots=True)
class Source:
    """The tables of a document by logical name."""

    tables: Mapping[str, TableSource]

    def base_of(self, table: TableSource) -> TableSource | None:
        """Return the table that another one derives from."""
        return self.tables.get(table.base)

    def is_base(self, table: TableSource) -> bool:
        """Say whether other tables derive from a table, which has no records of its own then."""
        return any(other.base == table.name for other in self.tables.values())

    def leads(self, table: TableSource, target: str) -> bool:
        """Say whether a collection of a table holds records of another one, or of one that derives from it."""
        found = (self.tables.get(navigation.target) for navigation in table.collections.values())
        return any(other is not None and target in (other.name, other.base) for other in found)

    def properties(self, table: TableSource) -> Mapping[str, str]:
        """Return the types of all properties of a table, those of its base included, its primary id first."""
        base = self.base_of(table)
        inherited = {OWNER: "Edm.Guid"} if table.base == PRINCIPAL else dict(base.properties) if base else {}
        found = {**inherited, **table.properties}
        return {table.primary_id: found.get(table.primary_id, "Edm.Guid"), **found}


def source_of(schema: Element) -> Source:
    """Return the tables that a schema declares.

    Args:
        schema: the schema of a metadata document.

    Raises:
        MalformedRequest: a name is no identifier (CSDL 4.0 §17.2), or two tables have the same.
    """
    types = {element.get("Name"): element for element in schema.named("EntityType")}
    sets = {bare(found.get("EntityType")): found.get("Name") for found in schema.everywhere("EntitySet")}
    tables = {}
    for name, element in types.items():
        if name not in _NO_TABLES and BASE in _lineage(name, types):
            tables[name] = _table(name, element, types, sets.get(name, ""))
    _check_names(tables)
    return Source(tables)


def _check_names(tables: Mapping[str, TableSource]) -> None:
    """Refuse names that no table, column or navigation property can have."""
    if len({name.lower() for name in tables}) < len(tables):
        raise refused(CSDL, "two entity types have the same name but for the case")
    for name, table in tables.items():
        names = (name, table.key, *table.properties, *table.singles, *table.collections)
        for wrong in (found for found in names if not found.isidentifier()):
            raise refused(CSDL, f"'{wrong[:128]}' of '{name[:128]}' is no identifier")
        if table.entity_set and not table.entity_set.isidentifier():
            raise refused(CSDL, f"'{table.entity_set[:128]}' is no identifier")


def _lineage(name: str, types: Mapping[str, Element]) -> Iterator[str]:
    """Yield the names of a type and of its bases; the tables' base only at the end of it."""
    seen: set[str] = set()
    while name in types and name not in seen:
        seen.add(name)
        yield name
        name = bare(types[name].get("BaseType"))


def _table(name: str, element: Element, types: Mapping[str, Element], entity_set: str) -> TableSource:
    base = bare(element.get("BaseType"))
    keys = (
        part.get("Name")
        for level in _lineage(name, types)
        for key in types[level].named("Key")
        for part in key.children
    )
    navigations = tuple(_navigated(found) for found in element.named("NavigationProperty"))
    return TableSource(
        name,
        "" if base == BASE else base,
        entity_set,
        next(keys, f"{name}id"),
        {found.get("Name"): found.get("Type") for found in element.named("Property")},
        {found.name: found for found in navigations if not found.is_collection},
        {found.name: found for found in navigations if found.is_collection},
        tuple(_alternate_keys(element)),
    )


def _navigated(element: Element) -> Navigated:
    constraint = next(element.named("ReferentialConstraint"), None)
    return Navigated(
        element.get("Name"),
        bare(element.get("Type")),
        element.get("Partner"),
        is_collection(element.get("Type")),
        constraint.get("Property") if constraint else "",
        constraint.get("ReferencedProperty") if constraint else "",
    )


def _alternate_keys(element: Element) -> Iterator[tuple[str, ...]]:
    for annotation in element.named("Annotation"):
        if annotation.get("Term").endswith(".AlternateKeys"):
            for key in annotation.everywhere("PropertyValue"):
                if key.get("Property") == "Key":
                    paths = (part.get("PropertyPath") for part in key.everywhere("PropertyValue"))
                    yield tuple(path for path in paths if path)
