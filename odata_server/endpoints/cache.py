"""A bounded map of what was parsed and bound before, by its exact text; the least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class BoundCache(Generic[_Value]):
    """Immutable values by hashable key, safe among threads.

    Args:
        size: how many values are kept.
    """

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._values: OrderedDict[tuple[object, ...], _Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> _Value | None:
        """Return the value kept under a key, None when there is none."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: tuple[object, ...], value: _Value) -> None:
        """Keep a value."""
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)
