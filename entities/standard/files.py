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
    name = table.logical_name
    owners = attachments.by_name[OWNER].type
    assert isinstance(owners, LookupType)
    if name not in owners.targets:
        wider = replace(attachments.by_name[OWNER], type=replace(owners, targets=(*owners.targets, name)))
        columns = tuple(wider if found.logical_name == OWNER else found for found in attachments.columns)
        attachments = replace(attachments, columns=columns)
    return attachments, replace(_files_of(name), referenced_column=table.primary_id)


def _files_of(table: str) -> OneToMany:
    name = f"{table}_FileAttachments"
    deleted = CascadeConfiguration(delete=Cascade.CASCADE)
    found = reference(FILE_TABLE, OWNER, table, name, navigation=f"{OWNER}_{table}", cascade=deleted)
    return replace(found, metadata_id=derived_id("relationship", name))


TABLES = (FILE_ATTACHMENT,)

RELATIONSHIPS: tuple[Relationship, ...] = tuple(_files_of(table) for table in _OWNERS)
