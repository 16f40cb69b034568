"""Definitions as the complex values of RetrieveMetadataChanges (Learn: "ComplexEntityMetadata ComplexType").

Properties that nobody asked for are left out; names and ids always come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.relationships import ManyToMany, OneToMany
from entities.metadata.tables import Table
from odata_server.bind.metadata_query import ATTRIBUTES, KEYS, RELATIONSHIPS, MetadataQuery, Wanted
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.render.definition_labels import Json, in_languages
from odata_server.render.definitions import Definition, Definitions, Shelf

_ALWAYS: Final = frozenset({"LogicalName", "SchemaName", "MetadataId", "HasChanged"})
_OPTION_SET: Final = "OptionSet"
_KINDS: Final[Mapping[str, str]] = {
    "table": "Default",
    "column": "Attribute",
    "relationship": "Relationship",
    "choice": "OptionSet",
}
"""The filter that stands for a kind of definition that is gone (Learn: "DeletedMetadataFilters EnumType")."""


def changed_tables(definitions: Definitions, query: MetadataQuery, since: int | None) -> list[Json]:
    """Return the tables that a query wants, with what it wants of them.

    Args:
        definitions: the definitions of the current snapshot.
        query: what is wanted.
        since: only what was put after this version, None for everything.
    """
    maker = _Maker(definitions, query, since)
    return list(maker.tables())


class _Maker:
    """Makes the values of one answer."""

    def __init__(self, definitions: Definitions, query: MetadataQuery, since: int | None) -> None:
        self._definitions = definitions
        self._query = query
        self._since = since
        self._navigations = [name for name in RELATIONSHIPS if query.tables.wants(name)]

    def tables(self) -> Iterator[Json]:
        for definition in self._candidates():
            if not self._query.tables.keeps(definition.values):
                continue
            is_changed = self._is_changed(definition)
            related = {name: self._relationships(definition, name) for name in self._navigations}
            if is_changed or any(related.values()):
                yield self._table(definition, related, is_changed=is_changed)

    def _candidates(self) -> Iterable[Definition]:
        """Return all tables, or those that the criteria name."""
        fixed = self._query.tables.fixed
        if fixed is None:
            return self._definitions.tables.items
        found = (self._definitions.table(name) for name in dict.fromkeys(fixed))
        return [definition for definition in found if definition is not None]

    def _table(self, definition: Definition, related: Mapping[str, list[Json]], *, is_changed: bool) -> Json:
        query = self._query
        made = {**self._chosen(definition, query.tables), "HasChanged": self._marked(is_changed=is_changed)}
        if query.tables.wants(ATTRIBUTES):
            made[ATTRIBUTES] = [
                self._column(column) for column in self._parts(definition, ATTRIBUTES, query.columns) if is_changed
            ]
        if query.tables.wants(KEYS):
            keys = self._parts(definition, KEYS, query.keys)
            made[KEYS] = [self._chosen(key, query.keys) for key in keys if is_changed]
        return {**made, **related}

    def _marked(self, *, is_changed: bool) -> bool | None:
        """Return what `HasChanged` says: nothing where everything was asked for."""
        return None if self._since is None else is_changed

    def _parts(self, definition: Definition, name: str, wanted: Wanted) -> Iterator[Definition]:
        shelf = self._definitions.related(definition, name)
        assert isinstance(shelf, Shelf)
        return (item for item in shelf.items if wanted.keeps(item.values))

    def _column(self, column: Definition) -> Json:
        made: dict[str, object] = {"@odata.type": f"#{WEB_API_NAMESPACE}.Complex{column.type_name}"}
        made.update(self._chosen(column, self._query.columns))
        if self._query.columns.wants(_OPTION_SET):
            choice = self._definitions.related(column, _OPTION_SET)
            if isinstance(choice, Definition):
                made[_OPTION_SET] = in_languages(choice.values, self._query.languages)
        return made

    def _relationships(self, definition: Definition, name: str) -> list[Json]:
        found = self._parts(definition, name, self._query.relationships)
        return [self._chosen(item, self._query.relationships) for item in found if self._is_changed(item)]

    def _chosen(self, definition: Definition, wanted: Wanted) -> dict[str, object]:
        names = wanted.names
        chosen = definition.values
        if names is not None:
            chosen = {n: value for n, value in chosen.items() if n in names or n in _ALWAYS}
        return {name: in_languages(value, self._query.languages) for name, value in chosen.items()}

    def _is_changed(self, definition: Definition) -> bool:
        if self._since is None:
            return True
        return _stamp(self._definitions.catalog, definition) > self._since


def _stamp(catalog: Catalog, definition: Definition) -> int:
    match definition.subject:
        case Table(logical_name=name):
            return catalog.stamps.get(f"table:{name}", 0)
        case OneToMany(schema_name=name) | ManyToMany(schema_name=name):
            return catalog.stamps.get(f"relationship:{name}", 0)
        case _:
            return 0


def deleted_definitions(removed: Iterable[tuple[str, str]], wanted: Collection[str]) -> Json:
    """Return the ids of definitions that are gone, as a DeletedMetadataCollection.

    Args:
        removed: kind and MetadataId of each.
        wanted: the kinds that are wanted.
    """
    by_kind: dict[str, list[str]] = {}
    for kind, identifier in removed:
        name = _KINDS[kind]
        if identifier and name in wanted:
            by_kind.setdefault(name, []).append(identifier)
    return {
        "Count": len(by_kind),
        "IsReadOnly": False,
        "Keys": list(by_kind),
        "Values": [{"Items": found} for found in by_kind.values()],
    }
