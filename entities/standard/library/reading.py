"""The texts of the library, read from the package."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from entities.standard.library.grammar import ChoiceText, PairsText, TableText, read


def texts() -> Iterator[TableText | ChoiceText | PairsText]:
    """Yield the declarations of all texts, in the order of their names.

    Raises:
        ValueError: A line has another form.
    """
    found = sorted(files("entities.standard.library").iterdir(), key=lambda entry: entry.name)
    for entry in found:
        if entry.name.endswith(".txt"):
            yield from read(entry.read_text("utf-8"))
