"""The parameters of custom APIs as functions see them, and the values that functions answer with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from entities.errors import StepRejected
from entities.metadata.catalog import Catalog
from entities.metadata.custom_apis import CustomApi, ParameterType
from entities.values import ChoiceSet, EntityReference, EntityValue, KeyReference, guid


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


def checked_result(
    api: CustomApi, result: Mapping[str, object] | None, catalog: Catalog
) -> Mapping[str, object] | None:
    """Return the response properties that a function has set; None when it has set none, which is an answer 204.

    Raises:
        StepRejected: a value is not of its property's type.
    """
    found = {part.name: (result or {}).get(part.name) for part in api.properties}
    set_ = {part.name: part for part in api.properties if found[part.name] is not None}
    for name, part in set_.items():
        if not _FITS[part.type](found[name], catalog):
            raise StepRejected(
                f"The response property '{name}' of {api.name} is of type {part.type.name}, but its plug-in has set a "
                f"{type(found[name]).__name__} that does not fit.",
                code="0x80040224",
            )
    return found if set_ else None


def _is_text(value: object, _: Catalog) -> bool:
    return isinstance(value, str) and all(not "\ud800" <= character <= "\udfff" for character in value)


def _is_number(value: object, _: Catalog) -> bool:
    match value:
        case bool():
            return False
        case int():
            return -(2**63) <= value < 2**63
        case float():
            return math.isfinite(value)
        case _:
            return isinstance(value, Decimal) and value.is_finite()


def _is_whole(value: object, _: Catalog) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _is_reference(value: object, catalog: Catalog) -> bool:
    return isinstance(value, EntityReference) and value.table in catalog.tables


def _is_record(value: object, catalog: Catalog) -> bool:
    members = value.record if isinstance(value, EntityValue) else value
    return isinstance(members, Mapping) and all(
        isinstance(name, str) and _is_member(member, catalog) for name, member in members.items()
    )


def _is_member(value: object, catalog: Catalog) -> bool:
    match value:
        case None | bool() | date() | ChoiceSet():
            return True
        case _:
            return any(fits(value, catalog) for fits in (_is_text, _is_number, _is_reference))


def _is_list(value: object, catalog: Catalog, fits: Callable[[object, Catalog], bool]) -> bool:
    return isinstance(value, list | tuple) and all(fits(item, catalog) for item in value)


_FITS: Final[Mapping[ParameterType, Callable[[object, Catalog], bool]]] = {
    ParameterType.BOOLEAN: lambda value, _: isinstance(value, bool),
    ParameterType.DATE_TIME: lambda value, _: isinstance(value, datetime) and value.tzinfo is not None,
    ParameterType.DECIMAL: _is_number,
    ParameterType.ENTITY: _is_record,
    ParameterType.ENTITY_COLLECTION: partial(_is_list, fits=_is_record),
    ParameterType.ENTITY_REFERENCE: _is_reference,
    ParameterType.FLOAT: _is_number,
    ParameterType.INTEGER: _is_whole,
    ParameterType.MONEY: _is_number,
    ParameterType.PICKLIST: _is_whole,
    ParameterType.STRING: _is_text,
    ParameterType.STRING_ARRAY: partial(_is_list, fits=_is_text),
    ParameterType.GUID: lambda value, _: (
        isinstance(value, UUID) or (isinstance(value, str) and guid(value) is not None)
    ),
}
