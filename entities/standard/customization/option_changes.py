"""Options that come, change, go and change places: what an option action makes of a column's type.

Learn: "Insert, update, delete, and order global choices", "InsertStatusValue Action", "UpdateStateValue Action".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from entities.errors import InvalidArgument
from entities.metadata.columns import (
    BooleanType,
    Choice,
    ChoiceType,
    ColumnType,
    MultiChoiceType,
    Option,
    StateOption,
    StateType,
    StatusOption,
    StatusType,
)
from entities.metadata.labels import Label
from entities.standard.customization.labels import changed_label

AnyOption = TypeVar("AnyOption", Option, StateOption, StatusOption)

_PER_PREFIX: Final = 10_000
_YES: Final = 1


@dataclass(frozen=True, slots=True)
class NewTexts:
    """What an action says about an option; None leaves a thing as it is."""

    label: Label | None = None
    description: Label | None = None
    color: str | None = None
    parent_values: tuple[int, ...] | None = None
    merges: bool = False


def next_value(taken: Sequence[int], prefix: int) -> int:
    """Return the value of a new option: behind the last one that begins with the publisher's prefix.

    Args:
        taken: the values that there are.
        prefix: the publisher's prefix of option values.

    Raises:
        InvalidArgument: none is left (0x8004431f).
    """
    first = prefix * _PER_PREFIX
    block = range(first, first + _PER_PREFIX)
    own = {value for value in taken if value in block}
    after = max(own, default=first - 1) + 1
    if after in block:
        return after
    free = next((value for value in block if value not in own), None)
    if free is None:
        raise InvalidArgument("All available custom option values have been used.", code="0x8004431f")
    return free


def with_option(choice: Choice, value: int, texts: NewTexts) -> Choice:
    """Return a choice with one more option, at its end.

    Raises:
        InvalidArgument: there is an option with this value.
    """
    _check_new(choice.options, value)
    made = Option(value, texts.label or Label(), None, texts.description or Label(), texts.color)
    return replace(choice, options=(*choice.options, replace(made, parent_values=texts.parent_values or ())))


def with_status(type_: StatusType, states: StateType, value: int, state: int, texts: NewTexts) -> StatusType:
    """Return status reasons with one more.

    Args:
        type_: the status reasons there are.
        states: the states of the same table.
        value: the new one's number.
        state: the state it belongs to.
        texts: its label and more.

    Raises:
        InvalidArgument: there is one with this value, or no such state (0x80044322).
    """
    _check_new(type_.statuses, value)
    if state not in {option.value for option in states.states}:
        raise InvalidArgument(
            "The state value that was provided for this new status option does not exist.", code="0x80044322"
        )
    made = StatusOption(value, texts.label or Label(), state, texts.description or Label(), texts.color)
    return StatusType((*type_.statuses, made))


def _check_new(options: Sequence[Option | StatusOption], value: int) -> None:
    if any(option.value == value for option in options):
        raise InvalidArgument(f"An option with the value {value} exists already.")


def updated_choice(choice: Choice, value: int, texts: NewTexts) -> Choice:
    """Return a choice in which an option says something else.

    Raises:
        InvalidArgument: there is no option with this value.
    """
    return replace(choice, options=_with_changed(choice.options, value, lambda option: _choice_option(option, texts)))


def updated(type_: ColumnType, value: int, texts: NewTexts) -> ColumnType:
    """Return a column's type in which an option of its own says something else.

    Raises:
        InvalidArgument: there is no such option, or the column has none (0x80044320).
    """
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return replace(type_, choice=updated_choice(choice, value, texts))
        case StatusType(statuses=statuses):
            return StatusType(_with_changed(statuses, value, lambda option: _with_texts(option, texts)))
        case StateType(states=states):
            return StateType(_with_changed(states, value, lambda option: _with_texts(option, texts)))
        case BooleanType():
            return _updated_boolean(type_, value, texts)
        case _:
            raise no_options()


def no_options() -> InvalidArgument:
    """Return the refusal of an option for a column that has none."""
    return InvalidArgument("You can add option values only to picklist and status attributes.", code="0x80044320")


def _updated_boolean(type_: BooleanType, value: int, texts: NewTexts) -> BooleanType:
    if value not in {0, _YES}:
        raise InvalidArgument("Boolean attribute options must have a value of either 0 or 1.", code="0x8004431c")
    if value == _YES:
        return replace(type_, true_label=changed_label(type_.true_label, texts.label, merges=texts.merges))
    return replace(type_, false_label=changed_label(type_.false_label, texts.label, merges=texts.merges))


def _choice_option(option: Option, texts: NewTexts) -> Option:
    parents = option.parent_values if texts.parent_values is None else texts.parent_values
    return replace(_with_texts(option, texts), parent_values=parents)


def _with_texts(option: AnyOption, texts: NewTexts) -> AnyOption:
    return replace(
        option,
        label=changed_label(option.label, texts.label, merges=texts.merges),
        description=changed_label(option.description, texts.description, merges=texts.merges),
        color=option.color if texts.color is None else texts.color,
    )


def _with_changed(
    options: tuple[AnyOption, ...], value: int, change: Callable[[AnyOption], AnyOption]
) -> tuple[AnyOption, ...]:
    if all(option.value != value for option in options):
        raise _unknown(value)
    return tuple(change(option) if option.value == value else option for option in options)


def _unknown(value: int) -> InvalidArgument:
    return InvalidArgument(f"There is no option with the value {value}.")


def with_state(type_: StateType, statuses: StatusType, value: int, default: int | None, texts: NewTexts) -> StateType:
    """Return states of which one says something else, and has another status reason by default.

    Args:
        type_: the states there are.
        statuses: the status reasons of the same table.
        value: the state that changes.
        default: its new default status reason; None leaves it.
        texts: its label and more.

    Raises:
        InvalidArgument: there is no such state, or the status reason is none of it (0x80048408).
    """
    if default is not None and all((s.value, s.state) != (default, value) for s in statuses.statuses):
        raise InvalidArgument(
            "State code is invalid or state code is valid but status code is invalid for a specified state code.",
            code="0x80048408",
        )

    def change(option: StateOption) -> StateOption:
        kept = option.default_status if default is None else default
        return replace(_with_texts(option, texts), default_status=kept)

    return StateType(_with_changed(type_.states, value, change))


def without_option(choice: Choice, value: int) -> Choice:
    """Return a choice without one of its options; records that have it keep it.

    Raises:
        InvalidArgument: there is no option with this value.
    """
    kept = tuple(option for option in choice.options if option.value != value)
    if len(kept) == len(choice.options):
        raise _unknown(value)
    return replace(choice, options=kept)


def without_status(type_: StatusType, states: StateType, value: int) -> StatusType:
    """Return status reasons without one of them.

    Raises:
        InvalidArgument: there is none with this value, or it is what a state begins with (0x80044341).
    """
    if any(state.default_status == value for state in states.states):
        raise InvalidArgument("Default Status options cannot be deleted.", code="0x80044341")
    kept = tuple(option for option in type_.statuses if option.value != value)
    if len(kept) == len(type_.statuses):
        raise _unknown(value)
    return StatusType(kept)


def in_order(options: tuple[AnyOption, ...], values: Sequence[int]) -> tuple[AnyOption, ...]:
    """Return options in the order of their values.

    Raises:
        InvalidArgument: the values are more or fewer than the options (0x80044324), or others (0x80044325).
    """
    if len(values) != len(options):
        raise InvalidArgument(
            "The array of option values that were provided for reordering does not match the number of options for "
            "the attribute.",
            code="0x80044324",
        )
    by_value = {option.value: option for option in options}
    if set(values) != by_value.keys():
        raise InvalidArgument("The options array is missing a value.", code="0x80044325")
    return tuple(by_value[value] for value in values)
