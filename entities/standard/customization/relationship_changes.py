"""Relationships made, changed and deleted by messages: CreateOneToMany, CreateManyToMany and their kin.

Learn: "Create and update table relationships using the Web API", "Configure table relationship cascading behavior".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.declare import plain, primary_id, unique_identifier, version_column
from entities.metadata.ids import column_id, relationship_id
from entities.metadata.relationships import Cascade, ManyToMany, OneToMany, Relationship
from entities.metadata.tables import Ownership, Table, TableKind
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.customization.column_changes import add_columns, remove_column
from entities.standard.customization.components import ComponentType, of_relationship
from entities.standard.customization.dependencies import check_unused
from entities.standard.customization.finding import managed, relationship_named, solution_of, table_named
from entities.standard.customization.naming import (
    LONGEST_OTHER,
    check_characters,
    check_name,
    new_metadata_id,
    not_unique,
)
from entities.standard.customization.new_columns import check_new_columns
from entities.standard.customization.new_tables import next_object_type_code, pointing
from entities.standard.customization.regarding import with_target
from entities.standard.customization.solution_components import add_to_solution
from entities.standard.customization.system_columns import titled

_KIND: Final = "Relationship"
MERGED_TABLES: Final = frozenset({"account", "contact", "incident", "lead"})
"""Tables whose records can be merged; for others no relationship says what becomes of those that point to them."""


def relationship_steps() -> tuple[Step, ...]:
    """Return the handlers of the messages about relationships."""
    return (
        Step("CreateOneToMany", None, Stage.MAIN, create_one_to_many),
        Step("CreateManyToMany", None, Stage.MAIN, create_many_to_many),
        Step("UpdateRelationship", None, Stage.MAIN, update_relationship),
        Step("DeleteRelationship", None, Stage.MAIN, delete_relationship),
    )


def create_one_to_many(context: ExecutionContext) -> None:
    """Make `OneToManyRelationship` with its `Lookup`; answers with RelationshipId and AttributeId.

    A lookup that is there already leads to one more table then (Learn: "Use multi-table lookup columns").

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: a name is not possible or taken, or there is no lookup (0x800404c8).
        InvalidArgument: the behavior is not possible for these tables.
    """
    system, asked = context.system, context.parameters["OneToManyRelationship"]
    assert isinstance(asked, OneToMany)
    lookup = context.parameters.get("Lookup")
    assert lookup is None or isinstance(lookup, Column)
    table = add_relationship(system, asked, lookup)
    made = system.catalog.relationships[asked.schema_name]
    add_to_solution(system, solution_of(context), of_relationship(system.catalog, made))
    column = table.by_name[asked.referencing_column]
    context.result = {"RelationshipId": relationship_id(made), "AttributeId": column_id(table, column)}


def add_relationship(
    system: Operations, asked: OneToMany, lookup: Column | None, kind: LookupKind = LookupKind.LOOKUP
) -> Table:
    """Make a one-to-many relationship, with its lookup where the table does not have it, and return that table.

    Args:
        system: the transaction's operations.
        asked: the relationship; names of navigation properties may be left to the server.
        lookup: the lookup that comes with it.
        kind: what a new lookup is called.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: a name is not possible or taken, or there is no lookup (0x800404c8).
        InvalidArgument: the behavior is not possible for these tables.
    """
    _check_new(system, asked.schema_name)
    referenced, referencing = (table_named(system, n) for n in (asked.referenced_table, asked.referencing_table))
    known = referencing.by_name.get(asked.referencing_column)
    if lookup is None and (known is None or not isinstance(known.type, LookupType)):
        raise InvalidArgument("The relationship's ReferencingAttribute is missing or invalid.", code="0x800404c8")
    named = _named(asked, referenced, lookup or known, is_wider=known is not None)
    _check_behavior(system, named, referenced, referencing)
    _check_navigations(system, named)
    made = replace(named, metadata_id=new_metadata_id(system, "relationship", asked.schema_name))
    if known is not None:
        wider = _widened(referencing, known, referenced)
        system.change_catalog(CatalogChange((wider,), (made,)))
        return wider
    assert lookup is not None
    check_new_columns(system, referencing, (lookup,))
    new = replace(
        lookup,
        type=LookupType((referenced.logical_name,), kind),
        display_name=titled(lookup.display_name, lookup.schema_name),
    )
    return add_columns(system, referencing, (new,), (made,))


def _check_new(system: Operations, name: str) -> None:
    if not name:
        raise InvalidArgument("Entity relationships require a name", code="0x8004432a")
    check_name(system, name, _KIND, LONGEST_OTHER)
    if name.lower() in {known.lower() for known in system.catalog.relationships}:
        raise InvalidArgument(
            f"A relationship with the specified name {name} already exists. Please specify a unique name.",
            code="0x8004432b",
        )


def _named(asked: OneToMany, referenced: Table, lookup: Column | None, *, is_wider: bool) -> OneToMany:
    """Return a relationship with the names that were left to the server, as Dataverse makes them."""
    assert lookup is not None
    if asked.referenced_column not in {"", referenced.primary_id}:
        raise InvalidArgument(
            f"The ReferencedAttribute of the relationship is the primary id '{referenced.primary_id}'.",
            code="0x80047003",
        )
    suffix = f"_{referenced.logical_name}" if is_wider else ""
    cascade = asked.cascade
    if referenced.logical_name not in MERGED_TABLES:
        cascade = replace(cascade, merge=Cascade.NO_CASCADE)
    return replace(
        asked,
        cascade=cascade,
        referenced_column=referenced.primary_id,
        referencing_column=lookup.logical_name,
        referencing_navigation=asked.referencing_navigation or f"{lookup.schema_name}{suffix}",
        referenced_navigation=asked.referenced_navigation or asked.schema_name,
    )


def _check_behavior(system: Operations, asked: OneToMany, referenced: Table, referencing: Table) -> None:
    if TableKind.INTERSECT in {referenced.kind, referencing.kind}:
        raise InvalidArgument("This entity cannot participate in an entity association", code="0x80044332")
    if asked.is_hierarchical and referenced is not referencing:
        raise InvalidArgument(
            "This relationship is not self-referential and therefore cannot be made hierarchical.", code="0x8004701f"
        )
    cascade = asked.cascade
    passing = (cascade.assign, cascade.share, cascade.unshare, cascade.reparent)
    if not referencing.is_user_owned and Cascade.USER_OWNED in passing:
        raise InvalidArgument(
            "Cascade User-Owned is not a valid cascade link type for org-owned entity relationships.", code="0x80044156"
        )
    if cascade.reparent is Cascade.CASCADE and cascade.delete is Cascade.CASCADE and referenced is not referencing:
        _check_one_parent(system, asked)


def _check_one_parent(system: Operations, asked: OneToMany) -> None:
    """Refuse a second parental relationship (Learn: a table has one at most)."""
    for known in system.catalog.relationships_of(asked.referencing_table):
        if (
            isinstance(known, OneToMany)
            and known.is_custom
            and known.referencing_table == asked.referencing_table
            and known.schema_name != asked.schema_name
            and known.referencing_column != asked.referencing_column
            and known.cascade.reparent is Cascade.CASCADE
            and known.cascade.delete is Cascade.CASCADE
        ):
            raise InvalidArgument("An entity can have only one parental relationship", code="0x80047007")


def _check_navigations(system: Operations, asked: OneToMany) -> None:
    for table, name in (
        (asked.referencing_table, asked.referencing_navigation),
        (asked.referenced_table, asked.referenced_navigation),
    ):
        _check_navigation(system, table, name)
    if (
        asked.referencing_table == asked.referenced_table
        and asked.referencing_navigation == asked.referenced_navigation
    ):
        raise _taken(asked.referencing_navigation)


def _check_navigation(system: Operations, table: str, name: str) -> None:
    """Refuse a navigation property that the table has, or that is called as one of its columns that can be selected."""
    check_characters(name, "NavigationProperty", LONGEST_OTHER)
    column = system.catalog.tables[table].by_name.get(name)
    if system.catalog.navigation(table, name) is not None or (
        column is not None and not isinstance(column.type, LookupType)
    ):
        raise _taken(name)


def _taken(name: str) -> InvalidArgument:
    return InvalidArgument(f"NavigationPropertyName {name} is not unique within an entity", code="0x80072551")


def _widened(referencing: Table, lookup: Column, referenced: Table) -> Table:
    type_ = lookup.type
    if (
        not isinstance(type_, LookupType)
        or type_.kind is not LookupKind.LOOKUP
        or referenced.logical_name in type_.targets
    ):
        raise InvalidArgument(
            f"An attribute with the specified name {lookup.logical_name} already exists", code="0x80047013"
        )
    if not lookup.is_custom:
        raise managed("Attribute", column_id(referencing, lookup), "Update")
    return with_target(referencing, lookup.logical_name, referenced.logical_name)


def create_many_to_many(context: ExecutionContext) -> None:
    """Make `ManyToManyRelationship` with its table of pairs; answers with ManyToManyRelationshipId.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: a name is not possible or taken.
        InvalidArgument: a table takes no part in such relationships.
    """
    system, asked = context.system, context.parameters["ManyToManyRelationship"]
    assert isinstance(asked, ManyToMany)
    _check_new(system, asked.schema_name)
    first, second = (table_named(system, name) for name in (asked.table1, asked.table2))
    if {first.kind, second.kind} != {TableKind.STANDARD}:
        raise InvalidArgument("This entity cannot participate in an entity association", code="0x80044332")
    name = str(context.parameters.get("IntersectEntitySchemaName") or asked.intersect_table or asked.schema_name)
    check_name(system, name, "Entity", LONGEST_OTHER)
    if name.lower() in system.catalog.tables:
        raise not_unique(name, "Entity")
    named = _pairs(asked, name.lower(), first, second)
    for table, navigation in ((named.table1, named.navigation1), (named.table2, named.navigation2)):
        _check_navigation(system, table, navigation)
    if named.table1 == named.table2 and named.navigation1 == named.navigation2:
        raise _taken(named.navigation1)
    made = replace(named, metadata_id=new_metadata_id(system, "relationship", asked.schema_name))
    system.change_catalog(CatalogChange((_intersect(system, made, name),), (made,)))
    add_to_solution(system, solution_of(context), of_relationship(system.catalog, made))
    context.result = {"ManyToManyRelationshipId": relationship_id(made)}


def _pairs(asked: ManyToMany, intersect: str, first: Table, second: Table) -> ManyToMany:
    """Return a relationship with the names that are the server's: of a table with itself both ends have their own."""
    is_own = first is second
    near, far = ("one", "two") if is_own else ("", "")
    return replace(
        asked,
        intersect_table=intersect,
        column1=f"{first.primary_id}{near}",
        column2=f"{second.primary_id}{far}",
        navigation1=asked.navigation1 or (f"Referencing{asked.schema_name}" if is_own else asked.schema_name),
        navigation2=asked.navigation2 or (f"Referenced{asked.schema_name}" if is_own else asked.schema_name),
    )


def _intersect(system: Operations, made: ManyToMany, schema_name: str) -> Table:
    name = made.intersect_table
    columns = (
        primary_id(f"{name}id"),
        unique_identifier(made.column1, valid_for_update=False),
        unique_identifier(made.column2, valid_for_update=False),
        version_column(),
    )
    identified = (replace(c, metadata_id=new_metadata_id(system, name, c.logical_name)) for c in columns)
    return Table(
        name,
        schema_name,
        f"{name}set",
        next_object_type_code(system),
        f"{name}id",
        None,
        tuple(identified),
        plain(schema_name),
        plain(schema_name),
        ownership=Ownership.NONE,
        kind=TableKind.INTERSECT,
        is_custom=True,
        metadata_id=new_metadata_id(system, name),
    )


def update_relationship(context: ExecutionContext) -> None:
    """Change how a relationship cascades, whether it is a hierarchy, and what is kept of it.

    Raises:
        RecordNotFound: there is no such relationship.
        InvalidArgument: the behavior is not possible for its tables.
        InvalidArgument: it cannot be a hierarchy.
    """
    system, asked = context.system, context.parameters["Relationship"]
    assert isinstance(asked, OneToMany | ManyToMany)
    before = relationship_named(system, asked.schema_name)
    after: Relationship = replace(before, further=asked.further)
    if isinstance(after, OneToMany) and isinstance(asked, OneToMany):
        after = replace(after, cascade=asked.cascade, is_hierarchical=asked.is_hierarchical)
        if after.cascade != before_cascade(before) or after.is_hierarchical:
            referenced, referencing = (
                table_named(system, n) for n in (after.referenced_table, after.referencing_table)
            )
            _check_behavior(system, after, referenced, referencing)
    system.change_catalog(CatalogChange(relate=(after,)))
    add_to_solution(system, solution_of(context), of_relationship(system.catalog, after))


def before_cascade(relationship: Relationship) -> object:
    """Return how a relationship cascades; many-to-many ones do not."""
    return relationship.cascade if isinstance(relationship, OneToMany) else None


def delete_relationship(context: ExecutionContext) -> None:
    """Delete the relationship `Name`, with its table of pairs or its lookup where that leads nowhere else.

    Raises:
        RecordNotFound: there is no such relationship.
        InvalidArgument: it is one of the system (0x8004f032).
        InvalidArgument: other components need it (0x8004f01f).
    """
    system = context.system
    relationship = relationship_named(system, str(context.parameters["Name"]))
    lookup = None
    if isinstance(relationship, OneToMany):
        lookup = system.catalog.tables[relationship.referencing_table].by_name.get(relationship.referencing_column)
    if not relationship.is_custom or (lookup is not None and not lookup.is_custom):
        raise managed(_KIND, relationship_id(relationship), "Delete")
    check_unused(system, ComponentType.ENTITY_RELATIONSHIP, relationship_id(relationship))
    if isinstance(relationship, ManyToMany):
        system.change_catalog(CatalogChange(remove=(relationship.intersect_table,)))
        return
    assert lookup is not None
    _remove_lookup(system, relationship, lookup)


def _remove_lookup(system: Operations, relationship: OneToMany, lookup: Column) -> None:
    table = system.catalog.tables[relationship.referencing_table]
    assert isinstance(lookup.type, LookupType)
    rest = tuple(target for target in lookup.type.targets if target != relationship.referenced_table)
    if not rest:
        remove_column(system, table, lookup)
        return
    for reference in pointing(system, relationship):
        system.keep(reference, {lookup.logical_name: None}, as_change=True)
    narrower = replace(lookup, type=replace(lookup.type, targets=rest))
    columns = tuple(narrower if column is lookup else column for column in table.columns)
    put = (replace(table, columns=columns),)
    system.change_catalog(CatalogChange(put, unrelate=(relationship.schema_name,)))
