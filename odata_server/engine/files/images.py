"""Images of a record that is about to be written: the thumbnail goes into the row, the full image beside it.

Learn: "Use image column data".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Create
from entities.metadata.columns import ImageType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext
from entities.values import Guid, Value
from odata_server.engine import file_store
from odata_server.engine.database import Connection
from odata_server.engine.file_store import StoredFile
from odata_server.engine.files.attachments import Keeping, attach, remove_others
from odata_server.engine.files.names import id_column, mime_type_of
from odata_server.engine.files.thumbnails import thumbnail
from odata_server.engine.identifiers import sequential_id

_FIRST_DAY: Final = datetime(1, 1, 1, tzinfo=UTC)
_MEGABYTE: Final = 1024 * 1024
_FAILURE: Final = "0x80072553"


def image_columns(table: Table) -> tuple[tuple[str, ImageType], ...]:
    """Return the image columns of a table."""
    return tuple((c.logical_name, c.type) for c in table.columns if isinstance(c.type, ImageType))


def _ids_of_full_images(table: Table) -> tuple[str, ...]:
    """Return the columns with the ids of images that are kept beside the row."""
    return tuple(id_column(name) for name, type_ in image_columns(table) if type_.stores_full_image)


def take_images(connection: Connection, table: Table, context: ExecutionContext) -> None:
    """Replace the images of a record by their thumbnails, and store the full ones where the columns keep them.

    Args:
        connection: the transaction's.
        table: the record's table.
        context: the record that is about to be written; it is changed in place.

    Raises:
        InvalidArgument: something is no image or too large, or is given to a new record and not its primary image.
    """
    for column, type_ in table.derived(image_columns):
        if column not in context.record:
            continue
        value = context.record[column]
        if isinstance(value, bytes):
            if isinstance(context.message, Create) and not type_.is_primary:
                raise _not_primary(table, column)
            _take(Keeping(connection, context.system), context.record, type_, value, _place(context, column))
        elif value is None:
            context.record.update(dict.fromkeys((id_column(column), f"{column}_timestamp", f"{column}_url")))
            remove_others(Keeping(connection, context.system), _place(context, column))


def attach_images(connection: Connection, table: Table, context: ExecutionContext) -> None:
    """Give the full images of a record that has been written their rows."""
    for column in table.derived(_ids_of_full_images):
        image_id = context.record.get(column)
        if image_id is None:
            continue
        image = file_store.find(connection, str(image_id))
        if image is not None:
            attach(Keeping(connection, context.system), image)


def _place(context: ExecutionContext, column: str) -> StoredFile:
    assert context.reference is not None
    return StoredFile(Guid(""), context.reference.table, context.reference.id, column, context.caller.user_id, "")


def _take(keeping: Keeping, record: dict[str, Value], type_: ImageType, data: bytes, place: StoredFile) -> None:
    check_image_size(type_, len(data))
    small = thumbnail(data)
    if small is None:
        raise InvalidArgument(
            "Error occured when processing image. Reason: Update image properties failed for objectid:"
            f" {place.record_id}, logicalName: {place.table}, attribute: {place.column}",
            code=_FAILURE,
        )
    # An upload names the image that it has stored already.
    given = record.get(id_column(place.column))
    image = replace(place, id=sequential_id() if given is None else Guid(str(given)))
    if given is None and type_.stores_full_image:
        name = f"{image.column}.{small.ending}"
        full = replace(image, name=name, mime_type=mime_type_of(name))
        file_store.put(keeping.connection, full, data, keeping.system.now)
    remove_others(keeping, image)
    ticks = _ticks(keeping.system.now)
    url = f"/Image/download.aspx?Entity={image.table}&Attribute={image.column}&Id={image.id}&Timestamp={ticks}"
    record.update({image.column: small.data, id_column(image.column): image.id})
    record.update({f"{image.column}_timestamp": ticks, f"{image.column}_url": url})


def check_image_size(type_: ImageType, size: int) -> None:
    """Check that an image is not larger than its column allows.

    Raises:
        InvalidArgument: it is.
    """
    limit = type_.max_size_kb * 1024
    if size > limit:
        raise InvalidArgument(
            "Error occured when processing image. Reason: File size is too big."
            f" MaxSize: {limit // _MEGABYTE} MB, Uploaded filesize: {size // _MEGABYTE} MB.",
            code=_FAILURE,
        )


def _not_primary(table: Table, column: str) -> InvalidArgument:
    return InvalidArgument(
        f"Non-primary image attribute {column} of entity {table.logical_name} is not allowed to upload during Create"
        " operation.",
        code="0x80090487",
    )


def _ticks(moment: datetime) -> int:
    """Return a moment as .NET counts: in units of 100 nanoseconds since the first day of year 1."""
    since = moment - _FIRST_DAY
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 10
