"""What a change of definitions means for files: relationships to their rows come, files of what is gone go.

Learn: "Use file column data": a table's first file column brings the relationship to the FileAttachment table.
"""

from __future__ import annotations

from dataclasses import replace

from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.columns import FileType, ImageType
from entities.metadata.tables import Table, TableKind
from entities.standard.files import FILE_TABLE, files_of, owners_of, without_owners
from odata_server.engine import file_store
from odata_server.engine.database import Connection, quoted


def with_files(connection: Connection, before: Catalog, change: CatalogChange) -> CatalogChange:
    """Remove the files of columns and tables that are about to go, and return the change with what it means for files.

    Args:
        connection: the transaction's.
        before: the definitions as they are.
        change: the change to come.
    """
    for name in change.remove:
        if file_store.holds_files(before.tables[name]):
            _remove(connection, before, name, _columns(before.tables[name]))
    for table in change.put:
        known = before.tables.get(table.logical_name)
        gone = _columns(known) - _columns(table) if known is not None else frozenset()
        if gone:
            _remove(connection, before, table.logical_name, gone)
    return _related(before, change)


def _columns(table: Table) -> frozenset[str]:
    return frozenset(c.logical_name for c in table.columns if isinstance(c.type, FileType | ImageType))


def _remove(connection: Connection, before: Catalog, table: str, columns: frozenset[str]) -> None:
    for column in sorted(columns):
        if FILE_TABLE in before.tables:
            own = f"{quoted('objecttypecode')} = $1 AND {quoted('regardingfieldname')} = $2"
            connection.execute(f"DELETE FROM {quoted(FILE_TABLE)} WHERE {own}", (table, column))
        file_store.remove_of_definition(connection, table, column)


def _related(before: Catalog, change: CatalogChange) -> CatalogChange:
    """Return the change with the relationships of tables that get their first file."""
    attachments = {table.logical_name: table for table in change.put}.get(FILE_TABLE, before.tables.get(FILE_TABLE))
    if attachments is None or FILE_TABLE in change.remove:
        return change
    known, relationships = attachments, []
    for table in change.put:
        is_new = table.logical_name not in owners_of(attachments)
        if is_new and table.kind is TableKind.STANDARD and file_store.holds_files(table):
            attachments, relationship = files_of(attachments, table)
            relationships.append(relationship)
    attachments = without_owners(attachments, frozenset(change.remove))
    if attachments is known:
        return change
    others = tuple(table for table in change.put if table.logical_name != FILE_TABLE)
    return replace(change, put=(*others, attachments), relate=(*change.relate, *relationships))
