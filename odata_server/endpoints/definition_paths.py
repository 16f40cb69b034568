"""Paths to definitions: `EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.…Metadata`.

    path  = set [ key ] *( "/" step ) [ "/$count" / "/$value" ]
    step  = cast / navigation [ key ] / property
    key   = "(" guid ")" / "(" alternate-key "=" literal ")"

Learn: "Query table definitions using the Web API".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from entities.errors import DataverseError, MalformedRequest, RecordNotFound
from odata_server.bind.paths import not_found, segment_name
from odata_server.edm.definition_types import (
    DEFINITIONS,
    all_navigations,
    all_properties,
    alternate_key,
    is_derived,
)
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.render.definitions import Definition, Definitions, Shelf
from odata_server.syntax.request_trees import (
    Arguments,
    ExpandItem,
    NamedSegment,
    PathSegment,
    QueryOptions,
    ResourcePath,
    SystemName,
    SystemSegment,
)
from odata_server.syntax.trees import Alias, Expression, Literal, LiteralKind

_SETS: Final[Mapping[str, str]] = {
    "EntityDefinitions": "EntityMetadata",
    "RelationshipDefinitions": "RelationshipMetadataBase",
    "GlobalOptionSetDefinitions": "OptionSetMetadataBase",
    "ManagedPropertyDefinitions": "ManagedPropertyMetadata",
}
_PARTS: Final[Mapping[str, str]] = {
    "EntityDefinitions": "Entity",
    "ManagedPropertyDefinitions": "Entity",
    "Keys": "Entity",
    "Attributes": "Attribute",
    "Lookup": "Attribute",
    "RelationshipDefinitions": "Relationship",
    "OneToManyRelationships": "Relationship",
    "ManyToOneRelationships": "Relationship",
    "ManyToManyRelationships": "Relationship",
    "GlobalOptionSetDefinitions": "OptionSet",
    "GlobalOptionSet": "OptionSet",
    "OptionSet": "OptionSet",
}
"""Which part of the definitions a name leads into; each part has its own read privilege."""

_CAST: Final = f"{WEB_API_NAMESPACE}."
_UNCASTABLE: Final = "EnumAttributeMetadata"

Found: TypeAlias = Shelf | Definition | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads.

    Attributes:
        type_name: the entity type that is declared there, without namespace.
        found: a collection, one definition, or nothing behind a single-valued navigation property.
        context: the path as context URLs write it; a `/` and `cast` follow where the path ends with a cast.
        cast: the type the path was cast to, empty where it was not.
        member: the property the path ends with.
        is_raw: the path ends with `/$count` or `/$value`: the answer is plain text.
    """

    type_name: str
    found: Found
    context: str
    cast: str = ""
    member: str = ""
    is_raw: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether the path ends with `/$count`."""
        return self.is_raw and not self.member


def parts_read(path: ResourcePath, options: QueryOptions) -> frozenset[str]:
    """Return the parts of the definitions that a request touches, by path and `$expand`."""
    names = [segment.name for segment in path.segments if isinstance(segment, NamedSegment)]
    names.extend(_expanded_names(options.expand or ()))
    return frozenset(_PARTS[name] for name in names if name in _PARTS)


def _expanded_names(items: tuple[ExpandItem, ...]) -> list[str]:
    names: list[str] = []
    for item in items:
        names.extend(item.path)
        if item.options is not None:
            names.extend(_expanded_names(item.options.expand or ()))
    return names


def walk(path: ResourcePath, definitions: Definitions, aliases: Mapping[str, Expression]) -> Place:
    """Return where a path leads.

    Args:
        path: the parsed path behind the service root.
        definitions: the definitions of the current snapshot.
        aliases: the parameter aliases of the URL.

    Raises:
        ResourceNotFound: a segment stands for nothing.
        RecordNotFound: no definition has the key.
        MalformedRequest: a key or a cast that is not possible there.
        NotSupported: a kind of segment that is not supported.
    """
    first, *rest = path.segments
    place = _enter(first, definitions, aliases)
    for segment in rest:
        place = _step(place, segment, definitions, aliases)
    return place


def _enter(segment: PathSegment, definitions: Definitions, aliases: Mapping[str, Expression]) -> Place:
    if not isinstance(segment, NamedSegment) or segment.name not in _SETS:
        raise no_segment(segment)
    type_name = _SETS[segment.name]
    place = Place(type_name, None, segment.name)
    if segment.name == "EntityDefinitions" and segment.arguments:
        return _table(place, segment, definitions, aliases)
    shelves = {
        "EntityDefinitions": lambda: definitions.tables,
        "RelationshipDefinitions": lambda: definitions.relationships,
        "GlobalOptionSetDefinitions": lambda: definitions.choices,
        "ManagedPropertyDefinitions": lambda: definitions.managed_properties,
    }
    return _pick(replace(place, found=shelves[segment.name]()), segment, aliases)


def _table(place: Place, segment: NamedSegment, definitions: Definitions, aliases: Mapping[str, Expression]) -> Place:
    """Return one table without making the definitions of all others."""
    name, value = definition_key(segment, place.type_name, aliases)
    found = definitions.table_by_id(value) if name == "MetadataId" else definitions.table(value)
    if found is None:
        raise no_definition(place.type_name, name, value)
    return replace(place, found=found, context=_keyed(place.context, name, value))


def _step(place: Place, segment: PathSegment, definitions: Definitions, aliases: Mapping[str, Expression]) -> Place:
    if place.is_raw or (place.member and not isinstance(segment, SystemSegment)):
        raise no_segment(segment)
    match segment:
        case NamedSegment(name=name) if name.startswith(_CAST):
            return _pick(_cast(place, name), segment, aliases)
        case NamedSegment(name=name) if name in all_navigations(place.type_name):
            return _pick(_follow(place, name, definitions), segment, aliases)
        case NamedSegment(name=name, arguments=()) if name in all_properties(place.type_name):
            if not isinstance(place.found, Definition):
                raise no_segment(segment)
            return replace(place, member=name, context=f"{place.context}/{name}")
        case SystemSegment(name=SystemName.COUNT) if isinstance(place.found, Shelf):
            return replace(place, is_raw=True)
        case SystemSegment(name=SystemName.VALUE) if place.member:
            return replace(place, is_raw=True)
        case _:
            raise no_segment(segment)


def _cast(place: Place, name: str) -> Place:
    """Return the place seen as a derived type: a collection keeps the items that are of it."""
    type_name = name.removeprefix(_CAST)
    if type_name not in DEFINITIONS or not is_derived(type_name, place.type_name) or type_name == _UNCASTABLE:
        raise MalformedRequest(f"The type '{name}' cannot be used as a cast of '{_CAST}{place.type_name}' here.")
    found = place.found
    if isinstance(found, Shelf):
        found = Shelf(item for item in found.items if is_derived(item.type_name, type_name))
    elif found is not None and not is_derived(found.type_name, type_name):
        raise RecordNotFound(f"The definition '{found.name}' is not of the type '{name}'.")
    return replace(place, type_name=type_name, found=found, cast=name)


def _follow(place: Place, name: str, definitions: Definitions) -> Place:
    """Return what a navigation property of one definition leads to."""
    if not isinstance(place.found, Definition):
        raise not_found(name)
    target = all_navigations(place.type_name)[name].target
    context = f"{place.context}/{place.cast}/{name}" if place.cast else f"{place.context}/{name}"
    return Place(target, definitions.related(place.found, name), context)


def _pick(place: Place, segment: NamedSegment, aliases: Mapping[str, Expression]) -> Place:
    """Return one definition of a collection where the segment has a key."""
    if not segment.arguments:
        return place
    if not isinstance(place.found, Shelf):
        raise no_segment(segment)
    name, value = definition_key(segment, place.type_name, aliases)
    found = (place.found.by_id if name == "MetadataId" else place.found.by_name).get(value)
    if found is None:
        raise no_definition(place.type_name, name, value)
    return replace(place, found=found, context=_keyed(place.context, name, value))


def _keyed(context: str, name: str, value: str) -> str:
    return f"{context}({value})" if name == "MetadataId" else f"{context}('{value}')"


def definition_key(segment: NamedSegment, type_name: str, aliases: Mapping[str, Expression]) -> tuple[str, str]:
    """Return the key property and the value that a segment gives.

    Raises:
        MalformedRequest: not one key, not the name of a key, or not a literal of its type.
    """
    arguments, *more = segment.arguments
    name, expression = _only(arguments, segment.name)
    value = aliases.get(expression.name, expression) if isinstance(expression, Alias) else expression
    if more or not isinstance(value, Literal):
        raise _bad_key(segment.name)
    if name in {"", "MetadataId"} and value.kind is LiteralKind.GUID:
        return "MetadataId", str(value.value)
    if name and name == alternate_key(type_name) and value.kind is LiteralKind.STRING:
        return name, str(value.value)
    raise _bad_key(segment.name)


def _only(arguments: Arguments, segment: str) -> tuple[str, Expression]:
    match arguments:
        case Arguments(positional=(value,), named=()):
            return "", value
        case Arguments(positional=(), named=(argument,)):
            return argument.name, argument.value
        case _:
            raise _bad_key(segment)


def _bad_key(segment: str) -> MalformedRequest:
    return MalformedRequest(f"Bad Request - Error in query syntax: the key of '{segment}' is not one of its keys.")


def no_segment(segment: PathSegment) -> DataverseError:
    """Return the refusal of a segment that stands for nothing."""
    return not_found(segment_name(segment))


def no_definition(type_name: str, name: str, value: str) -> RecordNotFound:
    """Return the refusal of a key that no definition has."""
    if type_name == "EntityMetadata" and name == "LogicalName":
        text = f"The entity with a name = '{value}' with namemapping = 'Logical' was not found in the MetadataCache."
        return RecordNotFound(text)
    return RecordNotFound(f"Could not find a definition of type '{_CAST}{type_name}' with {name} = '{value}'.")
