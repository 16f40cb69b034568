"""A body of the Organization Data Service as one of the Web API, which is then read as such.

    "Name": "x"                                                    "name": "x"
    "PrimaryContactId": {"Id": "…", "LogicalName": "contact"}      "primarycontactid@odata.bind": "contacts(…)"
    "Revenue": {"Value": "100.0"}                                  "revenue": 100.0
    "BirthDate": "/Date(0)/"                                       "birthdate": "1970-01-01"
    "contact_customer_accounts": [{…}, {"__metadata": {"uri": …}}] members of the collection to make, and to relate

States and their reasons cannot be set through this service (MSDN gg334767, "Limitations").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import DataverseError, InvalidArgument, InvalidPayload
from entities.metadata.catalog import LookupNavigation, Navigation
from entities.metadata.columns import Column, LookupType, StateType, StatusType
from entities.metadata.tables import Table
from entities.values import guid
from odata_server.bind.v2.json_values import primitive
from odata_server.bind.v2.translation import Meaning
from odata_server.bind.v2.urls import UrlsOfEntities
from odata_server.edm.v2.names import entity_type, properties
from odata_server.edm.v2.types import COMPLEX_TYPES, MANAGED, REFERENCE, property_type

_METADATA: Final = "__metadata"


@dataclass(frozen=True, slots=True)
class Body:
    """Against what a body is read: the names, and how URLs of entities may look."""

    meaning: Meaning
    urls: UrlsOfEntities


def web_api_members(members: Mapping[str, object], table: Table, body: Body) -> dict[str, object]:
    """Return the members of an entity as the Web API takes them.

    Args:
        members: the decoded JSON object.
        table: the table that it is an entity of.
        body: names and URLs.

    Raises:
        InvalidPayload: an unknown property, or a value of another form than the property's type has.
        InvalidArgument: a state is set.
    """
    found: dict[str, object] = {}
    for name, value in members.items():
        if name == _METADATA:
            _check_type(value, table)
            continue
        column = properties(table).get(name)
        if column is not None:
            found.update(_of_column(name, value, column, table, body))
            continue
        navigation = body.meaning.names.navigations(table).get(name)
        if navigation is None:
            raise invalid(f"The property name '{name}' specified for type '{entity_type(table)}' is not valid.")
        found.update(_of_navigation(value, navigation, body))
    return found


def invalid(text: str) -> InvalidPayload:
    """Return the refusal of a body that cannot be read, in the words of WCF Data Services."""
    return InvalidPayload(f"Error processing request stream. {text}")


def _check_type(value: object, table: Table) -> None:
    named = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or (named is not None and named != entity_type(table)):
        raise invalid(f"The type '{str(named)[:200]}' is not the type '{entity_type(table)}' of the entity set.")


def _of_column(name: str, value: object, column: Column, table: Table, body: Body) -> dict[str, object]:
    if isinstance(column.type, StateType | StatusType):
        raise InvalidArgument(
            f"The property '{name}' cannot be set through this service; use the message SetState, or the Web API."
        )
    type_ = property_type(column.type)
    if type_ == REFERENCE:
        return _of_lookup(name, _members(name, value, type_), column, table, body)
    if type_ not in COMPLEX_TYPES:
        return {column.logical_name: primitive(value, column)}
    members = _members(name, value, type_) if isinstance(value, Mapping) or value is None else {"Value": value}
    if type_ == MANAGED:
        return {column.logical_name: members or None}
    return {column.logical_name: primitive(members.get("Value"), column)}


def _members(name: str, value: object, type_: str) -> Mapping[str, object]:
    """Return the members of a complex value; null is one without any."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid(f"The value of the property '{name}' must be an object of the type '{type_}'.")
    unknown = set(value) - {_METADATA} - {member for member, _ in COMPLEX_TYPES[type_]}
    if unknown:
        raise invalid(f"The property name '{min(unknown)}' specified for type '{type_}' is not valid.")
    return {member: given for member, given in value.items() if member != _METADATA}


def _of_lookup(name: str, members: Mapping[str, object], column: Column, table: Table, body: Body) -> dict[str, object]:
    """Return what sets a lookup: the URL of the record, bound to the navigation property that leads to its table."""
    assert isinstance(column.type, LookupType)
    catalog = body.meaning.names.catalog
    identifier, logical_name = members.get("Id"), members.get("LogicalName")
    navigations = catalog.lookup_navigations(table.logical_name, column.logical_name)
    if not navigations:
        if column.valid_for_create or column.valid_for_update:
            raise invalid(f"The property '{name}' cannot be set.")
        return {}
    if identifier is None:
        return {f"{navigations[0].name}@odata.bind": None}
    if logical_name is None and len(column.type.targets) == 1:
        logical_name = column.type.targets[0]
    target = catalog.tables.get(logical_name) if isinstance(logical_name, str) else None
    key = guid(identifier) if isinstance(identifier, str) else None
    if target is None or target.logical_name not in column.type.targets or key is None:
        raise invalid(
            f"'{name}' needs the Id and the LogicalName of a record: one of {', '.join(column.type.targets)}."
        )
    fitting = [found for found in navigations if found.target == target.logical_name] or navigations
    return {f"{fitting[0].name}@odata.bind": f"{target.entity_set_name}({key})"}


def _of_navigation(value: object, navigation: Navigation, body: Body) -> dict[str, object]:
    """Return what a navigation property brings: entities to make, and URLs of existing ones."""
    match value:
        case {"__deferred": _}:
            return {}
        case {"results": list() as items} | (list() as items) if not isinstance(navigation, LookupNavigation):
            return _of_collection(items, navigation, body)
        case Mapping() if not isinstance(navigation, LookupNavigation):
            return _of_collection([value], navigation, body)
        case None if isinstance(navigation, LookupNavigation):
            return {f"{navigation.name}@odata.bind": None}
        case Mapping() if isinstance(navigation, LookupNavigation):
            url = _existing(value, body)
            if url is not None:
                return {f"{navigation.name}@odata.bind": url}
            return {navigation.name: _nested(value, navigation, body)}
        case _:
            raise invalid(f"The value of the navigation property '{navigation.relationship.schema_name}' is not valid.")


def _of_collection(items: list[object], navigation: Navigation, body: Body) -> dict[str, object]:
    made: list[object] = []
    bound: list[object] = []
    for item in items:
        if not isinstance(item, Mapping):
            raise invalid(f"The value of the navigation property '{navigation.relationship.schema_name}' is not valid.")
        url = _existing(item, body)
        if url is None:
            made.append(_nested(item, navigation, body))
        else:
            bound.append(url)
    found: dict[str, object] = {navigation.name: made} if made else {}
    return {**found, f"{navigation.name}@odata.bind": bound} if bound else found


def _nested(members: Mapping[str, object], navigation: Navigation, body: Body) -> dict[str, object]:
    return web_api_members(members, body.meaning.names.catalog.tables[navigation.target], body)


def _existing(members: Mapping[str, object], body: Body) -> str | None:
    """Return the URL of an entity that is named by its URL alone, None for one that is to be made."""
    match members:
        case {"__metadata": {"uri": str(url)}} if len(members) == 1:
            try:
                return body.urls.web_api_url(url)
            except DataverseError as error:
                raise InvalidPayload(error.message, code=error.code) from error
        case _:
            return None
