"""Rows column by column, as the renderer takes them: from records in memory, or from stored values as they were read.

Most stored values are the text or the number of the wire already (ADR 0007). They go into the answer as they are, and
no value is made of them that would only be turned back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Protocol, assert_never, cast

from orjson import Fragment

from entities.messages import Rows
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.query import ColumnRef
from entities.values import Record, Value
from odata_server.engine.sql.fetched import FetchedRecords
from odata_server.engine.storage import SqlValue, scale_of
from odata_server.render.values import Token, shifted, token


class Columns(Protocol):
    """Rows, column by column; a column that was not read is null in all of them."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def values(self, ref: ColumnRef) -> Sequence[Value]:
        """Return the values of a column."""

    def tokens(self, ref: ColumnRef, type_: ColumnType) -> Sequence[Token]:
        """Return the values of a column in the Web API's form."""

    def expansion(self, place: int) -> tuple[Columns, Sequence[int]]:
        """Return the records that one of the query's expansions adds to all rows, and how many of them each has."""


def key_of(ref: ColumnRef) -> str:
    """Return the key of a column in a record; columns of linked tables stand under `alias.name`."""
    return f"{ref.alias}.{ref.name}" if ref.alias else ref.name


def columns(records: Iterable[Record], expanded: Iterable[tuple[Rows, ...]]) -> Columns:
    """Return records by column.

    Args:
        records: values by key, or what was fetched from the database.
        expanded: what the query's expansions add to each record; fetched records bring it themselves.
    """
    if isinstance(records, FetchedRecords):
        return _Fetched(records)
    return _Records(tuple(records), tuple(expanded))


class _Records:
    """Records in memory."""

    __slots__ = ("_expanded", "_records")

    def __init__(self, records: Sequence[Record], expanded: Sequence[tuple[Rows, ...]]) -> None:
        self._records = records
        self._expanded = expanded

    def __len__(self) -> int:
        return len(self._records)

    def values(self, ref: ColumnRef) -> Sequence[Value]:
        key = key_of(ref)
        return [record.get(key) for record in self._records]

    def tokens(self, ref: ColumnRef, type_: ColumnType) -> Sequence[Token]:
        return [token(value, type_) for value in self.values(ref)]

    def expansion(self, place: int) -> tuple[Columns, Sequence[int]]:
        answers = [added[place] for added in self._expanded]
        records = tuple(chain.from_iterable(answer.records for answer in answers))
        expanded = tuple(chain.from_iterable(answer.expanded for answer in answers))
        return _Records(records, expanded), [len(answer.records) for answer in answers]


class _Fetched:
    """Stored values as they came from the database."""

    __slots__ = ("_records",)

    def __init__(self, records: FetchedRecords) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def values(self, ref: ColumnRef) -> Sequence[Value]:
        return self._records.values(key_of(ref)) or (None,) * len(self)

    def tokens(self, ref: ColumnRef, type_: ColumnType) -> Sequence[Token]:
        found = self._records.stored(key_of(ref))
        if found is None:
            return (None,) * len(self)
        column, values = found
        if not _are_alike(column.type, type_):
            return [token(value, type_) for value in self.values(ref)]
        written = _writer(type_)
        if written is None:
            return cast("Sequence[Token]", values)
        return [None if value is None else written(value) for value in values]

    def expansion(self, place: int) -> tuple[Columns, Sequence[int]]:
        records, counts = self._records.expansion(place)
        return _Fetched(records), counts


def _are_alike(stored: ColumnType, shown: ColumnType) -> bool:
    """Say whether stored values can be shown as values of a type."""
    if isinstance(stored, DecimalType) and isinstance(shown, DecimalType):
        return stored.precision == shown.precision
    return type(stored) is type(shown)


def _writer(type_: ColumnType) -> Callable[[SqlValue], Token] | None:
    """Return what makes the Web API's form of a stored value that is not null; None where the stored one is it."""
    match type_:
        case BooleanType():
            return bool
        case DecimalType() | MoneyType():
            digits = scale_of(type_)
            return lambda value: Fragment(shifted(int(str(value)), digits))
        case MultiChoiceType():
            return lambda value: str(value).strip(",")
        case ManagedPropertyType():
            written = {value: token(value, type_) for value in (True, False)}
            return lambda value: written[bool(value)]
        case DoubleType() | ImageType():
            return lambda value: token(value, type_)
        case (
            UniqueIdentifierType()
            | StringType()
            | MemoType()
            | IntegerType()
            | BigIntType()
            | DateTimeType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | LookupType()
            | EntityNameType()
            | FileType()
        ):
            return None
        case _:
            assert_never(type_)
