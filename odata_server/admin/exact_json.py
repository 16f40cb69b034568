"""JSON whose numbers are written and read digit by digit: as doubles they would lose cents."""

from __future__ import annotations

import json
from decimal import Decimal

import orjson


def to_json(value: object) -> bytes:
    """Return a value as JSON; a Decimal is a number."""
    return orjson.dumps(value, default=_exactly)


def from_json(text: bytes | str) -> object:
    """Return what a JSON text says; a number with a fraction is a Decimal.

    Raises:
        ValueError: it is no JSON; NaN and Infinity are none.
        RecursionError: it is nested too deep.
    """
    value: object = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    return value


def _exactly(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f").encode())
    raise TypeError(type(value).__name__)


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")
