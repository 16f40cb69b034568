"""Lookups that lead to several tables from the start, and keys whose index is made once more.

Learn: "CreateCustomerRelationships Action", "Use multi-table lookup columns" (CreatePolymorphicLookupAttribute),
"ReactivateEntityKey Action".
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final, cast

from entities.errors import InvalidArgument, RecordNotFound
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Column, LookupKind, LookupType
from entities.metadata.ids import column_id, relationship_id
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import KeyIndexStatus, Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.customization.components import of_relationship
from entities.standard.customization.finding import solution_of, table_named
from entities.standard.customization.key_changes import queue_index, with_key_status
from entities.standard.customization.relationship_changes import add_relationship
from entities.standard.customization.solution_components import add_to_solution

_CUSTOMERS: Final = ["account", "contact"]


def lookup_action_steps() -> tuple[Step, ...]:
    """Return the handlers of these actions."""
    customer = partial(create_lookup, kind=LookupKind.CUSTOMER)
    polymorphic = partial(create_lookup, kind=LookupKind.LOOKUP)
    return (
        Step("CreateCustomerRelationships", None, Stage.MAIN, customer),
        Step("CreatePolymorphicLookupAttribute", None, Stage.MAIN, polymorphic),
        Step("ReactivateEntityKey", None, Stage.MAIN, reactivate_key),
    )


def create_lookup(context: ExecutionContext, *, kind: LookupKind) -> None:
    """Make `Lookup` with `OneToManyRelationships`, one per target; answers with RelationshipIds and AttributeId.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: the relationships are none of one table to different ones, those of a customer to others than
            account and contact; or a name is not possible or taken.
    """
    system, lookup = context.system, context.parameters["Lookup"]
    asked = cast("list[OneToMany]", context.parameters["OneToManyRelationships"])
    assert isinstance(lookup, Column)
    _check(asked, kind)
    for number, one in enumerate(asked):
        add_relationship(system, _named(one, lookup), None if number else lookup)
    table = system.catalog.tables[asked[0].referencing_table]
    if kind is LookupKind.CUSTOMER:
        table = _called(system, table, lookup.logical_name, kind)
    made = [system.catalog.relationships[one.schema_name] for one in asked]
    for relationship in made:
        add_to_solution(system, solution_of(context), of_relationship(system.catalog, relationship))
    context.result = {
        "RelationshipIds": [relationship_id(relationship) for relationship in made],
        "AttributeId": column_id(table, table.by_name[lookup.logical_name]),
    }


def _check(asked: list[OneToMany], kind: LookupKind) -> None:
    targets = [one.referenced_table for one in asked]
    if not asked or len({one.referencing_table for one in asked}) > 1 or len(set(targets)) < len(targets):
        raise InvalidArgument(
            "The relationships of a lookup come from one table and lead to different ones: there must be at least one."
        )
    if kind is LookupKind.CUSTOMER and sorted(targets) != _CUSTOMERS:
        raise InvalidArgument("A customer lookup has two relationships: to account and to contact.")


def _named(asked: OneToMany, lookup: Column) -> OneToMany:
    """Return a relationship over the lookup; its navigation property is called after the target, too."""
    navigation = asked.referencing_navigation or f"{lookup.schema_name}_{asked.referenced_table}"
    return replace(asked, referencing_column=lookup.logical_name, referencing_navigation=navigation)


def _called(system: Operations, table: Table, name: str, kind: LookupKind) -> Table:
    column = table.by_name[name]
    assert isinstance(column.type, LookupType)
    other = replace(column, type=replace(column.type, kind=kind))
    changed = replace(table, columns=tuple(other if one is column else one for one in table.columns))
    system.change_catalog(CatalogChange((changed,)))
    return changed


def reactivate_key(context: ExecutionContext) -> None:
    """Answer ReactivateEntityKey: the job tries once more to make the index of a key.

    Raises:
        RecordNotFound: there is no such table or key.
        InvalidArgument: the index of the key has not failed (0x8006088f).
    """
    system, name = context.system, str(context.parameters["EntityKeyLogicalName"])
    table = table_named(system, str(context.parameters["EntityLogicalName"]))
    key = next((key for key in table.keys if key.logical_name == name), None)
    if key is None:
        raise RecordNotFound(f"Could not find an alternate key '{name}' of the table '{table.logical_name}'.")
    if key.index_status is not KeyIndexStatus.FAILED:
        raise InvalidArgument(
            f"Invalid EntityKey Operation performed : the index of the key '{name}' has not failed.", code="0x8006088f"
        )
    queue_index(context, table, key)
    system.change_catalog(CatalogChange((with_key_status(table, name, KeyIndexStatus.PENDING),)))
