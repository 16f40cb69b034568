"""A new record that knows what it has in common with others, and what has been set since the server completed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import cast

from entities.values import Record, Value


class WatchedRecord(dict[str, Value]):
    """A record as the steps of the event pipeline see it; `own` are the columns in which it may differ from others.

    Args:
        common: what it has in common with others of its table, whose `common` is the same object.
    """

    __slots__ = ("_filled", "_set", "common", "own")

    def __init__(self, common: Record) -> None:
        super().__init__(common)
        self.common = common
        self.own: dict[str, None] = {}
        self._set: dict[str, None] = {}
        self._filled = len(self)

    def fill(self, record: Record) -> None:
        """Set columns that need no check: they are the server's own, or are checked in any case."""
        super().update(record)
        self.own.update(dict.fromkeys(record))
        self._filled = len(self)

    def unchecked(self, given: Iterable[str]) -> Iterable[str]:
        """Return the columns that are to be checked: those that a caller gave, and what steps have set since."""
        added = islice(self, self._filled, None)
        return [name for name in (*given, *self._set, *added) if name in self]

    def __setitem__(self, name: str, value: Value) -> None:
        """Set a column."""
        self._set[name] = self.own[name] = None
        super().__setitem__(name, value)

    def update(self, *more: object, **named: object) -> None:
        """Set columns, given as `dict` takes them."""
        for source in (*more, named):
            for name, value in dict(cast("Mapping[str, Value]", source)).items():
                self[name] = value
