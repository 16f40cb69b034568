"""A decoded JSON object as a record of a table (Learn: "Create a table row using the Web API").

Lookups are set through navigation properties with `@odata.bind`; other annotations are checked for their form and
ignored; columns that only the server sets are ignored, as Dataverse ignores them. A new record may hold the records
that are made with it, to any depth, and the URLs of existing ones in its collections ("Create related table rows in
one operation", "Associate table rows on create").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, assert_never

from entities.errors import DataverseError, InvalidPayload, MalformedRequest
from entities.messages import Create, RelatedRecords, Target
from entities.metadata.catalog import (
    Catalog,
    CollectionNavigation,
    LookupNavigation,
    ManyToManyNavigation,
    Navigation,
)
from entities.metadata.columns import (
    BooleanType,
    ChoiceType,
    Column,
    DateTimeType,
    LookupKind,
    LookupType,
    StateType,
    StatusType,
)
from entities.metadata.tables import Table
from entities.values import Value
from odata_server.bind.coerce import NoValue, coerce, is_date_only, moment
from odata_server.bind.dialect import Dialect, Style, column_of, option_names, type_name
from odata_server.bind.json_body import refusal
from odata_server.bind.plain_members import plain_values, unreadable
from odata_server.bind.target import RecordUrls, bind_reference

_BIND: Final = "odata.bind"
EMPTY_MOMENT: Final = "1900-01-01T00:00:00Z"
"""What finance-and-operations takes for a date that is not set."""
NO_DIRECT_LOOKUP: Final = (
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
    urls: RecordUrls


@dataclass(slots=True)
class _Draft:
    """A record while it is read: its values, and what comes with it by navigation property.

    `takes_related` says whether it may bring other records.
    """

    table: Table
    payload: Payload
    creates: bool
    updates: bool
    takes_related: bool = False
    record: dict[str, Value] = field(default_factory=dict)
    made: dict[str, tuple[Create, ...]] = field(default_factory=dict)
    bound: dict[str, tuple[Target, ...]] = field(default_factory=dict)

    def read(self, members: Mapping[str, object]) -> None:
        for name, json_value in members.items():
            if "@" in name:
                _annotation(name, json_value, self)
                continue
            column = column_of(self.payload.dialect, self.table, name)
            if column is None:
                _read_navigation(name, json_value, self)
            else:
                _read_column(column, json_value, self)


def bind_new(members: Mapping[str, object], table: Table, payload: Payload) -> Create:
    """Return a body as the record to make, with the records that are made or related with it.

    Args:
        members: the decoded JSON object.
        table: the table it is a record of.
        payload: names and roots.

    Raises:
        InvalidPayload: an unknown property, a wrong type, or a reference that cannot be read.
    """
    record, others = plain_values(members, table, payload.dialect, creates=True, updates=False)
    if not others:
        return Create(table.logical_name, record)
    draft = _Draft(table, payload, creates=True, updates=False, takes_related=True, record=record)
    draft.read(others)
    _check_lookups(draft)
    names = dict.fromkeys((*draft.made, *draft.bound))
    related = tuple(RelatedRecords(name, draft.made.get(name, ()), draft.bound.get(name, ())) for name in names)
    return Create(table.logical_name, draft.record, related)


def bind_record(
    members: Mapping[str, object], table: Table, payload: Payload, *, creates: bool, updates: bool
) -> dict[str, Value]:
    """Return a body as values by column logical name; it holds no other records.

    Args:
        members: the decoded JSON object.
        table: the table it is a record of.
        payload: names and roots.
        creates: whether columns that can be set on create are taken.
        updates: whether columns that can be set on update are taken (both for an upsert).

    Raises:
        InvalidPayload: an unknown property, a wrong type, a reference that cannot be read, or records in the record.
    """
    record, others = plain_values(members, table, payload.dialect, creates=creates, updates=updates)
    if others:
        _Draft(table, payload, creates, updates, record=record).read(others)
    return record


def _read_column(column: Column, json_value: object, draft: _Draft) -> None:
    table, dialect = draft.table, draft.payload.dialect
    if isinstance(column.type, LookupType) and dialect.style is Style.WEB_API:
        raise refusal(table.entity_set_name, f"Microsoft.Crm.CrmException: {NO_DIRECT_LOOKUP}")
    _take(bind_value(json_value, column, table, dialect), column, draft)


def _take(value: Value, column: Column, draft: _Draft) -> None:
    if value is None and column.logical_name == draft.table.primary_id:
        return  # The server chooses the id.
    if (draft.creates and column.valid_for_create) or (draft.updates and column.valid_for_update):
        draft.record[column.logical_name] = value


def bind_value(json_value: object, column: Column, table: Table, dialect: Dialect) -> Value:
    """Return the value of a column for a decoded JSON value.

    Raises:
        InvalidPayload: the JSON value has another type than the column.
    """
    try:
        if dialect.style is Style.FINANCE and isinstance(json_value, str):
            json_value = _finance_text(json_value, column)
        return coerce(json_value, column)
    except NoValue as error:
        raise unreadable(error, table) from error


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
    raise NoValue(f"The string '{text}' is not a valid value of the enumeration for '{column.schema_name}'.")


def _read_navigation(name: str, json_value: object, draft: _Draft) -> None:
    """Read the records that come with a new one; a name that the type does not have is refused."""
    table, payload = draft.table, draft.payload
    navigation = payload.catalog.navigation(table.logical_name, name)
    match navigation, json_value:
        case None, _:
            _refuse_name(name, table, payload)
        case LookupNavigation(), dict():
            _check_nested(name, draft)
            _read_one(navigation, json_value, draft)
        case ((CollectionNavigation() | ManyToManyNavigation()), list()):
            _check_nested(name, draft)
            draft.made[name] = tuple(_nested(navigation, item, draft) for item in json_value)
        case LookupNavigation(), None:
            raise refusal(
                table.entity_set_name, f"Microsoft.Crm.CrmException: '{name}@odata.bind': null clears a lookup."
            )
        case _:
            raise refusal(table.entity_set_name, _NAVIGATION_VALUE)


def _check_nested(name: str, draft: _Draft) -> None:
    if not draft.takes_related:
        raise refusal(
            draft.table.entity_set_name,
            f"Microsoft.OData.ODataException: Deep update of navigation properties is not allowed ('{name}').",
        )


def _read_one(navigation: LookupNavigation, members: Mapping[str, object], draft: _Draft) -> None:
    column = draft.table.by_name[navigation.relationship.referencing_column]
    if isinstance(column.type, LookupType) and column.type.kind is LookupKind.OWNER:
        inner = "Microsoft.OData.ODataException: A record of the abstract type 'principal' cannot be created."
        raise refusal(draft.table.entity_set_name, inner)
    is_filled_by_server = not column.valid_for_create and draft.payload.dialect.style is Style.WEB_API
    if is_filled_by_server and draft.table.source is None:
        return
    draft.made[navigation.name] = (_nested(navigation, members, draft),)


def _check_lookups(draft: _Draft) -> None:
    """Refuse a lookup that is set twice: by two records, or by a record and a URL."""
    given = {name for name, value in draft.record.items() if value is not None}
    for name in draft.made:
        navigation = draft.payload.catalog.navigation(draft.table.logical_name, name)
        if not isinstance(navigation, LookupNavigation):
            continue
        column = navigation.relationship.referencing_column
        if column in given:
            inner = f"Microsoft.OData.ODataException: More than one record is given for the lookup '{column}'."
            raise refusal(draft.table.entity_set_name, inner)
        given.add(column)


def _nested(navigation: Navigation, json_value: object, draft: _Draft) -> Create:
    if not isinstance(json_value, dict):
        raise refusal(draft.table.entity_set_name, _NAVIGATION_VALUE)
    return bind_new(json_value, draft.payload.catalog.tables[navigation.target], draft.payload)


def _refuse_name(name: str, table: Table, payload: Payload) -> NoReturn:
    """Refuse a member whose name the type does not have."""
    raise refusal(
        table.entity_set_name,
        f"Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity "
        f"'{type_name(payload.dialect, table)}'. ---> Microsoft.OData.ODataException: "
        "Does not support untyped value in non-open type.",
    )


def _annotation(name: str, json_value: object, draft: _Draft) -> None:
    """Check an annotation's name; act on `nav@odata.bind` and `@odata.type`, ignore the rest (OData JSON §4.6)."""
    table, payload = draft.table, draft.payload
    owner, _, term = name.partition("@")
    if owner and term == _BIND:
        _bind(owner, json_value, draft)
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


def _bind(name: str, json_value: object, draft: _Draft) -> None:
    table = draft.table
    navigation: Navigation | None = draft.payload.catalog.navigation(table.logical_name, name)
    match navigation:
        case None:
            raise _undeclared(name, table)
        case LookupNavigation():
            _bind_lookup(navigation, json_value, draft)
        case CollectionNavigation() | ManyToManyNavigation():
            draft.bound[name] = _bind_collection(navigation, json_value, draft)
        case _:
            assert_never(navigation)


def _bind_lookup(navigation: LookupNavigation, json_value: object, draft: _Draft) -> None:
    record, column = draft.record, draft.table.by_name[navigation.relationship.referencing_column]
    value = None
    if json_value is not None:
        value = _reference(navigation, json_value, _allowed(navigation, column), draft)
    # The lookups of virtual tables follow from other columns, which the provider changes.
    is_settable = (draft.creates and column.valid_for_create) or (draft.updates and column.valid_for_update)
    if not is_settable and draft.table.source is None:
        return
    # Of several navigation properties over one lookup, the one with a value decides.
    if value is not None or column.logical_name not in record:
        record[column.logical_name] = value


def _bind_collection(
    navigation: CollectionNavigation | ManyToManyNavigation, json_value: object, draft: _Draft
) -> tuple[Target, ...]:
    """Return the existing records that a new one is related to."""
    name, entity_set = navigation.name, draft.table.entity_set_name
    if not draft.takes_related:
        inner = f"Microsoft.OData.ODataException: Deep update of navigation properties is not allowed ('{name}')."
        raise refusal(entity_set, inner)
    if not isinstance(json_value, list):
        inner = f"Microsoft.OData.ODataException: The value of '{name}@odata.bind' must be an array of URLs."
        raise refusal(entity_set, inner)
    return tuple(_reference(navigation, item, (navigation.target,), draft) for item in json_value)


def _reference(navigation: Navigation, json_value: object, allowed: tuple[str, ...], draft: _Draft) -> Target:
    """Return the record, of one of some tables, that a URL names."""
    name, table, payload = navigation.name, draft.table, draft.payload
    if not isinstance(json_value, str):
        raise refusal(
            table.entity_set_name,
            f"Microsoft.OData.ODataException: The value of '{name}@odata.bind' must be the URL of a record.",
        )
    try:
        target = bind_reference(json_value, payload.catalog, payload.dialect, payload.urls)
    except MalformedRequest as error:
        raise refusal(table.entity_set_name, f"Microsoft.OData.ODataException: {error.message}") from error
    except DataverseError as error:
        raise InvalidPayload(error.message, code=error.code) from error
    if target.table not in allowed:
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
