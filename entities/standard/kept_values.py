"""Parameters as JSON: as a job keeps them, to have the same values again, and as people read them in a row.

What JSON has no form for is an object with one member, whose name says what it is: `{"$decimal": "1.50"}`.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Final

from entities.errors import InvalidArgument
from entities.values import ChoiceSet, EntityReference, EntityValue, Guid, KeyReference, Value

_BIG: Final = 2**63
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def kept(value: object) -> object:
    """Return a value as JSON that `restored` reads.

    Raises:
        InvalidArgument: it is of a kind that no job can keep.
    """
    match value:
        case int() if not -_BIG <= value < _BIG:
            return {"$whole": str(value)}
        case float() if not isfinite(value):
            return {"$float": str(value)}
        case str() if not value.isascii() and _SURROGATE.search(value):
            raise InvalidArgument("A background job cannot be given a text with half a character.")
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [kept(item) for item in value]
        case Mapping():
            return {"$object": {str(kept(str(name))): kept(inner) for name, inner in value.items()}}
        case EntityReference() | KeyReference() | EntityValue() | ChoiceSet():
            return _kept_record(value)
        case _:
            return _kept_scalar(value)


def _kept_scalar(value: object) -> object:
    match value:
        case Decimal():
            return {"$decimal": str(value)}
        case datetime():
            return {"$moment": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case bytes():
            return {"$bytes": b64encode(value).decode()}
        case _:
            raise InvalidArgument(f"A background job cannot be given a {type(value).__name__}.")


def _kept_record(value: EntityReference | KeyReference | EntityValue | ChoiceSet) -> object:
    match value:
        case EntityReference(table=table, id=identifier, name=name):
            return {"$reference": [table, identifier, name]}
        case KeyReference(table=table, values=values):
            return {"$key": [table, [[name, kept(given)] for name, given in values]]}
        case EntityValue(table=table, record=record, target=target):
            return {"$entity": [table, kept(record), kept(target)]}
        case ChoiceSet(options=options):
            return {"$choices": list(options)}


def restored(value: object) -> object:
    """Return what `kept` has made JSON of."""
    match value:
        case list():
            return [restored(item) for item in value]
        case dict():
            ((kind, inner),) = value.items()
            return _READERS[kind](inner)
        case _:
            return value


def _parts(inner: object) -> list[object]:
    assert isinstance(inner, list)
    return inner


def _reference(inner: object) -> EntityReference:
    table, identifier, name = _parts(inner)
    return EntityReference(str(table), Guid(str(identifier)), None if name is None else str(name))


def _value(inner: object) -> Value:
    found = restored(inner)
    assert found is None or isinstance(
        found, bool | int | float | Decimal | str | bytes | date | EntityReference | KeyReference | ChoiceSet
    )
    return found


def _key(inner: object) -> KeyReference:
    table, pairs = _parts(inner)
    return KeyReference(str(table), tuple((str(pair[0]), _value(pair[1])) for pair in map(_parts, _parts(pairs))))


def _entity(inner: object) -> EntityValue:
    table, record, target = (restored(part) for part in _parts(inner))
    assert isinstance(record, dict)
    assert target is None or isinstance(target, EntityReference | KeyReference)
    return EntityValue(str(table), record, target)


def _object(inner: object) -> dict[str, object]:
    assert isinstance(inner, dict)
    return {name: restored(value) for name, value in inner.items()}


_READERS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "$object": _object,
        "$whole": lambda inner: int(str(inner)),
        "$float": lambda inner: float(str(inner)),
        "$decimal": lambda inner: Decimal(str(inner)),
        "$moment": lambda inner: datetime.fromisoformat(str(inner)),
        "$date": lambda inner: date.fromisoformat(str(inner)),
        "$bytes": lambda inner: b64decode(str(inner)),
        "$reference": _reference,
        "$key": _key,
        "$entity": _entity,
        "$choices": lambda inner: ChoiceSet(tuple(int(str(option)) for option in _parts(inner))),
    }
)


def listed(parameters: Mapping[str, object]) -> str:
    """Return parameters as rows show them: a JSON array of `Key` and `Value`."""
    pairs = [{"Key": name, "Value": _shown(value)} for name, value in parameters.items()]
    return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))


def read_listed(text: str) -> dict[str, object]:
    """Return the parameters that `listed` has shown."""
    return {pair["Key"]: pair["Value"] for pair in json.loads(text)}


def _shown(value: object) -> object:
    match value:
        case EntityReference(table=table, id=identifier):
            return {"LogicalName": table, "Id": identifier}
        case EntityValue(table=table, record=record):
            return {"LogicalName": table, **{name: _shown(inner) for name, inner in record.items()}}
        case KeyReference(table=table, values=values):
            return {"LogicalName": table, "KeyAttributes": {name: _shown(inner) for name, inner in values}}
        case ChoiceSet(options=options):
            return list(options)
        case Mapping():
            return {str(name): _shown(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shown(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return _text(value)


def _text(value: object) -> object:
    match value:
        case Decimal():
            return float(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case _:
            return str(value)
