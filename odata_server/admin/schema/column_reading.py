"""Columns of an existing environment's definitions: every type that there is, also those that nobody may create."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from entities.auto_numbers import is_format
from entities.errors import DataverseError, InvalidArgument
from entities.formulas.parsing import parse_formula
from entities.metadata.columns import (
    Choice,
    ChoiceType,
    Column,
    ColumnType,
    EntityNameType,
    LookupKind,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MultiChoiceType,
    RequiredLevel,
    SourceType,
    StateOption,
    StateType,
    StatusOption,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.declare import ACTIVE_INACTIVE, audit_columns, owner_columns, state_and_status
from entities.metadata.labels import Label
from entities.metadata.tables import Table
from entities.rollups import read_rollup
from entities.values import guid
from odata_server.admin.schema.findings import Findings, Json
from odata_server.admin.schema.pruning import pruned
from odata_server.bind.definitions.checking import Members, checked
from odata_server.bind.definitions.choices import read_options
from odata_server.bind.definitions.column_types import TypeScope, read_type
from odata_server.bind.definitions.columns import ATTRIBUTE
from odata_server.bind.definitions.labels import read_label

_PASSED_OVER: Final = frozenset({"Virtual", "CalendarRules", "PartyList"})
"""Kinds without values of their own: they show those of other columns or of other tables."""

_WITH_OPTIONS: Final = frozenset({"Picklist", "MultiSelectPicklist"})
_LONGEST: Final[Mapping[str, int]] = {"String": 4_000, "Memo": 1_048_576}
_MOST_DIGITS: Final[Mapping[str, int]] = {"Decimal": 10, "Double": 5, "Money": 4}
_USUAL_TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    column.logical_name: column.type.targets
    for column in (*audit_columns(), *owner_columns())
    if isinstance(column.type, LookupType)
}
"""Where the lookups lead that every table has; not every file says so."""

_NO_OPTIONS: Final = (
    "The file has no options of the choice.",
    "Expand OptionSet of the column's own type in the definitions that you import.",
)


@dataclass(frozen=True, slots=True)
class ColumnScope:
    """What a column is read against.

    Attributes:
        table: the logical name of its table.
        known: the table as it is, None where it is new.
        choices: the global choices by name, those of the file first.
        tables: the names of all tables, those of the file included.
        findings: what is guessed and refused.
    """

    table: str
    known: Table | None
    choices: Mapping[str, Choice]
    tables: frozenset[str]
    findings: Findings


def kind_of(definition: Json) -> str:
    """Return the kind of a column: String, Picklist, MultiSelectPicklist, File, …."""
    match definition.get("AttributeTypeName"):
        case {"Value": str(name)} if name:
            return name.removesuffix("Type")
        case _:
            return str(definition.get("AttributeType") or "")


def read_stored_column(definition: Json, scope: ColumnScope) -> Column | None:
    """Return a column as a definition describes it; None where it holds no values, or cannot be taken.

    Raises:
        DataverseError: the definition is none.
    """
    name, kind = str(definition.get("LogicalName", "")), kind_of(definition)
    before = scope.known.derived(_by_lower_name).get(name.lower()) if scope.known is not None else None
    if not name:
        raise InvalidArgument("A column has no LogicalName.")
    if kind in _PASSED_OVER or (before is None and definition.get("AttributeOf")):
        return before
    members = checked(_clamped(pruned(definition, ATTRIBUTE), kind, name, scope), ATTRIBUTE)
    type_ = _type(definition, members, before, scope)
    if isinstance(type_, LookupType) and definition.get("Targets") and not type_.targets:
        scope.findings.refuse(scope.table, name, "It is a lookup, and no table that it points to is there.")
        return None
    made = before or Column(name, type_, str(definition.get("SchemaName") or name))
    return _with_facets(replace(made, type=type_), definition, members, scope)


def _by_lower_name(table: Table) -> Mapping[str, Column]:
    """Return columns by name in lower case: a metadata document may have written one otherwise."""
    return {column.logical_name.lower(): column for column in table.columns}


def _clamped(definition: Json, kind: str, name: str, scope: ColumnScope) -> Json:
    """Return a definition whose limits are those that columns can be given; a system's own may be wider."""
    longest, digits = _LONGEST.get(kind), _MOST_DIGITS.get(kind)
    length, precision = definition.get("MaxLength"), definition.get("Precision")
    if longest is not None and isinstance(length, int) and not 0 < length <= longest:
        definition = {**definition, "MaxLength": longest}
    if digits is not None and isinstance(precision, int) and precision > digits:
        scope.findings.guess(scope.table, name, f"It has {digits} decimal places, for {precision}.")
        definition = {**definition, "Precision": digits}
    if definition.get("DateTimeBehavior") == {"Value": "DateOnly"}:
        definition = {**definition, "Format": "DateOnly"}
    return definition


def _type(definition: Json, members: Members, before: Column | None, scope: ColumnScope) -> ColumnType:
    kind, name = kind_of(definition), str(definition["LogicalName"]).lower()
    own = _OWN.get(kind)
    if own is not None:
        return own(definition, before, scope)
    lacks_options = kind in _WITH_OPTIONS and not (definition.get("OptionSet") or definition.get("GlobalOptionSet"))
    if lacks_options and before is not None and isinstance(before.type, ChoiceType | MultiChoiceType):
        return before.type
    local = f"{scope.table}_{name}"
    if lacks_options:
        scope.findings.guess(scope.table, name, *_NO_OPTIONS)
        choice = Choice(local, ())
        return ChoiceType(choice) if kind == "Picklist" else MultiChoiceType(choice)
    stated = {**members, "OptionSet": _within_range(members["OptionSet"])} if "OptionSet" in members else members
    read = read_type(stated, TypeScope(scope.choices, local))
    return _named_as_before(_as_stated(read, definition, members), before)


def _within_range(option_set: Members) -> Members:
    """Return an option set without the options that nobody may give a choice: systems have some below zero."""
    options = option_set.get("Options")
    if options is None:
        return option_set
    return {**option_set, "Options": [option for option in options if option.get("Value", 0) >= 0]}


def _as_stated(read: ColumnType, definition: Json, members: Members) -> ColumnType:
    """Return a type with what a system's own columns have beyond the limits: lengths, options below zero."""
    length = definition.get("MaxLength")
    match read:
        case StringType() | MemoType() if isinstance(length, int) and length > 0:
            return replace(read, max_length=length)
        case ChoiceType(choice=choice) if not choice.is_global:
            options = {option.value: option for option in choice.options}
            given = members["OptionSet"].get("Options", ()) if "OptionSet" in members else ()
            below = (option for option in given if option.get("Value", 0) < 0)
            for option in below:
                (made,) = read_options({"Options": [{**option, "Value": 0}]})
                options[option["Value"]] = replace(made, value=option["Value"])
            order = [option["Value"] for option in given if "Value" in option] or list(options)
            return replace(read, choice=replace(choice, options=tuple(options[value] for value in order)))
        case _:
            return read


def _named_as_before(read: ColumnType, before: Column | None) -> ColumnType:
    """Return a type whose local choice is called as it was: definitions do not tell that name."""
    old = before.type if before is not None else None
    if isinstance(read, ChoiceType) and isinstance(old, ChoiceType):
        return replace(read, choice=_kept_name(read.choice, old.choice))
    if isinstance(read, MultiChoiceType) and isinstance(old, MultiChoiceType):
        return MultiChoiceType(_kept_name(read.choice, old.choice))
    return read


def _kept_name(read: Choice, old: Choice) -> Choice:
    return read if read.is_global or old.is_global else replace(old, options=read.options)


def _identifier(_definition: Json, _before: Column | None, _scope: ColumnScope) -> ColumnType:
    return UniqueIdentifierType()


def _entity_name(_definition: Json, _before: Column | None, _scope: ColumnScope) -> ColumnType:
    return EntityNameType()


def _managed(definition: Json, _before: Column | None, _scope: ColumnScope) -> ColumnType:
    return ManagedPropertyType(str(definition.get("ManagedPropertyLogicalName") or ""))


def _lookup(definition: Json, before: Column | None, scope: ColumnScope) -> ColumnType:
    """Return a lookup to those tables that are there; how many there are does not change how it is stored."""
    name, kind = str(definition["LogicalName"]).lower(), LookupKind(kind_of(definition))
    usual = _USUAL_TARGETS.get(name, ())
    stated = tuple(str(t).lower() for t in definition.get("Targets") or () if t != "owner") or usual
    if kind is LookupKind.OWNER:
        stated = usual or stated
    targets = tuple(target for target in stated if target in scope.tables)
    if before is None or not isinstance(before.type, LookupType):
        return LookupType(targets, kind)
    further = tuple(target for target in targets if target not in before.type.targets)
    return replace(before.type, targets=before.type.targets + further) if before.type.is_polymorphic else before.type


def _state(definition: Json, before: Column | None, scope: ColumnScope) -> ColumnType:
    options = _options(definition)
    if not options:
        return _known_or_default(definition, before, scope, "statecode")
    states = tuple(
        StateOption(
            int(option["Value"]),
            read_label(option.get("Label") or {}),
            str(option.get("InvariantName") or ""),
            int(option.get("DefaultStatus") or 0),
        )
        for option in options
    )
    return StateType(states)


def _status(definition: Json, before: Column | None, scope: ColumnScope) -> ColumnType:
    options = _options(definition)
    if not options:
        return _known_or_default(definition, before, scope, "statuscode")
    return StatusType(
        tuple(
            StatusOption(int(option["Value"]), read_label(option.get("Label") or {}), int(option.get("State") or 0))
            for option in options
        )
    )


def _options(definition: Json) -> list[Json]:
    found = (definition.get("OptionSet") or definition.get("GlobalOptionSet") or {}).get("Options") or []
    if not all(isinstance(option, dict) and isinstance(option.get("Value"), int) for option in found):
        raise InvalidArgument("An option has no number.")
    return list(found)


def _known_or_default(definition: Json, before: Column | None, scope: ColumnScope, name: str) -> ColumnType:
    if before is not None:
        return before.type
    scope.findings.guess(scope.table, str(definition["LogicalName"]).lower(), *_NO_OPTIONS)
    return next(c.type for c in state_and_status(*ACTIVE_INACTIVE) if c.logical_name == name)


_OWN: Final[Mapping[str, Callable[[Json, Column | None, ColumnScope], ColumnType]]] = {
    "Uniqueidentifier": _identifier,
    "EntityName": _entity_name,
    "ManagedProperty": _managed,
    "Lookup": _lookup,
    "Customer": _lookup,
    "Owner": _lookup,
    "State": _state,
    "Status": _status,
}


def _with_facets(column: Column, definition: Json, members: Members, scope: ColumnScope) -> Column:
    """Return a column with everything that a definition says of columns of any type."""

    def said(name: str, *, current: bool) -> bool:
        value = definition.get(name)
        return value if isinstance(value, bool) else current

    identifier = guid(str(definition.get("MetadataId") or ""))
    level = (definition.get("RequiredLevel") or {}).get("Value")
    made = replace(
        column,
        schema_name=str(definition.get("SchemaName") or column.schema_name),
        display_name=_label(members, "DisplayName", column.display_name),
        description=_label(members, "Description", column.description),
        required=RequiredLevel(level) if level in {known.value for known in RequiredLevel} else column.required,
        valid_for_create=said("IsValidForCreate", current=column.valid_for_create),
        valid_for_update=said("IsValidForUpdate", current=column.valid_for_update),
        valid_for_read=said("IsValidForRead", current=column.valid_for_read),
        is_custom=said("IsCustomAttribute", current=column.is_custom),
        is_secured=said("IsSecured", current=column.is_secured),
        external_name=definition.get("ExternalName") or column.external_name,
        metadata_id=column.metadata_id or identifier,
    )
    return _derived(_numbered(made, definition, scope), definition, scope)


def _label(members: Members, name: str, current: Label) -> Label:
    return read_label(members[name]) if name in members else current


def _numbered(column: Column, definition: Json, scope: ColumnScope) -> Column:
    format_ = definition.get("AutoNumberFormat")
    if not isinstance(format_, str):
        return column
    if format_ and not is_format(format_):
        scope.findings.guess(scope.table, column.logical_name, f"It has no automatic numbers, for '{format_[:100]}'.")
        return column
    return replace(column, autonumber=format_ or None)


def _derived(column: Column, definition: Json, scope: ColumnScope) -> Column:
    """Return a calculated or rollup column; where its definition is not understood, its values can be set."""
    source, text = definition.get("SourceType"), str(definition.get("FormulaDefinition") or "")
    if not source or column.formula == text or column.rollup is not None:
        return column
    try:
        if source == SourceType.ROLLUP.value:
            return replace(column, rollup=read_rollup(text))
        parse_formula(text)
    except DataverseError as error:
        what = f"Its values are not calculated: they can be set. {error.message}"
        scope.findings.guess(scope.table, column.logical_name, what, "Give it a formula that is understood here.")
        return replace(column, valid_for_create=True, valid_for_update=True)
    return replace(column, formula=text)
