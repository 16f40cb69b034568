"""Localized texts of metadata, by LCID (1033 English, 1043 Dutch, 1053 Swedish, 1044 Norwegian)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

ENGLISH = 1033

Further: TypeAlias = tuple[tuple[str, str], ...]
"""Properties of a definition that decide nothing here and are kept as they were given: name and value as JSON."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text in one or more languages; English first."""

    texts: tuple[tuple[int, str], ...] = ()

    def text(self, lcid: int = ENGLISH) -> str | None:
        """Return the text in a language, else in the base language, else None."""
        for language, text in self.texts:
            if language == lcid:
                return text
        return self.texts[0][1] if self.texts else None


def label(english: str, *, nl: str | None = None, sv: str | None = None, nb: str | None = None) -> Label:
    """Declare a label: English, and the languages of the source pages where they print the term."""
    others = ((1043, nl), (1053, sv), (1044, nb))
    return Label(((ENGLISH, english), *((lcid, text) for lcid, text in others if text is not None)))
