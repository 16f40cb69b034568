"""What the options of a choice are called in a language: for people to read, and to sort by."""

from __future__ import annotations

from entities.metadata.columns import (
    BooleanType,
    ChoiceType,
    ColumnType,
    MultiChoiceType,
    StateType,
    StatusType,
)
from entities.metadata.labels import ENGLISH
from entities.text import fold


def option_labels(type_: ColumnType, lcid: int = ENGLISH) -> tuple[tuple[int, str], ...]:
    """Return the display texts of option values (0 and 1 for yes/no); empty for columns that are no choice."""
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return tuple((option.value, option.label.text(lcid) or "") for option in choice.options)
        case BooleanType(true_label=yes, false_label=no):
            return ((0, no.text(lcid) or "No"), (1, yes.text(lcid) or "Yes"))
        case StateType(states=states):
            return tuple((state.value, state.label.text(lcid) or "") for state in states)
        case StatusType(statuses=statuses):
            return tuple((status.value, status.label.text(lcid) or "") for status in statuses)
        case _:
            return ()


def has_sorted_labels(type_: ColumnType) -> bool:
    """Say whether FetchXML sorts a column by labels: choices, states and status reasons (Learn: "Order rows")."""
    return isinstance(type_, ChoiceType | StateType | StatusType)


def label_order(type_: ColumnType, lcid: int) -> dict[int, str]:
    """Return what the options of a choice sort by: the labels as text compares."""
    return {value: fold(label) for value, label in option_labels(type_, lcid)}
