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
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    LookupType,
    MultiChoiceType,
    Option,
    StateType,
    StatusType,
)
from entities.metadata.tables import Table


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
    "Microsoft.Dynamics.CRM",
    5000,
    frozenset({"$select", "$expand", "$orderby", "$filter", "$apply", "$top", "$count", "$skiptoken", "$deltatoken"}),
)
FINANCE: Final = Dialect(
    Style.FINANCE,
    "Microsoft.Dynamics.DataEntities",
    10_000,
    frozenset({"$select", "$expand", "$orderby", "$filter", "$top", "$skip", "$count", "$skiptoken"}),
)


def type_name(dialect: Dialect, table: Table) -> str:
    """Return the qualified name of a table's entity type."""
    own = table.logical_name if dialect.style is Style.WEB_API else table.schema_name
    return f"{dialect.namespace}.{own}"


def property_name(dialect: Dialect, column: Column) -> str:
    """Return the property that shows a column."""
    if dialect.style is Style.FINANCE:
        return column.schema_name
    return f"_{column.logical_name}_value" if isinstance(column.type, LookupType) else column.logical_name


def column_of(dialect: Dialect, table: Table, name: str) -> Column | None:
    """Return the column that a property shows, None when the type has no such property.

    Args:
        dialect: whose spelling applies.
        table: the table behind the entity type.
        name: the property's name; names are case-sensitive (Learn: "Query data using the Web API").
    """
    if dialect.style is Style.FINANCE:
        named = table.by_name.get(name.lower())
        return named if named is not None and named.schema_name == name else None
    if name.startswith("_") and name.endswith("_value"):
        found = table.by_name.get(name[1:-6])
        if found is not None and isinstance(found.type, LookupType):
            return found
    found = table.by_name.get(name)
    return None if found is None or isinstance(found.type, LookupType) else found


def option_names(type_: ColumnType) -> Mapping[str, int]:
    """Return the names by which finance-and-operations writes a choice's options, with their values.

    Yes/no columns are the enumeration NoYes; an option without external value is named by its label without blanks.
    """
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return {_external(option): option.value for option in choice.options}
        case BooleanType():
            return {"No": 0, "Yes": 1}
        case StateType(states=states):
            return {state.invariant_name: state.value for state in states}
        case StatusType(statuses=statuses):
            return {(status.label.text() or "").replace(" ", ""): status.value for status in statuses}
        case _:
            return {}


def _external(option: Option) -> str:
    return option.external_value or (option.label.text() or str(option.value)).replace(" ", "")
