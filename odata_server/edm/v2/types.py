"""Types of properties in the Organization Data Service: primitive ones, and four complex types.

MSDN, "OData system query options using the REST endpoint" (gg309461), "Use the OData endpoint with web resources"
(gg334767): lookups are `EntityReference`s, choices `OptionSetValue`s, amounts `Money`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
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
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)

NAMESPACE: Final = "Microsoft.Crm.Sdk.Data.Services"
REFERENCE: Final = f"{NAMESPACE}.EntityReference"
OPTION: Final = f"{NAMESPACE}.OptionSetValue"
MONEY: Final = f"{NAMESPACE}.Money"
MANAGED: Final = f"{NAMESPACE}.BooleanManagedProperty"

COMPLEX_TYPES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    MANAGED: (("CanBeChanged", "Edm.Boolean"), ("ManagedPropertyLogicalName", "Edm.String"), ("Value", "Edm.Boolean")),
    REFERENCE: (
        ("Id", "Edm.Guid"),
        ("LogicalName", "Edm.String"),
        ("Name", "Edm.String"),
        ("RowVersion", "Edm.String"),
    ),
    MONEY: (("Value", "Edm.Decimal"),),
    OPTION: (("Value", "Edm.Int32"),),
}
"""The complex types with their members; every member may be null."""

VALUE_MEMBER: Final[Mapping[str, str]] = {REFERENCE: "Id", OPTION: "Value", MONEY: "Value", MANAGED: "Value"}
"""The member of a complex value that a column holds."""


_TYPES: Final[Mapping[type[ColumnType], str]] = {
    UniqueIdentifierType: "Edm.Guid",
    StringType: "Edm.String",
    MemoType: "Edm.String",
    EntityNameType: "Edm.String",
    MultiChoiceType: "Edm.String",
    IntegerType: "Edm.Int32",
    BigIntType: "Edm.Int64",
    DecimalType: "Edm.Decimal",
    DoubleType: "Edm.Double",
    BooleanType: "Edm.Boolean",
    DateTimeType: "Edm.DateTime",
    FileType: "Edm.Guid",
    ImageType: "Edm.Binary",
    LookupType: REFERENCE,
    ChoiceType: OPTION,
    StateType: OPTION,
    StatusType: OPTION,
    MoneyType: MONEY,
    ManagedPropertyType: MANAGED,
}


def property_type(type_: ColumnType) -> str:
    """Return the type of the property that shows a column."""
    return _TYPES[type(type_)]
