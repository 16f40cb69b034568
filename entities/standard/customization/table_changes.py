"""Tables made, changed and deleted by messages: CreateEntity, UpdateEntity, DeleteEntity.

Learn: "Create and update table definitions using the Web API", "CreateEntityRequest Class".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from entities.errors import InvalidArgument
from entities.formulas.checking import check_formulas
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import StringType
from entities.metadata.ids import column_id, table_id
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Ownership, Table, TableKind
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.rollups import check_rollups
from entities.standard.customization.activities import (
    activity_columns,
    activity_references,
    as_activity,
    own_columns,
    party_lists,
)
from entities.standard.customization.components import ComponentType, of_table
from entities.standard.customization.default_views import add_default_views
from entities.standard.customization.dependencies import check_unused
from entities.standard.customization.finding import managed, solution_of, stamped, table_named
from entities.standard.customization.labels import changed_label
from entities.standard.customization.naming import (
    LONGEST_TABLE,
    check_characters,
    check_name,
    new_metadata_id,
    not_unique,
)
from entities.standard.customization.new_columns import check_is_no_lookup, check_new_columns, identified
from entities.standard.customization.new_tables import PrivilegeRows, add_tables, next_object_type_code
from entities.standard.customization.regarding import leads_to, regarding, without_target
from entities.standard.customization.solution_components import add_to_solution
from entities.standard.customization.system_columns import (
    plural,
    references_of,
    system_columns,
    titled,
    with_companions,
)


def table_steps(privileges: PrivilegeRows) -> tuple[Step, ...]:
    """Return the handlers of the messages about tables.

    Args:
        privileges: gives the rows of the table `privilege` for tables.
    """
    return (
        Step("CreateEntity", None, Stage.MAIN, partial(create_table, privileges=privileges)),
        Step("UpdateEntity", None, Stage.MAIN, update_table),
        Step("DeleteEntity", None, Stage.MAIN, partial(delete_table, privileges=privileges)),
    )


def create_table(context: ExecutionContext, *, privileges: PrivilegeRows) -> None:
    """Make a table: `Entity` says what is its own; answers with EntityId and AttributeId, that of the primary name.

    Raises:
        InvalidArgument: a name is not possible or taken (0x80044361 to 0x80044367), there is no primary name
            (0x80047014, 0x80044355), or the table cannot be an activity (0x8004f120).
    """
    asked = context.parameters["Entity"]
    assert isinstance(asked, Table)
    system = context.system
    if asked.is_activity:
        asked = as_activity(asked)
    _check_new(system, asked)
    table = _complete(system, asked)
    about = regarding(system.catalog, table)
    own = references_of(table)
    if table.is_activity:
        about = (*about, *party_lists(system.catalog, table))
        own = tuple(activity_references(system.catalog, table))
    related = (*own, *(relationship for _, relationship in about))
    change = CatalogChange((table, *(other for other, _ in about)), tuple(_identified(system, related)))
    check_formulas({**system.catalog.tables, table.logical_name: table}, table)
    check_rollups({**system.catalog.tables, table.logical_name: table}, table)
    add_tables(system, change, privileges)
    made = system.catalog.tables[table.logical_name]
    add_default_views(context, made)
    add_to_solution(system, solution_of(context), of_table(made))
    primary = made.by_name[str(made.primary_name)]
    context.result = {"EntityId": table_id(made), "AttributeId": column_id(made, primary)}


def _identified(system: Operations, related: Iterable[OneToMany]) -> Iterable[OneToMany]:
    for one in related:
        yield replace(one, metadata_id=new_metadata_id(system, "relationship", one.schema_name))


def _check_new(system: Operations, table: Table) -> None:
    name = table.schema_name
    check_name(system, name, "Entity", LONGEST_TABLE)
    if table.logical_name in system.catalog.tables:
        raise not_unique(name, "Entity")
    if not table.columns:
        raise InvalidArgument("No attributes for Create Entity action.", code="0x80047014")
    if not table.is_activity:
        _check_primary(table)
    if table.ownership not in {Ownership.USER, Ownership.ORGANIZATION}:
        raise InvalidArgument("The specified ownership type mask is not valid for this operation", code="0x8004700d")
    if table.is_activity and table.ownership is not Ownership.USER:
        raise InvalidArgument("A custom entity defined as an activity must be user or team owned.", code="0x8004f120")
    for column in table.columns:
        check_is_no_lookup(column)
    check_characters(table.entity_set_name, "EntitySet", LONGEST_TABLE)
    if table.entity_set_name in system.catalog.by_entity_set:
        raise not_unique(table.entity_set_name, "EntitySet")


def _check_primary(table: Table) -> None:
    primary = table.by_name.get(table.primary_name or "")
    if primary is None:
        raise InvalidArgument(f"PrimaryName attribute not found for Entity: {table.schema_name}", code="0x80044355")
    if not isinstance(primary.type, StringType):
        raise InvalidArgument("Primary UI Attribute has to be of type String", code="0x8004700e")


def _complete(system: Operations, asked: Table) -> Table:
    """Return a new table with everything that the server adds."""
    shown = titled(asked.display_name, asked.schema_name)
    table = replace(
        asked,
        columns=(),
        display_name=shown,
        plural_name=titled(asked.plural_name, f"{shown.text()}s"),
        object_type_code=next_object_type_code(system),
        entity_set_name=asked.entity_set_name or _free_set_name(system, asked),
        metadata_id=new_metadata_id(system, asked.logical_name),
        is_custom=True,
        further=stamped(asked.further, system.now, is_new=True),
    )
    given = asked.columns
    if asked.is_activity:
        table, given = replace(table, columns=activity_columns(system.catalog, asked)), own_columns(asked)
    else:
        table = replace(table, columns=system_columns(table))
    check_new_columns(system, table, given)
    whole = with_companions(table, given)
    return replace(whole, columns=tuple(identified(system, table, column) for column in whole.columns))


def _free_set_name(system: Operations, table: Table) -> str:
    name = plural(table.logical_name)
    if name in system.catalog.by_entity_set:
        name = f"{table.logical_name}set"
    return name


def update_table(context: ExecutionContext) -> None:
    """Change what a table is called and what it can have; names, owners and columns stay as they are.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: notes or activities would be taken away.
    """
    asked = context.parameters["Entity"]
    assert isinstance(asked, Table)
    before = table_named(context.system, asked.logical_name)
    if (before.has_notes and not asked.has_notes) or (before.has_activities and not asked.has_activities):
        raise InvalidArgument("Notes and activities cannot be disabled for a table that has them.", code="0x80047008")
    merges = context.parameters.get("MergeLabels") is True
    after = replace(
        before,
        display_name=changed_label(before.display_name, asked.display_name, merges=merges),
        plural_name=changed_label(before.plural_name, asked.plural_name, merges=merges),
        description=changed_label(before.description, asked.description, merges=merges),
        change_tracking=asked.change_tracking,
        has_notes=asked.has_notes,
        has_activities=asked.has_activities,
        further=stamped(asked.further, context.system.now),
    )
    about = regarding(context.system.catalog, after)
    related = _identified(context.system, (relationship for _, relationship in about))
    context.system.change_catalog(CatalogChange((after, *(other for other, _ in about)), tuple(related)))
    add_to_solution(context.system, solution_of(context), of_table(after))


def delete_table(context: ExecutionContext, *, privileges: PrivilegeRows) -> None:
    """Delete a table with its rows, its relationships and whatever is about it.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: it is one of the system (0x8004f032).
        InvalidArgument: other components need it (0x8004f01f).
    """
    system, name = context.system, str(context.parameters["LogicalName"])
    table = table_named(system, name)
    if not table.is_custom or table.kind is not TableKind.STANDARD:
        raise managed("Entity", table_id(table), "Delete")
    check_unused(system, ComponentType.ENTITY, table_id(table))
    catalog = system.catalog
    pairs = tuple(r.intersect_table for r in catalog.by_intersect.values() if name in {r.table1, r.table2})
    narrowed = tuple(without_target(other, name) for other in catalog.tables.values() if leads_to(other, name))
    put = tuple(other for other in narrowed if other.logical_name not in {name, *pairs})
    # Views, rules and whatever points to its rows go while the lookups still lead there.
    add_tables(system, CatalogChange(put, remove=(name, *pairs)), privileges)
