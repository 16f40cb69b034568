"""JSON Lines: one object per line, as one would send it to the Web API, with its type in `@odata.type`.

A file `.json` holds the same objects in one array, or is an answer of the Web API with the array under `value`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from odata_server.admin.exact_json import from_json
from odata_server.admin.importing.source import Source, SourceError, SourceItem, SourcePair, SourceRow, lines_of

TYPE: Final = "@odata.type"
PAIR_TYPE: Final = "#Talentverse.Pair"
"""What a line says of itself that is no row: two records and the many-to-many relationship that joins them."""


def json_lines(path: Path, table: str | None) -> Source:
    """Return a file of JSON Lines.

    Args:
        path: the file.
        table: the table of the lines that do not say theirs.
    """
    return Source(path, path.stat().st_size, lambda: _items(path, table))


def _items(path: Path, table: str | None) -> Iterator[SourceItem]:
    for number, (offset, line) in enumerate(lines_of(path), start=1):
        if not line.strip():
            continue
        content = _read(path, line, f", line {number}")
        if not isinstance(content, dict):
            raise SourceError(f"{path}, line {number}: a line is one JSON object")
        yield _item(path, number, offset, content, table)


def json_array(path: Path, table: str | None) -> Source:
    """Return a file that is one JSON text; the arguments are those of `json_lines`."""
    return Source(path, path.stat().st_size, lambda: _elements(path, table))


def _elements(path: Path, table: str | None) -> Iterator[SourceItem]:
    content = _read(path, "".join(line for _, line in lines_of(path)), "")
    elements = content.get("value") if isinstance(content, dict) else content
    if not isinstance(elements, list):
        raise SourceError(f"{path}: this is neither an array of objects nor an answer of the Web API")
    size = path.stat().st_size
    for number, element in enumerate(elements, start=1):
        if not isinstance(element, dict):
            raise SourceError(f"{path}, element {number}: an element is one JSON object")
        yield _item(path, number, size * number // len(elements), element, table)


def _read(path: Path, text: str, where: str) -> object:
    try:
        return from_json(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}{where}: this is no JSON ({error})") from error


def _item(path: Path, number: int, offset: int, content: dict[str, object], table: str | None) -> SourceItem:
    match content:
        case {"@odata.type": "#Talentverse.Pair"}:
            return _pair(path, number, offset, content)
        case {"@odata.type": str(name)}:
            return SourceRow(number, name.rpartition(".")[2].lstrip("#"), content, offset)
        case _ if table is not None:
            return SourceRow(number, table, content, offset)
        case _:
            raise SourceError(
                f"{path}, line {number}: this line does not say its table: name it with --table, or in '{TYPE}'"
            )


def _pair(path: Path, number: int, offset: int, content: dict[str, object]) -> SourcePair:
    match content:
        case {"table": str(table), "relationship": str(relationship), "source": str(source), "target": str(target)}:
            return SourcePair(number, table, relationship, source, target, offset)
        case _:
            raise SourceError(f"{path}, line {number}: a pair has a table, a relationship, a source and a target")
