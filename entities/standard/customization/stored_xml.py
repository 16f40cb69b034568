"""What stored XML mentions: queries of views and charts, and forms (Learn: "FetchXML reference", "Form XML reference").

Rows are written by anybody who may customize, so a text may be anything: what cannot be read mentions nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NoReturn, TypeAlias
from xml.parsers import expat

Mentioned: TypeAlias = tuple[str, str]
"""A table and one of its columns; an empty column stands for the table itself."""

_IS_ALL: Final = True
_DEEPEST: Final = 64
_QUERIED: Final = frozenset({"entity", "link-entity"})
_ATTRIBUTES: Final = {"attribute": "name", "condition": "attribute", "order": "attribute"}


def mentioned_in_fetch(text: str) -> tuple[Mentioned, ...]:
    """Return the tables and columns that FetchXML names, each once.

    Args:
        text: FetchXML, or XML that has some in it, as the data description of a chart.
    """
    reader = _FetchReader()
    return tuple(dict.fromkeys(reader.found)) if _read(text, reader.start, reader.end) else ()


def mentioned_in_form(text: str, table: str) -> tuple[Mentioned, ...]:
    """Return the tables and columns that a form names, each once.

    Args:
        text: the XML of the form.
        table: the table that it is a form of.
    """
    found: list[Mentioned] = []

    def start(_: str, attributes: dict[str, str]) -> None:
        if "datafieldname" in attributes:
            found.append((table, attributes["datafieldname"]))

    return tuple(dict.fromkeys(found)) if _read(text, start, lambda _: None) else ()


def texts_in(text: str) -> tuple[tuple[tuple[str, ...], str], ...] | None:
    """Return the elements of XML as the names on the way to them and their text, None where it is no XML."""
    reader = _TextReader()
    return tuple(reader.found) if _read(text, reader.start, reader.end, reader.text) else None


class _TextReader:
    """Notes elements, outer ones first, with the text that stands in them."""

    def __init__(self) -> None:
        self.found: list[tuple[tuple[str, ...], str]] = []
        self._open: list[int] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise _Unreadable
        outer = self.found[self._open[-1]][0] if self._open else ()
        self._open.append(len(self.found))
        self.found.append(((*outer, name), ""))

    def text(self, text: str) -> None:
        path, before = self.found[self._open[-1]]
        self.found[self._open[-1]] = (path, before + text)

    def end(self, _: str) -> None:
        self._open.pop()


class _FetchReader:
    """Notes names as the elements of a query open and close."""

    def __init__(self) -> None:
        self.found: list[Mentioned] = []
        self._tables: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _QUERIED:
            self.found.extend(self._query(attributes))
        elif name in _ATTRIBUTES and self._tables:
            column = attributes.get(_ATTRIBUTES[name], "")
            # A condition on another entity names it by its alias, which is no table.
            if column and "entityname" not in attributes:
                self.found.append((self._tables[-1], column))

    def _query(self, attributes: dict[str, str]) -> Iterator[Mentioned]:
        table, outer = attributes.get("name", ""), self._tables[-1] if self._tables else ""
        yield table, ""
        if outer and "from" in attributes:
            yield table, attributes["from"]
        if outer and "to" in attributes:
            yield outer, attributes["to"]
        self._tables.append(table)

    def end(self, name: str) -> None:
        if name in _QUERIED:
            self._tables.pop()


class _Unreadable(Exception):
    """The text declares a document type, which nothing stored needs, or is nested deeper than anything is."""


def _refuse(*_: object) -> NoReturn:
    raise _Unreadable


def _nothing(_: str) -> None:
    """Leave text alone."""


def _read(
    text: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    characters: Callable[[str], None] = _nothing,
) -> bool:
    """Parse XML without document types; return whether that went well."""
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(text, _IS_ALL)
    except (expat.ExpatError, _Unreadable):
        return False
    return True
