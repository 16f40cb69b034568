"""Writes as requests ask for them, without the words of HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Target:
    """A record as a request names it: by its id, by an alternate key, or as what an earlier request made."""

    set: str
    id: str | None = None
    key: tuple[tuple[str, Any], ...] = ()
    made_by: int | None = None


@dataclass(frozen=True, slots=True)
class New:
    """What a body says: values, lookups by navigation property, and what comes with the record."""

    set: str
    values: dict[str, Any] = field(default_factory=dict)
    lookups: dict[str, Target | None] = field(default_factory=dict)
    id: str | None = None
    made: dict[str, list[New]] = field(default_factory=dict)
    bound: dict[str, list[Target]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Create:
    """POST of a record."""

    new: New


@dataclass(frozen=True, slots=True)
class Patch:
    """PATCH of a record: an upsert, with `*` only an update, with `new` only a create, with a tag an update of that.

    A tag behind `!` is one that the record must not have (If-None-Match).
    """

    target: Target
    new: New
    condition: str = ""


@dataclass(frozen=True, slots=True)
class SetValue:
    """PUT of a property, or DELETE of it where the value is None."""

    target: Target
    column: str
    value: Any
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE of a record."""

    target: Target
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A reference made (`joins`) or taken away; a lookup is cleared without naming the other record."""

    target: Target
    navigation: str
    other: Target | None
    joins: bool
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Many:
    """A bulk message: every record has its id, but for some of those to create."""

    kind: Literal["CreateMultiple", "UpdateMultiple", "UpsertMultiple"]
    set: str
    records: tuple[New, ...]


Write: TypeAlias = Create | Patch | SetValue | Delete | Link | Many
