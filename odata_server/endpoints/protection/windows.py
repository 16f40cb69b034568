"""A sliding window over words of memory: what one user did within the last seconds, second by second.

```
NEWEST     the last second that was looked at; the window ends with it
REQUESTS   the sum of the requests, MICROSECONDS that of the execution time, over the window
then       a word per second for the requests, and one for the execution time; a second has the place second % length
```

The sums are kept beside what they add up, so that asking costs nothing; `recount` makes them again from it. Everything
here is arithmetic over a sequence of integers: shared memory is one, and so is a list. The length of the window is the
same in all calls.
"""

from __future__ import annotations

from typing import Final, Protocol

from odata_server.settings import LONGEST_WINDOW

NEWEST: Final = 0
REQUESTS: Final = 1
MICROSECONDS: Final = 2
_FIRST: Final = 3
_PLACES: Final = LONGEST_WINDOW
SIZE: Final = _FIRST + 2 * _PLACES
"""How many words a window has."""


class Words(Protocol):
    """Integers that can be read and written by position."""

    def __getitem__(self, index: int, /) -> int:
        """Return a word."""
        ...

    def __setitem__(self, index: int, value: int, /) -> None:
        """Write a word."""
        ...


def advance(words: Words, second: int, length: int) -> None:
    """Let a window end with a second: what is older than its length in seconds is forgotten.

    A clock that goes back changes nothing.
    """
    newest = words[NEWEST]
    for passed in range(max(newest + 1, second - length + 1), second + 1):
        at = _FIRST + passed % length
        if words[at]:
            words[REQUESTS] -= words[at]
            words[at] = 0
        if words[at + _PLACES]:
            words[MICROSECONDS] -= words[at + _PLACES]
            words[at + _PLACES] = 0
    words[NEWEST] = max(newest, second)


def add(words: Words, column: int, amount: int, length: int) -> None:
    """Add to the newest second of a window.

    Args:
        words: the window.
        column: `REQUESTS` or `MICROSECONDS`.
        amount: what is added.
        length: that of the window in seconds.
    """
    words[_first(column) + words[NEWEST] % length] += amount
    words[column] += amount


def seconds_until_below(words: Words, column: int, limit: int, length: int) -> int:
    """Return after how many seconds the sum over a window is below a limit when nothing is added meanwhile.

    Args:
        words: the window.
        column: `REQUESTS` or `MICROSECONDS`.
        limit: at least 1.
        length: that of the window in seconds.
    """
    left = words[column]
    if left < limit:
        return 0
    first, newest = _first(column), words[NEWEST]
    for seconds in range(1, length):
        left -= words[first + (newest + seconds) % length]
        if left < limit:
            return seconds
    return length


def recount(words: Words) -> None:
    """Make the sums of a window anew."""
    for column in (REQUESTS, MICROSECONDS):
        first = _first(column)
        words[column] = sum(words[at] for at in range(first, first + _PLACES))


def _first(column: int) -> int:
    return _FIRST + (column - REQUESTS) * _PLACES
