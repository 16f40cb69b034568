"""Columns whose values are stored in another form from now on: each value is written anew, as no change by anybody.

Learn: "Behavior and format of the date and time column"; a behavior changes from UserLocal, and never again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from entities.errors import InvalidArgument
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Column, DateTimeBehavior, DateTimeType, DecimalType
from entities.metadata.tables import Table
from entities.pipeline import Operations
from entities.query import ColumnRef, Condition, ConditionOperator, QueryExpression
from entities.values import EntityReference, Guid, Value


def lies_otherwise(before: Column, after: Column) -> bool:
    """Say whether values of a column are stored in another form than before.

    Raises:
        InvalidArgument: they cannot be.
    """
    match before.type, after.type:
        case DateTimeType(behavior=old), DateTimeType(behavior=new) if old is not new:
            if old is not DateTimeBehavior.USER_LOCAL:
                raise InvalidArgument(f"The behavior of the attribute {after.logical_name} cannot be changed any more.")
            return True
        case DecimalType(precision=was), DecimalType(precision=becomes):
            return was != becomes
        case _:
            return False


def rewrite(system: Operations, table: Table, changed: Table, column: Column) -> None:
    """Put a changed column in the place of the old one, with the values that its rows have.

    Args:
        system: the transaction's operations.
        table: the table as it is.
        changed: the table with the changed column.
        column: the changed column.
    """
    name = column.logical_name
    filled = Condition(ColumnRef(name), ConditionOperator.NOT_NULL)
    rows = system.records(QueryExpression(table.logical_name, (table.primary_id, name), filter=filled))
    system.change_catalog(CatalogChange((without_columns(table, {name}),)))
    system.change_catalog(CatalogChange((changed,)))
    for row in rows:
        reference = EntityReference(table.logical_name, Guid(str(row[table.primary_id])))
        system.keep(reference, {name: _converted(row[name], column)}, as_change=False)


def _converted(value: Value, column: Column) -> Value:
    match value, column.type:
        case Decimal(), DecimalType(precision=digits):
            return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        case datetime(), DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return value.date()
        case _:
            return value


def without_columns(table: Table, names: set[str]) -> Table:
    """Return a table without some of its columns, and without the indexes over them."""
    kept = tuple(column for column in table.columns if column.logical_name not in names)
    keys = tuple(key for key in table.keys if names.isdisjoint(key.columns))
    return replace(table, columns=kept, keys=keys, indexed=tuple(name for name in table.indexed if name not in names))
