"""Single rows of Human Resources inside a running transaction: by id, by key values, by whatever names a target."""

from __future__ import annotations

from typing import assert_never

from entities.errors import RecordNotFound
from entities.human_resources.declaring import Reference
from entities.messages import Target
from entities.pipeline import Operations
from entities.query import And, QueryExpression, equals
from entities.values import EntityReference, Guid, KeyReference, Record, Value


def rows_where(system: Operations, table: str, values: tuple[tuple[str, Value], ...]) -> tuple[Record, ...]:
    """Return the rows whose columns have all the given values."""
    return system.records(QueryExpression(table, filter=And(tuple(equals(name, value) for name, value in values))))


def row_where(system: Operations, table: str, *values: tuple[str, Value]) -> Record | None:
    """Return the row that a unique combination of values names, None when there is none."""
    return next(iter(rows_where(system, table, values)), None)


def row_of(system: Operations, target: Target) -> Record:
    """Return the row that a message's target names.

    Raises:
        RecordNotFound: there is none.
    """
    match target:
        case EntityReference(table=table, id=record_id):
            named: tuple[tuple[str, Value], ...] = ((system.catalog.tables[table].primary_id, record_id),)
        case KeyReference(values=values):
            named = values
        case _:
            assert_never(target)
    row = row_where(system, target.table, *named)
    if row is None:
        shown = ", ".join(f"{name}='{value!s}'" for name, value in named)
        raise RecordNotFound(f"{target.table} With {shown} Does Not Exist")
    return row


def reference_to(system: Operations, table: str, row: Record) -> EntityReference:
    """Return the pointer to a row."""
    value = row[system.catalog.tables[table].primary_id]
    assert isinstance(value, str)
    return EntityReference(table, Guid(value))


def key_values(reference: Reference, record: Record) -> tuple[tuple[str, Value], ...]:
    """Return the target's key columns with the values that a record has for them."""
    return tuple((theirs, record.get(own)) for own, theirs in reference.columns)
