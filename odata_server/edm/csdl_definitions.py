"""What is the same in every `$metadata` of the Web API: types of definitions; how values' types are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from odata_server.edm.alternate_keys import alternate_keys_xml
from odata_server.edm.definition_types import DEFINITION_TYPES, DefinitionType, NavigationType, alternate_key
from odata_server.edm.definition_values import ComplexType, EnumType, PropertyType
from odata_server.edm.naming import WEB_API_ALIAS, WEB_API_NAMESPACE
from odata_server.edm.xml_text import empty, opened

_PRIMITIVE: Final = frozenset(
    {"Binary", "Boolean", "Date", "DateTimeOffset", "Decimal", "Double", "Guid", "Int16", "Int32", "Int64", "String"}
)
DEFINITION_SETS: Final = (
    ("EntityDefinitions", "EntityMetadata"),
    ("GlobalOptionSetDefinitions", "OptionSetMetadataBase"),
    ("ManagedPropertyDefinitions", "ManagedPropertyMetadata"),
    ("RelationshipDefinitions", "RelationshipMetadataBase"),
)
"""The entity sets of definitions, after those of the tables."""

_BINDINGS: Final = (
    ("ManyToManyRelationships", "RelationshipDefinitions"),
    ("ManyToOneRelationships", "RelationshipDefinitions"),
    (f"{WEB_API_NAMESPACE}.BooleanAttributeMetadata/GlobalOptionSet", "GlobalOptionSetDefinitions"),
    (f"{WEB_API_NAMESPACE}.EnumAttributeMetadata/GlobalOptionSet", "GlobalOptionSetDefinitions"),
    ("OneToManyRelationships", "RelationshipDefinitions"),
)


def definition_types_xml() -> Iterator[str]:
    """Yield the entity types of definitions."""
    yield empty("EntityType", Name="crmmodelbaseentity", Abstract="true")
    for type_ in DEFINITION_TYPES:
        yield from _definition_type(type_)


def _definition_type(type_: DefinitionType) -> Iterator[str]:
    abstract = "true" if type_.is_abstract else None
    yield opened("EntityType", Name=type_.name, BaseType=f"{WEB_API_ALIAS}.{type_.base}", Abstract=abstract)
    if type_.name == "MetadataBase":
        yield '<Key><PropertyRef Name="MetadataId"/></Key>'
    yield from (_property(name, property_type) for name, property_type in type_.properties.items())
    yield from (_navigation(name, navigation) for name, navigation in type_.navigations.items())
    named_by = alternate_key(type_.name)
    yield from alternate_keys_xml([(named_by,)] if named_by else [])
    yield "</EntityType>"


def _property(name: str, type_: PropertyType) -> str:
    text = qualified_type(type_)
    return empty(
        "Property",
        Name=name,
        Type=text,
        Nullable=None if type_.is_nullable else "false",
        Unicode="false" if type_.name == "String" else None,
        Scale="Variable" if type_.name == "Decimal" else None,
    )


def qualified_type(type_: PropertyType) -> str:
    """Return a property's type as CSDL writes it."""
    single = f"Edm.{type_.name}" if type_.name in _PRIMITIVE else f"{WEB_API_ALIAS}.{type_.name}"
    return f"Collection({single})" if type_.is_collection else single


def _navigation(name: str, navigation: NavigationType) -> str:
    target = f"{WEB_API_ALIAS}.{navigation.target}"
    return empty(
        "NavigationProperty",
        Name=name,
        Type=f"Collection({target})" if navigation.is_collection else target,
        Nullable=None if navigation.is_collection else "false",
        ContainsTarget="true" if navigation.is_contained else None,
    )


def complex_type_xml(type_: ComplexType) -> str:
    """Return a complex type; records in it are navigation properties (CSDL 4.0 §9)."""
    head = opened("ComplexType", Name=type_.name, BaseType=f"{WEB_API_ALIAS}.{type_.base}" if type_.base else None)
    inner = (
        _navigation(name, NavigationType(part.name, part.is_collection, is_contained=False))
        if is_record(part)
        else _property(name, part)
        for name, part in type_.properties.items()
    )
    return f"{head}{''.join(inner)}</ComplexType>"


def is_record(type_: PropertyType) -> bool:
    """Say whether a type is a table's: their names have no capitals, those of all other types have."""
    return type_.name.islower()


def enums_xml(enums: Iterable[EnumType]) -> Iterator[str]:
    """Yield enumerations."""
    for enum in enums:
        yield opened("EnumType", Name=enum.name, IsFlags="true" if enum.is_flags else None)
        yield from (empty("Member", Name=member, Value=str(value)) for member, value in enum.members.items())
        yield "</EnumType>"


def definition_sets_xml() -> Iterator[str]:
    """Yield the entity sets of definitions."""
    for name, type_ in DEFINITION_SETS:
        attributes = {"Name": name, "EntityType": f"{WEB_API_NAMESPACE}.{type_}"}
        if type_ != "EntityMetadata":
            yield empty("EntitySet", **attributes)
            continue
        yield opened("EntitySet", **attributes)
        yield from (empty("NavigationPropertyBinding", Path=path, Target=target) for path, target in _BINDINGS)
        yield "</EntitySet>"
