"""The actions on options of columns and of global choices (Learn: "Work with choice columns using the Web API").

A column is named by its table and its own name, a global choice by its name. A column of a global choice stands for
that choice. New values begin with the option value prefix of the publisher of the solution that the request names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from entities.errors import InvalidArgument
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import (
    BooleanType,
    Choice,
    ChoiceType,
    Column,
    ColumnType,
    MultiChoiceType,
    StateType,
    StatusType,
)
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Handler, Operations, Stage, Step
from entities.standard.customization.components import Component, of_choice, of_column
from entities.standard.customization.labels import given_label
from entities.standard.customization.option_changes import (
    NewTexts,
    in_order,
    next_value,
    no_options,
    updated,
    updated_choice,
    with_option,
    with_state,
    with_status,
    without_option,
    without_status,
)
from entities.standard.customization.solution_components import add_to_solution, option_prefix


def option_steps() -> tuple[Step, ...]:
    """Return the handlers of these actions."""
    handlers: Mapping[str, Handler] = {
        "InsertOptionValue": insert_option,
        "InsertStatusValue": insert_status,
        "UpdateOptionValue": update_option,
        "UpdateStateValue": update_state,
        "DeleteOptionValue": delete_option,
        "OrderOption": order_options,
    }
    return tuple(Step(name, None, Stage.MAIN, handler) for name, handler in handlers.items())


@dataclass(frozen=True, slots=True)
class _Of:
    """A column that has options of its own."""

    table: Table
    column: Column


def insert_option(context: ExecutionContext) -> None:
    """Answer InsertOptionValue with the value of the new option.

    Raises:
        InvalidArgument: there is no such choice, it takes no options, has one with this value, or the label is missing.
    """
    target, texts = _target(context), _texts(context, needs_label=True)
    choice = _open_choice(target)
    value = _new_value(context, [option.value for option in choice.options])
    _put_choice(context, target, with_option(choice, value, texts))
    context.result = {"NewOptionValue": value}


def _open_choice(target: Choice | _Of) -> Choice:
    """Return the choice that options can be added to."""
    if isinstance(target, Choice):
        return target
    match target.column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return choice
        case BooleanType():
            raise InvalidArgument("You cannot add an option to a Boolean attribute.", code="0x8004431d")
        case StateType():
            raise InvalidArgument("You cannot add state options to a State attribute.", code="0x8004431e")
        case StatusType():
            raise InvalidArgument("The new status option must have an associated state value.", code="0x80044321")
        case _:
            raise no_options()


def insert_status(context: ExecutionContext) -> None:
    """Answer InsertStatusValue with the value of the new status reason.

    Raises:
        InvalidArgument: the column is no status reason, has this value, or the state does not exist.
    """
    of, texts = _column_target(context), _texts(context, needs_label=True)
    type_, state = of.column.type, context.parameters["StateCode"]
    if not isinstance(type_, StatusType):
        raise no_options()
    value = _new_value(context, [option.value for option in type_.statuses])
    assert isinstance(state, int)
    _put_type(context, of, with_status(type_, _states(of.table), value, state, texts))
    context.result = {"NewOptionValue": value}


def update_option(context: ExecutionContext) -> None:
    """Answer UpdateOptionValue.

    Raises:
        InvalidArgument: there is no such choice or option.
    """
    target, texts, value = _target(context), _texts(context), _value(context)
    if isinstance(target, Choice):
        _put_choice(context, target, updated_choice(target, value, texts))
    else:
        _put_type(context, target, updated(target.column.type, value, texts))


def update_state(context: ExecutionContext) -> None:
    """Answer UpdateStateValue.

    Raises:
        InvalidArgument: the column is no state, has no such one, or the status reason is none of the state.
    """
    of, texts, default = _column_target(context), _texts(context), context.parameters.get("DefaultStatusCode")
    if not isinstance(of.column.type, StateType):
        raise no_options()
    assert default is None or isinstance(default, int)
    _put_type(context, of, with_state(of.column.type, _statuses(of.table), _value(context), default, texts))


def delete_option(context: ExecutionContext) -> None:
    """Answer DeleteOptionValue; records that have the value keep it.

    Raises:
        InvalidArgument: there is no such option, or none of this kind of column can go (0x80044323).
    """
    target, value = _target(context), _value(context)
    if isinstance(target, Choice):
        _put_choice(context, target, without_option(target, value), gone=value)
        return
    type_ = target.column.type
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            _put_type(context, target, _without_default(_with_choice(type_, without_option(choice, value)), value))
        case StatusType():
            _put_type(context, target, without_status(type_, _states(target.table), value))
        case _:
            raise InvalidArgument("You can delete options only from picklist and status attributes.", code="0x80044323")


def order_options(context: ExecutionContext) -> None:
    """Answer OrderOption: the options come in the order of the values.

    Raises:
        InvalidArgument: the values are not those of the options.
    """
    target, values = _target(context), cast("list[int]", context.parameters["Values"])
    if isinstance(target, Choice):
        _put_choice(context, target, replace(target, options=in_order(target.options, values)))
        return
    type_ = target.column.type
    match type_:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            ordered = replace(choice, options=in_order(choice.options, values))
            _put_type(context, target, _with_choice(type_, ordered))
        case StatusType(statuses=statuses):
            _put_type(context, target, StatusType(in_order(statuses, values)))
        case StateType(states=states):
            _put_type(context, target, StateType(in_order(states, values)))
        case _:
            raise no_options()


def _target(context: ExecutionContext) -> Choice | _Of:
    """Return the global choice, or the column with options of its own, that the parameters name."""
    name = context.parameters.get("OptionSetName")
    if not name:
        of = _column_target(context)
        choice = _choice_of(of.column.type)
        return choice if choice is not None and choice.is_global else of
    if context.parameters.get("EntityLogicalName") or context.parameters.get("AttributeLogicalName"):
        raise InvalidArgument("An option belongs either to a global choice or to a column: name one of them.")
    found = context.system.catalog.choices.get(str(name))
    if found is None:
        raise InvalidArgument(f"There is no global choice with the name '{name}'.", code="0x8004024a")
    return found


def _choice_of(type_: ColumnType) -> Choice | None:
    return type_.choice if isinstance(type_, ChoiceType | MultiChoiceType) else None


def _column_target(context: ExecutionContext) -> _Of:
    table_name, column_name = (context.parameters.get(n) for n in ("EntityLogicalName", "AttributeLogicalName"))
    if not table_name or not column_name:
        raise InvalidArgument("Name a global choice (OptionSetName), or a table and a column of it.")
    table = context.system.catalog.tables.get(str(table_name))
    if table is None:
        raise InvalidArgument(
            f"The entity with a name = '{table_name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code="0x80041102",
        )
    column = table.by_name.get(str(column_name))
    if column is None:
        raise InvalidArgument(
            f"'{table.schema_name}' entity doesn't contain attribute with Name = '{column_name}' and NameMapping ="
            " 'Logical'.",
            code="0x80041103",
        )
    return _Of(table, column)


def _value(context: ExecutionContext) -> int:
    value = context.parameters["Value"]
    assert isinstance(value, int)
    return value


def _new_value(context: ExecutionContext, taken: list[int]) -> int:
    given = context.parameters.get("Value")
    if isinstance(given, int):
        return given
    return next_value(taken, option_prefix(context.system, _solution(context)))


def _solution(context: ExecutionContext) -> str | None:
    named = context.parameters.get("SolutionUniqueName")
    return str(named) if named else context.caller.solution


def _texts(context: ExecutionContext, *, needs_label: bool = False) -> NewTexts:
    given = context.parameters
    label, parents = given_label(given.get("Label"), "Label"), given.get("ParentValues")
    if needs_label and (label is None or not label.texts):
        raise InvalidArgument("A new option needs a label: the parameter 'Label' is missing or has no text.")
    color = given.get("Color")
    return NewTexts(
        label,
        given_label(given.get("Description"), "Description"),
        None if color is None else str(color),
        tuple(parents) if isinstance(parents, list) else None,
        merges=bool(given.get("MergeLabels")),
    )


def _states(table: Table) -> StateType:
    return next((c.type for c in table.columns if isinstance(c.type, StateType)), StateType(()))


def _statuses(table: Table) -> StatusType:
    return next((c.type for c in table.columns if isinstance(c.type, StatusType)), StatusType(()))


def _with_choice(type_: ChoiceType | MultiChoiceType, choice: Choice) -> ChoiceType | MultiChoiceType:
    return replace(type_, choice=choice)


def _without_default(type_: ChoiceType | MultiChoiceType, value: int) -> ChoiceType | MultiChoiceType:
    """Return the type without a default value that is no option any more."""
    return replace(type_, default=None) if isinstance(type_, ChoiceType) and type_.default == value else type_


def _put_type(context: ExecutionContext, of: _Of, type_: ColumnType) -> None:
    """Store a column with another type."""
    table = _with_column(of.table, replace(of.column, type=type_))
    context.system.change_catalog(CatalogChange(put=(table,)))
    _add(context, of_column(table, of.column.logical_name))


def _put_choice(context: ExecutionContext, target: Choice | _Of, choice: Choice, gone: int | None = None) -> None:
    """Store a choice, global or of one column.

    Args:
        context: the running action.
        target: what the parameters name.
        choice: the choice as it is to be.
        gone: an option that is no more: columns begin with no value where they began with this one.
    """
    if isinstance(target, Choice):
        put = _beginning_with(context.system, choice, gone)
        context.system.change_catalog(CatalogChange(put=put, choices=(choice,)))
        _add(context, of_choice(choice))
        return
    type_ = target.column.type
    assert isinstance(type_, ChoiceType | MultiChoiceType)
    _put_type(context, target, _with_choice(type_, choice))


def _beginning_with(system: Operations, choice: Choice, gone: int | None) -> tuple[Table, ...]:
    """Return the tables with columns that begin with an option that is no more, without that default."""
    found = []
    for table in system.catalog.tables.values() if gone is not None else ():
        changed = table
        for column in table.columns:
            type_ = column.type
            if isinstance(type_, ChoiceType) and type_.choice.name == choice.name and type_.choice.is_global:
                kept = _without_default(replace(type_, choice=choice), cast("int", gone))
                changed = changed if type_.default != gone else _with_column(changed, replace(column, type=kept))
        if changed is not table:
            found.append(changed)
    return tuple(found)


def _with_column(table: Table, column: Column) -> Table:
    same = column.logical_name
    return replace(table, columns=tuple(column if one.logical_name == same else one for one in table.columns))


def _add(context: ExecutionContext, changed: Component | None) -> None:
    if changed is not None:
        add_to_solution(context.system, _solution(context), changed)
