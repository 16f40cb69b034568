"""Bodies of functions and actions: parameters as they stand there, results as JSON."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson

from entities.values import EntityReference, utc_text
from odata_server.bind.json_body import read_object
from odata_server.endpoints.call import Call

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def body_parameters(call: Call, name: str) -> dict[str, object]:
    """Return an action's parameters from the body; an empty body is no parameters."""
    return read_object(call.request.body, name) if call.request.body.strip() else {}


def result_json(result: object) -> bytes:
    """Return an operation's result as JSON."""
    return orjson.dumps(result, default=_plain, option=_OPTIONS)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return orjson.Fragment(format(value, "f"))
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case EntityReference():
            return value.id
        case tuple() | frozenset() | set():
            return list(value)
        case _:
            raise TypeError(f"An operation answered with a {type(value).__name__}.")
