"""Trees, queries and messages as text for people: S-expressions without what has its default value.

(RetrieveMultiple (QueryExpression table=account filter=(name eq 'x') page=(Page size=5000)))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from entities.query import ColumnRef, Condition

_WIDTH: Final = 100
_PLACES: Final = frozenset({"span"})


def outline(value: object) -> str:
    """Return a value as an S-expression, over several lines where it is long."""
    return "\n".join(_lines(value))


def _lines(value: object, label: str = "") -> Iterator[str]:
    flat = label + _flat(value)
    parts = list(_parts(value))
    if len(flat) <= _WIDTH or not parts:
        yield flat
        return
    yield f"{label}({type(value).__name__}" if is_dataclass(value) else f"{label}["
    for name, part in parts:
        yield from (f"  {line}" for line in _lines(part, f"{name}=" if name else ""))
    yield ")" if is_dataclass(value) else "]"


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield what a node is made of: the fields that say something, or the items of a sequence."""
    if is_dataclass(value):
        yield from ((field.name, part) for field in fields(value) if _says(field, part := getattr(value, field.name)))
    elif isinstance(value, tuple | list):
        yield from (("", item) for item in value)
    elif isinstance(value, dict):
        yield from ((str(name), item) for name, item in value.items())


def _says(field: Any, value: object) -> bool:  # noqa: ANN401 - dataclasses.Field has no useful parameter
    if field.name in _PLACES or not field.repr:
        return False
    return field.default is MISSING or value != field.default


def _flat(value: object) -> str:
    match value:
        case ColumnRef(name=name, alias=alias, part=part):
            return ".".join(filter(None, (alias, name, part)))
        case Condition(column=column, operator=operator, values=values):
            return f"({' '.join((_flat(column), operator.value, *map(_flat, values)))})"
        case Enum():
            return str(value.value)
        case tuple() | list():
            return f"[{' '.join(map(_flat, value))}]"
        case str() if value.isidentifier():
            return str(value)
        case _ if is_dataclass(value) or isinstance(value, dict):
            shown = (f"{name}={_flat(part)}" for name, part in _parts(value))
            return f"({' '.join((type(value).__name__, *shown))})"
        case _:
            return repr(value)
