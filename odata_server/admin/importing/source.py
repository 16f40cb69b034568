"""What a file of rows holds, whatever its format: rows of tables, and pairs of records that belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


class SourceError(Exception):
    """A file cannot be read as what it is said to be; one line that says where it is wrong."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row as a file gives it.

    Attributes:
        number: its place in the file, from 1; a line where the file has lines.
        table: how the file calls the table.
        values: what the file gives, by the name that it uses; None where it says that there is no value.
        offset: how many bytes of the file have been read with it.
        only_new: whether it stays out of a record that is there.
    """

    number: int
    table: str
    values: Mapping[str, object]
    offset: int = 0
    only_new: bool = False


@dataclass(frozen=True, slots=True)
class SourcePair:
    """Two records that a many-to-many relationship joins: the table, and ids as texts."""

    number: int
    table: str
    relationship: str
    source: str
    target: str
    offset: int = 0


SourceItem: TypeAlias = SourceRow | SourcePair


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows.

    Attributes:
        path: the file.
        size: its length in bytes, or what else the offsets of its rows add up to.
        items: reads it from the beginning; raises SourceError.
    """

    path: Path
    size: int
    items: Callable[[], Iterator[SourceItem]]


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file, with or without byte order mark, and how many bytes were read with each.

    Raises:
        SourceError: the file cannot be opened, or holds what is no UTF-8.
    """
    offset = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                offset += len(line)
                yield offset, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: byte {offset - len(error.object) + error.start} is no UTF-8") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
