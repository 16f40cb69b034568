"""Verbose JSON of OData v2: everything stands in `d`, with `__metadata` and `__deferred` (OData v2, "JSON Format")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from odata_server.edm.v2.types import COMPLEX_TYPES
from odata_server.render.v2.entries import Entry, EntryLink, Value
from odata_server.render.v2.values import json_value


def feed(entries: Iterable[Entry], *, total: int | None = None, next_url: str | None = None) -> bytes:
    """Return a page of entities; `total` is the number of all of them where a request asks for it.

    One entity after the other is made and written: few objects at the same time leave the garbage collector idle.
    """
    results = orjson.Fragment(b"[" + b",".join([orjson.dumps(_entry(entry)) for entry in entries]) + b"]")
    return _data(_listed(results, total, next_url))


def entry(shown: Entry) -> bytes:
    """Return one entity."""
    return _data(_entry(shown))


def property_value(value: Value) -> bytes:
    """Return one property."""
    return _data({value.name: _value(value)})


def links(urls: Sequence[str], *, total: int | None = None, next_url: str | None = None) -> bytes:
    """Return the links of a collection."""
    return _data(_listed([{"uri": url} for url in urls], total, next_url))


def link(url: str) -> bytes:
    """Return the link of a single-valued navigation property."""
    return _data({"uri": url})


def service_document(sets: Iterable[str]) -> bytes:
    """Return the names of the entity sets."""
    return _data({"EntitySets": list(sets)})


def error(code: str, text: str) -> bytes:
    """Return a refusal."""
    return orjson.dumps({"error": {"code": code, "message": {"lang": "en-US", "value": text}}})


def _data(content: object) -> bytes:
    return orjson.dumps({"d": content})


def _listed(results: object, total: int | None, next_url: str | None) -> dict[str, object]:
    content: dict[str, object] = {"results": results}
    if total is not None:
        content["__count"] = str(total)
    if next_url is not None:
        content["__next"] = next_url
    return content


def _entry(shown: Entry) -> dict[str, object]:
    metadata = {"uri": shown.url, "type": shown.type}
    if shown.etag is not None:
        metadata["etag"] = shown.etag
    members: dict[str, object] = {"__metadata": metadata}
    for value in shown.values:
        members[value.name] = _value(value)
    for linked in shown.links:
        members[linked.name] = _linked(linked)
    return members


def _value(value: Value) -> object:
    if not isinstance(value.value, Mapping):
        return json_value(value.type, value.value)
    members: dict[str, object] = {"__metadata": {"type": value.type}}
    for name, type_ in COMPLEX_TYPES[value.type]:
        members[name] = json_value(type_, value.value[name])
    return members


def _linked(linked: EntryLink) -> object:
    inline = linked.inline
    if inline is None:
        return {"__deferred": {"uri": linked.url}}
    entries = [_entry(one) for one in inline.entries]
    if inline.is_collection:
        return _listed(entries, None, inline.next)
    return entries[0] if entries else None
