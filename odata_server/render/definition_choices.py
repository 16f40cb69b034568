"""Option sets: the choices of columns and the global ones, as definitions write them."""

from __future__ import annotations

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
    is_custom = column.is_custom
    local = f"{table.logical_name}_{column.logical_name}"
    owner = derived_id("choice", local)
    match column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            if choice.is_global:
                return choice_values(choice, is_custom=choice.is_custom or is_custom)
            named = Choice(local, choice.options, column.display_name, external_type_name=choice.external_type_name)
            return _set_values(named, owner, "Picklist", choice.options, is_custom=is_custom)
        case StateType(states=states):
            return _set_values(Choice(local, (), column.display_name), owner, "State", states, is_custom=is_custom)
        case StatusType(statuses=statuses):
            return _set_values(Choice(local, (), column.display_name), owner, "Status", statuses, is_custom=is_custom)
        case BooleanType(true_label=yes, false_label=no):
            return _boolean_values(Choice(local, (), column.display_name), owner, (yes, no), is_custom=is_custom)
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
    return {
        **_set_head(choice, owner, type_name, is_custom=is_custom),
        "Options": [option_value(option, owner=owner, is_managed=not is_custom) for option in options],
    }


def _boolean_values(choice: Choice, owner: str, labels: tuple[Label, Label], *, is_custom: bool) -> Json:
    yes, no = (Option(value, text) for value, text in zip((1, 0), labels, strict=True))
    return {
        **_set_head(choice, owner, "Boolean", is_custom=is_custom),
        "TrueOption": option_value(yes, owner=owner, is_managed=not is_custom),
        "FalseOption": option_value(no, owner=owner, is_managed=not is_custom),
    }


def _set_head(choice: Choice, owner: str, type_name: str, *, is_custom: bool) -> Json:
    head: dict[str, object] = {
        "IsCustomOptionSet": is_custom,
        "IsGlobal": choice.is_global,
        "IsManaged": not is_custom,
        "Name": choice.name,
        "ExternalTypeName": choice.external_type_name,
        "OptionSetType": type_name,
        "IntroducedVersion": INTRODUCED,
    }
    if type_name != "Boolean":
        head["ParentOptionSetName"] = None
    return {
        **head,
        "MetadataId": owner,
        "HasChanged": None,
        "Description": label_value(choice.description, owner=owner, kind="Description", is_managed=not is_custom),
        "DisplayName": label_value(choice.display_name, owner=owner, kind="DisplayName", is_managed=not is_custom),
        "IsCustomizable": managed("iscustomizable", value=True),
    }
