"""Names of the Organization Data Service as those that the Web API has for the same things.

    PrimaryContactId/Id                  _primarycontactid_value
    IndustryCode/Value                   industrycode
    account_primary_contact/FullName     primarycontactid/fullname

What stands for nothing is refused in the words of WCF Data Services; everything behind the names is the Web API's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest, UnknownName
from entities.metadata.catalog import Navigation
from entities.metadata.columns import Column, LookupType
from entities.metadata.tables import Table
from odata_server.bind.dialect import Dialect, Style
from odata_server.edm.naming import WEB_API_NAMESPACE, web_api_property
from odata_server.edm.v2.names import Names, entity_type, properties
from odata_server.edm.v2.types import COMPLEX_TYPES, REFERENCE, VALUE_MEMBER, property_type
from odata_server.syntax.v2_options import NamePath

PAGE_SIZE: Final = 50
"""Entities of a page, whatever a request says (MSDN gg309461, "Limitations")."""

AS_WEB_API: Final = Dialect(Style.WEB_API, WEB_API_NAMESPACE, PAGE_SIZE, frozenset())
"""How translated names are read: as those of the Web API, in pages of this service."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Against what names are read.

    `is_faithful` refuses what the real service does not have.
    """

    names: Names
    is_faithful: bool = False


def one_level() -> MalformedRequest:
    """Return the refusal of the real service for paths that go further than one navigation property."""
    return MalformedRequest("Only one level of navigation is supported.")


def unknown_property(name: str, table: Table) -> UnknownName:
    """Return the refusal for a property that the type does not have."""
    return UnknownName(f"No property '{name}' exists in type '{entity_type(table)}'.")


def navigation_of(name: str, table: Table, meaning: Meaning) -> Navigation | None:
    """Return a navigation property by its name, None when there is none."""
    return meaning.names.navigations(table).get(name)


def web_api_path(path: NamePath, table: Table, meaning: Meaning) -> NamePath:
    """Return a path to a property as the Web API writes it.

    Args:
        path: navigation properties, a property, and perhaps a member of its complex value.
        table: the table where the path begins.
        meaning: the names.

    Raises:
        UnknownName: a name stands for nothing.
        MalformedRequest: the path leads to something that cannot be compared.
    """
    before: list[str] = []
    for place, name in enumerate(path):
        if meaning.is_faithful and len(before) > 1:
            raise one_level()
        navigation = navigation_of(name, table, meaning)
        if navigation is None:
            column = properties(table).get(name)
            if column is None:
                raise unknown_property(name, table)
            return (*before, *_value_path(column, path[place + 1 :], table, meaning))
        before.append(navigation.name)
        table = meaning.names.catalog.tables[navigation.target]
    raise MalformedRequest(f"The navigation property '{path[-1]}' cannot be compared; compare its key instead.")


def _value_path(column: Column, members: NamePath, table: Table, meaning: Meaning) -> NamePath:
    """Return the path to what a column holds: the value itself, or the member of a complex value that it is."""
    type_ = property_type(column.type)
    if not members:
        if type_ in COMPLEX_TYPES and meaning.is_faithful:
            raise MalformedRequest(
                f"The property '{column.schema_name}' is of the complex type '{type_}': use "
                f"'{column.schema_name}/{VALUE_MEMBER[type_]}'."
            )
        return (web_api_property(column),)
    if len(members) > 1 or members[0] not in dict(COMPLEX_TYPES.get(type_, ())):
        raise UnknownName(f"No property '{members[0]}' exists in type '{type_}'.")
    if members[0] == VALUE_MEMBER[type_]:
        return (web_api_property(column),)
    if type_ == REFERENCE and members[0] == "Name":
        return _name_path(column, table, meaning)
    raise MalformedRequest(f"'{column.schema_name}/{members[0]}' cannot be compared or sorted by.")


def _name_path(column: Column, table: Table, meaning: Meaning) -> NamePath:
    """Return the path to the name of the record that a lookup refers to, where it can only be of one table."""
    catalog = meaning.names.catalog
    found = catalog.lookup_navigations(table.logical_name, column.logical_name)
    is_single = isinstance(column.type, LookupType) and len(column.type.targets) == 1 and len(found) == 1
    target = catalog.tables[found[0].target] if is_single else None
    if target is None or not target.primary_name:
        raise MalformedRequest(f"'{column.schema_name}/Name' cannot be compared or sorted by.")
    return (found[0].name, target.primary_name)
