"""`$metadata` of the Web API: a catalog as CSDL 4.0, in the form of Dataverse's own document.

Its habits, which clients have learned: types by alias, bindings by full namespace; no Nullable on properties, but
`Nullable="false"` on single-valued navigation; `Scale="Variable"`; users and teams derive from `principal`, whose key
is `ownerid` (Learn: "Web API service documents").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from entities.metadata.catalog import Catalog, CollectionNavigation, LookupNavigation, ManyToManyNavigation, Navigation
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import AlternateKey, Table
from odata_server.edm.alternate_keys import NAMESPACE, alternate_keys_xml
from odata_server.edm.csdl_definitions import definition_sets_xml, definition_types_xml, value_types_xml
from odata_server.edm.custom_apis import operation_of, response_type, told
from odata_server.edm.naming import (
    PRINCIPAL,
    WEB_API_ALIAS,
    WEB_API_NAMESPACE,
    edm_type,
    readable_columns,
    web_api_property,
)
from odata_server.edm.operation_list import available_operations, operation_list
from odata_server.edm.operations import Operation, declared, import_xml, operation_xml
from odata_server.edm.query_functions import query_functions_xml
from odata_server.edm.xml_text import DECLARATION, empty, opened

EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"
_BASE: Final = "crmbaseentity"
_CORE: Final = "Org.OData.Core.V1"
_CAPABILITIES: Final = "Org.OData.Capabilities.V1"
_REFERENCES: Final = ((NAMESPACE, "Keys"), ("OData.Community.Display.V1", "Display"))
_STREAMING: Final = ("; odata.streaming=true", "; odata.streaming=false", "")
_LEVELS: Final = ("; odata.metadata=minimal", "; odata.metadata=full", "; odata.metadata=none", "")


def csdl(catalog: Catalog, *, operations: tuple[Operation, ...] | None = None, annotated: bool = False) -> bytes:
    """Return the metadata document of a catalog.

    Args:
        catalog: tables and relationships.
        operations: functions and actions, all that work here when None; those whose tables are missing are left out.
        annotated: whether descriptions and permissions are written too (`?annotations=true`).
    """
    custom = tuple(map(operation_of, told(catalog)))
    known = (*declared(catalog, available_operations() if operations is None else operations), *custom)
    return "".join(_document(catalog, known, annotated=annotated)).encode()


def _document(catalog: Catalog, operations: tuple[Operation, ...], *, annotated: bool) -> Iterator[str]:
    tables = sorted(catalog.tables.values(), key=lambda table: table.logical_name)
    yield DECLARATION
    yield f'<edmx:Edmx xmlns:edmx="{EDMX}" Version="4.0">'
    for namespace, alias in _REFERENCES:
        yield f'<edmx:Reference Uri="http://vocabularies.odata.org/{namespace}.xml">'
        yield empty("edmx:Include", Namespace=namespace, Alias=alias)
        yield empty("edmx:IncludeAnnotations", TermNamespace=namespace)
        yield "</edmx:Reference>"
    yield f'<edmx:DataServices><Schema xmlns="{EDM}" Namespace="{WEB_API_NAMESPACE}" Alias="{WEB_API_ALIAS}">'
    yield empty("EntityType", Name=_BASE, Abstract="true")
    yield empty("EntityType", Name="expando", BaseType=_aliased(_BASE), OpenType="true")
    yield from _principal(catalog, tables)
    for table in tables:
        yield from _entity_type(catalog, table, annotated=annotated)
    for operation in operations:
        yield from operation_xml(operation)
    yield from query_functions_xml()
    yield from definition_types_xml()
    complex_types, enums = operation_list().types_of(operations)
    yield from value_types_xml((*complex_types, *filter(None, map(response_type, told(catalog)))), enums)
    yield from _terms()
    yield from _container(catalog, tables, operations, annotated=annotated)
    yield "</Schema></edmx:DataServices></edmx:Edmx>"


def _aliased(name: str) -> str:
    return f"{WEB_API_ALIAS}.{name}"


def _principal(catalog: Catalog, tables: list[Table]) -> Iterator[str]:
    """Yield the base of users and teams; what they own hangs on it."""
    yield opened("EntityType", Name=PRINCIPAL, BaseType=_aliased(_BASE), Abstract="true")
    yield from _key("ownerid")
    yield empty("Property", Name="ownerid", Type="Edm.Guid")
    for table in tables:
        if table.base_type == PRINCIPAL:
            for name, navigation in catalog.navigations[table.logical_name].items():
                if isinstance(navigation, CollectionNavigation) and _is_owned(catalog, navigation.relationship):
                    yield _collection(name, navigation.target, navigation.relationship.referencing_navigation)
    yield "</EntityType>"


def _is_owned(catalog: Catalog, relationship: OneToMany) -> bool:
    """Say whether a relationship is the one of an owner column, which leads to `principal`."""
    column = catalog.tables[relationship.referencing_table].by_name.get(relationship.referencing_column)
    return column is not None and isinstance(column.type, LookupType) and column.type.kind is LookupKind.OWNER


def _entity_type(catalog: Catalog, table: Table, *, annotated: bool) -> Iterator[str]:
    base = table.base_type or _BASE
    inherited = frozenset({"ownerid"}) if base == PRINCIPAL else frozenset(_columns_of(catalog, base))
    yield opened("EntityType", Name=table.logical_name, BaseType=_aliased(base))
    if base not in catalog.tables:
        yield from _key("ownerid" if base == PRINCIPAL else table.primary_id)
    for column in readable_columns(table):
        if column.logical_name not in inherited:
            yield from _property(column, annotated=annotated)
    for name, navigation in catalog.navigations[table.logical_name].items():
        yield from _navigation(catalog, table, name, navigation)
    yield from alternate_keys_xml([_key_properties(table, key) for key in table.keys])
    yield "</EntityType>"


def _key_properties(table: Table, key: AlternateKey) -> tuple[str, ...]:
    return tuple(web_api_property(table.by_name[name]) for name in key.columns)


def _columns_of(catalog: Catalog, name: str) -> tuple[str, ...]:
    base = catalog.tables.get(name)
    return tuple(base.by_name) if base is not None else ()


def _key(name: str) -> Iterator[str]:
    yield "<Key>"
    yield empty("PropertyRef", Name=name)
    yield "</Key>"


def _property(column: Column, *, annotated: bool) -> Iterator[str]:
    type_ = edm_type(column.type)
    element = empty(
        "Property",
        Name=web_api_property(column),
        Type=type_,
        Unicode="false" if type_ == "Edm.String" else None,
        Scale="Variable" if type_ == "Edm.Decimal" else None,
    )
    annotations = "".join(_annotations(column)) if annotated else ""
    yield f"{element[:-2]}>{annotations}</Property>" if annotations else element


def _annotations(column: Column) -> Iterator[str]:
    """Yield what `?annotations=true` adds to a property."""
    text = column.description.text() or column.display_name.text()
    if text:
        yield empty("Annotation", Term=f"{_CORE}.Description", String=text)
    if not (column.valid_for_create or column.valid_for_update):
        yield empty("Annotation", Term=f"{_CORE}.Computed", Bool="true")
        permission = f"{_CORE}.PermissionType/Read"
        yield f'<Annotation Term="{_CORE}.Permissions"><EnumMember>{permission}</EnumMember></Annotation>'


def _navigation(catalog: Catalog, table: Table, name: str, navigation: Navigation) -> Iterator[str]:
    match navigation:
        case LookupNavigation(relationship=relationship):
            yield from _single(catalog, name, relationship)
        case CollectionNavigation(relationship=relationship):
            if table.base_type != PRINCIPAL or not _is_owned(catalog, relationship):
                yield _collection(name, navigation.target, relationship.referencing_navigation)
        case ManyToManyNavigation(relationship=relationship):
            near_is_first = navigation.near == relationship.column1
            partner = relationship.navigation2 if near_is_first else relationship.navigation1
            yield _collection(name, navigation.target, partner)
        case _:
            assert_never(navigation)


def _single(catalog: Catalog, name: str, relationship: OneToMany) -> Iterator[str]:
    """Yield a single-valued navigation property; that of an owner leads to the base of users and teams."""
    column = catalog.tables[relationship.referencing_table].by_name[relationship.referencing_column]
    owned = _is_owned(catalog, relationship)
    yield opened(
        "NavigationProperty",
        Name=name,
        Type=_aliased(PRINCIPAL if owned else relationship.referenced_table),
        Nullable="false",
        Partner=relationship.referenced_navigation or None,
    )
    referenced = "ownerid" if owned else relationship.referenced_column
    yield empty("ReferentialConstraint", Property=web_api_property(column), ReferencedProperty=referenced)
    yield "</NavigationProperty>"


def _collection(name: str, target: str, partner: str) -> str:
    return empty("NavigationProperty", Name=name, Type=f"Collection({_aliased(target)})", Partner=partner or None)


def _terms() -> Iterator[str]:
    for name, description in (
        ("associatednavigationproperty", "Navigation property that a lookup's value belongs to"),
        ("lookuplogicalname", "Logical name of the table that a lookup's value refers to"),
    ):
        yield opened("Term", Name=name, Type="Edm.String", AppliesTo="PropertyValue")
        yield empty("Annotation", Term=f"{_CORE}.Description", String=description)
        yield "</Term>"


def _container(
    catalog: Catalog, tables: list[Table], operations: tuple[Operation, ...], *, annotated: bool
) -> Iterator[str]:
    yield opened("EntityContainer", Name="System")
    for table in tables:
        if table.entity_set_name:
            yield from _entity_set(catalog, table, annotated=annotated)
    for operation in operations:
        if operation.bound is None:
            yield import_xml(operation)
    yield from definition_sets_xml()
    yield from _capabilities()
    yield "</EntityContainer>"


def _entity_set(catalog: Catalog, table: Table, *, annotated: bool) -> Iterator[str]:
    attributes = {"Name": table.entity_set_name, "EntityType": f"{WEB_API_NAMESPACE}.{table.logical_name}"}
    bindings = [
        empty("NavigationPropertyBinding", Path=name, Target=catalog.tables[navigation.target].entity_set_name)
        for name, navigation in sorted(
            catalog.navigations[table.logical_name].items(), key=lambda pair: pair[0].lower()
        )
        if not (isinstance(navigation, LookupNavigation) and _is_owned(catalog, navigation.relationship))
    ]
    if annotated and table.change_tracking:
        # Learn: "Use change tracking to synchronize data with external systems".
        bindings.append(
            f'<Annotation Term="{_CAPABILITIES}.ChangeTracking"><Record>'
            '<PropertyValue Property="Supported" Bool="true" /></Record></Annotation>'
        )
    if not bindings:
        yield empty("EntitySet", **attributes)
        return
    yield opened("EntitySet", **attributes)
    yield from bindings
    yield "</EntitySet>"


def _capabilities() -> Iterator[str]:
    """Yield what the service says of itself: OData 4.0 at the intermediate level."""
    level = f"{_CAPABILITIES}.ConformanceLevelType/Intermediate"
    yield f'<Annotation Term="{_CAPABILITIES}.ConformanceLevel"><EnumMember>{level}</EnumMember></Annotation>'
    yield from _strings("FilterFunctions", ("contains", "endswith", "startswith"))
    for term, value in (
        (f"{_CORE}.DereferenceableIDs", "true"),
        (f"{_CORE}.ConventionalIDs", "true"),
        (f"{_CAPABILITIES}.BatchSupported", "true"),
        (f"{_CAPABILITIES}.AsynchronousRequestsSupported", "false"),
        (f"{_CAPABILITIES}.BatchContinueOnErrorSupported", "true"),
        (f"{_CAPABILITIES}.CrossJoinSupported", "false"),
    ):
        yield empty("Annotation", Term=term, Bool=value)
    formats = tuple(f"application/json{level}{streaming}" for level in _LEVELS for streaming in _STREAMING)
    yield from _strings("SupportedFormats", (*formats, "application/xml"))


def _strings(term: str, texts: tuple[str, ...]) -> Iterator[str]:
    yield f'<Annotation Term="{_CAPABILITIES}.{term}"><Collection>'
    yield from (f"<String>{text}</String>" for text in texts)
    yield "</Collection></Annotation>"
