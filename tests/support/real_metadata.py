"""The $metadata of a real environment, which the declarations are held against."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from sales_tables import COLUMNS_OF_OTHERS, PAIR_TABLES, SALES_TABLES

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    Column,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    ImageType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    StringType,
    UniqueIdentifierType,
)

_METADATA = Path(
    os.environ.get(
        "TALENTVERSE_METADATA", Path(__file__).parents[3] / "shared" / "data" / "dataverse-v9.1-metadata.xml"
    )
)
EDM = {"e": "http://docs.oasis-open.org/odata/ns/edm"}

# Later than the v9.1 $metadata that the declarations are held against, or of a later solution.
NEWER_COLUMNS = {("role", "description"), ("pluginassembly", "packageid"), *COLUMNS_OF_OTHERS}
NEWER_TABLES = {
    *("attributemap", "entitymap", "mserp_financeandoperationsentity"),
    *("backgroundoperation", "pluginpackage"),
    *("customapi", "customapirequestparameter", "customapiresponseproperty"),
    *SALES_TABLES,
    *PAIR_TABLES,
}

# The columns that all activities have, and the id of users and teams, stand on their base types there.
_BASE_TYPES = ("principal", "activitypointer")

_TYPES = {
    StringType: "Edm.String",
    MemoType: "Edm.String",
    EntityNameType: "Edm.String",
    BigIntType: "Edm.Int64",
    BooleanType: "Edm.Boolean",
    DecimalType: "Edm.Decimal",
    MoneyType: "Edm.Decimal",
    DoubleType: "Edm.Double",
    UniqueIdentifierType: "Edm.Guid",
    ImageType: "Edm.Binary",
    LookupType: "Edm.Guid",
    ManagedPropertyType: "mscrm.BooleanManagedProperty",
}


def edm_property(column: Column) -> tuple[str, str]:
    name = f"_{column.logical_name}_value" if isinstance(column.type, LookupType) else column.logical_name
    if isinstance(column.type, DateTimeType):
        date_only = column.type.behavior is DateTimeBehavior.DATE_ONLY
        return name, "Edm.Date" if date_only else "Edm.DateTimeOffset"
    return name, _TYPES.get(type(column.type), "Edm.Int32")


@cache
def real_metadata():
    if not _METADATA.exists():
        pytest.skip(f"the v9.1 $metadata is not here ({_METADATA}); name it in TALENTVERSE_METADATA")
    return etree.parse(_METADATA)


@cache
def _entity_types():
    return {node.get("Name"): node for node in real_metadata().iterfind(".//e:EntityType", EDM)}


def real_types(table: str):
    """Return the type of a table, and the one that it shares columns with."""
    found = _entity_types()[table]
    above = found.get("BaseType").rpartition(".")[2]
    return [found, _entity_types()[above]] if above in _BASE_TYPES else [found]


def real_properties(table: str) -> dict[str, str]:
    """Return the types of the properties of a table by name."""
    return {p.get("Name"): p.get("Type") for node in real_types(table) for p in node.iterfind("e:Property", EDM)}
