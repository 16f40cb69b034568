"""Does a record fit its table? Types, lengths, ranges, options and required columns, with Dataverse's texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from entities.errors import InvalidArgument
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
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
    RequiredLevel,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.tables import Table
from entities.values import ChoiceSet, EntityReference, Record, Value, guid
from odata_server.engine.storage import scale_of

_EARLIEST_YEAR = 1753
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside XML 1.0 §2.2."""

_BIG = 2**63

_Number: TypeAlias = float | Decimal


def validate(table: Table, record: Record, names: Iterable[str] | None = None) -> None:
    """Check values that are about to be written.

    Args:
        table: the record's table.
        record: the values.
        names: the columns to check; all when there is none.

    Raises:
        InvalidArgument: a value does not fit its column.
    """
    fits = table.derived(_fitting)
    for name in record if names is None else names:
        value = record[name]
        if value is None:
            _check_absent(table, table.by_name[name])
        elif not fits[name](value):
            _check(table, table.by_name[name], value)


def _fitting(table: Table) -> Mapping[str, Callable[[Value], bool]]:
    """Return per column what is sure of most values that they fit; what it is not sure of must be checked."""
    return {column.logical_name: _fits(column) for column in table.columns}


def _fits(column: Column) -> Callable[[Value], bool]:
    match column.type:
        case StringType(max_length=limit) | MemoType(max_length=limit):
            return lambda value: isinstance(value, str) and len(value) <= limit and value.isprintable()
        case IntegerType(minimum=low, maximum=high):
            return lambda value: type(value) is int and low <= value <= high
        case ChoiceType() | StateType() | StatusType():
            options = frozenset(option_values(column))
            return lambda value: type(value) is int and value in options
        case BooleanType() | ManagedPropertyType():
            return lambda value: isinstance(value, bool)
        case LookupType(targets=targets):
            return lambda value: isinstance(value, EntityReference) and value.table in targets
        case _:
            return lambda _: False


def _check_absent(table: Table, column: Column) -> None:
    if column.required is RequiredLevel.SYSTEM and column.valid_for_create:
        raise InvalidArgument(
            f"{table.schema_name}: the required column '{column.logical_name}' cannot be set to null."
        )


def _check(table: Table, column: Column, value: Value) -> None:  # noqa: C901, PLR0912 - one match over the column types
    match column.type, value:
        case (StringType() | MemoType()) as text_type, str():
            _check_characters(column, value)
            _check_length(table, column, value, text_type.max_length)
        case IntegerType() as bounds, int() if not isinstance(value, bool):
            _check_range(table, column, value, bounds.minimum, bounds.maximum)
        case BigIntType(), int() if not isinstance(value, bool):
            _check_range(table, column, value, -_BIG, _BIG - 1)
        case (DecimalType() | MoneyType()) as exact, Decimal() | int() if not isinstance(value, bool):
            _check_exact(table, column, Decimal(value), exact)
        case DoubleType() as bounds, float() | int() if not isinstance(value, bool):
            _check_range(table, column, value, bounds.minimum, bounds.maximum)
        case DateTimeType() as moment, date():
            _check_moment(table, column, value, moment)
        case ((ChoiceType() | StateType() | StatusType()), int()) if not isinstance(value, bool):
            _check_options(table, column, (value,))
        case MultiChoiceType(), ChoiceSet(options):
            _check_options(table, column, options)
        case LookupType(targets=targets), EntityReference(table=target) if target in targets:
            pass
        case ((BooleanType() | ManagedPropertyType()), bool()):
            pass
        case ((UniqueIdentifierType() | FileType()), str()) if guid(value) is not None:
            pass
        case (EntityNameType(), str()) | (ImageType(), bytes()):
            pass
        case _:
            raise InvalidArgument(
                f"Incorrect attribute value type {type(value).__name__} for '{column.logical_name}'"
                f" of '{table.logical_name}'.",
                code="0x80044354",
            )


def _check_characters(column: Column, value: str) -> None:
    """Refuse the characters that XML does not have (Dataverse keeps texts so that it can show them in XML)."""
    found = None if value.isprintable() else _NO_XML.search(value)
    if found is not None:
        raise InvalidArgument(
            f"Invalid character in field '{column.logical_name}': '{found[0]}', hexadecimal value"
            f" 0x{ord(found[0]):02X}, is an invalid character.",
            code="0x80040278",
        )


def _check_length(table: Table, column: Column, value: str, limit: int) -> None:
    if len(value) > limit:
        raise InvalidArgument(
            f"A validation error occurred. The length of the '{column.logical_name}' attribute of the"
            f" '{table.logical_name}' entity exceeded the maximum allowed length of '{limit}'.",
            code="0x80044331",
        )


def _check_range(table: Table, column: Column, value: _Number, low: _Number, high: _Number) -> None:
    if not low <= value <= high:
        raise InvalidArgument(
            f"A validation error occurred. The value of '{column.logical_name}' on record of type"
            f" '{table.logical_name}' is outside the valid range.",
            code="0x80044330",
        )


def _check_exact(table: Table, column: Column, value: Decimal, type_: DecimalType | MoneyType) -> None:
    _check_range(table, column, value, type_.minimum, type_.maximum)
    # What the stored integer cannot hold is out of range too (ADR 0007).
    limit = Decimal(_BIG - 1).scaleb(-scale_of(type_))
    _check_range(table, column, value, -limit, limit)


def _check_moment(table: Table, column: Column, value: date, type_: DateTimeType) -> None:
    is_date = type_.behavior is DateTimeBehavior.DATE_ONLY
    if is_date is isinstance(value, datetime) or value.year < _EARLIEST_YEAR:
        raise InvalidArgument(
            f"A validation error occurred. The value of '{column.logical_name}' on record of type"
            f" '{table.logical_name}' is outside the valid range.",
            code="0x80040239",
        )


def option_values(column: Column) -> tuple[int, ...]:
    """Return the values that a choice, state or status column accepts."""
    match column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return tuple(option.value for option in choice.options)
        case StateType(states=states):
            return tuple(range(len(states)))
        case StatusType(statuses=statuses):
            return tuple(status.value for status in statuses)
        case _:
            return ()


def _check_options(table: Table, column: Column, values: Iterable[int]) -> None:
    accepted = option_values(column)
    for value in values:
        if value not in accepted:
            listed = ",".join(str(option) for option in accepted)
            raise InvalidArgument(
                f"A validation error occurred. The value {value} of '{column.logical_name}' on record of type"
                f" '{table.logical_name}' is outside the valid range. Accepted Values: {listed}",
                code="0x8004431a",
            )


def with_state(table: Table, record: dict[str, Value], current_state: int | None) -> None:
    """Complete statecode and statuscode so that they fit together.

    Setting only the state picks its default reason, setting only the reason implies its state (Learn: "Special
    update operation behavior").

    Raises:
        InvalidArgument: the reason does not belong to the state.
    """
    columns = table.by_name
    if "statuscode" not in columns or "statecode" not in columns or not record.keys() & {"statecode", "statuscode"}:
        return
    states, reasons = columns["statecode"].type, columns["statuscode"].type
    assert isinstance(states, StateType)
    assert isinstance(reasons, StatusType)
    _check_options(table, table.by_name["statecode"], [v for v in [record.get("statecode")] if isinstance(v, int)])
    state, reason = record.get("statecode"), record.get("statuscode")
    if reason is None:
        chosen = state if isinstance(state, int) else current_state or 0
        record["statecode"], record["statuscode"] = chosen, states.states[chosen].default_status
        return
    of_reason = {status.value: status.state for status in reasons.statuses}
    if isinstance(reason, int) and reason in of_reason:
        if state is not None and state != of_reason[reason]:
            raise InvalidArgument(
                "State code is invalid or state code is valid but status code is invalid for a specified state code.",
                code="0x80048408",
            )
        record["statecode"] = of_reason[reason]


def settable(table: Table, record: Record, *, creating: bool) -> Record:
    """Return what of an upsert's record a caller may set now; the rest is ignored, as in a create or an update."""
    columns = table.by_name
    return {
        name: value
        for name, value in record.items()
        if (columns[name].valid_for_create if creating else columns[name].valid_for_update)
    }
