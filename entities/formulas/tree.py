"""What a formula says, as a tree (Learn: "Define calculated columns": conditions, actions and functions)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Kind(Enum):
    """What the value of an expression is; `NOTHING` is that of NULL, which goes with every other one."""

    NUMBER = "number"
    TEXT = "text"
    DAY = "date"
    MOMENT = "date and time"
    TRUTH = "yes/no"
    REFERENCE = "reference"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Operand:
    """A column of the table, or of the record that one of its lookups points to."""

    column: str
    lookup: str = ""


@dataclass(frozen=True, slots=True)
class Negative:
    """A number with the other sign."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+`, `-`, `*` or `/` of two numbers."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Compared:
    """`=`, `<>`, `<`, `<=`, `>` or `>=` of two values of one kind; unknown where one of them is missing."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Joined:
    """Two conditions joined by `AND` or `OR`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Opposite:
    """A condition that does not hold."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class HasData:
    """The condition "contains data"."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Either:
    """One value where a condition holds, another one where it does not or cannot be told."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Called:
    """A function and its arguments."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = (
    Literal | Operand | Negative | Arithmetic | Compared | Joined | Opposite | HasData | Either | Called
)

UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES")
"""The units that dates are moved and measured by; nothing moves by minutes."""

MOVING = {f"{word}{unit}": (sign, unit) for word, sign in (("ADD", 1), ("SUBTRACT", -1)) for unit in UNITS[:-1]}
"""Functions that move a date, with sign and unit; the number comes first."""

MEASURING = {f"DIFFIN{unit}": unit for unit in UNITS}
"""Functions that give the difference of two dates, with the unit."""

TRIMMING = ("TRIMLEFT", "TRIMRIGHT")
"""Functions that take a number of characters off a text."""
