"""Points and places in the history of a table: what change tracking counts by.

Row versions are given in the order of the commits, so a version stands for everything that happened up to it (Learn:
"Use change tracking to synchronize data with external systems").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from entities.values import Guid


@dataclass(frozen=True, slots=True)
class ChangeToken:
    """All that was committed up to a row version, and when somebody looked."""

    version: int
    taken: datetime


@dataclass(frozen=True, slots=True)
class ChangeAnchor:
    """Where page `number` of a history begins: behind the record with a version and an id, or a deletion (no id)."""

    number: int
    version: int
    id: Guid | None = None
