"""Which processor a process runs on: one for the server under test, another one for the load generator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processors:
    """The processor of the server and that of the load generator; None where processes cannot be pinned."""

    server: int | None
    generator: int | None

    def text(self) -> str:
        """Return in words who runs where."""
        if self.server is None:
            return "not pinned (this system has no processor affinity): figures vary more"
        if self.server == self.generator:
            return f"everything on processor {self.server}, the only one: figures are too low"
        return f"every server on processor {self.server}, the load generator on processor {self.generator}"


def choose_processors() -> Processors:
    """Return the first two processors that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        return Processors(None, None)
    usable = sorted(os.sched_getaffinity(0))
    return Processors(usable[0], usable[-1])


@contextmanager
def pinned(processor: int | None) -> Iterator[None]:
    """Run a block, and the processes that it starts, on one processor."""
    if processor is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
