"""What a resource path stands for: a collection, a row, something of a row, or an operation.

    set                                  Collection
    set(key)                             Row
    set(key)/property[/$value]           RowProperty
    set(key)/collection[/$count]         Related (Counted)
    set(key)/lookup                      RelatedRow
    set(key)/navigation[(key)]/$ref      References
    set[(key)]/Namespace.Operation(…)    Operation
    Name[(…)]                            Operation, not bound

OData 4.01 Part 2 §4; Learn: "Query data using the Web API", "Use Web API functions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from entities.errors import MalformedRequest, NotSupported, ResourceNotFound
from entities.messages import Target
from entities.metadata.catalog import (
    Catalog,
    CollectionNavigation,
    LookupNavigation,
    ManyToManyNavigation,
    Navigation,
)
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from odata_server.bind.dialect import Dialect, Style, column_of
from odata_server.bind.target import bind_key
from odata_server.syntax.request_trees import (
    Arguments,
    NamedSegment,
    PathSegment,
    ResourcePath,
    SystemName,
    SystemSegment,
)
from odata_server.syntax.trees import Expression, NamedArgument

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
class Related:
    """The rows behind a collection-valued navigation property of a row."""

    source: Row
    navigation: ManyNavigation
    table: Table


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """The row behind a single-valued navigation property of a row."""

    source: Row
    navigation: LookupNavigation
    table: Table


@dataclass(frozen=True, slots=True)
class RowProperty:
    """One property of a row; `is_raw` asks for its bare text."""

    source: Row
    column: Column
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of rows of a collection."""

    rows: Collection | Related


@dataclass(frozen=True, slots=True)
class RelatedMember:
    """One row of a collection-valued navigation property."""

    source: Row
    navigation: ManyNavigation
    table: Table
    target: Target


@dataclass(frozen=True, slots=True)
class References:
    """Links of a row: all of a navigation property, or the one to `related`."""

    source: Row
    navigation: Navigation
    table: Table
    related: Target | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A function or action, on a row, on a collection or on nothing; arguments as written in the URL."""

    name: str
    bound: Row | Collection | None = None
    arguments: tuple[NamedArgument, ...] = field(default=(), compare=False)


Resource: TypeAlias = (
    ServiceRoot
    | Collection
    | Row
    | Related
    | RelatedRow
    | RelatedMember
    | RowProperty
    | Counted
    | References
    | Operation
)


@dataclass(frozen=True, slots=True)
class Names:
    """Against what path segments are resolved: `operations` are the unbound functions and actions."""

    catalog: Catalog
    dialect: Dialect
    aliases: Mapping[str, Expression] = field(default_factory=dict)
    operations: frozenset[str] = frozenset()


UNKNOWN_SEGMENT: Final = "0x80060888"


def resolve(path: ResourcePath, names: Names) -> Resource:
    """Return what a path stands for.

    Raises:
        ResourceNotFound: a segment stands for nothing.
        MalformedRequest: a segment cannot stand where it does.
        NotSupported: a kind of path that the simulator does not have yet.
    """
    resource: Resource = ServiceRoot()
    for segment in path.segments:
        resource = _step(resource, segment, names)
    return resource


def not_found(name: str) -> ResourceNotFound:
    """Return the refusal for a segment that stands for nothing."""
    return ResourceNotFound(f"Resource not found for the segment '{name}'.", code=UNKNOWN_SEGMENT)


def _step(resource: Resource, segment: PathSegment, names: Names) -> Resource:
    match resource, segment:
        case ServiceRoot(), NamedSegment():
            return _first(segment, names)
        case Collection(), NamedSegment(name=name, arguments=arguments) if "." in name:
            return _operation(name, arguments, resource, names)
        case Row(), NamedSegment(name=name, arguments=arguments) if "." in name:
            return _operation(name, arguments, resource, names)
        case Row(), NamedSegment():
            return _of_row(resource, segment, names)
        case RelatedRow() | Related() | RelatedMember(), NamedSegment(name=name):
            raise NotSupported(f"A path behind a navigation property ('{name}') is not supported yet.")
        case _, SystemSegment(name=name):
            return _system(resource, name)
        case _, NamedSegment(name=name):
            raise not_found(name)
        case _:
            raise NotSupported("This kind of path segment is not supported.")


def _first(segment: NamedSegment, names: Names) -> Resource:
    """Resolve the first segment: an entity set, or an unbound function or action."""
    table = names.catalog.by_entity_set.get(segment.name)
    if table is not None:
        match segment.arguments:
            case ():
                return Collection(table)
            case (key,):
                return Row(table, bind_key(key, table, names.dialect, names.aliases))
            case _:
                raise MalformedRequest("A key can be given only once.")
    if segment.name in names.operations:
        return Operation(segment.name, None, _named(segment.arguments))
    raise not_found(segment.name)


def _operation(name: str, arguments: tuple[Arguments, ...], bound: Row | Collection, names: Names) -> Operation:
    prefix = f"{names.dialect.namespace}."
    if not name.startswith(prefix):
        raise not_found(name)
    return Operation(name.removeprefix(prefix), bound, _named(arguments))


def _named(arguments: tuple[Arguments, ...]) -> tuple[NamedArgument, ...]:
    if not arguments:
        return ()
    if len(arguments) > 1 or arguments[0].positional:
        raise MalformedRequest("The parameters of a function are given by name.")
    return arguments[0].named


def _of_row(row: Row, segment: NamedSegment, names: Names) -> Resource:
    """Resolve a property or navigation property of a row."""
    navigation = names.catalog.navigation(row.table.logical_name, segment.name)
    if navigation is None or (names.dialect.style is Style.FINANCE and not segment.arguments):
        column = column_of(names.dialect, row.table, segment.name)
        if column is not None and not segment.arguments:
            return RowProperty(row, column)
    match navigation:
        case None:
            raise not_found(segment.name)
        case LookupNavigation():
            return RelatedRow(row, navigation, names.catalog.tables[navigation.target])
        case CollectionNavigation() | ManyToManyNavigation():
            table = names.catalog.tables[navigation.target]
            if not segment.arguments:
                return Related(row, navigation, table)
            related = bind_key(segment.arguments[0], table, names.dialect, names.aliases)
            return RelatedMember(row, navigation, table, related)
        case _:
            assert_never(navigation)


def _system(resource: Resource, name: SystemName) -> Resource:
    match resource, name:
        case Collection() | Related(), SystemName.COUNT:
            return Counted(resource)
        case Related() | RelatedRow(), SystemName.REF:
            return References(resource.source, resource.navigation, resource.table)
        case RelatedMember(), SystemName.REF:
            return References(resource.source, resource.navigation, resource.table, resource.target)
        case RowProperty(), SystemName.VALUE:
            return RowProperty(resource.source, resource.column, is_raw=True)
        case _:
            raise not_found(name.value)
