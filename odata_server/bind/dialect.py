"""The two OData v4 dialects over one engine: how they spell properties, and what they allow.

The Web API names properties by logical name and lookups `_name_value` (Learn: "Web API types and operations");
finance-and-operations names them as declared (`dataAreaId`) and writes choices by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from entities.metadata.columns import (
    Column,
    ColumnType,
    LookupType,
)
from entities.metadata.tables import Table
from odata_server.edm.naming import (
    FINANCE_NAMESPACE,
    WEB_API_NAMESPACE,
    entity_type,
    finance_entity_type,
    finance_options,
    finance_property,
    web_api_property,
)


class Style(Enum):
    """Which service's habits apply."""

    WEB_API = "Web API"
    FINANCE = "finance and operations"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the services.

    `namespace` qualifies types and bound operations, `page_size` is the largest page, `options` the system query
    options that are understood.
    """

    style: Style
    namespace: str
    page_size: int
    options: frozenset[str]


WEB_API: Final = Dialect(
    Style.WEB_API,
    WEB_API_NAMESPACE,
    5000,
    frozenset({"$select", "$expand", "$orderby", "$filter", "$apply", "$top", "$count", "$skiptoken", "$deltatoken"}),
)
FINANCE: Final = Dialect(
    Style.FINANCE,
    FINANCE_NAMESPACE,
    10_000,
    frozenset({"$select", "$expand", "$orderby", "$filter", "$top", "$skip", "$count", "$skiptoken"}),
)


def type_name(dialect: Dialect, table: Table) -> str:
    """Return the qualified name of a table's entity type."""
    return entity_type(table) if dialect.style is Style.WEB_API else finance_entity_type(table)


def property_name(dialect: Dialect, column: Column) -> str:
    """Return the property that shows a column."""
    return finance_property(column) if dialect.style is Style.FINANCE else web_api_property(column)


def column_of(dialect: Dialect, table: Table, name: str) -> Column | None:
    """Return the column that a property shows, None when the type has no such property.

    Args:
        dialect: whose spelling applies.
        table: the table behind the entity type.
        name: the property's name; names are case-sensitive (Learn: "Query data using the Web API").
    """
    if dialect.style is Style.FINANCE:
        return _finance_column(table, name)
    if name.startswith("_") and name.endswith("_value"):
        found = table.by_name.get(name[1:-6])
        if found is not None and isinstance(found.type, LookupType):
            return found
    found = table.by_name.get(name)
    return None if found is None or isinstance(found.type, LookupType) else found


def _finance_column(table: Table, name: str) -> Column | None:
    """Return a column of `/data`, which shows neither row versions nor the GUIDs behind natural keys."""
    found = table.by_name.get(name.lower())
    if found is None or found.schema_name != name or found.logical_name == "versionnumber":
        return None
    is_id = found.logical_name == table.primary_id or isinstance(found.type, LookupType)
    return None if table.natural_key and is_id else found


def option_names(type_: ColumnType) -> Mapping[str, int]:
    """Return the names by which finance-and-operations writes a choice's options, with their values."""
    return {name: value for value, name in finance_options(type_)}
