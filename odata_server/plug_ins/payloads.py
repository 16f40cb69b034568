"""Values as JSON and back, for what a step in asynchronous mode is given when its job runs."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from entities.messages import Target
from entities.plugins import InvalidPluginExecution
from entities.values import ChoiceSet, EntityReference, EntityValue, KeyReference, Record, Value


def encoded(value: object) -> object:
    """Return a value as JSON; what JSON has no form for becomes an object with one member that says its kind.

    Raises:
        InvalidPluginExecution: a job cannot be given such a value.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [encoded(item) for item in value]
        case Mapping():
            return {"map": {str(name): encoded(member) for name, member in value.items()}}
        case _:
            return {_KINDS[type(value)]: _content(value)} if type(value) in _KINDS else _refuse(value)


_KINDS: Mapping[type[object], str] = {
    Decimal: "decimal",
    datetime: "moment",
    date: "date",
    bytes: "bytes",
    ChoiceSet: "choices",
    EntityReference: "reference",
    KeyReference: "key",
    EntityValue: "entity",
}


def _content(value: object) -> object:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case ChoiceSet(options=options):
            return list(options)
        case EntityReference(table=table, id=id_, name=name):
            return [table, id_, name]
        case KeyReference(table=table, values=values):
            return [table, [[name, encoded(member)] for name, member in values]]
        case EntityValue(table=table, record=record, target=target):
            return [table, encoded(record), encoded(target)]
        case _:
            return _refuse(value)


def _refuse(value: object) -> object:
    raise InvalidPluginExecution(f"A background job cannot be given a {type(value).__name__}.")


def decoded(json_value: object) -> object:
    """Return the value that `encoded` wrote."""
    match json_value:
        case list():
            return [decoded(item) for item in json_value]
        case dict():
            ((kind, content),) = json_value.items()
            return _DECODERS[kind](content)
        case _:
            return json_value


_DECODERS: Mapping[str, Callable[[Any], object]] = {
    "map": lambda members: {name: decoded(member) for name, member in members.items()},
    "decimal": Decimal,
    "moment": datetime.fromisoformat,
    "date": date.fromisoformat,
    "bytes": b64decode,
    "choices": lambda options: ChoiceSet(tuple(options)),
    "reference": lambda parts: EntityReference(*parts),
    "key": lambda parts: KeyReference(parts[0], tuple((n, cast("Value", decoded(v))) for n, v in parts[1])),
    "entity": lambda parts: EntityValue(
        parts[0], cast("Record", decoded(parts[1])), cast("Target | None", decoded(parts[2]))
    ),
}


def _entity(table: str, record: object, target: object) -> EntityValue:
    return EntityValue(table, cast("Record", record), cast("Target | None", target))
