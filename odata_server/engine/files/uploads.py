"""Messages that change files and images: uploads in blocks, in chunks or at once, and deletions.

Rights are those of the row, which an upload changes. What is uploaded is stored block by block and belongs to nobody
but the uploader until the message that completes it, which also changes the row (Learn: "Use file column data").
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from entities.errors import InvalidArgument, RecordNotFound
from entities.messages import Done, Execute, Executed, Update
from entities.metadata.catalog import Catalog
from entities.metadata.columns import FileType, ImageType
from entities.pipeline import Operations
from entities.query import QueryExpression
from entities.values import EntityReference, Guid, Value, guid
from odata_server.engine import file_store
from odata_server.engine.database import Connection
from odata_server.engine.file_store import BLOCK_SIZE, StoredFile
from odata_server.engine.files.attachments import Keeping, attach, remove_others
from odata_server.engine.files.images import check_image_size
from odata_server.engine.files.names import id_column, mime_type_of, name_column
from odata_server.engine.files.places import Parameters, file_column, target_of
from odata_server.engine.identifiers import sequential_id
from odata_server.engine.references import resolve
from odata_server.engine.row_checks import RowChecks
from security.authorize import authorize
from security.principals import Principal

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
        principal: the caller.
        system: what there is to do in the transaction with the system's rights.
        change: makes a change of the row, with all that belongs to it.
    """

    checks: RowChecks
    principal: Principal
    system: Operations
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

    @property
    def keeping(self) -> Keeping:
        """What it takes to keep files beside rows."""
        return Keeping(self.connection, self.system)


def _begin(parameters: Parameters, work: Uploading) -> Result:
    """InitializeFileBlocksUpload: begin an upload for a row that the caller may change."""
    name = _file_name(parameters["FileName"], work)
    upload = _place(parameters, work, name)
    reference = EntityReference(upload.table, upload.record_id)
    authorized = authorize(Update(reference, {upload.column: None}), work.principal, work.catalog)
    work.checks.check_version(work.catalog.tables[upload.table], reference, authorized, None)
    file_store.open_upload(work.connection, upload, work.system.now)
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
    return _finish(work, file, names)


def _whole(parameters: Parameters, work: Uploading) -> Result:
    """Upload a file or an image at once; an image needs no name."""
    given, data = str(parameters["FileName"]), cast("bytes", parameters["Data"])
    version, place = cast("int | None", parameters["Version"]), _place(parameters, work, "")
    type_ = _type(work, place)
    name = _file_name(given, work) if given or isinstance(type_, FileType) else ""
    _check_size(work, place, len(data))
    if isinstance(type_, ImageType) and not (name and type_.stores_full_image):
        work.change(Update(EntityReference(place.table, place.record_id), {place.column: data}, version))
        return None
    named = replace(place, name=name, mime_type=mime_type_of(name))
    return _give(work, file_store.put(work.connection, named, data, work.system.now), version)


def _chunk(parameters: Parameters, work: Uploading) -> Result:
    """Store the next chunk of an upload; the one that completes the file gives it to the row."""
    upload = _upload(parameters, work)
    place = _place(parameters, work, "")
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
        name = file_store.block_at(begin + offset)
        file_store.put_block(work.connection, upload.id, name, data[offset : offset + BLOCK_SIZE])
    if begin + len(data) < total:
        return {"IsComplete": False}
    blocks = list(file_store.block_sizes(work.connection, upload.id))
    _finish(work, replace(upload, mime_type=mime_type_of(upload.name)), blocks)
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
    place = _place(parameters, work, "")
    _clear(work, place, cast("int | None", parameters["Version"]))
    return None


def _clear(work: Uploading, file: StoredFile, version: int | None) -> None:
    reference, is_image = EntityReference(file.table, file.record_id), isinstance(_type(work, file), ImageType)
    nothing = {file.column: None} if is_image else {file.column: None, name_column(file.column): None}
    work.change(Update(reference, nothing, version))
    remove_others(work.keeping, replace(file, id=Guid("")))


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


def _mime_type(text: str, name: str) -> str:
    """Return the type that an uploader gives a file, else the one that its name tells."""
    if text and _MIME_TYPE.match(text) is None:
        raise InvalidArgument("The MimeType is not a media type such as text/plain.", code="0x80090003")
    return text or mime_type_of(name)


def _upload(parameters: Parameters, work: Uploading) -> StoredFile:
    """Return the caller's unfinished upload that a token names."""
    token = guid(str(parameters["FileContinuationToken"]))
    found = file_store.find(work.connection, token) if token is not None else None
    if found is None or found.is_complete or found.user_id != work.user_id:
        raise _no_upload()
    return found


def _no_upload() -> InvalidArgument:
    return InvalidArgument("The token does not name an upload that is in progress here.", code="0x80090003")


def _finish(work: Uploading, upload: StoredFile, blocks: Sequence[str]) -> Result:
    """Make an upload a file of some of its blocks and give it to its row."""
    size = file_store.complete(work.connection, upload, blocks)
    _check_size(work, upload, size)
    return _give(work, replace(upload, size=size, is_complete=True), None)


def _give(work: Uploading, file: StoredFile, version: int | None) -> Result:
    """Give a complete file to its row in place of the one that was there."""
    type_ = _type(work, file)
    record: dict[str, Value] = {file.column: file.id, name_column(file.column): file.name}
    if isinstance(type_, ImageType):
        data = file_store.read(work.connection, file.id, 0, file.size)
        record = {file.column: data, id_column(file.column): file.id}
    work.change(Update(EntityReference(file.table, file.record_id), record, version))
    if not isinstance(type_, ImageType):
        remove_others(work.keeping, file)
        attach(work.keeping, file)
    elif not type_.stores_full_image:
        file_store.remove(work.connection, file.id)
    return {"FileId": file.id, "FileSizeInBytes": file.size}


def _type(work: Uploading, file: StoredFile) -> FileType | ImageType:
    type_ = work.catalog.tables[file.table].by_name[file.column].type
    assert isinstance(type_, FileType | ImageType)
    return type_


def _check_size(work: Uploading, file: StoredFile, size: int) -> None:
    type_ = _type(work, file)
    if isinstance(type_, ImageType):
        check_image_size(type_, size)
    elif size > type_.max_size_kb * 1024:
        raise InvalidArgument("Attachment file size is too big.", code="0x80044a02")


def _place(parameters: Parameters, work: Uploading, name: str) -> StoredFile:
    """Return the place of a new file: an existing row and a file column of it."""
    target = resolve(work.connection, work.catalog, target_of(parameters["Target"]))
    column = file_column(work.catalog.tables[target.table], str(parameters["FileAttributeName"]))
    return StoredFile(sequential_id(), target.table, target.id, column, work.user_id, name)


def _file_name(value: object, work: Uploading) -> str:
    """Return a file's name, if the organization allows files that end like it."""
    name = str(value)
    if not name.strip() or len(name) > _LONGEST_NAME or any(not sign.isprintable() for sign in name):
        raise InvalidArgument(
            f"A file needs a name of {_LONGEST_NAME} characters at most, without control characters.", code="0x80090002"
        )
    found = work.system.records(QueryExpression("organization", ("blockedattachments",)))
    blocked = str(found[0].get("blockedattachments") or "") if found else ""
    if name.rpartition(".")[2].lower() in {ending.strip().lower() for ending in blocked.split(";")} - {""}:
        raise InvalidArgument(
            "The attachment is either not a valid type or is too large. It cannot be uploaded or downloaded.",
            code="0x80043e09",
        )
    return name
