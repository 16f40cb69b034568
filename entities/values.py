"""Values in flight: what a column of a record may hold, and how text becomes such a value.

A GUID travels as canonical lower-case text (`Guid`): the wire and the databases hold text, and a hot path must not
build an object per id. Money and Decimal are `decimal.Decimal`, date-times are aware and in UTC with whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NewType, TypeAlias

Guid = NewType("Guid", str)

EMPTY_GUID = Guid("00000000-0000-0000-0000-000000000000")

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class EntityReference:
    """A pointer to a record: table (logical name) and id; `name` is the primary name where it was read along."""

    table: str
    id: Guid
    name: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A pointer to a record by alternate-key values; the engine turns it into an EntityReference."""

    table: str
    values: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class ChoiceSet:
    """The value of a multi-select choice column: option values in ascending order."""

    options: tuple[int, ...]


Value: TypeAlias = (
    bool | int | float | Decimal | str | bytes | datetime | date | EntityReference | KeyReference | ChoiceSet | None
)

Record: TypeAlias = Mapping[str, Value]
"""Column logical name to value. A column that is absent is not part of the message."""


_POINTERS = frozenset({EntityReference, KeyReference})


def references_in(record: Record) -> tuple[EntityReference | KeyReference, ...]:
    """Return what a record points to."""
    if _POINTERS.isdisjoint(map(type, record.values())):
        return ()
    return tuple(value for value in record.values() if isinstance(value, EntityReference | KeyReference))


@dataclass(frozen=True, slots=True)
class EntityValue:
    """A record that is given as a parameter: its table, its values, and which record it is (None: a new one)."""

    table: str
    record: Record
    target: EntityReference | KeyReference | None = None


def guid(text: str) -> Guid | None:
    """Return `text` as a canonical GUID, or None when it is not one.

    Args:
        text: 8-4-4-4-12 hexadecimal digits in any case.
    """
    lowered = text.lower()
    return Guid(lowered) if _GUID.match(lowered) else None


def utc_text(moment: datetime) -> str:
    """Return a date-time as Dataverse prints and stores it: UTC, whole seconds, `Z`.

    Args:
        moment: an aware date-time.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year >= 1000 else _early(moment)  # noqa: PLR2004 - strftime does not pad years below 1000


def _early(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_utc(text: str) -> datetime:
    """Return the date-time that `utc_text` printed.

    Raises:
        ValueError: when the text has another form.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
