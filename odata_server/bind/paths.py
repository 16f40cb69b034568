"""Paths as resources: each segment is looked up in the catalog, behind what the segments before it stand for.

OData 4.01 Part 2 §4. What stands where it cannot is refused as Microsoft.OData does it, with its status and text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from entities.errors import MalformedRequest, ResourceNotFound
from entities.metadata.catalog import (
    Catalog,
    CollectionNavigation,
    LookupNavigation,
    ManyToManyNavigation,
    Navigation,
)
from entities.metadata.columns import LookupKind, LookupType
from entities.metadata.tables import Table
from odata_server.bind.dialect import Dialect, Style, column_of, type_name
from odata_server.bind.resource import (
    Collection,
    Counted,
    Many,
    Operation,
    References,
    Related,
    RelatedMember,
    RelatedRow,
    Resource,
    Row,
    RowProperty,
    RowReferences,
    ServiceRoot,
    Single,
)
from odata_server.bind.target import bind_key
from odata_server.edm.naming import PRINCIPAL
from odata_server.syntax.request_trees import (
    Arguments,
    CrossJoinSegment,
    FilterSegment,
    NamedSegment,
    PathSegment,
    ReferenceSegment,
    ResourcePath,
    SystemName,
    SystemSegment,
    ValueSegment,
)
from odata_server.syntax.trees import Expression, NamedArgument


@dataclass(frozen=True, slots=True)
class Names:
    """Against what path segments are resolved: `operations` are the unbound functions and actions."""

    catalog: Catalog
    dialect: Dialect
    aliases: Mapping[str, Expression] = field(default_factory=dict)
    operations: frozenset[str] = frozenset()


UNKNOWN_SEGMENT: Final = "0x80060888"
_LEAVES: Final = (
    "$ref, $batch, $count, $value, $metadata, a named media resource, an action, a noncomposable function, an action "
    "import, a noncomposable function import, an operation with void return type, or an operation import with void "
    "return type."
)


def resolve(path: ResourcePath, names: Names) -> Resource:
    """Return what a path stands for.

    Raises:
        ResourceNotFound: a segment stands for nothing, or for nothing there.
        MalformedRequest: something stands behind a collection or an operation, or a key or cast does not fit.
    """
    resource: Resource = ServiceRoot()
    before = ""
    for segment in path.segments:
        resource = _step(resource, segment, before, names)
        before = segment_name(segment)
    return resource


def not_found(name: str) -> ResourceNotFound:
    """Return the refusal for a segment that stands for nothing."""
    return ResourceNotFound(f"Resource not found for the segment '{name}'.", code=UNKNOWN_SEGMENT)


def segment_name(segment: PathSegment) -> str:
    """Return a segment's name, as refusals write it."""
    match segment:
        case NamedSegment(name=name):
            return name
        case ValueSegment(text=text):
            return text
        case SystemSegment(name=system):
            return system.value
        case ReferenceSegment(content_id=content_id):
            return f"${content_id}"
        case CrossJoinSegment():
            return "$crossjoin"
        case FilterSegment():
            return "$filter"
        case _:
            assert_never(segment)


def _step(resource: Resource, segment: PathSegment, before: str, names: Names) -> Resource:
    """Return what a segment stands for behind a resource, whose own segment is `before`."""
    match resource:
        case ServiceRoot():
            return _first(segment, names)
        case Collection() | Related():
            return _of_many(resource, segment, before, names)
        case Row() | RelatedRow() | RelatedMember():
            return _of_single(resource, segment, before, names)
        case RowProperty():
            return _of_property(resource, segment, before)
        case Operation():
            raise MalformedRequest(_not_last(before))
        case Counted() | References() | RowReferences():
            raise ResourceNotFound(_not_last(before), code=UNKNOWN_SEGMENT)
        case _:
            assert_never(resource)


def _not_last(name: str) -> str:
    return (
        f"The request URI is not valid. The segment '{name}' must be the last segment in the URI because it is one of "
        f"the following: {_LEAVES}"
    )


def _first(segment: PathSegment, names: Names) -> Resource:
    """Resolve the first segment: an entity set, or an unbound function or action."""
    if isinstance(segment, ReferenceSegment):
        raise MalformedRequest(f"Content-ID Reference: '{segment_name(segment)}' does not exist in the batch context.")
    if not isinstance(segment, NamedSegment):
        raise not_found(segment_name(segment))
    table = names.catalog.by_entity_set.get(segment.name)
    if table is not None:
        return _keyed(Collection(table), segment.arguments, names)
    if segment.name in names.operations:
        return Operation(segment.name, None, _named(segment.arguments))
    raise not_found(segment.name)


def _keyed(rows: Many, arguments: tuple[Arguments, ...], names: Names) -> Many | Row | RelatedMember:
    """Return a collection, or the row of it that a key names."""
    match arguments:
        case ():
            return rows
        case (key,):
            target = bind_key(key, rows.table, names.dialect, names.aliases)
        case _:
            raise MalformedRequest("A key can be given only once.")
    match rows:
        case Collection(table=table):
            return Row(table, target)
        case Related(source=source, navigation=navigation, table=table):
            return RelatedMember(source, navigation, table, target)
        case _:
            assert_never(rows)


def _of_many(rows: Many, segment: PathSegment, before: str, names: Names) -> Resource:
    """Resolve what stands behind a collection: `$count`, `$ref`, a cast or an operation."""
    match segment:
        case SystemSegment(name=SystemName.COUNT):
            return Counted(rows)
        case SystemSegment(name=SystemName.REF):
            if isinstance(rows, Collection):
                return RowReferences(rows)
            return References(rows.source, rows.navigation, (rows.table,))
        case NamedSegment(name=name, arguments=arguments) if "." in name:
            type_ = _named_type(name, names)
            if type_ is None:
                return _operation(name, arguments, rows, names)
            _check_related(type_, (rows.table,), names)
            return _keyed(rows, arguments, names)
        case FilterSegment() | ReferenceSegment() | CrossJoinSegment():
            raise not_found(segment_name(segment))
        case NamedSegment() | ValueSegment() | SystemSegment():
            raise MalformedRequest(
                f"The request URI is not valid. Since the segment '{before}' refers to a collection, this must be the "
                "last segment in the request URI or it must be followed by an function or action that can be bound to "
                "it otherwise all intermediate segments must refer to a single resource."
            )
        case _:
            assert_never(segment)


def _of_single(row: Single, segment: PathSegment, before: str, names: Names) -> Resource:
    """Resolve what stands behind one row: a property, `$ref`, a cast or an operation."""
    match segment:
        case SystemSegment(name=SystemName.REF):
            return _reference(row)
        case SystemSegment(name=SystemName.COUNT):
            raise ResourceNotFound(
                f"The request URI is not valid. $count cannot be applied to the segment '{before}' since $count can "
                "only follow an entity set, a collection navigation property, a structural property of collection "
                "type, an operation returning collection type or an operation import returning collection type.",
                code=UNKNOWN_SEGMENT,
            )
        case NamedSegment(name=name, arguments=arguments) if "." in name:
            type_ = _named_type(name, names)
            if type_ is None or arguments:
                return _operation(name, arguments, row, names)
            return _cast(row, type_, names)
        case NamedSegment():
            return _member(row, segment, names)
        case _:
            raise not_found(segment_name(segment))


def _reference(row: Single) -> References | RowReferences:
    match row:
        case Row():
            return RowReferences(row)
        case RelatedRow(source=source, navigation=navigation, tables=tables):
            return References(source, navigation, tables)
        case RelatedMember(source=source, navigation=collection, table=table, target=target):
            return References(source, collection, (table,), target)
        case _:
            assert_never(row)


def _of_property(asked: RowProperty, segment: PathSegment, before: str) -> RowProperty:
    if isinstance(segment, SystemSegment) and segment.name is SystemName.VALUE:
        return replace(asked, is_raw=True)
    raise ResourceNotFound(
        f"The segment '{segment_name(segment)}' in the request URI is not valid. The segment '{before}' refers to a "
        "primitive property, function, or service operation, so the only supported value from the next segment is "
        "'$value'.",
        code=UNKNOWN_SEGMENT,
    )


def _named_type(name: str, names: Names) -> Table | None:
    """Return the table whose entity type a qualified name is, None where it is none."""
    prefix = f"{names.dialect.namespace}."
    if names.dialect.style is not Style.WEB_API or not name.startswith(prefix):
        return None
    return names.catalog.tables.get(name.removeprefix(prefix))


def _cast(row: Single, type_: Table, names: Names) -> Single:
    """Return a row as one of a type: an owner is a user or a team, every other row has its own type only."""
    if not isinstance(row, RelatedRow):
        _check_related(type_, (row.table,), names)
        return row
    _check_related(type_, row.tables, names)
    return replace(row, tables=(type_,), is_cast=True) if row.is_principal else row


def _check_related(type_: Table, declared: tuple[Table, ...], names: Names) -> None:
    if type_ in declared:
        return
    base = type_name(names.dialect, declared[0]) if len(declared) == 1 else f"{names.dialect.namespace}.{PRINCIPAL}"
    raise MalformedRequest(
        f"The type '{type_name(names.dialect, type_)}' specified in the URI is neither a base type nor a sub-type of "
        f"the previously-specified type '{base}'."
    )


def _operation(name: str, arguments: tuple[Arguments, ...], bound: Single | Many, names: Names) -> Operation:
    prefix = f"{names.dialect.namespace}."
    if not name.startswith(prefix) or (isinstance(bound, RelatedRow) and bound.is_principal):
        raise not_found(name)
    return Operation(name.removeprefix(prefix), bound, _named(arguments))


def _named(arguments: tuple[Arguments, ...]) -> tuple[NamedArgument, ...]:
    if not arguments:
        return ()
    if len(arguments) > 1 or arguments[0].positional:
        raise MalformedRequest("The parameters of a function are given by name.")
    return arguments[0].named


def _member(row: Single, segment: NamedSegment, names: Names) -> Resource:
    """Resolve a property or navigation property of a row."""
    navigation = names.catalog.navigation(row.table.logical_name, segment.name)
    if isinstance(row, RelatedRow) and row.is_principal:
        _check_declared_by_principal(segment, navigation, names)
    if navigation is None or (names.dialect.style is Style.FINANCE and not segment.arguments):
        column = column_of(names.dialect, row.table, segment.name)
        if column is not None and not segment.arguments:
            return RowProperty(row, column)
    match navigation:
        case None:
            raise not_found(segment.name)
        case LookupNavigation():
            if segment.arguments:
                raise MalformedRequest("Bad Request - Error in query syntax.")
            return RelatedRow(row, navigation, _targets(row.table, navigation, names.catalog))
        case CollectionNavigation() | ManyToManyNavigation():
            table = names.catalog.tables[navigation.target]
            return _keyed(Related(row, navigation, table), segment.arguments, names)
        case _:
            assert_never(navigation)


def _check_declared_by_principal(segment: NamedSegment, navigation: Navigation | None, names: Names) -> None:
    """Refuse what only users, or only teams, have: the base type has its key and the records that it owns."""
    if isinstance(navigation, CollectionNavigation):
        relationship = navigation.relationship
        if _is_owner(names.catalog.tables[relationship.referencing_table], relationship.referencing_column):
            return
    if segment.name != "ownerid":
        raise not_found(segment.name)


def _is_owner(table: Table, column: str) -> bool:
    type_ = table.by_name[column].type
    return isinstance(type_, LookupType) and type_.kind is LookupKind.OWNER


def _targets(table: Table, navigation: LookupNavigation, catalog: Catalog) -> tuple[Table, ...]:
    """Return the tables that a navigation property leads to: several for an owner, one for all others."""
    type_ = table.by_name[navigation.relationship.referencing_column].type
    if isinstance(type_, LookupType) and type_.kind is LookupKind.OWNER:
        return tuple(catalog.tables[name] for name in type_.targets if name in catalog.tables)
    return (catalog.tables[navigation.target],)
