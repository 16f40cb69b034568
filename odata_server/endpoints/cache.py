"""A bounded map of what was made before, by all that it depends on; the least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class BoundCache(Generic[_Value]):
    """Immutable values by hashable key, safe among threads.

    Args:
        size: how many values are kept, or what they weigh together.
        weigh: says what a value weighs; one that weighs more than half of all is not kept.
    """

    def __init__(self, size: int = 2048, weigh: Callable[[_Value], int] = lambda _: 1) -> None:
        self._size = size
        self._weigh = weigh
        self._values: OrderedDict[tuple[object, ...], _Value] = OrderedDict()
        self._weight = 0
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
        weight = self._weigh(value)
        if weight > self._size // 2:
            return
        with self._lock:
            before = self._values.pop(key, None)
            self._weight += weight - (0 if before is None else self._weigh(before))
            self._values[key] = value
            while self._weight > self._size:
                _, gone = self._values.popitem(last=False)
                self._weight -= self._weigh(gone)

    def __len__(self) -> int:
        return len(self._values)
