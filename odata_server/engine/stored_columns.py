"""How each column of a table goes into its row: which physical columns it has, and what makes their stored values.

Made once per table, because a row is nothing but these functions applied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, TypeAlias, cast

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    StateType,
    StatusType,
)
from entities.metadata.tables import Table
from entities.text import fold, fold_all
from entities.values import EntityReference, Value, utc_text
from odata_server.engine.schema import comparable
from odata_server.engine.storage import SqlValue, fold_of, stored, table_of_lookup

Store: TypeAlias = Callable[[Any], SqlValue]
"""Makes the stored form of a value; a text and null are stored already."""

_moment_text = lru_cache(maxsize=256)(utc_text)
"""Most moments of a transaction are its own time."""


def stored_columns(table: Table) -> Mapping[str, tuple[tuple[str, Store], ...]]:
    """Return the physical columns of each column of a table, with what makes their values.

    Use it as `table.derived(stored_columns)`.
    """
    return {column.logical_name: _parts(column) for column in table.columns}


def _parts(column: Column) -> tuple[tuple[str, Store], ...]:
    name = column.logical_name
    if comparable(column) != name:
        return ((name, unchanged), (fold_of(name), _fold))
    if isinstance(column.type, LookupType):
        tables = ((table_of_lookup(name), _table),) if column.type.is_polymorphic else ()
        return ((name, _id), *tables)
    return ((name, _store(column.type)),)


def _store(type_: ColumnType) -> Store:
    match type_:
        case (
            IntegerType()
            | BigIntType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | BooleanType()
            | ManagedPropertyType()
        ):
            return _whole
        case DateTimeType(behavior=behavior) if behavior is not DateTimeBehavior.DATE_ONLY:
            return _moment
        case _:
            return partial(_other, type_)


def unchanged(value: SqlValue) -> SqlValue:
    """Return a value that is its own stored form."""
    return value


def stored_values(values: list[Value], store: Store) -> Sequence[SqlValue]:
    """Return the stored forms of a column's values in several rows."""
    if store is unchanged:
        return cast("list[SqlValue]", values)
    # What the server fills in is the same in all rows.
    if values.count(values[0]) == len(values):
        return [store(values[0])] * len(values)
    if store is _fold and None not in values:
        return fold_all(cast("list[str]", values))
    return list(map(store, values))


def _fold(value: str | None) -> SqlValue:
    return None if value is None else fold(value)


def _id(value: EntityReference | str | None) -> SqlValue:
    return value.id if isinstance(value, EntityReference) else value


def _table(value: EntityReference | str | None) -> SqlValue:
    return value.table if isinstance(value, EntityReference) else None


def _whole(value: int | None) -> SqlValue:
    return int(value) if isinstance(value, bool) else value


def _moment(value: datetime | str | None) -> SqlValue:
    return _moment_text(value) if isinstance(value, datetime) else value


def _other(type_: ColumnType, value: Value) -> SqlValue:
    return value if value is None or isinstance(value, str) else stored(type_, value)
