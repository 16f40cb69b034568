"""The records that messages name: in parameters, with the right that each of them takes, and in lookups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from entities.messages import Execute, Target
from entities.metadata.catalog import Catalog
from entities.metadata.columns import LookupKind, LookupType
from entities.metadata.tables import Table
from entities.values import EntityReference, EntityValue, KeyReference, Record
from security.operation_privileges import EXECUTE_ON_NAMED, EXECUTE_READS_RECORDS, EXECUTE_READS_TABLES
from security.privileges import AccessRight, rights_of

_NOT_BINDING: Final = frozenset(
    ("ownerid", "owninguser", "owningteam", "owningbusinessunit", "createdby", "modifiedby", "createdonbehalfby")
)
"""Columns whose value says who a record belongs to or who touched it; they bind it to nothing."""


def bound_in(table: Table, record: Record) -> Iterator[Target]:
    """Yield the records that the lookups of a record bind it to."""
    for name, value in record.items():
        if isinstance(value, EntityReference | KeyReference) and name not in _NOT_BINDING and _is_binding(table, name):
            yield value


def _is_binding(table: Table, name: str) -> bool:
    column = table.by_name.get(name)
    return column is not None and isinstance(column.type, LookupType) and column.type.kind is not LookupKind.OWNER


def named_in(message: Execute) -> Iterator[tuple[Target, AccessRight]]:
    """Yield the records that a message's parameters name, with the right that it takes on them."""
    told = EXECUTE_READS_RECORDS.get(message.name)
    touched = EXECUTE_ON_NAMED.get(message.name, ())
    for parameter, right in (*(((told, AccessRight.READ),) if told is not None else ()), *touched):
        given = message.parameters.get(parameter)
        for value in given if isinstance(given, list) else (given,):
            target = target_of(value)
            if target is not None:
                yield target, right


def tables_told(message: Execute, catalog: Catalog) -> Iterator[Table]:
    """Yield the tables that a function's parameter names and that it tells something of."""
    names = message.parameters.get(EXECUTE_READS_TABLES.get(message.name, ""), ())
    for name in names if isinstance(names, list) else ():
        if name in catalog.tables and rights_of(catalog.tables[name]):
            yield catalog.tables[name]


def target_of(value: object) -> Target | None:
    """Return the record that a parameter names, with values or without; None where it names none."""
    found = value.target if isinstance(value, EntityValue) else value
    return found if isinstance(found, EntityReference | KeyReference) else None
