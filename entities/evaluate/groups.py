"""What a grouped query means, in memory: rows are put in buckets, and each bucket becomes one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from math import fsum
from typing import assert_never, cast

from entities.evaluate.conditions import Comparable
from entities.grouping import FISCAL, ResultColumn, date_part, fiscal_text, local_date, shown_name, zone_of
from entities.metadata.columns import BigIntType, DecimalType, DoubleType, IntegerType
from entities.query import Aggregate, AggregateFunction, ColumnRef, Group
from entities.values import EntityReference, Record, Value

_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of one row: its value and what it is compared by."""

    value: Value
    compared: Comparable | None


Row = Callable[[ColumnRef], Cell]
"""One of the rows to group: gives the cell of a column."""


def grouped_records(rows: Sequence[Row], columns: Sequence[ResultColumn]) -> list[Record]:
    """Return one record per group, in the order of what they are grouped by; one for all rows without groups.

    Args:
        rows: the rows that the query selects.
        columns: the columns of the result.
    """
    groups = [column.made_of for column in columns if isinstance(column.made_of, Group)]
    buckets: dict[tuple[object, ...], list[Row]] = {} if groups else {(): []}
    for row in rows:
        buckets.setdefault(tuple(_key(group, column, row) for group, column in _grouping(columns)), []).append(row)
    ordered = sorted(buckets.items(), key=lambda item: [_rank(part) for part in item[0]])
    return [_record(bucket, columns) for _, bucket in ordered]


def _grouping(columns: Sequence[ResultColumn]) -> list[tuple[Group, ResultColumn]]:
    return [(column.made_of, column) for column in columns if isinstance(column.made_of, Group)]


def _rank(part: object) -> tuple[bool, object]:
    return (False, 0) if part is None else (True, part)


def _key(group: Group, column: ResultColumn, row: Row) -> object:
    """Return what rows of one group share; ids of different tables are different, whatever they are."""
    cell = row(group.column)
    if cell.value is None:
        return None
    if group.date_grouping is not None:
        return _part(group, column, cell.value)
    return (cell.compared, cell.value.table) if isinstance(cell.value, EntityReference) else cell.compared


def _part(group: Group, column: ResultColumn, value: Value) -> int:
    assert group.date_grouping is not None
    assert column.source is not None
    day = local_date(cast("date", value), zone_of(group, column.source.type))
    return date_part(group.date_grouping, day, group.calendar)


def _record(bucket: Sequence[Row], columns: Sequence[ResultColumn]) -> Record:
    record: dict[str, Value] = {}
    for column in columns:
        match column.made_of:
            case Group() as group:
                record.update(_shown(group, column, bucket))
            case Aggregate() as aggregate:
                record[column.alias] = _aggregated(aggregate, column, bucket)
            case _:
                assert_never(column.made_of)
    return record


def _shown(group: Group, column: ResultColumn, bucket: Sequence[Row]) -> Mapping[str, Value]:
    """Return what stands for a group: of texts that compare as equal the least."""
    values = [row(group.column).value for row in bucket]
    if group.date_grouping is not None:
        number = None if values[0] is None else _part(group, column, values[0])
        shown = None if number is None else fiscal_text(group.date_grouping, number, group.calendar)
        return {group.alias: number, **({shown_name(group.alias): shown} if group.date_grouping in FISCAL else {})}
    return {group.alias: min(cast("list[str]", values)) if isinstance(values[0], str) else values[0]}


def _aggregated(aggregate: Aggregate, column: ResultColumn, bucket: Sequence[Row]) -> Value:
    if aggregate.column is None or aggregate.function is AggregateFunction.COUNT:
        return len(bucket)
    cells = [cell for row in bucket if (cell := row(aggregate.column)).value is not None]
    if aggregate.function is AggregateFunction.COUNT_COLUMN:
        return len({cell.compared for cell in cells}) if aggregate.distinct else len(cells)
    if not cells:
        return None
    match column.type:
        case DoubleType():
            return _of_doubles(aggregate.function, [float(cast("float", cell.value)) for cell in cells])
        case DecimalType():
            return _of_numbers(aggregate.function, [Decimal(cast("Decimal", cell.value)) for cell in cells], column)
        case _:
            values = sorted(cast("list[str]", [cell.value for cell in cells]))
            return values[0] if aggregate.function is AggregateFunction.MINIMUM else values[-1]


def _of_doubles(function: AggregateFunction, numbers: Sequence[float]) -> float:
    match function:
        case AggregateFunction.MINIMUM:
            return min(numbers)
        case AggregateFunction.MAXIMUM:
            return max(numbers)
        case AggregateFunction.SUM:
            return fsum(numbers)
        case _:
            return fsum(numbers) / len(numbers)


def _of_numbers(function: AggregateFunction, numbers: Sequence[Decimal], column: ResultColumn) -> Decimal:
    """Return an exact result; the average of whole numbers is whole (Learn: "Aggregate data using FetchXml")."""
    match function:
        case AggregateFunction.MINIMUM:
            found = min(numbers)
        case AggregateFunction.MAXIMUM:
            found = max(numbers)
        case _:
            found = Decimal(0)
            for number in numbers:
                found = _EXACT.add(found, number)
            if function is AggregateFunction.AVERAGE:
                found = _EXACT.divide(found, Decimal(len(numbers)))
    assert isinstance(column.type, DecimalType)
    assert column.source is not None
    if isinstance(column.source.type, IntegerType | BigIntType):
        found = found.to_integral_value(ROUND_DOWN)
    else:
        found = _EXACT.quantize(found, Decimal(1).scaleb(-column.type.precision))
    # Nothing has no sign.
    return _EXACT.plus(found)
