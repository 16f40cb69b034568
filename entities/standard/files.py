"""Rows that tell of files: one for each file or full image of a row (Learn: "FileAttachment table/entity reference").

Nobody has rights on them: they come and go with their files, and are read as far as the rows that the files belong to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from entities.metadata.columns import BigIntType, EntityNameType, LookupType
from entities.metadata.declare import (
    SERVER_SET,
    column,
    date_time,
    derived_id,
    lookup,
    plain,
    primary_id,
    string,
    version_column,
    with_ids,
)
from entities.metadata.relationships import Cascade, CascadeConfiguration, OneToMany, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.references import reference

FILE_TABLE: Final = "fileattachment"

OWNER: Final = "objectid"
"""The lookup to the row that a file belongs to."""

_OWNERS: Final = ("account", "contact", "systemuser")

FILE_ATTACHMENT = with_ids(
    Table(
        FILE_TABLE,
        "FileAttachment",
        "fileattachments",
        55,
        "fileattachmentid",
        "filename",
        (
            primary_id("FileAttachmentId", "FileAttachmentId"),
            string("FileName", 255, "File Name"),
            string("MimeType", 256, "MIME Type"),
            lookup("ObjectId", *_OWNERS, text="Object Id"),
            column("ObjectTypeCode", EntityNameType(), "Object Type"),
            string("RegardingFieldName", 255, "Regarding Field Name"),
            column("FileSizeInBytes", BigIntType(), "File Size (Bytes)", **SERVER_SET),
            date_time("CreatedOn", "Created On", **SERVER_SET),
            version_column(),
        ),
        plain("FileAttachment"),
        plain("FileAttachments"),
        plain("File Attachment"),
        Ownership.NONE,
    )
)


def files_of(attachments: Table, table: Table) -> tuple[Table, OneToMany]:
    """Return the table of files and the relationship to it that a table needs whose rows have files.

    Args:
        attachments: the table of files as it is.
        table: a table that gets its first file or image column.
    """
    name, owners = table.logical_name, owners_of(attachments)
    if name not in owners:
        attachments = _owned_by(attachments, (*owners, name))
    return attachments, replace(_files_of(name), referenced_column=table.primary_id)


def without_owners(attachments: Table, gone: frozenset[str]) -> Table:
    """Return the table of files when some tables are gone; it stays the same object when none of them had any."""
    owners = owners_of(attachments)
    return attachments if gone.isdisjoint(owners) else _owned_by(attachments, tuple(o for o in owners if o not in gone))


def owners_of(attachments: Table) -> tuple[str, ...]:
    """Return the tables whose rows have files."""
    type_ = attachments.by_name[OWNER].type
    assert isinstance(type_, LookupType)
    return type_.targets


def _owned_by(attachments: Table, owners: tuple[str, ...]) -> Table:
    return replace(
        attachments,
        columns=tuple(
            replace(column, type=LookupType(owners)) if column.logical_name == OWNER else column
            for column in attachments.columns
        ),
    )


def _files_of(table: str) -> OneToMany:
    name = f"{table}_FileAttachments"
    deleted = CascadeConfiguration(delete=Cascade.CASCADE)
    found = reference(FILE_TABLE, OWNER, table, name, navigation=f"{OWNER}_{table}", cascade=deleted)
    return replace(found, metadata_id=derived_id("relationship", name))


TABLES = (FILE_ATTACHMENT,)

RELATIONSHIPS: tuple[Relationship, ...] = tuple(_files_of(table) for table in _OWNERS)
