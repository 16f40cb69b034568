"""Which column of a source stands behind which column of a virtual table, and how their values correspond.

Options are matched by external name, never by number. Text that is empty and the date 1900-01-01 are the source's
ways to say "no value" (domain rule d.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.columns import (
    ChoiceType,
    Column,
    DateTimeBehavior,
    DateTimeType,
    LookupType,
    MemoType,
    StringType,
)
from entities.metadata.tables import Table
from entities.values import EntityReference, Value

_NO_OPTION_BELOW: Final = -1
_NO_OPTION_ABOVE: Final = 2**31 - 1
_NO_DATE: Final = date(1900, 1, 1)
_NO_MOMENT: Final = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A pair of columns. `empty` is the value by which the source says that there is none, None without such."""

    virtual: Column
    source: Column
    to_source: Mapping[int, int]
    to_virtual: Mapping[int, int]
    target: tuple[str, str] | None
    empty: Value = None

    def source_literal(self, value: Value) -> Value:
        """Return a query's literal as the source compares it.

        An option that the choice does not have becomes a number no row has, below or above all of them.
        """
        match value:
            case bool():
                return value
            case int() if self.to_source:
                below = value < min(self.to_virtual.values())
                return self.to_source.get(value, _NO_OPTION_BELOW if below else _NO_OPTION_ABOVE)
            case EntityReference() if self.target:
                return EntityReference(self.target[1], value.id)
            case _:
                return value

    def source_value(self, value: Value) -> Value:
        """Return a value as the source stores it.

        Raises:
            InvalidArgument: the choice has no such option.
        """
        if isinstance(value, int) and not isinstance(value, bool) and self.to_source and value not in self.to_source:
            accepted = ",".join(str(option) for option in self.to_source)
            raise InvalidArgument(
                f"A validation error occurred. The value {value} of '{self.virtual.logical_name}' is outside the valid "
                f"range. Accepted Values: {accepted}",
                code="0x8004431a",
            )
        return None if self.empty is not None and value == self.empty else self.source_literal(value)

    def order_value(self, value: Value) -> Value:
        """Return an order value of the source under the virtual table's numbers; empty values stay as they are."""
        match value:
            case int() if self.to_virtual and not isinstance(value, bool):
                return self.to_virtual.get(value, value)
            case _:
                return value

    def virtual_value(self, value: Value) -> Value:
        """Return the source's value as the virtual table shows it."""
        if self.empty is not None and value == self.empty:
            return None
        if isinstance(value, EntityReference):
            return EntityReference(self.target[0], value.id, value.name) if self.target else None
        return self.order_value(value)


@dataclass(frozen=True, slots=True)
class TableMapping:
    """A virtual table, its source, and the pairs of columns by the virtual column's name."""

    virtual: Table
    source: Table
    columns: Mapping[str, ColumnMapping]


def table_mapping(virtual: Table, source: Table) -> TableMapping:
    """Pair the columns of a virtual table with those of its source, by external name.

    A column that the source no longer has is left out: it reads as null until the table is refreshed.
    """
    pairs = {c.logical_name: _paired(c, source) for c in virtual.columns if c.external_name}
    columns = {name: pair for name, pair in pairs.items() if pair is not None}
    ids = _mapping(virtual.by_name[virtual.primary_id], source.by_name[source.primary_id])
    return TableMapping(virtual, source, {virtual.primary_id: ids, **columns})


def _paired(column: Column, source: Table) -> ColumnMapping | None:
    found = source.by_name.get((column.external_name or "").lower())
    return None if found is None else _mapping(column, found)


def _mapping(virtual: Column, source: Column) -> ColumnMapping:
    to_source: Mapping[int, int] = {}
    if isinstance(virtual.type, ChoiceType) and isinstance(source.type, ChoiceType):
        numbers = {option.external_value: option.value for option in source.type.choice.options}
        named = virtual.type.choice.options
        to_source = {o.value: numbers[o.external_value] for o in named if o.external_value in numbers}
    return ColumnMapping(
        virtual,
        source,
        to_source,
        {there: here for here, there in to_source.items()},
        _target(virtual, source),
        _empty(source),
    )


def _target(virtual: Column, source: Column) -> tuple[str, str] | None:
    if isinstance(virtual.type, LookupType) and isinstance(source.type, LookupType):
        return virtual.type.targets[0], source.type.targets[0]
    return None


def _empty(column: Column) -> Value:
    match column.type:
        case StringType() | MemoType():
            return ""
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return _NO_DATE
        case DateTimeType():
            return _NO_MOMENT
        case _:
            return None
