"""A row of `fileattachment` for every file that belongs to a row: it comes and goes with the file.

Learn: "Use file column data", relationship to the FileAttachment table.
"""

from __future__ import annotations

from dataclasses import dataclass

from entities.messages import Create, Delete
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.pipeline import Operations
from entities.standard.files import FILE_TABLE, OWNER, owners_of
from entities.values import EntityReference, Guid, Record
from odata_server.engine import file_store, rows
from odata_server.engine.database import Connection
from odata_server.engine.file_store import StoredFile


@dataclass(frozen=True, slots=True)
class Keeping:
    """What it takes to keep files beside rows: the running transaction, and its connection."""

    connection: Connection
    system: Operations


def attach(keeping: Keeping, file: StoredFile) -> None:
    """Give a complete file its row."""
    if not _is_listed(keeping.system.catalog, file.table):
        return
    record: Record = {
        "fileattachmentid": file.id,
        "filename": file.name,
        "mimetype": file.mime_type,
        "filesizeinbytes": file.size,
        "regardingfieldname": file.column,
        OWNER: EntityReference(file.table, file.record_id),
        "objecttypecode": file.table,
    }
    keeping.system.execute(Create(FILE_TABLE, record))


def remove_others(keeping: Keeping, file: StoredFile) -> None:
    """Remove the files of a row's column but one, which takes their place; uploads in progress stay."""
    for other in file_store.others_of_column(keeping.connection, file):
        if _is_listed(keeping.system.catalog, file.table) and _is_there(keeping, other):
            keeping.system.execute(Delete(EntityReference(FILE_TABLE, other)))
        file_store.remove(keeping.connection, other)


def _is_listed(catalog: Catalog, table: str) -> bool:
    """Say whether rows of a table have the relationship to their files."""
    attachments = catalog.tables.get(FILE_TABLE)
    return attachments is not None and table in attachments.derived(_owners)


def _is_there(keeping: Keeping, file_id: Guid) -> bool:
    return rows.exists(keeping.connection, keeping.system.catalog.tables[FILE_TABLE], file_id)


def _owners(attachments: Table) -> frozenset[str]:
    return frozenset(owners_of(attachments))
