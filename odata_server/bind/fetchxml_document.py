"""FetchXML text as a tree of elements.

Length, depth, conditions and links are bounded (error-code page: 0x8004430c, 0x8004430d).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest
from entities.xml_trees import XmlDefect, read_tree

INVALID_XML: Final = "0x80040201"
MALFORMED: Final = "0x80040303"
TOO_MANY_CONDITIONS: Final = "0x8004430c"
TOO_MANY_LINKS: Final = "0x8004430d"

_LONGEST: Final = 1_000_000
_DEEPEST: Final = 64
_MOST_CONDITIONS: Final = 500
_MOST_LINKS: Final = 15
"""Learn: "Join tables using FetchXml" (a query takes 15 links)."""

_MOST_OF_A_KIND: Final = 10_000
"""Values, attributes and the like; a database takes only so many parameters in a statement."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element with its attributes, the elements in it, and its own text."""

    name: str
    attributes: Mapping[str, str]
    children: tuple[Element, ...] = ()
    text: str = ""

    def get(self, name: str) -> str | None:
        """Return an attribute, None where it is absent."""
        return self.attributes.get(name)

    def named(self, *names: str) -> Iterator[Element]:
        """Yield the child elements of some names, in order."""
        return (child for child in self.children if child.name in names)


class _Bounds:
    """Refuses what is too deep or too much."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def check(self, name: str, depth: int) -> None:
        if depth >= _DEEPEST:
            raise malformed(f"Elements are nested more than {_DEEPEST} deep.")
        self._seen[name] = self._seen.get(name, 0) + 1
        if self._seen.get("condition", 0) > _MOST_CONDITIONS:
            raise MalformedRequest("Number of conditions in query exceeded maximum limit.", code=TOO_MANY_CONDITIONS)
        if self._seen.get("link-entity", 0) > _MOST_LINKS:
            raise MalformedRequest("Number of link entities in query exceeded maximum limit.", code=TOO_MANY_LINKS)
        if self._seen[name] > _MOST_OF_A_KIND:
            raise malformed(f"There are more than {_MOST_OF_A_KIND} elements '{name[:128]}'.")


def read_document(text: str) -> Element:
    """Return the root element of an XML text.

    Raises:
        MalformedRequest: it is not well-formed, declares a document type, or is longer, deeper or larger than allowed.
    """
    if len(text) > _LONGEST:
        raise MalformedRequest(f"Invalid XML. The text is longer than {_LONGEST} characters.", code=INVALID_XML)
    try:
        return read_tree(text, Element, _Bounds().check)
    except XmlDefect as defect:
        raise MalformedRequest(f"Invalid XML. {defect}", code=INVALID_XML) from defect


def malformed(why: str) -> MalformedRequest:
    """Return the refusal for XML that is no FetchXML."""
    return MalformedRequest(f"Malformed FetchXml. {why}", code=MALFORMED)


def required(element: Element, name: str) -> str:
    """Return an attribute that an element must have.

    Raises:
        MalformedRequest: it has not.
    """
    found = element.get(name)
    if not found:
        raise MalformedRequest(
            f"A required attribute was not specified. Element '{element.name}', attribute '{name}'.", code="0x8004111e"
        )
    return found


_FLAGS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}
_FLAG_CODES: Final[Mapping[str, str]] = {
    "useraworderby": "0x800410fd",
    "distinct": "0x80041115",
    "no-lock": "0x80041118",
    "descending": "0x80041119",
    "aggregate": "0x8004111a",
    "min-active-row-version": "0x8004111b",
    "groupby": "0x8004112e",
    "isquickfindfields": "0x80041138",
}


def flag(element: Element, name: str) -> bool:
    """Return a yes/no attribute, no where it is absent.

    Raises:
        MalformedRequest: it is neither `true`, `false`, `1` nor `0`.
    """
    text = element.get(name)
    if text is None:
        return False
    found = _FLAGS.get(text.lower())
    if found is None:
        code = _FLAG_CODES.get(name, MALFORMED)
        raise MalformedRequest(
            f"The only valid values for {name} attribute are 'true', 'false', '1', and '0'.", code=code
        )
    return found


def whole(element: Element, name: str, smallest: int) -> int | None:
    """Return a numeric attribute, None where it is absent.

    Raises:
        MalformedRequest: it is no whole number, or one less than `smallest`.
    """
    text = element.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= smallest):  # noqa: PLR2004 - digits of a 32-bit number
        raise malformed(f"The attribute '{name}' must be a whole number of at least {smallest}.")
    return int(text)
