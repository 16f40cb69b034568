"""Option sets: the choices of columns and the global ones, as definitions write them."""

from __future__ import annotations

from dataclasses import replace

from entities.metadata.columns import (
    BooleanType,
    Choice,
    ChoiceType,
    Column,
    MultiChoiceType,
    Option,
    StateOption,
    StateType,
    StatusOption,
    StatusType,
)
from entities.metadata.declare import derived_id
from entities.metadata.ids import choice_id
from entities.metadata.labels import Label
from entities.metadata.tables import Table
from odata_server.render.definition_labels import INTRODUCED, Json, label_value, managed, option_value


def option_set_values(table: Table, column: Column) -> Json | None:
    """Return the option set of a choice column, None for a column without options."""
    is_custom = column.is_custom or table.is_custom
    name = f"{table.logical_name}_{column.logical_name}"
    local = Choice(name, (), column.display_name, description=column.description)
    owner = derived_id("choice", name)
    match column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            if choice.is_global:
                return choice_values(choice, is_custom=choice.is_custom or column.is_custom)
            named = replace(local, external_type_name=choice.external_type_name)
            return _set_values(named, owner, "Picklist", choice.options, is_custom=is_custom)
        case StateType(states=states):
            return _set_values(local, owner, "State", states, is_custom=is_custom)
        case StatusType(statuses=statuses):
            return _set_values(local, owner, "Status", statuses, is_custom=is_custom)
        case BooleanType(true_label=yes, false_label=no):
            return _boolean_values(local, owner, (yes, no), is_custom=is_custom)
        case _:
            return None


def choice_values(choice: Choice, *, is_custom: bool) -> Json:
    """Return the definition of a global choice."""
    return _set_values(choice, choice_id(choice), "Picklist", choice.options, is_custom=is_custom)


def _set_values(
    choice: Choice,
    owner: str,
    type_name: str,
    options: tuple[Option, ...] | tuple[StateOption, ...] | tuple[StatusOption, ...],
    *,
    is_custom: bool,
) -> Json:
    listed = {"Options": [option_value(option, owner=owner, is_managed=not is_custom) for option in options]}
    names, texts = _names(choice, type_name, is_custom=is_custom), _texts(choice, owner, is_custom=is_custom)
    if choice.is_global:
        return {"ParentOptionSetName": None, **names, **_identity(owner), **listed, **texts}
    return {**_identity(owner), **names, "ParentOptionSetName": None, **texts, **listed}


def _boolean_values(choice: Choice, owner: str, labels: tuple[Label, Label], *, is_custom: bool) -> Json:
    yes, no = (Option(value, text) for value, text in zip((1, 0), labels, strict=True))
    return {
        **_identity(owner),
        **_names(choice, "Boolean", is_custom=is_custom),
        **_texts(choice, owner, is_custom=is_custom),
        "TrueOption": option_value(yes, owner=owner, is_managed=not is_custom),
        "FalseOption": option_value(no, owner=owner, is_managed=not is_custom),
    }


def _identity(owner: str) -> Json:
    return {"MetadataId": owner, "HasChanged": None}


def _names(choice: Choice, type_name: str, *, is_custom: bool) -> Json:
    return {
        "IsCustomOptionSet": is_custom,
        "IsGlobal": choice.is_global,
        "IsManaged": not is_custom,
        "Name": choice.name,
        "ExternalTypeName": choice.external_type_name,
        "OptionSetType": type_name,
        "IntroducedVersion": "1.0.0.0" if is_custom else INTRODUCED,
    }


def _texts(choice: Choice, owner: str, *, is_custom: bool) -> Json:
    return {
        "Description": label_value(choice.description, owner=owner, kind="Description", is_managed=not is_custom),
        "DisplayName": label_value(choice.display_name, owner=owner, kind="DisplayName", is_managed=not is_custom),
        "IsCustomizable": managed("iscustomizable", value=True, can_change=is_custom),
    }
