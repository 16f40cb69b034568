"""What every user asks of this host, in memory that its worker processes share.

```
slot     16 header words, of which: two with the user's key, UNFINISHED, RUNNING
         a window (`protection.windows`)
         a byte per process: how many of the user's requests run in it
```

A user's key says in which set of slots to look; a new user takes the slot of that set that was used longest ago. One
short lock on a byte of the file keeps processes from writing at once. A process holds the lock on a byte of its own,
its seat, as long as it lives, however it ends: what runs in a process whose seat is free runs no more. A slot that a
process left half written (`UNFINISHED`) is added up anew by the next one.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol

from entities.errors import EngineFault
from odata_server.endpoints.protection.windows import NEWEST, SIZE, advance, recount

FILE_NAME: Final = "service-protection"
SETS: Final = 128
WAYS: Final = 8
SEATS: Final = 128
"""Processes that can share a file: twice as many as a server has workers at most."""

_HIGH, _LOW, _UNFINISHED, _RUNNING = range(4)
_HEAD: Final = 16
_WORD: Final = 8
_SLOT: Final = _HEAD + SIZE + (-SIZE) % _WORD + SEATS // _WORD
_BYTES: Final = SETS * WAYS * _SLOT * _WORD
_MOST_KNOWN: Final = 4 * SETS * WAYS
_MUTEX: Final = 0
_FIRST_SEAT: Final = 1


class Sharing(Protocol):
    """How the processes that share memory keep out of each other's way."""

    seat: int

    def lock(self) -> None:
        """Wait until no other process writes."""
        ...

    def unlock(self) -> None:
        """Let the others write."""
        ...

    def is_free(self, seat: int) -> bool:
        """Tell whether the process of a seat other than one's own is gone."""
        ...


class Alone:
    """One process that shares its memory with nobody."""

    seat = 0

    def lock(self) -> None:
        """Do nothing."""

    def unlock(self) -> None:
        """Do nothing."""

    def is_free(self, seat: int) -> bool:
        """Say that everybody else is gone."""
        return seat != self.seat


class SharedFile:
    """Processes that share a file, kept apart by record locks, which end with the process that holds them (fcntl(2)).

    Args:
        descriptor: the open file. A process opens it once: closing any descriptor of it would end all its locks.

    Raises:
        EngineFault: all seats are taken.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.seat = next((seat for seat in range(SEATS) if self._take(seat)), -1)
        if self.seat < 0:
            raise EngineFault(f"More than {SEATS} processes share one file of requests.")

    def lock(self) -> None:
        """Wait until no other process writes."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, _MUTEX)

    def unlock(self) -> None:
        """Let the others write."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _MUTEX)

    def is_free(self, seat: int) -> bool:
        """Tell whether the process of a seat other than one's own is gone."""
        if seat == self.seat or not self._take(seat):
            return False
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _FIRST_SEAT + seat)
        return True

    def _take(self, seat: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _FIRST_SEAT + seat)
        except (BlockingIOError, PermissionError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a user: header words, window, and the running requests by process."""

    head: memoryview
    window: memoryview
    running_by_seat: memoryview

    @property
    def running(self) -> int:
        """How many requests of the user run at the moment."""
        return int(self.head[_RUNNING])


class Ledger:
    """The slots of all users.

    Args:
        memory: as many bytes as `open_ledger` makes.
        sharing: keeps other processes out.
        window: the length of the window in seconds, the same in all processes.
    """

    def __init__(self, memory: mmap.mmap, sharing: Sharing, window: int) -> None:
        self.window = window
        self._words = memoryview(memory).cast("q")
        self._bytes = memoryview(memory)
        self._sharing = sharing
        self._threads = threading.Lock()
        self._known: dict[str, tuple[Slot, int, int]] = {}
        self._leave_behind()

    def take(self, user: str, second: int) -> Slot:
        """Return the slot of a user with its window ending at a second; nobody else has it until it is given back."""
        self._threads.acquire()
        self._sharing.lock()
        slot = self._find(user)
        head = slot.head
        if head[_UNFINISHED]:
            _mend(slot)
        head[_UNFINISHED] = 1
        if slot.window[NEWEST] < second:
            advance(slot.window, second, self.window)
        return slot

    def give_back(self, slot: Slot) -> None:
        """Let others have a slot."""
        slot.head[_UNFINISHED] = 0
        self._sharing.unlock()
        self._threads.release()

    def begin(self, slot: Slot) -> None:
        """Note that a request of a user runs in this process."""
        slot.running_by_seat[self._sharing.seat] += 1
        slot.head[_RUNNING] += 1

    def end(self, slot: Slot) -> None:
        """Note that a request of a user is done; the slot may be another user's before by now."""
        if slot.running_by_seat[self._sharing.seat]:
            slot.running_by_seat[self._sharing.seat] -= 1
            slot.head[_RUNNING] -= 1

    def drop_dead(self, slot: Slot) -> None:
        """Forget what runs in processes that are gone."""
        for seat, running in enumerate(slot.running_by_seat):
            if running and self._sharing.is_free(seat):
                slot.running_by_seat[seat] = 0
                slot.head[_RUNNING] -= running

    def _find(self, user: str) -> Slot:
        known = self._known.get(user)
        if known is None:
            high, low = _key(user)
        else:
            slot, high, low = known
            if slot.head[_LOW] == low and slot.head[_HIGH] == high:
                return slot
        slot = self._found(high, low)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[user] = slot, high, low
        return slot

    def _found(self, high: int, low: int) -> Slot:
        first = high % SETS * WAYS
        slots = [self._at(number) for number in range(first, first + WAYS)]
        for slot in slots:
            if slot.head[_LOW] == low and slot.head[_HIGH] == high:
                return slot
        oldest = min(slots, key=lambda slot: (slot.running > 0, slot.window[NEWEST]))
        oldest.head[_UNFINISHED] = 1
        for part in (oldest.window, oldest.running_by_seat):
            for at in range(len(part)):
                part[at] = 0
        oldest.head[_RUNNING] = 0
        oldest.head[_HIGH], oldest.head[_LOW] = high, low
        oldest.head[_UNFINISHED] = 0
        return oldest

    def _at(self, number: int) -> Slot:
        first = number * _SLOT
        end = (first + _SLOT) * _WORD
        window = self._words[first + _HEAD : first + _HEAD + SIZE]
        return Slot(self._words[first : first + _HEAD], window, self._bytes[end - SEATS : end])

    def _leave_behind(self) -> None:
        """Forget what ran in the process that had this seat before."""
        self._sharing.lock()
        try:
            seat = self._sharing.seat
            for slot in map(self._at, range(SETS * WAYS)):
                if slot.running_by_seat[seat]:
                    slot.running_by_seat[seat] = 0
                    slot.head[_RUNNING] = sum(slot.running_by_seat)
        finally:
            self._sharing.unlock()


def _mend(slot: Slot) -> None:
    recount(slot.window)
    slot.head[_RUNNING] = sum(slot.running_by_seat)


def _key(user: str) -> tuple[int, int]:
    """Return two words for a user; the second is never 0, which stands for a slot that nobody has yet."""
    digest = blake2b(user.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], signed=True), int.from_bytes(digest[8:], signed=True) | 1


def open_ledger(path: Path | None, window: int) -> Ledger:
    """Open the ledger that the processes of a host share.

    Args:
        path: the file, made where it is missing; None for memory of this process alone.
        window: the length of the window in seconds.

    Raises:
        OSError: the file cannot be opened.
        EngineFault: too many processes share it.
    """
    if path is None:
        return Ledger(mmap.mmap(-1, _BYTES), Alone(), window)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.ftruncate(descriptor, _BYTES)
    return Ledger(mmap.mmap(descriptor, _BYTES), SharedFile(descriptor), window)


def remove_ledger(path: Path) -> None:
    """Remove the ledger of an earlier server: a server that starts has answered nobody yet."""
    path.unlink(missing_ok=True)
