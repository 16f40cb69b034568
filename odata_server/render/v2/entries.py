"""Entities of the Organization Data Service, made of the rows that the Web API shows.

JSON and Atom are written of them.

A value stays what the row has (text, number, truth), with its type beside it: `render.v2.values` says how either format
writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from odata_server.edm.preferences import FORMATTED_VALUE, LOOKUP_LOGICAL_NAME
from odata_server.edm.v2.shapes import EntryShape, Link, Property
from odata_server.edm.v2.types import COMPLEX_TYPES, MANAGED, REFERENCE

Primitive: TypeAlias = str | int | float | bool | None
Complex: TypeAlias = Mapping[str, Primitive]
RowMembers: TypeAlias = Mapping[str, Any]
"""A row as JSON of the Web API, decoded."""

_ETAG: Final = "@odata.etag"
_MODIFIED: Final = "modifiedon"
_FULL: Final = 50


@dataclass(frozen=True, slots=True)
class Value:
    """A property with its value: a primitive one, or the members of a complex one by name."""

    name: str
    type: str
    value: Primitive | Complex


@dataclass(frozen=True, slots=True)
class Expanded:
    """What stands inline behind a navigation property: entities of a collection, or one entity or none.

    `next` is the URL of those behind a full page.
    """

    entries: tuple[Entry, ...]
    is_collection: bool
    next: str | None = None


@dataclass(frozen=True, slots=True)
class EntryLink:
    """A navigation property of an entity: name, URL, whether it is a collection, and what is inline."""

    name: str
    url: str
    is_collection: bool
    inline: Expanded | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entity; `path` is its URL behind the service root, `url` the absolute one."""

    url: str
    path: str
    type: str
    title: str
    updated: str
    etag: str | None
    values: tuple[Value, ...]
    links: tuple[EntryLink, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where entities are shown: the absolute URL of the service, and the moment for those that tell none."""

    root: str
    now: str


def entry_path(entity_set: str, identifier: str) -> str:
    """Return the URL of an entity behind the service root."""
    return f"{entity_set}(guid'{identifier}')"


def entry_of(row: RowMembers, shape: EntryShape, place: Place) -> Entry:
    """Return the entity that a row shows."""
    path = entry_path(shape.entity_set, row[shape.id_member])
    url = f"{place.root}/{path}"
    title = row.get(shape.title_member)
    return Entry(
        url,
        path,
        shape.type,
        title if isinstance(title, str) else "",
        row.get(_MODIFIED) or place.now,
        row.get(_ETAG) if shape.has_etag else None,
        tuple([value_of(row, shown) for shown in shape.properties]),
        tuple([_link(row, link, url, place) for link in shape.links]),
    )


def _link(row: RowMembers, link: Link, url: str, place: Place) -> EntryLink:
    target = f"{url}/{link.name}"
    shape = link.entry
    if shape is None:
        return EntryLink(link.name, target, link.is_collection)
    found = row.get(link.member)
    rows = found if isinstance(found, list) else [] if found is None else [found]
    entries = tuple([entry_of(one, shape, place) for one in rows])
    following = f"{target}?$skip={_FULL}" if link.is_collection and len(entries) == _FULL else None
    return EntryLink(link.name, target, link.is_collection, Expanded(entries, link.is_collection, following))


def value_of(row: RowMembers, shown: Property) -> Value:
    """Return a property of the entity that a row shows."""
    found = row.get(shown.member)
    if shown.type not in COMPLEX_TYPES:
        return Value(shown.name, shown.type, found)
    return Value(shown.name, shown.type, _members(row, shown))


def _members(row: RowMembers, shown: Property) -> Complex:
    """Return the members of a complex value; what is not there is an object whose members are null."""
    found = row.get(shown.member)
    if shown.type == REFERENCE:
        return {
            "Id": found,
            "LogicalName": row.get(f"{shown.member}@{LOOKUP_LOGICAL_NAME}"),
            "Name": row.get(f"{shown.member}@{FORMATTED_VALUE}"),
            "RowVersion": None,
        }
    if shown.type == MANAGED:
        managed = found or {}
        return {name: managed.get(name) for name, _ in COMPLEX_TYPES[MANAGED]}
    return {"Value": found}
