"""Messages about file columns: uploads in blocks, in chunks or at once, downloads and deletions.

Rights are those of the row: an upload changes it, a download reads it. What is uploaded is stored block by block and
belongs to nobody but the uploader until the message that completes it, which also changes the row (Learn: "Use file
column data").
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from mimetypes import MimeTypes
from typing import Final, cast

import orjson

from entities.errors import InvalidArgument, RangeNotSatisfiable, RecordNotFound
from entities.messages import Done, Execute, Executed, Retrieve, Rows, Target, Update
from entities.metadata.catalog import Catalog
from entities.metadata.columns import FileType
from entities.metadata.tables import Table
from entities.query import QueryExpression
from entities.values import EntityReference, EntityValue, Guid, Record, guid
from odata_server.engine import file_store
from odata_server.engine.database import Connection
from odata_server.engine.file_store import BLOCK_SIZE, StoredFile
from odata_server.engine.identifiers import sequential_id
from odata_server.engine.references import resolve
from odata_server.engine.row_checks import RowChecks
from security.authorize import authorize
from security.principals import Principal

Parameters = Mapping[str, object]
Result = Mapping[str, object] | None

_LONGEST_NAME: Final = 255
_LONGEST_BLOCK_NAME: Final = 64
_MIME_TYPE: Final = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}\Z", re.ASCII)
"""A type and a subtype (RFC 6838 §4.2); it becomes the value of a header."""


@dataclass(frozen=True, slots=True)
class Uploading:
    """What uploads need of the running transaction, for their caller.

    Attributes:
        checks: the transaction's rows and metadata.
        now: the transaction's time.
        principal: the caller.
        records: reads with the system's rights.
        change: makes a change of the row, with all that belongs to it.
    """

    checks: RowChecks
    now: datetime
    principal: Principal
    records: Callable[[QueryExpression], Sequence[Record]]
    change: Callable[[Update], object]

    @property
    def connection(self) -> Connection:
        """The transaction's connection."""
        return self.checks.connection

    @property
    def catalog(self) -> Catalog:
        """The metadata."""
        return self.checks.catalog

    @property
    def user_id(self) -> Guid:
        """The caller's id."""
        return self.principal.caller.user_id


@dataclass(frozen=True, slots=True)
class Downloading:
    """What downloads need: a connection, the metadata, and reading a row as the caller."""

    connection: Connection
    catalog: Catalog
    read: Callable[[Retrieve], Rows]


def _begin(parameters: Parameters, work: Uploading) -> Result:
    """InitializeFileBlocksUpload: begin an upload for a row that the caller may change."""
    name = _file_name(parameters["FileName"], work)
    upload = _place(parameters, work.connection, work.catalog, work.user_id, name)
    reference = EntityReference(upload.table, upload.record_id)
    authorized = authorize(Update(reference, {upload.column: None}), work.principal, work.catalog)
    work.checks.check_version(work.catalog.tables[upload.table], reference, authorized, None)
    file_store.open_upload(work.connection, upload, work.now)
    return {"FileContinuationToken": upload.id}


def _block(parameters: Parameters, work: Uploading) -> Result:
    """UploadBlock: store a block of the caller's upload."""
    upload = _upload(parameters, work)
    name, data = str(parameters["BlockId"]), cast("bytes", parameters["BlockData"])
    try:
        is_named = 0 < len(b64decode(name, validate=True)) <= _LONGEST_BLOCK_NAME
    except (binascii.Error, ValueError):
        is_named = False
    if not is_named:
        raise InvalidArgument("A BlockId is a Base64 text that stands for 64 bytes at most.", code="0x80090003")
    if not data:
        raise InvalidArgument("The content of the file is empty.", code="0x80090004")
    if len(data) > BLOCK_SIZE:
        raise InvalidArgument(f"A block holds {BLOCK_SIZE} bytes at most.", code="0x80090008")
    file_store.put_block(work.connection, upload.id, name, data)
    _check_size(work, upload, file_store.received(work.connection, upload.id))
    return None


def _commit(parameters: Parameters, work: Uploading) -> Result:
    """CommitFileBlocksUpload: make the file of the blocks and give it to the row."""
    upload = _upload(parameters, work)
    names = [str(name) for name in cast("list[object]", parameters["BlockList"])]
    known = file_store.block_sizes(work.connection, upload.id)
    if not names or len(set(names)) < len(names) or not set(names) <= known.keys():
        raise InvalidArgument(
            "The list of blocks is empty, names one twice, or names one that has not been uploaded.", code="0x80090006"
        )
    name = _file_name(parameters["FileName"], work)
    file = replace(upload, name=name, mime_type=_mime_type(str(parameters["MimeType"]), name))
    return _finish(work, file, names, None)


def _whole(parameters: Parameters, work: Uploading) -> Result:
    """Upload a file at once."""
    name, data = _file_name(parameters["FileName"], work), cast("bytes", parameters["Data"])
    upload = _place(parameters, work.connection, work.catalog, work.user_id, name)
    _check_size(work, upload, len(data))
    file_store.open_upload(work.connection, upload, work.now)
    blocks = []
    for offset in range(0, len(data), BLOCK_SIZE):
        blocks.append(_block_at(offset))
        file_store.put_block(work.connection, upload.id, blocks[-1], data[offset : offset + BLOCK_SIZE])
    return _finish(
        work, replace(upload, mime_type=mime_type_of(name)), blocks, cast("int | None", parameters["Version"])
    )


def _chunk(parameters: Parameters, work: Uploading) -> Result:
    """Store the next chunk of an upload; the one that completes the file gives it to the row."""
    upload = _upload(parameters, work)
    place = _place(parameters, work.connection, work.catalog, work.user_id, "")
    if (place.table, place.record_id, place.column) != (upload.table, upload.record_id, upload.column):
        raise _no_upload()
    begin, total, data = (cast("int", parameters["Begin"]), cast("int", parameters["Total"]), parameters["Data"])
    data = cast("bytes", data)
    there = file_store.received(work.connection, upload.id)
    if begin != there or (upload.size and upload.size != total) or not data:
        raise InvalidArgument(
            f"The range does not continue the upload, of which {there} bytes are there.", code="0x80090005"
        )
    _check_size(work, upload, total)
    file_store.expect(work.connection, upload.id, total)
    for offset in range(0, len(data), BLOCK_SIZE):
        name = _block_at(begin + offset)
        file_store.put_block(work.connection, upload.id, name, data[offset : offset + BLOCK_SIZE])
    if begin + len(data) < total:
        return {"IsComplete": False}
    blocks = list(file_store.block_sizes(work.connection, upload.id))
    _finish(work, replace(upload, mime_type=mime_type_of(upload.name)), blocks, None)
    return {"IsComplete": True}


def _delete(parameters: Parameters, work: Uploading) -> Result:
    """DeleteFile: take a file from its row."""
    file = file_store.find(work.connection, str(parameters["FileId"]))
    if file is None or not file.is_complete:
        raise RecordNotFound(f"fileattachment With Id = {parameters['FileId']} Does Not Exist")
    _clear(work, file, None)
    return None


def _empty(parameters: Parameters, work: Uploading) -> Result:
    """Take the file from a row's column, which may have none."""
    place = _place(parameters, work.connection, work.catalog, work.user_id, "")
    _clear(work, place, cast("int | None", parameters["Version"]))
    return None


def _clear(work: Uploading, file: StoredFile, version: int | None) -> None:
    reference = EntityReference(file.table, file.record_id)
    work.change(Update(reference, {file.column: None, name_column(file.column): None}, version))
    file_store.remove_of_column(work.connection, replace(file, id=Guid("")))


_UPLOADS: Final[Mapping[str, Callable[[Parameters, Uploading], Result]]] = {
    "InitializeFileBlocksUpload": _begin,
    "UploadBlock": _block,
    "CommitFileBlocksUpload": _commit,
    "DeleteFile": _delete,
    "UploadFile": _whole,
    "UploadFileChunk": _chunk,
    "ClearFile": _empty,
}


def is_upload(message: Execute) -> bool:
    """Say whether a message changes a file."""
    return message.name in _UPLOADS


def upload(message: Execute, work: Uploading) -> Executed | Done:
    """Execute a message that changes a file.

    Raises:
        DataverseError: it is refused; the transaction is rolled back.
    """
    result = _UPLOADS[message.name](message.parameters, work)
    return Done() if result is None else Executed(result)


def _initialize(parameters: Parameters, work: Downloading) -> Parameters:
    """InitializeFileBlocksDownload: name a file that the caller may read."""
    file = _readable(parameters, work)
    place = [file.table, file.record_id, file.column, file.id]
    return {
        "FileSizeInBytes": file.size,
        "FileName": file.name,
        "FileContinuationToken": b64encode(orjson.dumps(place)).decode(),
        "IsChunkingSupported": True,
    }


def _download_block(parameters: Parameters, work: Downloading) -> Parameters:
    """DownloadBlock: read a part of the file that a token names; the caller must be able to read the row still."""
    table, record_id, column, file_id = _token(str(parameters["FileContinuationToken"]), work.catalog)
    named = {"Target": EntityReference(table, record_id), "FileAttributeName": column}
    file = _readable(named, work)
    offset, length = cast("int", parameters["Offset"]), cast("int", parameters["BlockLength"])
    if file.id != file_id or offset < 0 or length <= 0 or offset > file.size:
        raise InvalidArgument("The block is not a part of the file.", code="0x80090003")
    data = file_store.read(work.connection, file.id, offset, min(offset + length, file.size))
    return {"Data": b64encode(data).decode()}


def _download(parameters: Parameters, work: Downloading) -> Parameters:
    """Read a file, or the part of it that a range names."""
    file = _readable(parameters, work)
    asked = cast("tuple[int | None, int | None] | None", parameters["Range"])
    begin, end = (0, file.size) if asked is None else _extent(*asked, file.size)
    data = file_store.read(work.connection, file.id, begin, end)
    return {"Data": data, "FileName": file.name, "MimeType": file.mime_type, "Size": file.size, "Begin": begin}


_DOWNLOADS: Final[Mapping[str, Callable[[Parameters, Downloading], Parameters]]] = {
    "InitializeFileBlocksDownload": _initialize,
    "DownloadBlock": _download_block,
    "DownloadFile": _download,
}


def is_download(message: Execute) -> bool:
    """Say whether a message reads a file."""
    return message.name in _DOWNLOADS


def download(message: Execute, work: Downloading) -> Executed:
    """Execute a message that reads a file.

    Raises:
        DataverseError: it is refused, or there is no file.
    """
    return Executed(_DOWNLOADS[message.name](message.parameters, work))


def name_column(column: str) -> str:
    """Return the column that shows the name of a file column's file."""
    return f"{column}_name"


def mime_type_of(name: str) -> str:
    """Return the type that a file's name tells, of those that every installation knows."""
    return MimeTypes(filenames=()).guess_type(name, strict=True)[0] or "application/octet-stream"


def _mime_type(text: str, name: str) -> str:
    """Return the type that an uploader gives a file, else the one that its name tells."""
    if text and _MIME_TYPE.match(text) is None:
        raise InvalidArgument("The MimeType is not a media type such as text/plain.", code="0x80090003")
    return text or mime_type_of(name)


def _extent(first: int | None, last: int | None, size: int) -> tuple[int, int]:
    """Return where a range of bytes begins and ends; without a first byte it is the end of the file.

    Raises:
        RangeNotSatisfiable: nothing of the file lies in it.
    """
    begin = max(size - (last or 0), 0) if first is None else first
    end = size if first is None or last is None else min(last + 1, size)
    if begin >= end:
        raise RangeNotSatisfiable("The requested range of the file is not valid.", size=size)
    return begin, end


def _place(parameters: Parameters, connection: Connection, catalog: Catalog, user_id: Guid, name: str) -> StoredFile:
    """Return the place of a new file: an existing row and a file column of it."""
    target = resolve(connection, catalog, _target(parameters["Target"]))
    column = _column(catalog.tables[target.table], str(parameters["FileAttributeName"]))
    return StoredFile(sequential_id(), target.table, target.id, column, user_id, name)


def _target(value: object) -> Target:
    target = value.target if isinstance(value, EntityValue) else cast("Target", value)
    if target is None:
        raise InvalidArgument("The Target must name a record by its id.", code="0x80090003")
    return target


def _column(table: Table, name: str) -> str:
    column = table.by_name.get(name.lower())
    if column is None or not isinstance(column.type, FileType):
        raise InvalidArgument(f"'{name}' is not a file column of the table '{table.logical_name}'.", code="0x80090007")
    return column.logical_name


def _upload(parameters: Parameters, work: Uploading) -> StoredFile:
    """Return the caller's unfinished upload that a token names."""
    token = guid(str(parameters["FileContinuationToken"]))
    found = file_store.find(work.connection, token) if token is not None else None
    if found is None or found.is_complete or found.user_id != work.user_id:
        raise _no_upload()
    return found


def _no_upload() -> InvalidArgument:
    return InvalidArgument("The token does not name an upload that is in progress here.", code="0x80090003")


def _finish(work: Uploading, file: StoredFile, blocks: Sequence[str], version: int | None) -> Result:
    """Complete a file and give it to its row in place of the one that was there."""
    size = file_store.complete(work.connection, file, blocks)
    _check_size(work, file, size)
    reference = EntityReference(file.table, file.record_id)
    work.change(Update(reference, {file.column: file.id, name_column(file.column): file.name}, version))
    file_store.remove_of_column(work.connection, file)
    return {"FileId": file.id, "FileSizeInBytes": size}


def _check_size(work: Uploading, file: StoredFile, size: int) -> None:
    type_ = work.catalog.tables[file.table].by_name[file.column].type
    if isinstance(type_, FileType) and size > type_.max_size_kb * 1024:
        raise InvalidArgument("Attachment file size is too big.", code="0x80044a02")


def _file_name(value: object, work: Uploading) -> str:
    """Return a file's name, if the organization allows files that end like it."""
    name = str(value)
    if not name.strip() or len(name) > _LONGEST_NAME or any(not sign.isprintable() for sign in name):
        raise InvalidArgument(
            f"A file needs a name of {_LONGEST_NAME} characters at most, without control characters.", code="0x80090002"
        )
    found = work.records(QueryExpression("organization", ("blockedattachments",)))
    blocked = str(found[0].get("blockedattachments") or "") if found else ""
    if name.rpartition(".")[2].lower() in {ending.strip().lower() for ending in blocked.split(";")} - {""}:
        raise InvalidArgument(
            "The attachment is either not a valid type or is too large. It cannot be uploaded or downloaded.",
            code="0x80043e09",
        )
    return name


def _readable(parameters: Parameters, work: Downloading) -> StoredFile:
    """Return the file in a row's column, read as the caller."""
    target = _target(parameters["Target"])
    table = work.catalog.tables[target.table]
    column = _column(table, str(parameters["FileAttributeName"]))
    row = work.read(Retrieve(target, (table.primary_id, column))).records[0]
    found = file_store.find(work.connection, str(row[column])) if row.get(column) is not None else None
    if found is None:
        record_id = str(row[table.primary_id])
        raise RecordNotFound(f"No file attachment found for attribute: {column} EntityId: {record_id}.")
    return found


def _token(text: str, catalog: Catalog) -> tuple[str, Guid, str, Guid]:
    try:
        found = orjson.loads(b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        found = None
    match found:
        case [str(table), str(record), str(column), str(file)] if table in catalog.tables:
            record_id, file_id = guid(record), guid(file)
            if record_id is not None and file_id is not None:
                return table, record_id, column, file_id
    raise InvalidArgument("The token does not name a file.", code="0x80090003")


def _block_at(offset: int) -> str:
    """Return the name of the block that begins at an offset; names sort as offsets do."""
    return f"{offset:020}"
