"""A CSDL document as a tree of elements; its length, its depth and the number of its elements are bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest
from entities.xml_trees import XmlDefect, read_tree

_LONGEST: Final = 256_000_000
_DEEPEST: Final = 32
_MOST: Final = 5_000_000
CSDL: Final = "CSDL of an OData 4.0 service"


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


class _Bounds:
    """Refuses what is too deep or too much."""

    def __init__(self) -> None:
        self._seen = 0

    def check(self, _: str, depth: int) -> None:
        self._seen += 1
        if depth >= _DEEPEST:
            raise XmlDefect(f"elements are nested more than {_DEEPEST} deep")
        if self._seen > _MOST:
            raise XmlDefect(f"there are more than {_MOST} elements")


def _element(name: str, attributes: Mapping[str, str], children: tuple[Element, ...], text: str) -> Element:
    return Element(name.rpartition(" ")[2], attributes, children, text)


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
    try:
        return read_tree(data, _element, _Bounds().check, separator=" ")
    except XmlDefect as defect:
        raise refused(kind, f"it cannot be read: {defect}") from defect


def refused(kind: str, why: str) -> MalformedRequest:
    """Return the refusal of a document: what it should be, and why it is not."""
    return MalformedRequest(f"The document is no {kind}: {why}.")


def bare(type_: str) -> str:
    """Return the name of a type without `Collection()`, namespace and alias."""
    return type_.removeprefix("Collection(").removesuffix(")").rpartition(".")[2]


def is_collection(type_: str) -> bool:
    """Say whether a type is a collection."""
    return type_.startswith("Collection(")
