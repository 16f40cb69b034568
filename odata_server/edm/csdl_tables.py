"""Tables in `$metadata` of the Web API: an entity type and an entity set each, in the form of Dataverse's document.

Its habits, which clients have learned: no Nullable on properties, but `Nullable="false"` on single-valued navigation;
`Scale="Variable"`; every type names its key, those that inherit it, too; a referential constraint only where both of
its properties are the types' own; users and teams derive from `principal`, whose key is `ownerid`, and bindings lead
owners to a set `owners` that is not there (Learn: "Web API service documents"; a document of version 9.1).

What is written of a table is kept with everything that it was written from, so a change costs the tables it touches.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from entities.metadata.catalog import Catalog, CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Table
from odata_server.edm.alternate_keys import alternate_keys_xml
from odata_server.edm.naming import (
    PRINCIPAL,
    WEB_API_ALIAS,
    WEB_API_NAMESPACE,
    edm_type,
    readable_columns,
    web_api_property,
)
from odata_server.edm.xml_text import empty, escaped

BASE: Final = "crmbaseentity"
CORE: Final = "Org.OData.Core.V1"
CAPABILITIES: Final = "Org.OData.Capabilities.V1"
_KEY: Final = "ownerid"
"""The key of owners, and the column that names one."""

_OWNERS: Final = "owners"
"""The set of all owners, to which bindings lead and which is not there."""

_FACETS: Final = {"Edm.String": ' Unicode="false"', "Edm.Decimal": ' Scale="Variable"'}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a table, and from what: its text is good as long as that is the same.

    Attributes:
        source: the table, its base, its relationships, and what counts of their other ends.
        entity_type: the entity type.
        entity_set: the entity set; empty where there is none.
        owned: the navigation from owners to the table's records; empty where they have none.
    """

    source: tuple[object, ...]
    entity_type: str
    entity_set: str
    owned: str


def written(
    catalog: Catalog, table: Table, earlier: Written | None, bases: frozenset[str], *, annotated: bool
) -> Written:
    """Return what stands of a table in the document.

    Args:
        catalog: the tables around it.
        table: the table.
        earlier: what was written of the table of this name, with the same annotations; None where nothing was.
        bases: the tables from which others derive.
        annotated: whether descriptions and permissions are written.
    """
    navigations = catalog.navigations[table.logical_name]
    base = catalog.tables.get(table.base_type or "")
    tables = catalog.tables
    source: tuple[object, ...] = (
        table,
        base,
        table.logical_name in bases,
        [navigation.relationship for navigation in navigations.values()],
        [(other.entity_set_name, other.base_type) for n in navigations.values() for other in (tables[n.target],)],
        [_is_owned(catalog, n.relationship) for n in navigations.values() if isinstance(n, CollectionNavigation)],
    )
    if earlier is not None and earlier.source == source:
        return earlier
    writer = _Writer(catalog, table, base, annotated=annotated)
    return Written(
        source,
        "".join(writer.entity_type(is_abstract=table.logical_name in bases)),
        "".join(writer.entity_set()) if table.entity_set_name else "",
        "".join(writer.owned()),
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one table."""

    catalog: Catalog
    table: Table
    base: Table | None
    annotated: bool

    def entity_type(self, *, is_abstract: bool) -> Iterator[str]:
        """Yield the entity type."""
        table = self.table
        is_principal = table.base_type == PRINCIPAL
        parent = PRINCIPAL if is_principal else self.base.logical_name if self.base else BASE
        abstract = ' Abstract="true"' if is_abstract else ""
        yield f'<EntityType Name="{escaped(table.logical_name)}" BaseType="{WEB_API_ALIAS}.{parent}"{abstract}>'
        yield key_xml(_KEY if is_principal else table.primary_id)
        inherited = _inherited(table, self.base)
        for column in readable_columns(table):
            if column.logical_name not in inherited:
                yield _property(column, annotated=self.annotated)
        for name, navigation in self.catalog.navigations[table.logical_name].items():
            yield self._navigation(name, navigation)
        yield from alternate_keys_xml([_key_properties(table, key) for key in table.keys])
        yield "</EntityType>"

    def _navigation(self, name: str, navigation: Navigation) -> str:
        match navigation:
            case LookupNavigation(relationship=relationship):
                return self._single(name, relationship)
            case CollectionNavigation(relationship=relationship):
                if self.table.base_type == PRINCIPAL and _is_owned(self.catalog, relationship):
                    return ""
                return _collection(name, navigation.target, relationship.referencing_navigation)
            case ManyToManyNavigation(relationship=relationship):
                near_is_first = navigation.near == relationship.column1
                partner = relationship.navigation2 if near_is_first else relationship.navigation1
                return _collection(name, navigation.target, partner)
            case _:
                assert_never(navigation)

    def _single(self, name: str, relationship: OneToMany) -> str:
        """Return a single-valued navigation property; that of an owner leads to the base of users and teams."""
        owned = _is_owned(self.catalog, relationship)
        target = PRINCIPAL if owned else relationship.referenced_table
        start = f'<NavigationProperty Name="{escaped(name)}" Type="{WEB_API_ALIAS}.{escaped(target)}" Nullable="false"'
        if relationship.referenced_navigation:
            start += f' Partner="{escaped(relationship.referenced_navigation)}"'
        constraint = self._constraint(relationship, owned=owned)
        return f"{start}>{constraint}</NavigationProperty>" if constraint else f"{start}/>"

    def _constraint(self, relationship: OneToMany, *, owned: bool) -> str:
        column = self.table.by_name.get(relationship.referencing_column)
        if column is None or not column.valid_for_read or column.logical_name in _inherited(self.table, self.base):
            return ""
        other = self.catalog.tables[relationship.referenced_table]
        above = self.catalog.tables.get(other.base_type or "")
        if not owned and relationship.referenced_column in _inherited(other, above):
            return ""
        referenced = _KEY if owned else relationship.referenced_column
        return (
            f'<ReferentialConstraint Property="{escaped(web_api_property(column))}"'
            f' ReferencedProperty="{escaped(referenced)}"/>'
        )

    def entity_set(self) -> Iterator[str]:
        """Yield the entity set with its bindings; an owner's leads to the set of all owners."""
        table, tables = self.table, self.catalog.tables
        head = (
            f'<EntitySet Name="{escaped(table.entity_set_name)}"'
            f' EntityType="{WEB_API_NAMESPACE}.{escaped(table.logical_name)}"'
        )
        inner = []
        navigations = self.catalog.navigations[table.logical_name]
        for name in sorted(navigations, key=str.lower):
            navigation = navigations[name]
            target = tables[navigation.target].entity_set_name
            if _is_owned(self.catalog, navigation.relationship):
                if isinstance(navigation, CollectionNavigation):
                    # It is one of the base of users and teams.
                    continue
                target = _OWNERS
            if target:
                inner.append(f'<NavigationPropertyBinding Path="{escaped(name)}" Target="{escaped(target)}"/>')
        if self.annotated and table.change_tracking:
            # Learn: "Use change tracking to synchronize data with external systems".
            inner.append(
                f'<Annotation Term="{CAPABILITIES}.ChangeTracking"><Record>'
                '<PropertyValue Property="Supported" Bool="true" /></Record></Annotation>'
            )
        yield f"{head}>{''.join(inner)}</EntitySet>" if inner else f"{head}/>"

    def owned(self) -> Iterator[str]:
        """Yield the navigation from owners to this table's records."""
        for navigation in self.catalog.navigations[self.table.logical_name].values():
            if isinstance(navigation, LookupNavigation) and _is_owned(self.catalog, navigation.relationship):
                name = navigation.relationship.referenced_navigation
                if name:
                    yield _collection(name, self.table.logical_name, navigation.name)


def key_xml(name: str) -> str:
    """Return the key of an entity type."""
    return f'<Key><PropertyRef Name="{escaped(name)}"/></Key>'


def _is_owned(catalog: Catalog, relationship: Relationship) -> bool:
    """Say whether a relationship is the one of an owner column, which leads to `principal`."""
    if not isinstance(relationship, OneToMany) or relationship.referencing_column != _KEY:
        return False
    column = catalog.tables[relationship.referencing_table].by_name.get(relationship.referencing_column)
    return column is not None and isinstance(column.type, LookupType) and column.type.kind is LookupKind.OWNER


def _inherited(table: Table, base: Table | None) -> Container[str]:
    """Return the columns that a type has from its base."""
    if table.base_type == PRINCIPAL:
        return (_KEY,)
    return base.by_name if base is not None else ()


def _key_properties(table: Table, key: AlternateKey) -> tuple[str, ...]:
    return tuple(web_api_property(table.by_name[name]) for name in key.columns)


def _property(column: Column, *, annotated: bool) -> str:
    type_ = edm_type(column.type)
    element = f'<Property Name="{escaped(web_api_property(column))}" Type="{type_}"{_FACETS.get(type_, "")}'
    annotations = "".join(_annotations(column)) if annotated else ""
    return f"{element}>{annotations}</Property>" if annotations else f"{element}/>"


def _annotations(column: Column) -> Iterator[str]:
    """Yield what `?annotations=true` adds to a property."""
    text = column.description.text() or column.display_name.text()
    if text:
        yield empty("Annotation", Term=f"{CORE}.Description", String=text)
    if not (column.valid_for_create or column.valid_for_update):
        yield empty("Annotation", Term=f"{CORE}.Computed", Bool="true")
        permission = f"{CORE}.PermissionType/Read"
        yield f'<Annotation Term="{CORE}.Permissions"><EnumMember>{permission}</EnumMember></Annotation>'


def _collection(name: str, target: str, partner: str) -> str:
    led = f' Partner="{escaped(partner)}"' if partner else ""
    return f'<NavigationProperty Name="{escaped(name)}" Type="Collection({WEB_API_ALIAS}.{escaped(target)})"{led}/>'
