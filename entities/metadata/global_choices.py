"""Global choices: what several columns choose from, as one definition (Learn: "Create and edit global option sets")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from entities.metadata.columns import Choice, ChoiceType, Column, MultiChoiceType
from entities.metadata.tables import Table


def global_choices(table: Table) -> Mapping[str, Choice]:
    """Return the global choices that a table's columns bring, by name; use it as `table.derived(global_choices)`."""
    found = (choice_of(column) for column in table.columns)
    return {choice.name: choice for choice in found if choice is not None and choice.is_global}


def choice_of(column: Column) -> Choice | None:
    """Return what a column chooses from, None where it is no choice."""
    match column.type:
        case ChoiceType(choice=choice) | MultiChoiceType(choice=choice):
            return choice
        case _:
            return None


def with_choices(tables: Iterable[Table], choices: Mapping[str, Choice]) -> tuple[Table, ...]:
    """Return those tables, changed, that use one of the global choices in an other form."""
    wanted = ((table, _chosen(table, choices)) for table in tables if uses(table, choices))
    return tuple(replace(table, columns=columns) for table, columns in wanted if columns != table.columns)


def uses(table: Table, names: Iterable[str]) -> bool:
    """Say whether a column of a table chooses from one of these global choices."""
    own = table.derived(global_choices)
    return any(name in own for name in names)


def _chosen(table: Table, choices: Mapping[str, Choice]) -> tuple[Column, ...]:
    return tuple(_with_choice(column, choices) for column in table.columns)


def _with_choice(column: Column, choices: Mapping[str, Choice]) -> Column:
    chosen = choice_of(column)
    wanted = choices.get(chosen.name) if chosen is not None and chosen.is_global else None
    match column.type:
        case ChoiceType() | MultiChoiceType() as type_ if wanted is not None:
            return replace(column, type=replace(type_, choice=wanted))
        case _:
            return column
