"""How columns and tables are called and typed in the two OData v4 services.

The Web API names properties by logical name and lookups `_name_value` (Learn: "Web API types and operations");
finance-and-operations names them as they are declared (`dataAreaId`) and writes choices by their external names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    Option,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.tables import Table

WEB_API_NAMESPACE: Final = "Microsoft.Dynamics.CRM"
WEB_API_ALIAS: Final = "mscrm"
FINANCE_NAMESPACE: Final = "Microsoft.Dynamics.DataEntities"
NO_YES: Final = "NoYes"
"""The enumeration of every yes/no field of finance-and-operations."""

PRINCIPAL: Final = "principal"
"""The abstract base of systemuser and team: its key is `ownerid`."""


def web_api_property(column: Column) -> str:
    """Return the Web API's property for a column; a lookup shows its GUID as `_name_value`."""
    return f"_{column.logical_name}_value" if isinstance(column.type, LookupType) else column.logical_name


def finance_property(column: Column) -> str:
    """Return the property of `/data` for a column."""
    return column.schema_name


def entity_type(table: Table) -> str:
    """Return the qualified name of a table's entity type in the Web API."""
    return f"{WEB_API_NAMESPACE}.{table.logical_name}"


def finance_entity_type(table: Table) -> str:
    """Return the qualified name of a table's entity type in `/data`."""
    return f"{FINANCE_NAMESPACE}.{table.schema_name}"


_EDM_TYPES: Final[Mapping[type[ColumnType], str]] = {
    UniqueIdentifierType: "Edm.Guid",
    LookupType: "Edm.Guid",
    FileType: "Edm.Guid",
    StringType: "Edm.String",
    MemoType: "Edm.String",
    EntityNameType: "Edm.String",
    MultiChoiceType: "Edm.String",
    IntegerType: "Edm.Int32",
    ChoiceType: "Edm.Int32",
    StateType: "Edm.Int32",
    StatusType: "Edm.Int32",
    BigIntType: "Edm.Int64",
    DecimalType: "Edm.Decimal",
    MoneyType: "Edm.Decimal",
    DoubleType: "Edm.Double",
    BooleanType: "Edm.Boolean",
    DateTimeType: "Edm.DateTimeOffset",
    ManagedPropertyType: f"{WEB_API_ALIAS}.BooleanManagedProperty",
    ImageType: "Edm.Binary",
}


def edm_type(type_: ColumnType) -> str:
    """Return the EDM type of a column in the Web API (Learn: "Web API types and operations", the type map)."""
    if isinstance(type_, DateTimeType) and type_.behavior is DateTimeBehavior.DATE_ONLY:
        return "Edm.Date"
    return _EDM_TYPES[type(type_)]


def finance_type(column: Column) -> str:
    """Return the EDM type of a column in `/data`: choices are enumerations, dates are moments."""
    match column.type:
        case BooleanType():
            return f"{FINANCE_NAMESPACE}.{NO_YES}"
        case ChoiceType() | MultiChoiceType() | StateType() | StatusType():
            return f"{FINANCE_NAMESPACE}.{enum_name(column)}"
        case DateTimeType():
            return "Edm.DateTimeOffset"
        case ManagedPropertyType():
            return "Edm.Boolean"
        case _:
            return edm_type(column.type)


def enum_name(column: Column) -> str:
    """Return the enumeration that a choice column of `/data` is of: the choice's external type, else its own name."""
    match column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return choice.external_type_name or (choice.name if choice.is_global else column.schema_name)
        case BooleanType():
            return NO_YES
        case _:
            return column.schema_name


def finance_options(type_: ColumnType) -> tuple[tuple[int, str], ...]:
    """Return the names by which `/data` writes option values; empty for columns that are no choice.

    An option without external value is named by its label without blanks.
    """
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return tuple((option.value, _external(option)) for option in choice.options)
        case BooleanType():
            return ((0, "No"), (1, "Yes"))
        case StateType(states=states):
            return tuple((state.value, state.invariant_name) for state in states)
        case StatusType(statuses=statuses):
            return tuple((s.value, (s.label.text() or str(s.value)).replace(" ", "")) for s in statuses)
        case _:
            return ()


def _external(option: Option) -> str:
    return option.external_value or (option.label.text() or str(option.value)).replace(" ", "")


def key_columns(table: Table) -> tuple[str, ...]:
    """Return the columns of a table's OData key in `/data`: the natural key, the primary id where there is none."""
    return table.natural_key or (table.primary_id,)


def finance_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns that `/data` shows, the key's first, then in declaration order."""
    key = key_columns(table)
    shown = tuple(c for c in table.columns if c.valid_for_read and not _is_internal(table, c))
    first = tuple(table.by_name[name] for name in key)
    return first + tuple(column for column in shown if column.logical_name not in key)


def _is_internal(table: Table, column: Column) -> bool:
    """Say whether `/data` leaves a column out: row versions, and GUIDs where rows are named by natural key."""
    if column.logical_name == "versionnumber":
        return True
    return bool(table.natural_key) and (column.logical_name == table.primary_id or isinstance(column.type, LookupType))


def readable_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns that the Web API shows, in declaration order."""
    return tuple(column for column in table.columns if column.valid_for_read)


def columns_of_rows(table: Table) -> tuple[Column, ...]:
    """Return the columns that a row shows where none is chosen: images must be asked for.

    Learn: "Use image column data" (ColumnSet.AllColumns leaves them out).
    """
    return tuple(column for column in readable_columns(table) if not isinstance(column.type, ImageType))
