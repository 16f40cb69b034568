"""Tokens of downloads: which file of which row, and where the next part of it begins.

A token is good for nothing without Read on the row.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass

import orjson

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.values import Guid, guid


@dataclass(frozen=True, slots=True)
class Continuation:
    """A file or image that is downloaded in parts.

    Attributes:
        table: the row's table.
        record_id: the row.
        column: the file or image column.
        file_id: what was there when the download began.
        is_full: of an image, whether the full one is read.
        begin: where the next part begins.
        length: how long it is at most.
    """

    table: str
    record_id: Guid
    column: str
    file_id: Guid
    is_full: bool = True
    begin: int = 0
    length: int = 0


def written(continuation: Continuation) -> str:
    """Return the token, which can stand in a URL."""
    return urlsafe_b64encode(orjson.dumps(list(_parts(continuation)))).decode()


def _parts(of: Continuation) -> tuple[object, ...]:
    return of.table, of.record_id, of.column, of.file_id, of.is_full, of.begin, of.length


def read(text: str, catalog: Catalog) -> Continuation:
    """Return what a token stands for.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        found = orjson.loads(b64decode(text, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    match found:
        case [str(table), str(record), str(column), str(file), bool(is_full), int(begin), int(length)] if (
            table in catalog.tables and begin >= 0 and length >= 0
        ):
            record_id, file_id = guid(record), guid(file)
            if record_id is not None and file_id is not None:
                return Continuation(table, record_id, column, file_id, is_full, begin, length)
    raise no_file()


def no_file() -> InvalidArgument:
    """Return the refusal of a token that stands for no file, or not for this one."""
    return InvalidArgument("The token does not name a file.", code="0x80090003")
