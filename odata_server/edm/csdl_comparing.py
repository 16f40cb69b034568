"""Two metadata documents compared by meaning: what one declares and the other does not, or otherwise.

Order, white space and aliases do not count. A fact is a declaration with its attributes, named by its place in the
document (`EntityType account / Property name`); where a declaration is missing, those inside it are not told again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from odata_server.edm.csdl_document import Element, bare

SEPARATOR: Final = " / "
"""Stands between the parts of a place."""

_TYPED: Final = frozenset({"Type", "BaseType", "EntityType", "Action", "Function", "ReferencedProperty"})
_NAMED_BY: Final[Mapping[str, str]] = {
    "NavigationPropertyBinding": "Path",
    "ReferentialConstraint": "Property",
    "PropertyRef": "Name",
    "Annotation": "Term",
}
_IN_ORDER: Final = frozenset({"Parameter"})
_OPERATIONS: Final = frozenset({"Action", "Function"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A declaration that the documents do not share.

    Attributes:
        place: where it stands, from the outside in.
        theirs: what the first document says there, None where it says nothing.
        ours: what the second document says there, None where it says nothing.
    """

    place: str
    theirs: str | None
    ours: str | None


def differences(theirs: Element, ours: Element) -> tuple[Difference, ...]:
    """Return what two documents do not share, in the order of their places.

    Args:
        theirs: the schema of the first document.
        ours: the schema of the second document.
    """
    first, second = dict(_facts(theirs)), dict(_facts(ours))
    found = {
        place: Difference(place, first.get(place), second.get(place))
        for place in first.keys() | second.keys()
        if first.get(place) != second.get(place)
    }
    return tuple(found[place] for place in sorted(found) if not _is_told(place, found))


def _is_told(place: str, found: Mapping[str, Difference]) -> bool:
    """Say whether a declaration around this one is missing as a whole."""
    outer = place.rpartition(SEPARATOR)[0]
    while outer:
        around = found.get(outer)
        if around is not None and (around.theirs is None or around.ours is None):
            return True
        outer = outer.rpartition(SEPARATOR)[0]
    return False


def _facts(schema: Element, place: str = "") -> Iterator[tuple[str, str]]:
    for number, element in enumerate(schema.children):
        if element.name == "Key":
            yield f"{place}Key", " ".join(sorted(part.get("Name") for part in element.children))
        elif element.name == "Annotation":
            yield from _annotation(element, place)
        else:
            own = f"{place}{element.name} {_name(element)}"
            yield own, _attributes(element, number if element.name in _IN_ORDER else None)
            yield from _facts(element, own + SEPARATOR)


def _name(element: Element) -> str:
    """Return what tells an element from its siblings: of an operation the name and what it is bound to."""
    name = element.get(_NAMED_BY.get(element.name, "Name"), "")
    if element.name in _OPERATIONS and element.get("IsBound") == "true":
        return f"{name} on {_plain(next(element.named('Parameter')).get('Type'))}"
    return name


def _attributes(element: Element, number: int | None) -> str:
    told = {name: _plain(value) if name in _TYPED else value for name, value in element.attributes.items()}
    told.pop(_NAMED_BY.get(element.name, "Name"), None)
    parts = [f"{name}={value}" for name, value in sorted(told.items())]
    return " ".join(parts if number is None else [f"number {number + 1}", *parts])


def _plain(type_: str) -> str:
    """Return a type without alias and namespace."""
    inner = bare(type_)
    if type_.removeprefix("Collection(").startswith("Edm."):
        inner = f"Edm.{inner}"
    return f"Collection({inner})" if type_.startswith("Collection(") else inner


def _annotation(element: Element, place: str) -> Iterator[tuple[str, str]]:
    """Yield an annotation; each of the alternate keys is one of its own."""
    if element.get("Term").endswith(".AlternateKeys"):
        for key in element.everywhere("PropertyValue"):
            if key.get("Property") == "Key":
                names = sorted(part.get("PropertyPath") for part in key.everywhere("PropertyValue"))
                yield f"{place}AlternateKey {' '.join(filter(None, names))}", ""
        return
    texts = sorted(part.text for kind in ("String", "EnumMember") for part in element.everywhere(kind))
    value = " ".join(f"{name}={text}" for name, text in sorted(element.attributes.items()) if name != "Term")
    yield f"{place}Annotation {element.get('Term')}", " ".join(filter(None, (value, *texts)))
