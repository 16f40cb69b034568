"""A CSDL document as a tree of elements, read so that no document costs more than its length.

The parser is expat without document types: a text that declares one is refused before any entity exists, so nothing
can be expanded or loaded. Length, depth and the number of elements are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from entities.errors import MalformedRequest

_LONGEST: Final = 256_000_000
_DEEPEST: Final = 32
_MOST: Final = 5_000_000
CSDL: Final = "CSDL of an OData 4.0 service"


class _Broken(Exception):
    """What is wrong with a document."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a schema: its name without namespace, attributes, the elements in it, and its own text."""

    name: str
    attributes: Mapping[str, str]
    children: tuple[Element, ...] = ()
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute; the default where it is absent."""
        return self.attributes.get(name, default)

    def named(self, name: str) -> Iterator[Element]:
        """Yield the child elements of a name, in order."""
        return (child for child in self.children if child.name == name)

    def everywhere(self, name: str) -> Iterator[Element]:
        """Yield the elements of a name at any depth below, in document order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.everywhere(name)


@dataclass(slots=True)
class _Open:
    """An element whose end has not come yet."""

    name: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _Reader:
    """Builds the tree from expat's events."""

    def __init__(self) -> None:
        self._open: list[_Open] = [_Open("", {})]
        self._seen = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._seen += 1
        if len(self._open) > _DEEPEST:
            raise _Broken(f"elements are nested more than {_DEEPEST} deep")
        if self._seen > _MOST:
            raise _Broken(f"there are more than {_MOST} elements")
        self._open.append(_Open(name.rpartition(" ")[2], attributes))

    def end(self, _: str) -> None:
        done = self._open.pop()
        text = "".join(done.text).strip() if done.text else ""
        self._open[-1].children.append(Element(done.name, done.attributes, tuple(done.children), text))

    def text(self, data: str) -> None:
        self._open[-1].text.append(data)

    def refuse(self, *_: object) -> NoReturn:
        raise _Broken("a document type is not allowed")

    def root(self) -> Element:
        return self._open[0].children[0]


def schema_of(data: bytes) -> Element:
    """Return the schema of a metadata document (CSDL 4.0 §3 and §5).

    Args:
        data: the document as a service sends it.

    Raises:
        MalformedRequest: it is not well-formed, declares a document type, is too large, or has no schema of OData 4.0.
    """
    root = root_of(data, CSDL)
    schemas = [schema for schema in root.everywhere("Schema") if schema.get("Namespace")]
    if root.name != "Edmx" or not root.get("Version").startswith("4.") or not schemas:
        raise refused(CSDL, "it has no Edmx of version 4 with a schema")
    # Custom annotations may come in schemas of their own; the entity types are in the first one.
    return next((schema for schema in schemas if any(schema.named("EntityType"))), schemas[0])


def root_of(data: bytes, kind: str) -> Element:
    """Return the root of any XML document.

    Args:
        data: the document.
        kind: what it should be, for the refusal.

    Raises:
        MalformedRequest: it is not well-formed, declares a document type, or is too large.
    """
    if len(data) > _LONGEST:
        raise refused(kind, f"it is longer than {_LONGEST} bytes")
    reader, parser = _Reader(), expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.buffer_text = reader.text, True
    parser.StartDoctypeDeclHandler = reader.refuse
    is_all = True
    try:
        parser.Parse(data, is_all)
    except _Broken as error:
        raise refused(kind, str(error)) from error
    except expat.ExpatError as error:
        raise refused(kind, f"it is not well-formed ({error})") from error
    return reader.root()


def refused(kind: str, why: str) -> MalformedRequest:
    """Return the refusal of a document: what it should be, and why it is not."""
    return MalformedRequest(f"The document is no {kind}: {why}.")


def bare(type_: str) -> str:
    """Return the name of a type without `Collection()`, namespace and alias."""
    return type_.removeprefix("Collection(").removesuffix(")").rpartition(".")[2]


def is_collection(type_: str) -> bool:
    """Say whether a type is a collection."""
    return type_.startswith("Collection(")
