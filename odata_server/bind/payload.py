"""A decoded JSON object as a record of a table (Learn: "Create a table row using the Web API").

Lookups are set through navigation properties with `@odata.bind`; other annotations are checked for their form and
ignored; columns that only the server sets are ignored, as Dataverse ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, assert_never

from entities.errors import DataverseError, InvalidPayload, MalformedRequest, NotSupported
from entities.metadata.catalog import (
    Catalog,
    CollectionNavigation,
    LookupNavigation,
    ManyToManyNavigation,
    Navigation,
)
from entities.metadata.columns import BooleanType, ChoiceType, Column, DateTimeType, LookupType, StateType, StatusType
from entities.metadata.tables import Table
from entities.values import Value
from odata_server.bind.coerce import coerce, is_date_only, moment
from odata_server.bind.dialect import Dialect, Style, column_of, option_names, type_name
from odata_server.bind.json_body import refusal
from odata_server.bind.target import bind_reference

_BIND: Final = "odata.bind"
EMPTY_MOMENT: Final = "1900-01-01T00:00:00Z"
"""What finance-and-operations takes for a date that is not set."""
_NO_DIRECT_LOOKUP: Final = (
    "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
)
_NAVIGATION_VALUE: Final = (
    "Microsoft.OData.ODataException: A 'PrimitiveValue' node with non-null value was found when trying to read the "
    "value of a navigation property; however, a 'StartArray' node, a 'StartObject' node, or a 'PrimitiveValue' node "
    "with null value was expected."
)


@dataclass(frozen=True, slots=True)
class Payload:
    """Against what a body is read: names of the catalog, and the service roots that its URLs may begin with."""

    catalog: Catalog
    dialect: Dialect
    roots: tuple[str, ...]


def bind_record(
    members: Mapping[str, object], table: Table, payload: Payload, *, creates: bool, updates: bool
) -> dict[str, Value]:
    """Return a body as values by column logical name.

    Args:
        members: the decoded JSON object.
        table: the table it is a record of.
        payload: names and roots.
        creates: whether columns that can be set on create are taken.
        updates: whether columns that can be set on update are taken (both for an upsert).

    Raises:
        InvalidPayload: an unknown property, a wrong type, or a reference that cannot be read.
        NotSupported: nested records.
    """
    record: dict[str, Value] = {}
    for name, json_value in members.items():
        if "@" in name:
            _annotation(name, json_value, table, payload, record)
            continue
        column = column_of(payload.dialect, table, name)
        if column is None:
            _refuse_name(name, json_value, table, payload)
        if isinstance(column.type, LookupType) and payload.dialect.style is Style.WEB_API:
            raise refusal(table.entity_set_name, f"Microsoft.Crm.CrmException: {_NO_DIRECT_LOOKUP}")
        value = _value(json_value, column, table, payload.dialect)
        if (creates and column.valid_for_create) or (updates and column.valid_for_update):
            record[column.logical_name] = value
    return record


def _value(json_value: object, column: Column, table: Table, dialect: Dialect) -> Value:
    try:
        if dialect.style is Style.FINANCE and isinstance(json_value, str):
            json_value = _finance_text(json_value, column)
        return coerce(json_value, column)
    except InvalidPayload as error:
        inner = f"Microsoft.OData.ODataException: {error.message}"
        raise refusal(table.entity_set_name, inner) from error


def _finance_text(text: str, column: Column) -> object:
    """Return what a text of `/data` stands for: a date may come as a moment, a choice comes by name."""
    if isinstance(column.type, DateTimeType):
        if text == EMPTY_MOMENT:
            return None
        return text[:10] if is_date_only(column.type) and moment(text) is not None else text
    if not isinstance(column.type, ChoiceType | BooleanType | StateType | StatusType):
        return text
    names = option_names(column.type)
    for name, value in names.items():
        if name.lower() == text.lower():
            return bool(value) if isinstance(column.type, BooleanType) else value
    raise InvalidPayload(f"The string '{text}' is not a valid value of the enumeration for '{column.schema_name}'.")


def _refuse_name(name: str, json_value: object, table: Table, payload: Payload) -> NoReturn:
    """Refuse a member that is no property: a nested record, or a name the type does not have."""
    navigation = payload.catalog.navigation(table.logical_name, name)
    if navigation is not None and isinstance(json_value, dict | list):
        raise NotSupported(f"Creating related records together with a record (deep insert, '{name}') is not supported.")
    if navigation is not None and json_value is not None:
        raise refusal(table.entity_set_name, _NAVIGATION_VALUE)
    if navigation is not None:
        raise refusal(table.entity_set_name, f"Microsoft.Crm.CrmException: '{name}@odata.bind': null clears a lookup.")
    raise refusal(
        table.entity_set_name,
        f"Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity "
        f"'{type_name(payload.dialect, table)}'. ---> Microsoft.OData.ODataException: "
        "Does not support untyped value in non-open type.",
    )


def _annotation(name: str, json_value: object, table: Table, payload: Payload, record: dict[str, Value]) -> None:
    """Check an annotation's name; act on `nav@odata.bind` and `@odata.type`, ignore the rest (OData JSON §4.6)."""
    owner, _, term = name.partition("@")
    if owner and term == _BIND:
        _bind(owner, json_value, table, payload, record)
        return
    if "." not in term.strip("."):
        raise refusal(
            table.entity_set_name,
            f"System.ArgumentException: '{term}' is an invalid instance annotation name. An instance annotation name "
            "must contain a period that is not at the start or end of the name.",
        )
    if not owner and term == "odata.type":
        _check_type(json_value, table, payload)
    elif owner and not _is_declared(owner, table, payload):
        raise _undeclared(owner, table)


def _check_type(json_value: object, table: Table, payload: Payload) -> None:
    wanted = type_name(payload.dialect, table)
    if not isinstance(json_value, str) or json_value.removeprefix("#") != wanted:
        raise refusal(
            table.entity_set_name,
            f"Microsoft.OData.ODataException: The type '{json_value}' is not the type '{wanted}' of the entity set.",
        )


def _is_declared(name: str, table: Table, payload: Payload) -> bool:
    if column_of(payload.dialect, table, name) is not None:
        return True
    return payload.catalog.navigation(table.logical_name, name) is not None


def _undeclared(name: str, table: Table) -> InvalidPayload:
    # Learn shows this text for a wrong navigation property, without the help link.
    return InvalidPayload(
        f"Error identified in Payload provided by the user for Entity :'{table.entity_set_name}'  ---->  "
        f"InnerException : Microsoft.OData.ODataException: An undeclared property '{name}' which only has property "
        "annotations in the payload but no property value was found in the payload. In OData, only declared navigation "
        "properties and declared named streams can be represented as properties without values."
    )


def _bind(name: str, json_value: object, table: Table, payload: Payload, record: dict[str, Value]) -> None:
    navigation: Navigation | None = payload.catalog.navigation(table.logical_name, name)
    match navigation:
        case None:
            raise _undeclared(name, table)
        case LookupNavigation():
            column = table.by_name[navigation.relationship.referencing_column]
            value = _reference(name, json_value, navigation, column, table, payload)
            # Of several navigation properties over one lookup, the one with a value decides.
            if value is not None or column.logical_name not in record:
                record[column.logical_name] = value
        case CollectionNavigation() | ManyToManyNavigation():
            raise NotSupported(f"'{name}@odata.bind' on a collection-valued navigation property is not supported yet.")
        case _:
            assert_never(navigation)


def _reference(
    name: str, json_value: object, navigation: LookupNavigation, column: Column, table: Table, payload: Payload
) -> Value:
    if json_value is None:
        return None
    if not isinstance(json_value, str):
        raise refusal(
            table.entity_set_name,
            f"Microsoft.OData.ODataException: The value of '{name}@odata.bind' must be the URL of a record.",
        )
    try:
        target = bind_reference(json_value, payload.catalog, payload.dialect, payload.roots)
    except MalformedRequest as error:
        raise refusal(table.entity_set_name, f"Microsoft.OData.ODataException: {error.message}") from error
    except DataverseError as error:
        raise InvalidPayload(error.message, code=error.code) from error
    if target.table not in _allowed(navigation, column):
        raise refusal(
            table.entity_set_name,
            f"Microsoft.OData.ODataException: '{name}' refers to a record of '{navigation.target}', "
            f"not of '{target.table}'.",
        )
    return target


def _allowed(navigation: LookupNavigation, column: Column) -> tuple[str, ...]:
    """Return the tables a navigation property may lead to: its own, or all of the lookup where they share it."""
    if isinstance(column.type, LookupType) and navigation.name == column.logical_name:
        return column.type.targets
    return (navigation.target,)
