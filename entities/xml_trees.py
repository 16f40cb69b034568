"""XML as a tree, read so that no document costs more than its length.

The parser is expat without document types: a text that declares one is refused before any entity exists, so nothing
can be expanded or loaded. How deep, how many and how long is for the reader of a kind of document to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NoReturn, TypeAlias, TypeVar
from xml.parsers import expat

E = TypeVar("E")

Make: TypeAlias = Callable[[str, Mapping[str, str], tuple[E, ...], str], E]
"""Makes an element of its name, its attributes, the elements in it, and its own text."""


class XmlDefect(Exception):
    """Why a text cannot be read."""


def read_tree(
    data: str | bytes, make: Make[E], check: Callable[[str, int], None], *, separator: str | None = None
) -> E:
    """Return the root element of an XML text.

    Args:
        data: the text.
        make: makes an element when its end has come.
        check: is told of each element's name and how many elements are around it; what it raises ends the reading.
        separator: what stands between namespace and name; without one, names are as they are written.

    Raises:
        XmlDefect: the text is not well-formed, or declares a document type.
    """
    reader = _Reader(make, check)
    parser = expat.ParserCreate(namespace_separator=separator)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    is_all = True
    try:
        parser.Parse(data, is_all)
    except expat.ExpatError as error:
        raise XmlDefect(str(error)) from error
    return reader.root()


def _refuse(*_: object) -> NoReturn:
    raise XmlDefect("a document type is not allowed")


@dataclass(slots=True)
class _Open(Generic[E]):
    """An element whose end has not come yet."""

    name: str
    attributes: Mapping[str, str]
    children: list[E] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _Reader(Generic[E]):
    """Builds the tree from expat's events."""

    def __init__(self, make: Make[E], check: Callable[[str, int], None]) -> None:
        self._make = make
        self._check = check
        self._open: list[_Open[E]] = [_Open("", {})]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._check(name, len(self._open) - 1)
        self._open.append(_Open(name, attributes))

    def end(self, _: str) -> None:
        done = self._open.pop()
        text = "".join(done.text).strip() if done.text else ""
        self._open[-1].children.append(self._make(done.name, done.attributes, tuple(done.children), text))

    def text(self, data: str) -> None:
        self._open[-1].text.append(data)

    def root(self) -> E:
        return self._open[0].children[0]
