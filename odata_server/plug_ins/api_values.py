"""The parameters of custom APIs as functions see them, and the values that functions answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from entities.errors import StepRejected
from entities.metadata.custom_apis import CustomApi, ParameterType
from entities.values import EntityReference, EntityValue, KeyReference, guid


def given_parameters(api: CustomApi, parameters: Mapping[str, object]) -> Mapping[str, object]:
    """Return request parameters by the types that their custom API declares; those that are not given are absent."""
    types = {part.name: part.type for part in api.parameters}
    return {name: _given(value, types[name]) for name, value in parameters.items() if name in types}


def _given(value: object, type_: ParameterType) -> object:
    match type_, value:
        case ParameterType.ENTITY_REFERENCE, EntityValue(target=EntityReference() | KeyReference() as target):
            return target
        case ParameterType.ENTITY, EntityReference() as target:
            return EntityValue(target.table, {}, target)
        case ParameterType.FLOAT, Decimal():
            return float(value)
        case _:
            return value


def checked_result(api: CustomApi, result: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """Return the response properties that a function has set; None when it has set none, which is an answer 204.

    Raises:
        StepRejected: a value is not of its property's type.
    """
    found = {part.name: (result or {}).get(part.name) for part in api.properties}
    set_ = {part.name: part for part in api.properties if found[part.name] is not None}
    for name, part in set_.items():
        if not _FITS[part.type](found[name]):
            raise StepRejected(
                f"The response property '{name}' of {api.name} is of type {part.type.name}, but its plug-in has set a "
                f"{type(found[name]).__name__}.",
                code="0x80040224",
            )
    return found if set_ else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _is_record(value: object) -> bool:
    return isinstance(value, EntityValue | Mapping)


_FITS: Final[Mapping[ParameterType, Callable[[object], bool]]] = {
    ParameterType.BOOLEAN: lambda value: isinstance(value, bool),
    ParameterType.DATE_TIME: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    ParameterType.DECIMAL: _is_number,
    ParameterType.ENTITY: _is_record,
    ParameterType.ENTITY_COLLECTION: lambda value: isinstance(value, list | tuple) and all(map(_is_record, value)),
    ParameterType.ENTITY_REFERENCE: lambda value: isinstance(value, EntityReference),
    ParameterType.FLOAT: _is_number,
    ParameterType.INTEGER: _is_whole,
    ParameterType.MONEY: _is_number,
    ParameterType.PICKLIST: _is_whole,
    ParameterType.STRING: lambda value: isinstance(value, str),
    ParameterType.STRING_ARRAY: lambda value: (
        isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    ),
    ParameterType.GUID: lambda value: isinstance(value, UUID) or (isinstance(value, str) and guid(value) is not None),
}
