"""A figure over the rounds of a measurement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and extremes over the rounds."""

    median: float
    least: float
    greatest: float

    def text(self, form: str) -> str:
        """Return `median [least–greatest]`."""
        return f"{self.median:{form}} [{self.least:{form}}–{self.greatest:{form}}]"


def spread(values: Iterable[float]) -> Spread:
    """Return median and extremes of some values."""
    found = sorted(values)
    return Spread(median(found), found[0], found[-1])
