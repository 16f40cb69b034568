"""An Atom entry as the members that verbose JSON would have (OData v2, "AtomPub Format").

    entry = link* content/m:properties/d:Property*          link rel = …/related/Navigation [ m:inline ]

The parser is expat without document types, as for FetchXML: nothing can be expanded or loaded. Depth and the number of
elements are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from odata_server.bind.v2.payload import invalid

_ATOM: Final = "http://www.w3.org/2005/Atom "
_DATA: Final = "http://schemas.microsoft.com/ado/2007/08/dataservices "
_METADATA: Final = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata "
_RELATED: Final = f"{_DATA.rstrip()}/related/"
_DEEPEST: Final = 64
_MOST: Final = 100_000
_BOOLEANS: Final[Mapping[str, object]] = {"true": True, "1": True, "false": False, "0": False}


@dataclass(slots=True)
class _Element:
    """An element: name and attributes with their namespaces before them, the elements in it, its text."""

    name: str
    attributes: Mapping[str, str]
    children: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def named(self, name: str) -> Iterator[_Element]:
        return (child for child in self.children if child.name == name)


class _Reader:
    """Builds the tree from expat's events."""

    def __init__(self) -> None:
        self._open = [_Element("", {})]
        self._seen = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._seen += 1
        if len(self._open) > _DEEPEST or self._seen > _MOST:
            raise invalid("The entry is nested too deeply, or too large.")
        element = _Element(name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        self._open[-1].text.append(data)

    def refuse(self, *_: object) -> NoReturn:
        raise invalid("A document type is not allowed.")

    def root(self) -> _Element:
        return self._open[0].children[0]


def read_atom(body: bytes) -> dict[str, object]:
    """Return the members of an entry.

    Args:
        body: the XML document.

    Raises:
        InvalidPayload: it is not well-formed, no entry, or too large.
    """
    entry = _parsed(body)
    if entry.name != f"{_ATOM}entry":
        raise invalid("An Atom entry was expected.")
    return _entry(entry)


def read_xml(body: bytes) -> tuple[str, object]:
    """Return the name and the value of the one element that the body of a property or of a link is.

    Raises:
        InvalidPayload: it is not well-formed, or in another namespace.
    """
    element = _parsed(body)
    if not element.name.startswith((_DATA, _METADATA)):
        raise invalid("A property or a link was expected.")
    return element.name.rpartition(" ")[2], _value(element)


def _parsed(body: bytes) -> _Element:
    reader, parser = _Reader(), expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.buffer_text = reader.text, True
    parser.StartDoctypeDeclHandler = reader.refuse
    is_all = True
    try:
        parser.Parse(body, is_all)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise invalid(f"The XML is not well-formed: {str(error)[:200]}.") from error
    return reader.root()


def _entry(entry: _Element) -> dict[str, object]:
    members: dict[str, object] = {}
    for category in entry.named(f"{_ATOM}category"):
        term = category.attributes.get("term")
        if term:
            members["__metadata"] = {"type": term}
    for link in entry.named(f"{_ATOM}link"):
        rel = link.attributes.get("rel", "")
        if rel.startswith(_RELATED):
            _add_link(members, rel.removeprefix(_RELATED), link)
    places = [entry, *entry.named(f"{_ATOM}content")]
    for holder in (found for place in places for found in place.named(f"{_METADATA}properties")):
        for element in holder.children:
            if element.name.startswith(_DATA):
                members[element.name.removeprefix(_DATA)] = _value(element)
    return members


def _add_link(members: dict[str, object], name: str, link: _Element) -> None:
    """Add what a link brings: entities inline, or the URL of an existing one; one to the property brings nothing."""
    for inline in link.named(f"{_METADATA}inline"):
        entries = [_entry(entry) for entry in inline.named(f"{_ATOM}entry")]
        feeds = list(inline.named(f"{_ATOM}feed"))
        if feeds:
            members[name] = [_entry(entry) for feed in feeds for entry in feed.named(f"{_ATOM}entry")]
        else:
            members[name] = entries[0] if entries else None
        return
    href = link.attributes.get("href", "")
    if not href or href.endswith(f"/{name}"):
        return
    bound = {"__metadata": {"uri": href}}
    before = members.get(name)
    if before is None:
        members[name] = bound
    else:
        members[name] = [*(before if isinstance(before, list) else [before]), bound]


def _value(element: _Element) -> object:
    if element.attributes.get(f"{_METADATA}null") in {"true", "1"}:
        return None
    if element.children:
        return {child.name.rpartition(" ")[2]: _value(child) for child in element.children}
    text = "".join(element.text)
    read = _READERS.get(element.attributes.get(f"{_METADATA}type", ""))
    return text if read is None else read(text)


def _whole(text: str) -> object:
    bare = text.strip()
    return int(bare) if bare.lstrip("+-").isdecimal() and len(bare) <= len("-9223372036854775808") else text


def _boolean(text: str) -> object:
    return _BOOLEANS.get(text.strip(), text)


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "Edm.Int16": _whole,
    "Edm.Int32": _whole,
    "Edm.Int64": _whole,
    "Edm.Byte": _whole,
    "Edm.Boolean": _boolean,
}
