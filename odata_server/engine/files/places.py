"""What messages about files name: a row, and a file or image column of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from entities.errors import InvalidArgument
from entities.messages import Target
from entities.metadata.columns import FileType, ImageType
from entities.metadata.tables import Table
from entities.values import EntityValue

Parameters: TypeAlias = Mapping[str, object]
"""The parameters of a message."""


def target_of(value: object) -> Target:
    """Return the record that a parameter names.

    Raises:
        InvalidArgument: it names none.
    """
    target = value.target if isinstance(value, EntityValue) else cast("Target", value)
    if target is None:
        raise InvalidArgument("The Target must name a record by its id.", code="0x80090003")
    return target


def file_column(table: Table, name: str) -> str:
    """Return the logical name of a file or image column.

    Raises:
        InvalidArgument: the table has no such column of these types.
    """
    column = table.by_name.get(name.lower())
    if column is None or not isinstance(column.type, FileType | ImageType):
        raise InvalidArgument(f"'{name}' is not a file column of the table '{table.logical_name}'.", code="0x80090007")
    return column.logical_name
