"""What there is to say about a schema file besides its tables: what was guessed, and what could not be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from entities.errors import DataverseError
from odata_server.admin.csdl_import import Guess

T = TypeVar("T")

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definition that was not taken: of a table, of a column of it, or of a relationship that it has."""

    table: str
    name: str
    why: str


@dataclass(slots=True)
class Findings:
    """What was found on the way through a file."""

    guesses: list[Guess] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def guess(self, table: str, column: str, what: str, supply: str = "") -> None:
        """Note that something was taken that the file does not say."""
        self.guesses.append(Guess(table, column, what, supply))

    def refuse(self, table: str, name: str, why: str) -> None:
        """Note that something is left out."""
        self.refusals.append(Refusal(table, name, why))

    def attempt(self, table: str, name: str, read: Callable[[], T]) -> T | None:
        """Return what a function reads; None where it refuses to, which is noted."""
        try:
            return read()
        except DataverseError as error:
            self.refuse(table, name, error.message)
            return None
