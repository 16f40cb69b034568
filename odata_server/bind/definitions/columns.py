"""Columns in request bodies: what all of them have, over the readers of their types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from entities.auto_numbers import is_format
from entities.errors import InvalidArgument
from entities.metadata.columns import Choice, Column, FileType, RequiredLevel, SourceType, StringType
from entities.metadata.tables import Table
from entities.rollups import read_rollup, rollup_text
from odata_server.bind.definitions.checking import Members, checked
from odata_server.bind.definitions.column_types import TypeScope, read_type
from odata_server.bind.definitions.labels import read_further, read_label

ATTRIBUTE: Final = "AttributeMetadata"

KEPT: Final = frozenset(
    (
        *("IsAuditEnabled", "IsGlobalFilterEnabled", "IsSortableEnabled", "IsValidForAdvancedFind", "IsCustomizable"),
        *("IsRenameable", "CanModifyAdditionalSettings", "IsValidForForm", "IsRequiredForForm", "IsValidForGrid"),
        *("ImeMode", "IsLocalizable", "YomiOf", "PrecisionSource", "CanChangeDateTimeBehavior", "CalculationOf"),
        *("ParentPicklistLogicalName", "ChildPicklistLogicalNames", "IsSearchable", "DeprecatedVersion"),
    )
)
"""Properties that are kept as they were given."""
_KEPT_FORMATS: Final = frozenset({"Format", "FormatName"})
"""Formats decide nothing but for text, dates and times."""
_WITH_FORMAT: Final = frozenset({"StringAttributeMetadata", "DateTimeAttributeMetadata"})

_LEVEL: Final = "RequiredLevel"

_Reader: TypeAlias = Callable[[Column, Any], Column]


def read_column(body: object, table: str, choices: Mapping[str, Choice]) -> Column:
    """Return a new column.

    Args:
        body: the JSON of a column's definition.
        table: the logical name of the table that gets it.
        choices: the global choices by name.

    Raises:
        InvalidPayload: it is no definition of a column.
        InvalidArgument: a property has a value that it cannot have.
        RecordNotFound: it names a global choice that does not exist.
    """
    members = checked(body, ATTRIBUTE)
    name = str(members.get("SchemaName", ""))
    type_ = read_type(members, TypeScope(choices, f"{table}_{name}".lower()))
    made = Column(name.lower(), type_, name, is_custom=True)
    if isinstance(type_, FileType):
        made = replace(made, valid_for_create=False, valid_for_update=False)
    return _with_members(made, members)


def changed_column(body: object, table: Table, column: Column) -> Column:
    """Return a column as a whole definition describes it; what the body leaves out stays.

    Args:
        body: the JSON of the definition.
        table: the table that has the column.
        column: the column as it is.

    Raises:
        InvalidPayload: it is no definition of a column.
        InvalidArgument: a property has a value that it cannot have.
    """
    members = checked(body, ATTRIBUTE)
    local = f"{table.logical_name}_{column.logical_name}"
    type_ = read_type(members, TypeScope({}, local, column.type))
    if type(type_) is not type(column.type):
        raise InvalidArgument(
            f"Attribute {column.logical_name} is of another type, which cannot be changed.", code="0x80044354"
        )
    return _with_members(replace(column, type=type_), members)


def _with_members(column: Column, members: Members) -> Column:
    for name, read in _READERS.items():
        if name in members:
            column = read(column, members[name])
    kept = KEPT if members["@odata.type"] in _WITH_FORMAT else KEPT | _KEPT_FORMATS
    column = replace(column, further=read_further(members, kept, column.further))
    return _with_formula(_with_level(column, members), members)


def _with_level(column: Column, members: Members) -> Column:
    """Keep whether the required level may be changed, where a definition says it."""
    if "CanBeChanged" not in members.get("RequiredLevel", {}):
        return column
    kept = {**dict(column.further), _LEVEL: json.dumps({"CanBeChanged": members[_LEVEL]["CanBeChanged"]})}
    return replace(column, further=tuple(kept.items()))


def _with_formula(column: Column, members: Members) -> Column:
    """Return a column with the formula that a definition gives it (Learn: "Calculated and rollup columns").

    Raises:
        InvalidArgument: the source type takes no formula (0x80060425), or it cannot be read (0x80060424).
    """
    source = members.get("SourceType", column.source_type.value)
    if source == SourceType.SIMPLE.value and not column.formula:
        return column
    if source == SourceType.CALCULATED.value:
        formula = members.get("FormulaDefinition") or column.formula
        if not formula:
            raise InvalidArgument(
                f"The {column.logical_name} field has an invalid XAML formula definition.", code="0x80060424"
            )
        return replace(column, formula=formula, valid_for_create=False, valid_for_update=False)
    if source == SourceType.ROLLUP.value:
        text = members.get("FormulaDefinition") or (rollup_text(column.rollup) if column.rollup else "")
        return replace(column, rollup=read_rollup(text), valid_for_create=False, valid_for_update=False)
    raise InvalidArgument("The source of a column's values cannot be changed.", code="0x80060425")


def _set(field: str) -> _Reader:
    def read(column: Column, value: object) -> Column:
        changes: dict[str, Any] = {field: value}
        return replace(column, **changes)

    return read


def _label(field: str) -> _Reader:
    def read(column: Column, value: Members) -> Column:
        changes: dict[str, Any] = {field: read_label(value)}
        return replace(column, **changes)

    return read


def _required(column: Column, value: Members) -> Column:
    """Set the required level; only the system makes columns SystemRequired."""
    level = RequiredLevel(value.get("Value", column.required.value))
    if level is RequiredLevel.SYSTEM and column.required is not RequiredLevel.SYSTEM:
        raise InvalidArgument("The required level SystemRequired cannot be set.")
    if level is not column.required and column.required is RequiredLevel.SYSTEM:
        raise InvalidArgument("The required level of a SystemRequired attribute cannot be changed.")
    return replace(column, required=level)


def _numbered(column: Column, value: str) -> Column:
    """Set the format of automatic numbers; an empty one ends them."""
    if not value:
        return replace(column, autonumber=None)
    if not isinstance(column.type, StringType):
        raise InvalidArgument("Only string attributes have an auto-number format.", code="0x80060884")
    if not is_format(value):
        raise InvalidArgument(f"'{value[:200]}' is not a valid auto-number format.", code="0x80060885")
    return replace(column, autonumber=value)


_READERS: Final[Mapping[str, _Reader]] = {
    "DisplayName": _label("display_name"),
    "Description": _label("description"),
    "RequiredLevel": _required,
    "AutoNumberFormat": _numbered,
    "IsSecured": _set("is_secured"),
    "ExternalName": _set("external_name"),
}
