"""Atom of OData v2: feeds and entries, and the XML of properties, links and refusals (OData v2, "AtomPub Format")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from odata_server.edm.v2.csdl import METADATA_NAMESPACE
from odata_server.edm.v2.types import COMPLEX_TYPES
from odata_server.edm.xml_text import DECLARATION, empty, escaped, opened
from odata_server.render.v2.entries import Entry, EntryLink, Expanded, Place, Value
from odata_server.render.v2.values import xml_value

DATA_NAMESPACE: Final = "http://schemas.microsoft.com/ado/2007/08/dataservices"
ATOM: Final = "http://www.w3.org/2005/Atom"
APP: Final = "http://www.w3.org/2007/app"
RELATED: Final = f"{DATA_NAMESPACE}/related/"
SCHEME: Final = f"{DATA_NAMESPACE}/scheme"
_STRING: Final = "Edm.String"
_name = lru_cache(maxsize=8_192)(escaped)
"""Names of properties and paths of entities are escaped again and again."""
_FEED_TYPE: Final = "application/atom+xml;type=feed"
_ENTRY_TYPE: Final = "application/atom+xml;type=entry"


@dataclass(frozen=True, slots=True)
class Feed:
    """What stands around the entries of a feed: its title, its URL, the number of all entries, and the next page."""

    title: str
    url: str
    total: int | None = None
    next_url: str | None = None


def feed(entries: Iterable[Entry], around: Feed, place: Place) -> bytes:
    """Return a page of entities."""
    return _document(_feed(entries, around, place, _namespaces(place)))


def entry(shown: Entry, place: Place) -> bytes:
    """Return one entity."""
    return _document(_entry(shown, _namespaces(place)))


def property_value(value: Value) -> bytes:
    """Return one property."""
    return _document(_value(value, "", f' xmlns="{DATA_NAMESPACE}" xmlns:m="{METADATA_NAMESPACE}"'))


def links(urls: Sequence[str], *, total: int | None = None, next_url: str | None = None) -> bytes:
    """Return the links of a collection."""
    return _document(_links(urls, total, next_url))


def link(url: str) -> bytes:
    """Return the link of a single-valued navigation property."""
    return _document(iter((_element("uri", url, xmlns=DATA_NAMESPACE),)))


def service_document(sets: Iterable[str], place: Place) -> bytes:
    """Return the entity sets as collections of one workspace."""
    return _document(_service(sets, place))


def error(code: str, text: str) -> bytes:
    """Return a refusal."""
    message = _element("message", text, **{"xml:lang": "en-US"})
    return _document(iter((opened("error", xmlns=METADATA_NAMESPACE), _element("code", code), message, "</error>")))


def _document(parts: Iterator[str]) -> bytes:
    return f"{DECLARATION}{''.join(parts)}".encode()


def _namespaces(place: Place) -> dict[str, str]:
    return {
        "xml:base": f"{place.root}/",
        "xmlns:d": DATA_NAMESPACE,
        "xmlns:m": METADATA_NAMESPACE,
        "xmlns": ATOM,
    }


def _element(tag: str, text: str, **attributes: str) -> str:
    return f"{opened(tag, **attributes)}{escaped(text)}</{tag}>"


def _feed(entries: Iterable[Entry], around: Feed, place: Place, attributes: dict[str, str]) -> Iterator[str]:
    yield opened("feed", **attributes)
    yield _element("title", around.title, type="text")
    yield _element("id", around.url)
    yield _element("updated", place.now)
    yield empty("link", rel="self", title=around.title, href=around.url.removeprefix(f"{place.root}/"))
    if around.total is not None:
        yield _element("m:count", str(around.total))
    for shown in entries:
        yield from _entry(shown, {})
    if around.next_url is not None:
        yield empty("link", rel="next", href=around.next_url)
    yield "</feed>"


def _entry(shown: Entry, attributes: dict[str, str]) -> Iterator[str]:
    tagged = attributes if shown.etag is None else {**attributes, "m:etag": shown.etag}
    yield opened("entry", **tagged)
    yield _element("id", shown.url)
    yield _element("title", shown.title, type="text")
    yield _element("updated", shown.updated)
    yield "<author><name/></author>"
    yield empty("link", rel="edit", title=shown.type.rpartition(".")[2], href=shown.path)
    for linked in shown.links:
        yield from _link(linked, shown)
    yield empty("category", term=shown.type, scheme=SCHEME)
    yield '<content type="application/xml"><m:properties>'
    for value in shown.values:
        yield from _value(value, "d:", "")
    yield "</m:properties></content></entry>"


def _link(linked: EntryLink, shown: Entry) -> Iterator[str]:
    # Written by hand, as the values below: most of an entry is of such elements, all of the same few attributes.
    name, type_ = _name(linked.name), _FEED_TYPE if linked.is_collection else _ENTRY_TYPE
    start = f'<link rel="{RELATED}{name}" type="{type_}" title="{name}" href="{_name(shown.path)}/{name}"'
    if linked.inline is None:
        yield f"{start}/>"
        return
    yield f"{start}>"
    yield from _inline(linked, linked.inline, shown.updated)
    yield "</link>"


def _inline(linked: EntryLink, inline: Expanded, updated: str) -> Iterator[str]:
    if not inline.is_collection and not inline.entries:
        yield "<m:inline/>"
        return
    yield "<m:inline>"
    if inline.is_collection:
        around = Feed(linked.name, linked.url, next_url=inline.next)
        yield from _feed(inline.entries, around, Place("", updated), {})
    else:
        yield from _entry(inline.entries[0], {})
    yield "</m:inline>"


def _value(value: Value, prefix: str, attributes: str) -> Iterator[str]:
    if not isinstance(value.value, Mapping):
        yield _primitive(f"{prefix}{value.name}", value.type, xml_value(value.type, value.value), attributes)
        return
    yield f'<{prefix}{value.name}{attributes} m:type="{value.type}">'
    for name, type_ in COMPLEX_TYPES[value.type]:
        yield _primitive(f"{prefix}{name}", type_, xml_value(type_, value.value[name]), "")
    yield f"</{prefix}{value.name}>"


def _primitive(tag: str, type_: str, text: str | None, attributes: str) -> str:
    shown = attributes if type_ == _STRING else f'{attributes} m:type="{type_}"'
    return f'<{tag}{shown} m:null="true"/>' if text is None else f"<{tag}{shown}>{escaped(text)}</{tag}>"


def _links(urls: Sequence[str], total: int | None, next_url: str | None) -> Iterator[str]:
    yield opened("links", xmlns=DATA_NAMESPACE)
    if total is not None:
        yield _element("m:count", str(total), **{"xmlns:m": METADATA_NAMESPACE})
    yield from (_element("uri", url) for url in urls)
    if next_url is not None:
        yield _element("next", next_url)
    yield "</links>"


def _service(sets: Iterable[str], place: Place) -> Iterator[str]:
    yield opened("service", **{"xml:base": f"{place.root}/", "xmlns:atom": ATOM, "xmlns": APP})
    yield "<workspace><atom:title>Default</atom:title>"
    for name in sets:
        yield f"{opened('collection', href=name)}{_element('atom:title', name)}</collection>"
    yield "</workspace></service>"
