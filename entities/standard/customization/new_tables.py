"""Tables that come and go: what has to be written beside their definitions, for whoever adds or removes them.

A table brings its privileges, the messages that steps can be registered for, and the sequences behind its automatic
numbers. One that goes takes them along, with its views and rules, and whatever points to its records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from entities.errors import RecordNotFound
from entities.messages import Create, Delete
from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.columns import LookupType
from entities.metadata.relationships import Cascade, OneToMany
from entities.metadata.tables import Table, TableKind
from entities.pipeline import Operations
from entities.query import ColumnRef, Condition, ConditionOperator, Filter, QueryExpression, equals
from entities.standard.auto_number_actions import begin_numbers
from entities.standard.lookups import referenced
from entities.standard.sdk_messages import filter_rows
from entities.standard.sharing import SHARED_ACCESS, SHARED_TABLES
from entities.values import EntityReference, Guid, Record

PrivilegeRows: TypeAlias = Callable[[Iterable[Table]], Iterable[Record]]
"""Gives the rows that tables bring to the table `privilege` (`security.privileges.privilege_records`)."""

_CODES: Final = "$object_type_code"
"""The sequence of object type codes: one that has been given is never given again."""
_FIRST_CODE: Final = 10_000
_PAGE: Final = 500

_ABOUT_TABLES: Final = (
    ("savedquery", "returnedtypecode"),
    ("userquery", "returnedtypecode"),
    ("duplicaterule", "baseentityname"),
    ("duplicaterule", "matchingentityname"),
    (SHARED_ACCESS, "objecttypecode"),
    (SHARED_TABLES, "objecttypecode"),
)
"""Rows that are about a table, by the column that names it; they go with it."""


def next_object_type_code(system: Operations) -> int:
    """Return an object type code that no table has or had (Learn: custom tables have codes from 10,000 up)."""
    taken = system.catalog.by_object_type_code
    code = max(system.sequence(_CODES) or 0, _FIRST_CODE - 1) + 1
    while code in taken:
        code += 1
    system.set_sequence(_CODES, code)
    return code


def add_tables(system: Operations, change: CatalogChange, privileges: PrivilegeRows) -> None:
    """Change the metadata, with everything that new, changed and removed tables need beside it.

    Args:
        system: operations inside the running transaction.
        change: tables and relationships to put and to remove.
        privileges: gives the rows of the table `privilege` for tables.
    """
    before = system.catalog
    leaving = [before.tables[name] for name in change.remove if name in before.tables]
    for table in leaving:
        _clear(system, table)
    if leaving:
        _take_rows_away(system, leaving, privileges)
    system.change_catalog(change)
    new = [table for table in change.put if table.logical_name not in before.tables]
    _bring_rows(system, new, privileges)
    for table in change.put:
        known = before.tables.get(table.logical_name)
        for column, _ in table.autonumbers:
            if known is None or column not in dict(known.autonumbers):
                begin_numbers(system, table.logical_name, column)


def _bring_rows(system: Operations, tables: list[Table], privileges: PrivilegeRows) -> None:
    # Activities share their privileges.
    records = {str(record["privilegeid"]): record for record in privileges(tables)}
    for known in _existing(system, "privilege", "privilegeid", records):
        del records[known]
    for record in records.values():
        system.execute(Create("privilege", record))
    _bring_messages(system, list(filter_rows(tables)))


def _bring_messages(system: Operations, rows: list[tuple[str, Record]]) -> None:
    """Make the rows that say which messages there are for tables, as far as the environment has the messages."""
    messages = {referenced(record["sdkmessageid"]) for _, record in rows}
    known = set(_existing(system, "sdkmessage", "sdkmessageid", {str(message) for message in messages}))
    for name, record in rows:
        if referenced(record["sdkmessageid"]) in known:
            system.execute(Create(name, record))


def _take_rows_away(system: Operations, tables: list[Table], privileges: PrivilegeRows) -> None:
    gone = {table.logical_name for table in tables}
    staying = [table for table in system.catalog.tables.values() if table.logical_name not in gone]
    shared = {record["privilegeid"] for record in privileges(staying)}
    leaving = [record["privilegeid"] for record in privileges(tables) if record["privilegeid"] not in shared]
    for privilege in leaving:
        _delete_if_there(system, EntityReference("privilege", Guid(str(privilege))))
    for name, record in filter_rows(tables):
        _delete_if_there(system, EntityReference(name, Guid(str(record[f"{name}id"]))))


def _clear(system: Operations, table: Table) -> None:
    """Delete the rows that are about a table, and end what points to its records from elsewhere."""
    for name, column in _ABOUT_TABLES:
        for reference in _selected(system, name, column, equals(column, table.logical_name)):
            _delete_if_there(system, reference)
    for relationship in _pointing(system.catalog, table):
        for reference in pointing(system, relationship):
            if relationship.cascade.delete is Cascade.CASCADE:
                _delete_if_there(system, reference)
            else:
                system.keep(reference, {relationship.referencing_column: None}, as_change=True)


def _pointing(catalog: Catalog, table: Table) -> Iterator[OneToMany]:
    """Yield the relationships by which rows of other tables point to rows of this one."""
    for relationship in catalog.relationships_of(table.logical_name):
        if not isinstance(relationship, OneToMany) or relationship.referenced_table != table.logical_name:
            continue
        other = catalog.tables.get(relationship.referencing_table)
        if other is not None and other is not table and other.kind is TableKind.STANDARD:
            yield relationship


def pointing(system: Operations, relationship: OneToMany) -> Iterator[EntityReference]:
    """Yield the rows that point to others over a relationship."""
    table = system.catalog.tables[relationship.referencing_table]
    column = table.by_name.get(relationship.referencing_column)
    if column is None or not isinstance(column.type, LookupType):
        return
    pointing: Filter = Condition(ColumnRef(column.logical_name), ConditionOperator.NOT_NULL)
    if column.type.is_polymorphic:
        kind = ColumnRef(column.logical_name, part="table")
        pointing = Condition(kind, ConditionOperator.EQUAL, (relationship.referenced_table,))
    yield from _selected(system, table.logical_name, column.logical_name, pointing)


def _selected(system: Operations, name: str, column: str, filter_: Filter) -> Iterator[EntityReference]:
    table = system.catalog.tables.get(name)
    if table is None or column not in table.by_name:
        return
    for record in system.records(QueryExpression(name, (table.primary_id,), filter=filter_)):
        yield EntityReference(name, Guid(str(record[table.primary_id])))


def _existing(system: Operations, name: str, key: str, ids: Iterable[str]) -> Iterator[str]:
    wanted = list(ids)
    for start in range(0, len(wanted), _PAGE):
        part = tuple(Guid(value) for value in wanted[start : start + _PAGE])
        among = Condition(ColumnRef(key), ConditionOperator.IN, part)
        for record in system.records(QueryExpression(name, (key,), filter=among)):
            yield str(record[key])


def _delete_if_there(system: Operations, reference: EntityReference) -> None:
    """Delete a record, unless another deletion has taken it along."""
    try:
        system.execute(Delete(reference))
    except RecordNotFound:
        return
