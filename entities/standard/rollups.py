"""Rollup columns at work: one at once (CalculateRollupField), and those of many records in a job.

Learn: "Define rollup columns", "Calculated and rollup columns": the value is kept with the moment of the calculation
(`_date`) and its outcome (`_state`). A calculation is no change of the record by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from entities.errors import DataverseError, InvalidArgument
from entities.metadata.columns import Column, DecimalType, IntegerType, MoneyType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import ColumnRef, Condition, ConditionOperator, QueryExpression
from entities.rollups import VALUE, rollup_query
from entities.standard.customer_rules import base_amount
from entities.standard.lookups import by_id, named_record
from entities.values import EntityReference, EntityValue, Guid, Record, Value

CALCULATE_ROLLUP = "CalculateRollupField"
_DEEPEST = 10
"""Levels of a hierarchy (Learn: "Define rollup columns", limits)."""


class RollupState(IntEnum):
    """Values of the column `_state` of a rollup column."""

    NOT_CALCULATED = 0
    CALCULATED = 1
    OVERFLOW_ERROR = 2
    OTHER_ERROR = 3
    RETRY_LIMIT_EXCEEDED = 4
    HIERARCHICAL_RECURSION_LIMIT_REACHED = 5
    LOOP_DETECTED = 6


class _Failed(Exception):
    """A calculation that has no value, with the state that says why."""

    def __init__(self, state: RollupState) -> None:
        super().__init__(state.name)
        self.state = state


@dataclass(frozen=True, slots=True)
class Calculation:
    """What a calculation gave: the columns to keep, and whether value or state differ from those kept before."""

    record: Record
    differs: bool
    state: RollupState


def rollup_steps() -> tuple[Step, ...]:
    """Return the handler of the function."""
    return (Step(CALCULATE_ROLLUP, None, Stage.MAIN, calculate_rollup_field),)


def calculate_rollup_field(context: ExecutionContext) -> None:
    """Calculate a rollup column of a record, keep it, and answer with the record's three columns of it.

    Raises:
        RecordNotFound: there is no such record.
        InvalidArgument: there is no such column (0x80041103), it is no rollup column (0x80060554), its value has no
            room (0x80060558), or the hierarchy is too deep (0x80060547) or goes round in a circle.
    """
    system = context.system
    target = named_record(system, context.parameters["Target"], "Target")
    table = system.catalog.tables[target.table]
    column = _rollup_column(table, str(context.parameters["FieldName"]))
    found = calculation(system, table, column, target)
    if found.state is not RollupState.CALCULATED:
        raise _refusal(found.state)
    system.keep(target, found.record, as_change=found.differs)
    context.result = {VALUE: EntityValue(table.logical_name, {table.primary_id: target.id, **found.record}, target)}


def _rollup_column(table: Table, name: str) -> Column:
    column = table.by_name.get(name)
    if column is None:
        raise InvalidArgument(
            f"'{table.schema_name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.",
            code="0x80041103",
        )
    if column.rollup is None:
        kind = type(column.type).__name__.removesuffix("Type")
        raise InvalidArgument(
            f"Field {name} of type {kind} does not support Recalculate action. Recalculate action can only be invoked"
            " for rollup field.",
            code="0x80060554",
        )
    return column


def _refusal(state: RollupState) -> InvalidArgument:
    match state:
        case RollupState.OVERFLOW_ERROR:
            return InvalidArgument("The calculation failed due to an overflow error.", code="0x80060558")
        case RollupState.HIERARCHICAL_RECURSION_LIMIT_REACHED:
            return InvalidArgument(
                "Calculations can't be performed online because the master record hierarchy depth limit of"
                f" {_DEEPEST} has been reached.",
                code="0x80060547",
            )
        case _:
            return InvalidArgument(
                "The calculation failed because the rollup field definition is invalid. Contact your system"
                " administrator.",
                code="0x80060553",
            )


def calculation(system: Operations, table: Table, column: Column, target: EntityReference) -> Calculation:
    """Return what calculating a rollup column of a record gives.

    Args:
        system: the transaction's operations.
        table: the record's table.
        column: the rollup column.
        target: the record.
    """
    name = column.logical_name
    before = by_id(system, target, *(n for n in (name, f"{name}_state", "exchangerate") if n in table.by_name))
    value: Value = before.get(name)
    try:
        value, state = _value(system, table, column, target, before), RollupState.CALCULATED
    except _Failed as failed:
        state = failed.state
    except DataverseError:
        state = RollupState.OTHER_ERROR
    record: dict[str, Value] = {
        name: value,
        f"{name}_date": system.now.replace(microsecond=0),
        f"{name}_state": state.value,
    }
    if (base := f"{name}_base") in table.by_name:
        rate = before.get("exchangerate")
        record[base] = base_amount(value, rate if isinstance(rate, Decimal) else Decimal(1))
    differs = value != before.get(name) or state.value != before.get(f"{name}_state")
    return Calculation(record, differs, state)


def _value(system: Operations, table: Table, column: Column, target: EntityReference, record: Record) -> Value:
    rollup = column.rollup
    assert rollup is not None
    owners = [target.id]
    if rollup.hierarchy:
        owners = list(_below(system, table, rollup.hierarchy, target.id))
    related = system.catalog.tables[rollup.table]
    rate = record.get("exchangerate")
    base = f"{rollup.column}_base"
    converts = isinstance(column.type, MoneyType) and base in related.by_name and isinstance(rate, Decimal)
    query = rollup_query(table, related, rollup, owners, base if converts else rollup.column)
    found = system.records(query)
    value = found[0].get(VALUE) if found else None
    if value is None:
        return 0 if rollup.function in {"COUNT", "SUM"} else None
    if converts and isinstance(value, Decimal) and isinstance(rate, Decimal):
        # Amounts of several currencies meet in the base currency (Learn: "Define rollup columns", currency).
        value *= rate
    return _fitting(column, value)


def _fitting(column: Column, value: Value) -> Value:
    """Return a value as the column keeps it.

    Raises:
        _Failed: it is too large, or too small.
    """
    type_ = column.type
    if not isinstance(type_, IntegerType | DecimalType | MoneyType) or not isinstance(value, int | Decimal):
        return value
    if not type_.minimum <= value <= type_.maximum:
        raise _Failed(RollupState.OVERFLOW_ERROR)
    return int(value) if isinstance(type_, IntegerType) else Decimal(value)


def _below(system: Operations, table: Table, lookup: str, root: Guid) -> Iterator[Guid]:
    """Yield a record and all below it, level by level.

    Raises:
        _Failed: there are too many levels, or a record is below itself.
    """
    seen = {root}
    level: Sequence[Guid] = (root,)
    for _ in range(_DEEPEST):
        yield from level
        children = Condition(ColumnRef(lookup), ConditionOperator.IN, tuple(level))
        rows = system.records(QueryExpression(table.logical_name, (table.primary_id,), filter=children))
        level = tuple(Guid(str(row[table.primary_id])) for row in rows)
        if not level:
            return
        if not seen.isdisjoint(level):
            raise _Failed(RollupState.LOOP_DETECTED)
        seen.update(level)
    raise _Failed(RollupState.HIERARCHICAL_RECURSION_LIMIT_REACHED)


def recalculate(system: Operations, table: Table, ids: Sequence[Guid]) -> int:
    """Calculate and keep all rollup columns of records of a table; return how many of them have no value."""
    failed = 0
    for key in ids:
        target = EntityReference(table.logical_name, key)
        for column in table.columns:
            if column.rollup is not None:
                found = calculation(system, table, column, target)
                system.keep(target, found.record, as_change=found.differs)
                failed += found.state is not RollupState.CALCULATED
    return failed
