"""Short reads for rules: one record by id or by a condition, inside the running transaction."""

from __future__ import annotations

from entities.errors import InvalidArgument, InvalidOperation, RecordNotFound
from entities.messages import Retrieve, Rows
from entities.pipeline import Operations
from entities.query import Filter, QueryExpression, equals
from entities.values import EntityReference, EntityValue, Guid, KeyReference, Record, Value


def first(system: Operations, table: str, condition: Filter, *columns: str) -> Record | None:
    """Return the first record of a table for which a condition holds, None when there is none.

    Args:
        system: the transaction's operations.
        table: the table.
        condition: the condition.
        columns: the columns to read; all when none is named.
    """
    found = system.records(QueryExpression(table, columns or None, filter=condition, top=1))
    return found[0] if found else None


def by_id(system: Operations, reference: EntityReference, *columns: str) -> Record:
    """Return the record of a reference.

    Raises:
        RecordNotFound: there is none.
    """
    key = system.catalog.tables[reference.table].primary_id
    found = first(system, reference.table, equals(key, reference.id), *columns)
    if found is None:
        raise RecordNotFound(f"Entity '{reference.table}' With Id = {reference.id} Does Not Exist")
    return found


def referenced(value: Value) -> Guid | None:
    """Return the id of a lookup's value, None when it is empty."""
    return value.id if isinstance(value, EntityReference) else None


def named_record(system: Operations, value: object, parameter: str) -> EntityReference:
    """Return the existing record that a parameter names, by its id or by an alternate key.

    Args:
        system: the transaction's operations.
        value: the parameter's value.
        parameter: its name, for the refusal.

    Raises:
        InvalidArgument: it names no record.
        InvalidOperation: its record is of a virtual table, whose records are not here (0x80040800).
        RecordNotFound: there is no such record.
    """
    target = value.target if isinstance(value, EntityValue) else value
    if not isinstance(target, EntityReference | KeyReference):
        raise InvalidArgument(f"The parameter '{parameter}' must name a record.")
    table = system.catalog.tables[target.table]
    if table.source is not None:
        raise InvalidOperation(f"The parameter '{parameter}' names a record of a virtual table.", code="0x80040800")
    key = table.primary_id
    if isinstance(target, EntityReference):
        by_id(system, target, key)
        return target
    found = system.execute(Retrieve(target, (key,)))
    assert isinstance(found, Rows)
    return EntityReference(target.table, Guid(str(found.records[0][key])))
