"""CSV with a header: rows of one table (RFC 4180; UTF-8 with or without byte order mark)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from odata_server.admin.importing.source import Source, SourceError, SourceItem, SourceRow, lines_of

_LONGEST_CELL: Final = 16 * 1024 * 1024


def csv_rows(path: Path, table: str, delimiter: str = ",") -> Source:
    """Return a CSV file.

    Args:
        path: the file.
        table: the table of its rows.
        delimiter: what stands between cells.
    """
    return Source(path, path.stat().st_size, lambda: _items(path, table, delimiter))


class _Lines:
    """The lines of a file as texts, with the number of bytes read so far beside them."""

    def __init__(self, path: Path) -> None:
        self._lines = lines_of(path)
        self.offset = 0

    def __iter__(self) -> Iterator[str]:
        for offset, line in self._lines:
            self.offset = offset
            yield line


def _items(path: Path, table: str, delimiter: str) -> Iterator[SourceItem]:
    # A cell may hold the longest text that a column takes; the module's own limit is process-wide and lower.
    csv.field_size_limit(_LONGEST_CELL)
    lines = _Lines(path)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = _header(path, next(reader, None))
        for number, cells in enumerate(reader, start=1):
            if cells:
                yield SourceRow(number, table, _values(path, reader.line_num, header, cells), lines.offset)
    except csv.Error as error:
        raise SourceError(f"{path}, line {reader.line_num}: this is no CSV ({error})") from error


def _header(path: Path, cells: list[str] | None) -> list[str]:
    if not cells:
        raise SourceError(f"{path}: the first line names the columns, but there is none")
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise SourceError(f"{path}: two columns are called '{twice}'")
    return names


def _values(path: Path, line: int, header: list[str], cells: list[str]) -> Mapping[str, object]:
    if len(cells) > len(header):
        raise SourceError(f"{path}, line {line}: there are {len(cells)} cells under {len(header)} headings")
    return {name: cell for name, cell in zip(header, cells, strict=False) if cell and name}
