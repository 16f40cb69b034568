"""How values lie in SQLite: the physical columns of a column, and values to and from their stored form.

Decisions (ADR 0007): GUIDs, date-times and dates as the text the wire shows, Money as an integer of ten-thousandths,
Decimal as an integer scaled by its precision, text beside its stored fold, a polymorphic lookup as id and table name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias, assert_never

from entities.errors import EngineFault
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
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
from entities.text import fold
from entities.values import ChoiceSet, EntityReference, Guid, Value, utc_text

SqlValue: TypeAlias = str | int | float | bytes | None

MONEY_DIGITS = 4

_BIG = 2**63


@dataclass(frozen=True, slots=True)
class PhysicalColumn:
    """A column of an SQL table."""

    name: str
    sql_type: str


def fold_of(column: str) -> str:
    """Return the physical column that holds the fold of a text column."""
    return f"{column}$fold"


def table_of_lookup(column: str) -> str:
    """Return the physical column that holds the referenced table of a polymorphic lookup."""
    return f"{column}$table"


def scale_of(type_: DecimalType | MoneyType) -> int:
    """Return the number of digits after the point that the stored integer carries."""
    return MONEY_DIGITS if isinstance(type_, MoneyType) else type_.precision


def physical(column: Column) -> tuple[PhysicalColumn, ...]:
    """Return the physical columns of a column."""
    name = column.logical_name
    match column.type:
        case StringType() | MemoType() | EntityNameType():
            return (PhysicalColumn(name, "TEXT"), PhysicalColumn(fold_of(name), "TEXT"))
        case LookupType() as lookup:
            id_column = PhysicalColumn(name, "TEXT")
            if not lookup.is_polymorphic:
                return (id_column,)
            return (id_column, PhysicalColumn(table_of_lookup(name), "TEXT"))
        case UniqueIdentifierType() | DateTimeType() | MultiChoiceType() | FileType():
            return (PhysicalColumn(name, "TEXT"),)
        case DoubleType():
            return (PhysicalColumn(name, "REAL"),)
        case ImageType():
            return (PhysicalColumn(name, "BLOB"),)
        case (
            IntegerType()
            | BigIntType()
            | DecimalType()
            | MoneyType()
            | BooleanType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | ManagedPropertyType()
        ):
            return (PhysicalColumn(name, "INTEGER"),)
        case _:
            assert_never(column.type)


def stored(type_: ColumnType, value: Value) -> SqlValue:
    """Return the stored form of a value (of a lookup: its id; of text: the text itself)."""
    match value:
        case None | str() | float() | bytes():
            return value
        case bool():
            return int(value)
        case int():
            return scaled(type_, Decimal(value)) if isinstance(type_, DecimalType | MoneyType) else value
        case Decimal():
            return scaled(type_, value)
        case datetime():
            is_date = isinstance(type_, DateTimeType) and type_.behavior is DateTimeBehavior.DATE_ONLY
            return value.date().isoformat() if is_date else utc_text(value)
        case date():
            return value.isoformat()
        case EntityReference():
            return value.id
        case ChoiceSet():
            return "," + ",".join(str(option) for option in value.options) + "," if value.options else None
        case _:
            raise EngineFault(f"No stored form for {value!r}")


def scaled(type_: ColumnType, value: Decimal) -> SqlValue:
    """Return an exact number as stored: an integer for Money and Decimal, else a float.

    A literal that no 64-bit integer holds becomes a float, which compares with the stored integers as it should.
    """
    if not isinstance(type_, DecimalType | MoneyType):
        return float(value)
    number = int(value.scaleb(scale_of(type_)).to_integral_value(ROUND_HALF_UP))
    return number if -_BIG <= number < _BIG else float(number)


def folded(value: SqlValue) -> SqlValue:
    """Return the fold of a stored text."""
    return fold(value) if isinstance(value, str) else value


def loaded(column: Column, value: SqlValue, target: SqlValue = None) -> Value:
    """Return the value of a stored form; `target` is the referenced table of a polymorphic lookup."""
    if value is None:
        return None
    match column.type:
        case LookupType() as lookup:
            table = str(target) if lookup.is_polymorphic else lookup.targets[0]
            return EntityReference(table, Guid(str(value)))
        case BooleanType() | ManagedPropertyType():
            return bool(value)
        case DecimalType() | MoneyType() as exact:
            return Decimal(int(value)).scaleb(-scale_of(exact))
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return date.fromisoformat(str(value))
        case DateTimeType():
            return datetime.fromisoformat(str(value)).astimezone(UTC)
        case MultiChoiceType():
            return ChoiceSet(tuple(int(part) for part in str(value).strip(",").split(",")))
        case (
            StringType()
            | MemoType()
            | EntityNameType()
            | UniqueIdentifierType()
            | IntegerType()
            | BigIntType()
            | DoubleType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | FileType()
            | ImageType()
        ):
            return value
        case _:
            assert_never(column.type)
