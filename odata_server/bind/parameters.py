"""One JSON value as a parameter of a function or action, by the type that the operation declares.

Learn: "Use Web API functions" (records as `{'@odata.id':'…'}`), "Use Web API actions" (records with `@odata.type`).
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NoReturn, cast

from entities.errors import DataverseError, InvalidPayload
from entities.messages import Target
from entities.metadata.tables import Table
from entities.values import EntityReference, EntityValue, Guid, guid
from odata_server.bind.coerce import INT32, INT64, moment
from odata_server.bind.payload import Payload, bind_record
from odata_server.bind.target import bind_reference
from odata_server.edm.definition_values import ComplexType, EnumType, PropertyType
from odata_server.edm.naming import PRINCIPAL, WEB_API_NAMESPACE
from odata_server.edm.operation_list import operation_list
from odata_server.edm.operations import ANY_TABLE

_INT16: Final = 2**15


def typed(json_value: object, type_: PropertyType, name: str, payload: Payload) -> object:
    """Return a parameter's value.

    Args:
        json_value: the decoded JSON value.
        type_: the declared type.
        name: the parameter or property, named in refusals.
        payload: names of the catalog and roots of the service.

    Raises:
        InvalidPayload: the value is not of the type, or null where it must not be.
    """
    if json_value is None:
        if type_.is_nullable:
            return None
        raise InvalidPayload(
            f"A null value was found for the parameter named '{name}', which has the expected type "
            f"'{_shown(type_)}[Nullable=False]'. The expected type '{_shown(type_)}[Nullable=False]' does not allow "
            "null values."
        )
    if not type_.is_collection:
        return _single(json_value, type_, name, payload)
    if not isinstance(json_value, list):
        _refuse(json_value, type_, name)
    one = PropertyType(type_.name, is_nullable=False)
    return [typed(item, one, name, payload) for item in json_value]


def _single(json_value: object, type_: PropertyType, name: str, payload: Payload) -> object:
    listed = operation_list()
    if type_.name in _READERS:
        return _READERS[type_.name](json_value, type_, name)
    if type_.name in listed.enums:
        return _members(json_value, listed.enums[type_.name], name)
    if type_.name in listed.complex_types:
        return _complex(json_value, listed.complex_types[type_.name], name, payload)
    if type_.name == ANY_TABLE or type_.name in payload.catalog.tables:
        return entity_value(json_value, type_.name, name, payload)
    if type_.name in listed.told_types and not isinstance(json_value, dict):
        _refuse(json_value, type_, name)
    return json_value


def _complex(json_value: object, type_: ComplexType, name: str, payload: Payload) -> Mapping[str, object]:
    if not isinstance(json_value, dict):
        _refuse(json_value, PropertyType(type_.name), name)
    found: dict[str, object] = {}
    for member, value in json_value.items():
        if "@" in member:
            continue
        if member not in type_.properties:
            raise InvalidPayload(
                f"The property '{member}' does not exist on type '{WEB_API_NAMESPACE}.{type_.name}'. Make sure to only "
                "use property names that are defined by the type."
            )
        found[member] = typed(value, type_.properties[member], member, payload)
    return found


def _members(json_value: object, enum: EnumType, name: str) -> str:
    """Return the names of an enumeration's members, which may be given by name or number."""
    if isinstance(json_value, int) and not isinstance(json_value, bool):
        names = [member for member, value in enum.members.items() if value == json_value]
        if names:
            return names[0]
    if isinstance(json_value, str):
        given = [word.strip() for word in json_value.split(",")]
        by_value = {str(value): member for member, value in enum.members.items()}
        found = [word if word in enum.members else by_value.get(word) for word in given]
        if all(found) and (enum.is_flags or len(found) == 1):
            return ",".join(cast("list[str]", found))
    return _refuse(json_value, PropertyType(enum.name), name)


def entity_value(json_value: object, declared: str, name: str, payload: Payload) -> Target | EntityValue:
    """Return a record that is given as a parameter: only its name, or with values.

    Args:
        json_value: an object with `@odata.id`, or with `@odata.type` and properties.
        declared: the table that is declared, `crmbaseentity` for any.
        name: the parameter, named in refusals.
        payload: names and roots.

    Raises:
        InvalidPayload: it names no record and no type, or another one than is declared, or a property is unknown.
    """
    if not isinstance(json_value, dict):
        _refuse(json_value, PropertyType(declared), name)
    target = named_record(json_value.get("@odata.id"), name, payload)
    table = record_table(json_value.get("@odata.type"), target, name, payload, declared=declared)
    members = {key: value for key, value in json_value.items() if key not in {"@odata.id", "@odata.type"}}
    if table.base_type == PRINCIPAL and "ownerid" in members:
        members[table.primary_id] = members.pop("ownerid")
    record = bind_record(members, table, payload, creates=True, updates=True)
    identifier = record.pop(table.primary_id, None)
    if target is None and isinstance(identifier, str):
        target = EntityReference(table.logical_name, Guid(identifier))
    return EntityValue(table.logical_name, record, target) if record or target is None else target


def named_record(url: object, name: str, payload: Payload) -> Target | None:
    """Return the record that the annotation `@odata.id` names, None where there is no annotation.

    Raises:
        InvalidPayload: it is no URL of a record.
    """
    if url is None:
        return None
    if not isinstance(url, str):
        raise InvalidPayload(f"The annotation '@odata.id' of '{name}' must be the URL of a record.")
    try:
        return bind_reference(url, payload.catalog, payload.dialect, payload.urls)
    except DataverseError as error:
        raise InvalidPayload(error.message, code=error.code) from error


def record_table(
    type_name: object, target: Target | None, name: str, payload: Payload, *, declared: str, typed: bool = False
) -> Table:
    """Return the table of a record: of its type, of its URL, or the declared one; they must agree.

    Args:
        type_name: the annotation `@odata.type`, None where there is none.
        target: the record that `@odata.id` names.
        name: the parameter, named in refusals.
        payload: names of the catalog.
        declared: the declared table, `crmbaseentity` for any.
        typed: whether the annotation must be there.

    Raises:
        InvalidPayload: they do not agree, or nothing says the type.
    """
    candidates: set[str] = set() if declared == ANY_TABLE else {declared}
    if target is not None:
        candidates.add(target.table)
    if type_name is not None:
        candidates |= {_known_type(type_name, payload)} - {ANY_TABLE}
    if not candidates or (typed and type_name is None):
        raise InvalidPayload(
            f"The annotation '@odata.type' is missing from a record of '{name}', whose declared type is abstract: "
            f"'{WEB_API_NAMESPACE}.{ANY_TABLE}'."
        )
    if len(candidates) > 1:
        shown = ", ".join(f"'{WEB_API_NAMESPACE}.{table}'" for table in sorted(candidates))
        raise InvalidPayload(f"The parameter '{name}' is of more than one type: {shown}.")
    return payload.catalog.tables[candidates.pop()]


def _known_type(type_name: object, payload: Payload) -> str:
    bare = str(type_name).removeprefix("#")
    logical = bare.removeprefix(f"{WEB_API_NAMESPACE}.")
    if logical == bare or logical not in {ANY_TABLE, *payload.catalog.tables}:
        raise InvalidPayload(
            f"A type named '{bare}' could not be resolved by the model. When a model is available, each type name "
            "must resolve to a valid type."
        )
    return logical


def _text(json_value: object, type_: PropertyType, name: str) -> str:
    return json_value if isinstance(json_value, str) else _refuse(json_value, type_, name)


def _guid(json_value: object, type_: PropertyType, name: str) -> Guid:
    found = guid(json_value) if isinstance(json_value, str) else None
    return found or _refuse(json_value, type_, name)


def _boolean(json_value: object, type_: PropertyType, name: str) -> bool:
    return json_value if isinstance(json_value, bool) else _refuse(json_value, type_, name)


def _moment(json_value: object, type_: PropertyType, name: str) -> object:
    found = moment(json_value) if isinstance(json_value, str) else None
    return found or _refuse(json_value, type_, name)


def _integer(json_value: object, type_: PropertyType, name: str) -> int:
    limit = _LIMITS[type_.name]
    if isinstance(json_value, bool) or not isinstance(json_value, int) or not -limit <= json_value < limit:
        _refuse(json_value, type_, name)
    return json_value


def _number(json_value: object, type_: PropertyType, name: str) -> Decimal:
    if isinstance(json_value, bool) or not isinstance(json_value, int | float | Decimal):
        _refuse(json_value, type_, name)
    return Decimal(json_value)


def _binary(json_value: object, type_: PropertyType, name: str) -> bytes:
    try:
        return b64decode(_text(json_value, type_, name), validate=True)
    except (Base64Error, ValueError):
        _refuse(json_value, type_, name)


_LIMITS: Final[Mapping[str, int]] = {"Int16": _INT16, "Int32": INT32, "Int64": INT64}
_READERS: Final[Mapping[str, Callable[[object, PropertyType, str], object]]] = {
    "String": _text,
    "Guid": _guid,
    "Boolean": _boolean,
    "DateTimeOffset": _moment,
    "Int16": _integer,
    "Int32": _integer,
    "Int64": _integer,
    "Decimal": _number,
    "Double": _number,
    "Binary": _binary,
}


def _shown(type_: PropertyType) -> str:
    prefix = "Edm" if type_.name in _READERS else WEB_API_NAMESPACE
    single = f"{prefix}.{type_.name}"
    return f"Collection({single})" if type_.is_collection else single


def _refuse(json_value: object, type_: PropertyType, name: str) -> NoReturn:
    match json_value:
        case dict():
            shown = "{…}"
        case list():
            shown = "[…]"
        case bool():
            shown = str(json_value).lower()
        case _:
            shown = str(json_value)[:200]
    raise InvalidPayload(f"Cannot convert the value '{shown}' of '{name}' to the expected type '{_shown(type_)}'.")
