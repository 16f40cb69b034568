"""Columns made, changed and deleted by messages: CreateAttribute, UpdateAttribute, DeleteAttribute.

Learn: "Create and update column definitions using the Web API", "Delete columns".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from entities.errors import InvalidArgument
from entities.formulas.checking import check_formulas
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import (
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    FileType,
    ImageType,
    LookupType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
)
from entities.metadata.ids import column_id
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.rollups import check_rollups
from entities.standard.auto_number_actions import begin_numbers
from entities.standard.customization.components import ComponentType, of_column
from entities.standard.customization.dependencies import check_unused
from entities.standard.customization.finding import column_named, managed, solution_of, stamped, table_named
from entities.standard.customization.labels import changed_label
from entities.standard.customization.naming import new_metadata_id
from entities.standard.customization.new_columns import check_is_no_lookup, check_new_columns, identified
from entities.standard.customization.rewriting import lies_otherwise, rewrite, without_columns
from entities.standard.customization.solution_components import add_to_solution
from entities.standard.customization.system_columns import currency_relationship, titled, with_companions

_SUFFIXES: Final[dict[type, tuple[str, ...]]] = {
    FileType: ("_name",),
    ImageType: ("id", "_timestamp", "_url"),
    MoneyType: ("_base",),
}
"""What a column takes along when it goes."""


def column_steps() -> tuple[Step, ...]:
    """Return the handlers of the messages about columns."""
    return (
        Step("CreateAttribute", None, Stage.MAIN, create_column),
        Step("UpdateAttribute", None, Stage.MAIN, update_column),
        Step("DeleteAttribute", None, Stage.MAIN, delete_column),
    )


def create_column(context: ExecutionContext) -> None:
    """Add `Attribute` to the table `EntityName`; answers with AttributeId.

    Raises:
        RecordNotFound: there is no such table.
        InvalidArgument: its name is not possible or taken, its formula cannot be, or it is a lookup, which comes with
            a relationship.
    """
    system, asked = context.system, context.parameters["Attribute"]
    assert isinstance(asked, Column)
    table = table_named(system, str(context.parameters["EntityName"]))
    check_is_no_lookup(asked)
    check_new_columns(system, table, (asked,))
    wider = add_columns(system, table, (replace(asked, display_name=titled(asked.display_name, asked.schema_name)),))
    made = wider.by_name[asked.logical_name]
    component = of_column(wider, made.logical_name)
    assert component is not None
    add_to_solution(system, solution_of(context), component)
    context.result = {"AttributeId": column_id(wider, made)}


def add_columns(
    system: Operations, table: Table, columns: tuple[Column, ...], related: tuple[Relationship, ...] = ()
) -> Table:
    """Give a table columns, with what they bring, and return it.

    Args:
        system: the transaction's operations.
        table: the table as it is.
        columns: columns whose names have been checked.
        related: relationships that come with them.

    Raises:
        InvalidArgument: a formula cannot be.
    """
    whole = with_companions(table, columns)
    known = table.by_name
    wider = replace(
        whole,
        columns=tuple(c if c.logical_name in known else identified(system, table, c) for c in whole.columns),
    )
    tables = {**system.catalog.tables, wider.logical_name: wider}
    check_formulas(tables, wider)
    check_rollups(tables, wider)
    currency = () if "transactioncurrencyid" in known else currency_relationship(wider)
    paid = tuple(replace(one, metadata_id=new_metadata_id(system, "relationship", one.schema_name)) for one in currency)
    system.change_catalog(CatalogChange((wider,), (*paid, *related)))
    for column in columns:
        if column.autonumber:
            begin_numbers(system, table.logical_name, column.logical_name)
    return wider


def update_column(context: ExecutionContext) -> None:
    """Put `Attribute` in the place of the column of its name of the table `EntityName`.

    Raises:
        RecordNotFound: there is no such table or column.
        InvalidArgument: its values cannot be read as the new type says, or its formula cannot be.
    """
    system, asked = context.system, context.parameters["Attribute"]
    assert isinstance(asked, Column)
    table = table_named(system, str(context.parameters["EntityName"]))
    before = column_named(table, asked.logical_name)
    merges = context.parameters.get("MergeLabels") is True
    after = replace(
        asked,
        type=_current(before, asked),
        schema_name=before.schema_name,
        metadata_id=before.metadata_id,
        is_custom=before.is_custom,
        display_name=changed_label(before.display_name, asked.display_name, merges=merges),
        description=changed_label(before.description, asked.description, merges=merges),
        further=stamped(asked.further, system.now),
    )
    changed = _with(table, after)
    tables = {**system.catalog.tables, table.logical_name: changed}
    check_formulas(tables, changed)
    check_rollups(tables, changed)
    if lies_otherwise(before, after):
        rewrite(system, table, changed, after)
    else:
        system.change_catalog(CatalogChange((changed,)))
    if after.autonumber and not before.autonumber:
        begin_numbers(system, table.logical_name, after.logical_name)
    component = of_column(changed, after.logical_name)
    assert component is not None
    add_to_solution(system, solution_of(context), component)


def _current(before: Column, asked: Column) -> ColumnType:
    """Return the type of a changed column: options and targets are those of the moment, they change in other ways.

    Raises:
        InvalidArgument: it would be of another type (0x80044354).
    """
    match before.type, asked.type:
        case ChoiceType(choice=choice), ChoiceType() as type_:
            return replace(type_, choice=choice)
        case BooleanType() as type_, BooleanType(default=default):
            return replace(type_, default=default)
        case ((MultiChoiceType() | StateType() | StatusType() | LookupType() as type_), _):
            return type_
        case _ if type(before.type) is type(asked.type):
            return asked.type
        case _:
            raise InvalidArgument(
                f"Attribute {before.logical_name} is of another type, which cannot be changed.", code="0x80044354"
            )


def _with(table: Table, column: Column) -> Table:
    columns = tuple(column if c.logical_name == column.logical_name else c for c in table.columns)
    if isinstance(column.type, ImageType) and column.type.is_primary:
        columns = tuple(_secondary(c) if c is not column else c for c in columns)
    return replace(table, columns=columns)


def _secondary(column: Column) -> Column:
    """Return a column that is not the primary image of its table."""
    if not isinstance(column.type, ImageType) or not column.type.is_primary:
        return column
    return replace(column, type=replace(column.type, is_primary=False))


def delete_column(context: ExecutionContext) -> None:
    """Delete the column `LogicalName` of the table `EntityLogicalName`, a lookup with its relationships.

    Raises:
        RecordNotFound: there is no such table or column.
        InvalidArgument: it is one of the system (0x8004f032) or the primary name (0x80047002).
        InvalidArgument: other components need it (0x8004f01f).
    """
    system = context.system
    table = table_named(system, str(context.parameters["EntityLogicalName"]))
    column = column_named(table, str(context.parameters["LogicalName"]))
    if column.logical_name in {table.primary_name, table.primary_id}:
        raise InvalidArgument("The Primary UI Attribute is not valid for deletion", code="0x80047002")
    if not column.is_custom or _belongs_to_another(table, column):
        raise managed("Attribute", column_id(table, column), "Delete")
    check_unused(system, ComponentType.ATTRIBUTE, column_id(table, column))
    remove_column(system, table, column)


def _belongs_to_another(table: Table, column: Column) -> bool:
    """Say whether a column came with another one and goes only with it."""
    return any(column.logical_name in taken_along(table, other) for other in table.columns if other is not column)


def taken_along(table: Table, column: Column) -> frozenset[str]:
    """Return the columns that go with one."""
    suffixes = ("_date", "_state") if column.rollup is not None else _SUFFIXES.get(type(column.type), ())
    names = (f"{column.logical_name}{suffix}" for suffix in suffixes)
    return frozenset(name for name in names if name in table.by_name)


def remove_column(system: Operations, table: Table, column: Column) -> None:
    """Take a column, what came with it and the relationships over it out of the metadata."""
    gone = {column.logical_name, *taken_along(table, column)}
    over = tuple(
        r.schema_name
        for r in system.catalog.relationships_of(table.logical_name)
        if isinstance(r, OneToMany)
        and r.referencing_table == table.logical_name
        and r.referencing_column == column.logical_name
    )
    system.change_catalog(CatalogChange((without_columns(table, gone),), unrelate=over))
