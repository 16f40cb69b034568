"""Column definitions: AttributeMetadata and its derived types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from entities.formulas.checking import operands
from entities.formulas.parsing import parse_formula
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
    SourceType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.ids import column_id
from entities.metadata.tables import Table, TableKind
from entities.rollups import rollup_text
from odata_server.edm.definition_values import ENUMS
from odata_server.render.definition_further import Owner, with_further
from odata_server.render.definition_labels import EPOCH, INTRODUCED, Json, label_value, managed

_EARLIEST: Final = "1753-01-01T00:00:00Z"
_LATEST: Final = "9999-12-30T23:59:59Z"
_NVARCHAR_BYTES: Final = 2
_RELATED: Final = 2
_SOURCES: Final[Mapping[SourceType, int]] = {SourceType.SIMPLE: 1, SourceType.CALCULATED: 8, SourceType.ROLLUP: 16}


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """How definitions call a column type: entity type, AttributeType and AttributeTypeName."""

    type_name: str
    code: str
    display: str


_KINDS: Final[Mapping[type[ColumnType], ColumnKind]] = {
    # A GUID has no entity type of its own in Dataverse's answers: such items come without `@odata.type`.
    UniqueIdentifierType: ColumnKind("AttributeMetadata", "Uniqueidentifier", "UniqueidentifierType"),
    StringType: ColumnKind("StringAttributeMetadata", "String", "StringType"),
    MemoType: ColumnKind("MemoAttributeMetadata", "Memo", "MemoType"),
    IntegerType: ColumnKind("IntegerAttributeMetadata", "Integer", "IntegerType"),
    BigIntType: ColumnKind("BigIntAttributeMetadata", "BigInt", "BigIntType"),
    DecimalType: ColumnKind("DecimalAttributeMetadata", "Decimal", "DecimalType"),
    DoubleType: ColumnKind("DoubleAttributeMetadata", "Double", "DoubleType"),
    MoneyType: ColumnKind("MoneyAttributeMetadata", "Money", "MoneyType"),
    BooleanType: ColumnKind("BooleanAttributeMetadata", "Boolean", "BooleanType"),
    DateTimeType: ColumnKind("DateTimeAttributeMetadata", "DateTime", "DateTimeType"),
    ChoiceType: ColumnKind("PicklistAttributeMetadata", "Picklist", "PicklistType"),
    MultiChoiceType: ColumnKind("MultiSelectPicklistAttributeMetadata", "Virtual", "MultiSelectPicklistType"),
    StateType: ColumnKind("StateAttributeMetadata", "State", "StateType"),
    StatusType: ColumnKind("StatusAttributeMetadata", "Status", "StatusType"),
    LookupType: ColumnKind("LookupAttributeMetadata", "Lookup", "LookupType"),
    EntityNameType: ColumnKind("EntityNameAttributeMetadata", "EntityName", "EntityNameType"),
    ManagedPropertyType: ColumnKind("ManagedPropertyAttributeMetadata", "ManagedProperty", "ManagedPropertyType"),
    FileType: ColumnKind("FileAttributeMetadata", "Virtual", "FileType"),
    ImageType: ColumnKind("ImageAttributeMetadata", "Virtual", "ImageType"),
}


def column_kind(type_: ColumnType) -> ColumnKind:
    """Return how definitions call a column type; lookups are called by what they may point to."""
    if isinstance(type_, LookupType):
        name = type_.kind.value
        return ColumnKind("LookupAttributeMetadata", name, f"{name}Type")
    return _KINDS[type(type_)]


def column_values(table: Table, column: Column, number: int) -> Json:
    """Return the properties of a column's definition: the id, primitive ones, then objects.

    Args:
        table: the table it belongs to.
        column: the column.
        number: its place in the table, from 1.
    """
    owner = Owner(column_id(table, column), is_managed=_is_managed(table, column))
    return with_further(plain_column_values(table, column, number), column.further, owner)


def plain_column_values(table: Table, column: Column, number: int) -> Json:
    """Return the properties of a column's definition as they follow from the metadata."""
    kind = column_kind(column.type)
    own = {**_specific(column.type), **_definition(table, column)}
    objects = {name: value for name, value in own.items() if isinstance(value, dict)}
    return {
        "MetadataId": column_id(table, column),
        "HasChanged": None,
        **_primitive(table, column, number, kind),
        **{name: value for name, value in own.items() if name not in objects},
        **_objects(table, column, kind),
        **objects,
    }


def _primitive(table: Table, column: Column, number: int, kind: ColumnKind) -> Json:
    is_key = column.logical_name == table.primary_id
    is_free = column.is_custom and not is_key
    return {
        "AttributeOf": None,
        "AttributeType": kind.code,
        "ColumnNumber": number,
        "DeprecatedVersion": None,
        "IntroducedVersion": INTRODUCED if _is_managed(table, column) else "1.0.0.0",
        "EntityLogicalName": table.logical_name,
        "IsCustomAttribute": column.is_custom,
        "IsPrimaryId": is_key,
        "IsValidODataAttribute": column.valid_for_read,
        "IsPrimaryName": column.logical_name == table.primary_name,
        "IsValidForCreate": column.valid_for_create,
        "IsValidForRead": column.valid_for_read,
        "IsValidForUpdate": column.valid_for_update,
        "CanBeSecuredForRead": column.is_secured or is_free,
        "CanBeSecuredForCreate": column.is_secured or is_free,
        "CanBeSecuredForUpdate": column.is_secured or is_free,
        "IsSecured": column.is_secured,
        "IsRetrievable": column.valid_for_read and not is_free,
        "IsFilterable": column.valid_for_read and not is_free,
        "IsSearchable": column.logical_name == table.primary_name,
        "IsManaged": _is_managed(table, column),
        "LinkedAttributeId": None,
        "LogicalName": column.logical_name,
        "IsValidForForm": not is_key,
        "IsRequiredForForm": False,
        "IsValidForGrid": column.valid_for_read,
        "SchemaName": column.schema_name,
        "ExternalName": column.external_name,
        "IsLogical": False,
        "IsDataSourceSecret": False,
        "InheritsFrom": None,
        "CreatedOn": EPOCH,
        "ModifiedOn": EPOCH,
        "SourceType": _source_type(table, column),
        "AutoNumberFormat": column.autonumber or ("" if isinstance(column.type, StringType) else None),
    }


def _is_managed(table: Table, column: Column) -> bool:
    """Say whether a column came with the system; those of a table that somebody made did not."""
    return not column.is_custom and not table.is_custom


def _source_type(table: Table, column: Column) -> int | None:
    if column.source_type is not SourceType.SIMPLE:
        return int(column.source_type.value)
    return 0 if table.kind is TableKind.VIRTUAL or column.is_custom else None


def _definition(table: Table, column: Column) -> Json:
    """Return how a calculated or rollup column comes to its values, and from what."""
    if column.formula:
        return {"FormulaDefinition": column.formula, "SourceTypeMask": _sources(table, column.formula)}
    if column.rollup is not None:
        return {"FormulaDefinition": rollup_text(column.rollup), "SourceTypeMask": 0}
    return {}


def _sources(table: Table, formula: str) -> int:
    """Return the flags of what a formula takes values from: the record, a related one, calculated, rolled up."""
    mask = 0
    for operand in operands(parse_formula(formula)):
        own = table.by_name.get(operand.column)
        if operand.lookup or own is None:
            mask |= _RELATED
        else:
            mask |= _SOURCES[own.source_type]
    return mask


def _objects(table: Table, column: Column, kind: ColumnKind) -> Json:
    owner = column_id(table, column)
    is_managed = _is_managed(table, column)
    is_virtual = table.kind is TableKind.VIRTUAL
    return {
        "AttributeTypeName": {"Value": kind.display},
        "Description": label_value(column.description, owner=owner, kind="Description", is_managed=is_managed),
        "DisplayName": label_value(column.display_name, owner=owner, kind="DisplayName", is_managed=is_managed),
        "IsAuditEnabled": managed("canmodifyauditsettings", value=not is_virtual, can_change=not is_virtual),
        "IsGlobalFilterEnabled": managed("canmodifyglobalfiltersettings", value=False, can_change=True),
        "IsSortableEnabled": managed("canmodifyissortablesettings", value=False, can_change=True),
        "IsCustomizable": managed("iscustomizable", value=True, can_change=not is_managed),
        "IsRenameable": managed("isrenameable", value=True, can_change=not is_managed),
        "IsValidForAdvancedFind": managed("canmodifysearchsettings", value=column.valid_for_read, can_change=True),
        "RequiredLevel": managed(
            "canmodifyrequirementlevelsettings",
            value=column.required.value,
            can_change=column.required.value != "SystemRequired",
        ),
        "CanModifyAdditionalSettings": managed("canmodifyadditionalsettings", value=True, can_change=not is_managed),
    }


def _specific(type_: ColumnType) -> Json:
    """Return the properties that only a column's own entity type has."""
    match type_:
        case StringType() | MemoType():
            return _text(type_)
        case IntegerType() | BigIntType() | DecimalType() | DoubleType() | MoneyType():
            return _number(type_)
        case ChoiceType() | MultiChoiceType() | StateType() | StatusType() | BooleanType() | EntityNameType():
            return _choice(type_)
        case DateTimeType():
            return _date_time(type_)
        case LookupType(targets=targets):
            return {"Format": "None", "Targets": list(targets)}
        case ManagedPropertyType() | FileType() | ImageType() | UniqueIdentifierType():
            return _rare(type_)
        case _:
            assert_never(type_)


def _text(type_: StringType | MemoType) -> Json:
    if isinstance(type_, MemoType):
        return {
            "Format": "TextArea",
            "ImeMode": "Auto",
            "MaxLength": type_.max_length,
            "IsLocalizable": False,
            "FormatName": {"Value": "TextArea"},
        }
    return {
        "Format": type_.format if type_.format in ENUMS["StringFormat"].members else "Text",
        "ImeMode": "Auto",
        "MaxLength": type_.max_length,
        "YomiOf": None,
        "IsLocalizable": False,
        "DatabaseLength": type_.max_length * _NVARCHAR_BYTES,
        "FormulaDefinition": "",
        "SourceTypeMask": 0,
        "FormatName": {"Value": type_.format},
    }


def _number(type_: IntegerType | BigIntType | DecimalType | DoubleType | MoneyType) -> Json:
    match type_:
        case BigIntType():
            return {"MaxValue": 2**63 - 1, "MinValue": -(2**63)}
        case IntegerType():
            return {
                "Format": "None",
                "MaxValue": type_.maximum,
                "MinValue": type_.minimum,
                "FormulaDefinition": "",
                "SourceTypeMask": 0,
            }
        case MoneyType():
            return {
                **_bounds(type_),
                "PrecisionSource": 2,
                "CalculationOf": None,
                "FormulaDefinition": "",
                "SourceTypeMask": 0,
                "IsBaseCurrency": False,
            }
        case DecimalType():
            return {**_bounds(type_), "FormulaDefinition": "", "SourceTypeMask": 0}
        case DoubleType():
            return _bounds(type_)
        case _:
            assert_never(type_)


def _bounds(type_: DecimalType | DoubleType | MoneyType) -> Json:
    return {
        "MaxValue": type_.maximum if isinstance(type_, DecimalType) else float(type_.maximum),
        "MinValue": type_.minimum if isinstance(type_, DecimalType) else float(type_.minimum),
        "Precision": type_.precision,
        "ImeMode": "Auto",
    }


def _choice(
    type_: ChoiceType | MultiChoiceType | StateType | StatusType | BooleanType | EntityNameType,
) -> Json:
    match type_:
        case BooleanType(default=default):
            return {"DefaultValue": default, "FormulaDefinition": "", "SourceTypeMask": 0}
        case ChoiceType() | MultiChoiceType():
            chosen = type_.default if isinstance(type_, ChoiceType) else None
            return {
                "DefaultFormValue": -1 if chosen is None else chosen,
                "FormulaDefinition": "",
                "SourceTypeMask": 0,
                "ParentPicklistLogicalName": None,
                "ChildPicklistLogicalNames": [],
            }
        case StateType() | StatusType():
            return {"DefaultFormValue": None}
        case EntityNameType():
            return {"DefaultFormValue": None, "IsEntityReferenceStored": False}
        case _:
            assert_never(type_)


def _date_time(type_: DateTimeType) -> Json:
    behavior = "DateOnly" if type_.behavior is DateTimeBehavior.DATE_ONLY else type_.behavior.value
    return {
        "MinSupportedValue": _EARLIEST,
        "MaxSupportedValue": _LATEST,
        "Format": type_.format,
        "ImeMode": "Inactive",
        "SourceTypeMask": 0,
        "FormulaDefinition": "",
        "DateTimeBehavior": {"Value": behavior},
        "CanChangeDateTimeBehavior": managed("canchangedatetimebehavior", value=False),
    }


def _rare(type_: ManagedPropertyType | FileType | ImageType | UniqueIdentifierType) -> Json:
    match type_:
        case ManagedPropertyType(managed_property=name):
            return {
                "ManagedPropertyLogicalName": name,
                "ParentComponentType": None,
                "ParentAttributeName": None,
                "ValueAttributeTypeCode": "Boolean",
            }
        case FileType(max_size_kb=size):
            return {"MaxSizeInKB": size}
        case ImageType(max_size_kb=size, stores_full_image=full, is_primary=primary):
            return {
                "IsPrimaryImage": primary,
                "MaxHeight": 144,
                "MaxWidth": 144,
                "MaxSizeInKB": size,
                "CanStoreFullImage": full,
            }
        case UniqueIdentifierType():
            return {}
        case _:
            assert_never(type_)
