"""Messages that read files and images, whole or in parts, as the caller (Learn: "Use file column data")."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, cast

from entities.errors import InvalidArgument, RangeNotSatisfiable, RecordNotFound
from entities.messages import Execute, Executed, Retrieve, Rows
from entities.metadata.catalog import Catalog
from entities.metadata.columns import ImageType
from entities.metadata.tables import Table
from entities.values import EntityReference, Guid, Record
from odata_server.engine import file_store
from odata_server.engine.database import Connection
from odata_server.engine.files import tokens
from odata_server.engine.files.names import id_column
from odata_server.engine.files.places import Parameters, file_column, target_of
from odata_server.engine.files.thumbnails import THUMBNAIL_TYPE
from odata_server.engine.files.tokens import Continuation

_MOST_AT_ONCE: Final = 16 * 1024 * 1024
"""What one answer holds at most (reference: file columns)."""


@dataclass(frozen=True, slots=True)
class Downloading:
    """What downloads need: a connection, the metadata, and reading a row as the caller."""

    connection: Connection
    catalog: Catalog
    read: Callable[[Retrieve], Rows]


@dataclass(frozen=True, slots=True)
class _Content:
    """Bytes that can be read in parts, where they belong, and what they are called."""

    place: Continuation
    name: str
    mime_type: str
    size: int
    read: Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class _Cell:
    """A file or image column of a row that the caller may read."""

    table: Table
    column: str
    row: Record

    @property
    def record_id(self) -> Guid:
        """The row's id."""
        return Guid(str(self.row[self.table.primary_id]))

    @property
    def is_image(self) -> bool:
        """Whether it is an image column."""
        return isinstance(self.table.by_name[self.column].type, ImageType)

    @property
    def file_id(self) -> Guid | None:
        """The id of the file or image, None where the cell is empty."""
        found = self.row.get(id_column(self.column) if self.is_image else self.column)
        return None if found is None else Guid(str(found))


def _initialize(parameters: Parameters, work: Downloading) -> Parameters:
    """InitializeFileBlocksDownload: name a file that the caller may read; of an image, the full one."""
    content = _existing(_cell(parameters, work), work)
    return {
        "FileSizeInBytes": content.size,
        "FileName": content.name,
        "FileContinuationToken": tokens.written(content.place),
        "IsChunkingSupported": True,
    }


def _download_block(parameters: Parameters, work: Downloading) -> Parameters:
    """DownloadBlock: read a part of the file that a token names; the caller must be able to read the row still."""
    asked = tokens.read(str(parameters["FileContinuationToken"]), work.catalog)
    named = {"Target": EntityReference(asked.table, asked.record_id), "FileAttributeName": asked.column}
    content = _existing(_cell(named, work), work)
    offset, length = cast("int", parameters["Offset"]), cast("int", parameters["BlockLength"])
    if content.place.file_id != asked.file_id or offset < 0 or length <= 0 or offset > content.size:
        raise InvalidArgument("The block is not a part of the file.", code="0x80090003")
    return {"Data": b64encode(content.read(offset, min(offset + length, content.size))).decode()}


def _download(parameters: Parameters, work: Downloading) -> Parameters:
    """Read a file, or the part of it that a range or a token names; of an image, the thumbnail or the full one."""
    cell, given = _cell(parameters, work), str(parameters["FileContinuationToken"])
    asked = tokens.read(given, work.catalog) if given else None
    if not cell.is_image:
        content = _existing(cell, work)
    else:
        found = _image(cell, work, is_full=bool(parameters["IsFull"]) if asked is None else asked.is_full)
        if found is None:
            return {}
        content = found
    if asked is not None and replace(asked, begin=0, length=0) != content.place:
        raise tokens.no_file()
    begin, end = _part(cast("tuple[int | None, int | None] | None", parameters["Range"]), asked, content.size)
    rest = replace(content.place, begin=end, length=end - begin)
    return {
        "Data": content.read(begin, end),
        "FileName": content.name,
        "MimeType": content.mime_type,
        "Size": content.size,
        "Begin": begin,
        "FileContinuationToken": tokens.written(rest) if end < content.size else "",
    }


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


def _cell(parameters: Parameters, work: Downloading) -> _Cell:
    """Return a column of a row, read as the caller."""
    target = target_of(parameters["Target"])
    table = work.catalog.tables[target.table]
    column = file_column(table, str(parameters["FileAttributeName"]))
    beside = (id_column(column),) if isinstance(table.by_name[column].type, ImageType) else ()
    return _Cell(table, column, work.read(Retrieve(target, (table.primary_id, column, *beside))).records[0])


def _existing(cell: _Cell, work: Downloading) -> _Content:
    """Return the file in a column, or the full image.

    Raises:
        RecordNotFound: there is none.
    """
    content = _stored(cell, work)
    if content is not None:
        return content
    if cell.is_image and cell.file_id is not None:
        raise RecordNotFound(
            f"No FileAttachment records found for imagedescriptorId: {cell.file_id} for image attribute:"
            f" {cell.column} of {cell.table.logical_name} record with id {cell.record_id}"
        )
    raise RecordNotFound(f"No file attachment found for attribute: {cell.column} EntityId: {cell.record_id}.")


def _stored(cell: _Cell, work: Downloading) -> _Content | None:
    found = file_store.find(work.connection, cell.file_id) if cell.file_id is not None else None
    if found is None:
        return None
    read = partial(file_store.read, work.connection, found.id)
    return _Content(_place(cell, found.id, is_full=True), found.name, found.mime_type, found.size, read)


def _image(cell: _Cell, work: Downloading, *, is_full: bool) -> _Content | None:
    """Return an image or its thumbnail, None where there is none."""
    if is_full:
        return _stored(cell, work)
    data, image_id = cell.row.get(cell.column), cell.file_id
    if not isinstance(data, bytes) or image_id is None:
        return None
    place, name = _place(cell, image_id, is_full=False), f"{cell.column}.jpg"
    return _Content(place, name, THUMBNAIL_TYPE, len(data), lambda begin, end: data[begin:end])


def _place(cell: _Cell, file_id: Guid, *, is_full: bool) -> Continuation:
    return Continuation(cell.table.logical_name, cell.record_id, cell.column, file_id, is_full)


def _part(asked: tuple[int | None, int | None] | None, continued: Continuation | None, size: int) -> tuple[int, int]:
    """Return where the bytes begin and end that an answer holds: those of the range, else the next of the token.

    Raises:
        RangeNotSatisfiable: nothing of the file lies there.
    """
    if asked is not None:
        begin, end = _extent(*asked, size)
    elif continued is not None:
        begin, end = _extent(continued.begin, continued.begin + continued.length - 1, size)
    else:
        begin, end = 0, size
    return begin, min(end, begin + _MOST_AT_ONCE)


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
