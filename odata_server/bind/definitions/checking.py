"""Bodies of definitions, checked against their declared types: names, JSON types, enumerations, at whatever depth.

What passes can be read without a further look: a member has the type that `edm.definition_types` declares, or is null
and then left out. Numbers of enumerations become the names of their members.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from entities.errors import InvalidPayload
from odata_server.bind.json_body import refusal
from odata_server.edm.definition_types import DEFINITIONS, all_navigations, all_properties, is_derived
from odata_server.edm.definition_values import COMPLEX, ENUMS, ComplexType, EnumType, PropertyType
from odata_server.edm.naming import WEB_API_NAMESPACE

Members = Mapping[str, Any]
"""A checked object: its members by name, nulls left out, `@odata.type` as the bare name of its type."""

TYPE: Final = "@odata.type"
_COMPLEX_TWIN: Final = "Complex"
"""Actions take definitions as complex types, which are called after the entity types (`ComplexEntityMetadata`)."""
_BIND: Final = "@odata.bind"
_GUID: Final = re.compile(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?\Z")
_BITS: Final[Mapping[str, int]] = {"Int16": 16, "Int32": 32, "Int64": 64}
_LONGEST: Final = 1_000_000
_LARGEST: Final = Decimal("1e300")


def checked(body: object, declared: str) -> Members:
    """Return the members of a definition that are not null.

    Args:
        body: what the request has.
        declared: the entity type that is expected, without namespace.

    Raises:
        InvalidPayload: it is no object of that type, or of one that derives from it.
    """
    try:
        return _entity(body, declared)
    except _Wrong as error:
        raise refusal(declared, f"Microsoft.OData.ODataException: {error}") from error


class _Wrong(Exception):
    """What is wrong with a body."""


def _entity(value: object, declared: str) -> Members:
    members = _object(value, declared)
    type_name = _type_of(members, declared)
    properties, navigations = all_properties(type_name), all_navigations(type_name)
    found: dict[str, Any] = {TYPE: type_name}
    for name, member in members.items():
        if "@" in name:
            if name.endswith(_BIND):
                found[name] = _bound(name, member, type_name)
        elif member is None and (name in properties or name in navigations):
            continue
        elif name in properties:
            found[name] = _value(name, member, properties[name])
        elif name in navigations:
            navigation = navigations[name]
            if navigation.is_collection:
                found[name] = [_entity(item, navigation.target) for item in _list(name, member)]
            else:
                found[name] = _entity(member, navigation.target)
        else:
            raise _unknown(name, type_name)
    return found


def _type_of(members: Mapping[str, object], declared: str) -> str:
    """Return the type that an object says to be of, the declared one where it says nothing."""
    stated = members.get(TYPE)
    if stated is None:
        return declared
    if not isinstance(stated, str):
        raise _Wrong(f"The value of '{TYPE}' is no text.")
    name = stated.removeprefix("#").removeprefix(f"{WEB_API_NAMESPACE}.")
    if name not in DEFINITIONS:
        name = name.removeprefix(_COMPLEX_TWIN)
    if name not in DEFINITIONS:
        raise _Wrong(f"A type named '{stated[:200]}' could not be resolved by the model.")
    if not is_derived(name, declared):
        raise _Wrong(
            f"A resource with type '{WEB_API_NAMESPACE}.{name}' was found, but it is not assignable to the expected "
            f"type '{WEB_API_NAMESPACE}.{declared}'."
        )
    return name


def _bound(name: str, member: object, type_name: str) -> str:
    navigation = all_navigations(type_name).get(name.removesuffix(_BIND))
    if navigation is None:
        raise _unknown(name.removesuffix(_BIND), type_name)
    if navigation.is_collection or not isinstance(member, str):
        raise _Wrong(f"The value of '{name}' is no URL of one definition.")
    return member


def _unknown(name: str, type_name: str) -> _Wrong:
    return _Wrong(
        f"The property '{name[:200]}' does not exist on type '{WEB_API_NAMESPACE}.{type_name}'. Make sure to only use "
        "property names that are defined by the type."
    )


def _value(name: str, member: object, type_: PropertyType) -> object:
    if type_.is_collection:
        return [_single(name, item, type_.name) for item in _list(name, member)]
    return _single(name, member, type_.name)


def _single(name: str, member: object, type_name: str) -> object:
    if type_name in ENUMS:
        return _enum(name, member, ENUMS[type_name])
    if type_name in COMPLEX:
        return _complex(member, COMPLEX[type_name])
    check = _PRIMITIVES.get(type_name)
    if check is not None and not check(member):
        raise _Wrong(f"Cannot convert the value of '{name}' to the expected type 'Edm.{type_name}'.")
    return member


def _complex(value: object, type_: ComplexType) -> Members:
    members = _object(value, type_.name)
    stated = members.get(TYPE)
    if isinstance(stated, str):
        derived = COMPLEX.get(stated.removeprefix("#").removeprefix(f"{WEB_API_NAMESPACE}."))
        type_ = derived if derived is not None and derived.base == type_.name else type_
    base = COMPLEX[type_.base].properties if type_.base else {}
    properties = {**base, **type_.properties}
    found: dict[str, Any] = {}
    for name, member in members.items():
        if "@" in name:
            continue
        if name not in properties:
            raise _unknown(name, type_.name)
        if member is not None:
            found[name] = _value(name, member, properties[name])
    return found


def _enum(name: str, member: object, enum: EnumType) -> str:
    if isinstance(member, str):
        texts = [text.strip() for text in member.split(",")] if enum.is_flags else [member]
        if all(text in enum.members for text in texts):
            return ",".join(texts)
        member = int(member) if member.isascii() and member.isdecimal() and len(member) < len("1000000") else member
    if isinstance(member, int) and not isinstance(member, bool):
        for text, number in enum.members.items():
            if number == member:
                return text
    shown = str(member)[:100]
    raise _Wrong(f"The value '{shown}' of '{name}' is no member of '{WEB_API_NAMESPACE}.{enum.name}'.")


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _Wrong(f"An object of the type '{WEB_API_NAMESPACE}.{what}' was expected.")
    return value


def _list(name: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _Wrong(f"The value of '{name}' is no array.")
    return value


def _is_whole(bits: int) -> Callable[[object], bool]:
    limit = 2 ** (bits - 1)
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _is_number(value: object) -> bool:
    """Tell numbers that a double can show; whatever is longer is none of the limits of a column."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return False
    number = Decimal(value)
    return number.is_finite() and -_LARGEST < number < _LARGEST


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


_PRIMITIVES: Final[Mapping[str, Callable[[object], bool]]] = {
    "Boolean": lambda value: isinstance(value, bool),
    "String": _is_text,
    "Guid": lambda value: isinstance(value, str) and _GUID.match(value) is not None,
    "DateTimeOffset": _is_text,
    "Decimal": _is_number,
    "Double": _is_number,
    **{name: _is_whole(bits) for name, bits in _BITS.items()},
}


def misfit(declared: str, text: str) -> InvalidPayload:
    """Return the refusal of a definition that its type allows and that means nothing.

    Args:
        declared: the entity type.
        text: why.
    """
    return refusal(declared, f"Microsoft.OData.ODataException: {text}")
