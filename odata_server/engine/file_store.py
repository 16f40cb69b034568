"""The bytes of file columns: files in blocks, in the same database and the same transactions as their rows.

A file is there for its row once the row's column holds its id; until then it is an upload that nobody sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from entities.metadata.columns import FileType, ImageType
from entities.metadata.tables import Table
from entities.values import Guid
from odata_server.engine.database import Connection, single

BLOCK_SIZE: Final = 4 * 1024 * 1024
"""What clients are told to send at once, and at most in one block (Learn: "Use file column data")."""

_HOURS_OPEN: Final = 24
"""How long an upload may take; what is left of it is removed when another one begins."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file, or an upload that has not become one: where it belongs, and who uploads it."""

    id: Guid
    table: str
    record_id: Guid
    column: str
    user_id: Guid
    name: str
    mime_type: str = ""
    size: int = 0
    is_complete: bool = False


def open_upload(connection: Connection, file: StoredFile, now: datetime) -> None:
    """Begin a file without bytes, and remove what others began long ago and never completed."""
    stale = (now - timedelta(hours=_HOURS_OPEN)).timestamp()
    condition = "complete = 0 AND created < $1"
    connection.execute(f'DELETE FROM "$block" WHERE file_id IN (SELECT id FROM "$file" WHERE {condition})', (stale,))
    connection.execute(f'DELETE FROM "$file" WHERE {condition}', (stale,))
    _insert(connection, file, now)


def _insert(connection: Connection, file: StoredFile, now: datetime) -> None:
    connection.execute(
        'INSERT INTO "$file"'
        " (id, table_name, record_id, column_name, user_id, name, mime_type, size, complete, created)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        (
            *(file.id, file.table, file.record_id, file.column, file.user_id, file.name, file.mime_type, file.size),
            *(int(file.is_complete), now.timestamp()),
        ),
    )


def find(connection: Connection, file_id: str) -> StoredFile | None:
    """Return a file or an upload by its id."""
    reading = (
        "SELECT id, table_name, record_id, column_name, user_id, name, mime_type, size, complete"
        ' FROM "$file" WHERE id = $1'
    )
    row = connection.execute(reading, (file_id,)).fetchone()
    if row is None:
        return None
    own, table, record_id, column, user_id, name, mime_type, size, complete = row
    place = (Guid(str(own)), str(table), Guid(str(record_id)), str(column), Guid(str(user_id)))
    return StoredFile(*place, str(name), str(mime_type), int(size), bool(complete))


def put_block(connection: Connection, file_id: Guid, name: str, data: bytes) -> None:
    """Store a block of an upload; one of the same name is replaced."""
    connection.execute(
        'INSERT INTO "$block" (file_id, name, size, data) VALUES ($1, $2, $3, $4)'
        " ON CONFLICT (file_id, name) DO UPDATE SET size = excluded.size, data = excluded.data",
        (file_id, name, len(data), data),
    )


def put(connection: Connection, file: StoredFile, data: bytes, now: datetime) -> StoredFile:
    """Store a whole file; return it with its size."""
    stored = replace(file, size=len(data), is_complete=True)
    _insert(connection, stored, now)
    for offset in range(0, len(data), BLOCK_SIZE):
        put_block(connection, file.id, block_at(offset), data[offset : offset + BLOCK_SIZE])
    complete(connection, stored, list(block_sizes(connection, file.id)))
    return stored


def block_at(offset: int) -> str:
    """Return the name of the block that begins at an offset; names sort as offsets do."""
    return f"{offset:020}"


def received(connection: Connection, file_id: Guid) -> int:
    """Return how many bytes of an upload are there."""
    return int(single(connection, 'SELECT coalesce(sum(size), 0) FROM "$block" WHERE file_id = $1', (file_id,)))


def block_sizes(connection: Connection, file_id: Guid) -> dict[str, int]:
    """Return the blocks of an upload with their sizes, in the order of their names."""
    reading = 'SELECT name, size FROM "$block" WHERE file_id = $1 ORDER BY name'
    return {str(name): int(size) for name, size in connection.execute(reading, (file_id,)).fetchall()}


def complete(connection: Connection, file: StoredFile, blocks: Sequence[str]) -> int:
    """Make an upload a file of some of its blocks, in their order; return its size.

    Args:
        connection: the transaction's.
        file: the upload, with the file's name and type.
        blocks: names of blocks, each there and named once.
    """
    sizes, offset = block_sizes(connection, file.id), 0
    for name in blocks:
        placed = 'UPDATE "$block" SET file_offset = $1 WHERE file_id = $2 AND name = $3'
        connection.execute(placed, (offset, file.id, name))
        offset += sizes[name]
    connection.execute('DELETE FROM "$block" WHERE file_id = $1 AND file_offset IS NULL', (file.id,))
    connection.execute(
        'UPDATE "$file" SET name = $1, mime_type = $2, size = $3, complete = 1 WHERE id = $4',
        (file.name, file.mime_type, offset, file.id),
    )
    return offset


def read(connection: Connection, file_id: Guid, begin: int, end: int) -> bytes:
    """Return the bytes of a file from one offset up to another."""
    reading = (
        'SELECT file_offset, data FROM "$block" WHERE file_id = $1 AND file_offset < $2 AND file_offset + size > $3'
        " ORDER BY file_offset"
    )
    found = connection.execute(reading, (file_id, end, begin)).fetchall()
    return b"".join(bytes(data)[max(begin - offset, 0) : end - offset] for offset, data in found)


def remove(connection: Connection, file_id: Guid) -> None:
    """Remove a file with its bytes."""
    connection.execute('DELETE FROM "$block" WHERE file_id = $1', (file_id,))
    connection.execute('DELETE FROM "$file" WHERE id = $1', (file_id,))


def others_of_column(connection: Connection, file: StoredFile) -> list[Guid]:
    """Return the files of a row's column but one; uploads in progress are none."""
    condition = "table_name = $1 AND record_id = $2 AND column_name = $3 AND complete = 1 AND id <> $4"
    place = (file.table, file.record_id, file.column, file.id)
    found = connection.execute(f'SELECT id FROM "$file" WHERE {condition}', place).fetchall()
    return [Guid(str(file_id)) for (file_id,) in found]


def holds_files(table: Table) -> bool:
    """Say whether rows of a table can have files."""
    return any(isinstance(column.type, FileType | ImageType) for column in table.columns)


def remove_of_record(connection: Connection, table: Table, record_id: Guid) -> None:
    """Remove the files of a record that is deleted, and uploads for it."""
    if not table.derived(holds_files):
        return
    # Most records have no files: one look tells.
    reading = 'SELECT id FROM "$file" WHERE table_name = $1 AND record_id = $2'
    for (file_id,) in connection.execute(reading, (table.logical_name, record_id)).fetchall():
        remove(connection, Guid(str(file_id)))


def remove_of_definition(connection: Connection, table: str, column: str) -> None:
    """Remove the files of a column in all rows, and uploads for it."""
    condition, place = "table_name = $1 AND column_name = $2", (table, column)
    connection.execute(f'DELETE FROM "$block" WHERE file_id IN (SELECT id FROM "$file" WHERE {condition})', place)
    connection.execute(f'DELETE FROM "$file" WHERE {condition}', place)


def expect(connection: Connection, file_id: Guid, size: int) -> None:
    """Note how large the file of an upload will be."""
    connection.execute('UPDATE "$file" SET size = $1 WHERE id = $2', (size, file_id))
