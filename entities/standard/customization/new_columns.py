"""New columns: is their name possible, and does the table take them?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.columns import ChoiceType, Column, ColumnType, LookupType, MultiChoiceType
from entities.metadata.tables import Table, TableKind
from entities.pipeline import Operations
from entities.standard.customization.finding import stamped
from entities.standard.customization.naming import LONGEST_COLUMN, check_name, new_metadata_id
from entities.standard.customization.system_columns import companions

MOST_COLUMNS: Final = 1_000
"""Columns of one table; an SQL table of Dataverse has not many more."""


def check_is_no_lookup(column: Column) -> None:
    """Refuse a lookup that no relationship brings (Learn: "Create and update table relationships using the Web API").

    Raises:
        InvalidArgument: it is one (0x8004700f).
    """
    if isinstance(column.type, LookupType):
        raise InvalidArgument(
            "Attributes of type Lookup are created with the relationship that they are part of.", code="0x8004700f"
        )


def identified(system: Operations, table: Table, column: Column) -> Column:
    """Return a new column with its MetadataId, the moment when it was made, and its global choice as that is now."""
    return replace(
        column,
        type=_with_choice(system, column.type),
        metadata_id=new_metadata_id(system, table.logical_name, column.logical_name),
        further=stamped(column.further, system.now, is_new=True),
    )


def _with_choice(system: Operations, type_: ColumnType) -> ColumnType:
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice) if choice.is_global:
            return replace(type_, choice=system.catalog.choices.get(choice.name, choice))
        case _:
            return type_


def check_new_columns(system: Operations, table: Table, columns: Iterable[Column]) -> None:
    """Check columns that a table is to get.

    Raises:
        InvalidArgument: a name is not possible (0x80044364 to 0x80044367), or the table has one of that name
            (0x80047013).
        InvalidArgument: the table takes no columns, or no more of them.
    """
    if table.kind is not TableKind.STANDARD:
        raise InvalidArgument("The specified entity is not customizable", code="0x80047008")
    taken = set(table.by_name)
    for column in columns:
        check_name(system, column.schema_name, "Attribute", LONGEST_COLUMN)
        for new in (column, *companions(table, column)):
            if new.logical_name in taken and new.is_custom:
                raise InvalidArgument(
                    f"An attribute with the specified name {new.logical_name} already exists", code="0x80047013"
                )
            taken.add(new.logical_name)
    if len(taken) > MOST_COLUMNS:
        raise InvalidArgument(f"The table '{table.logical_name}' cannot have more than {MOST_COLUMNS} columns.")
