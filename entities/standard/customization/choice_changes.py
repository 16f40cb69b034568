"""Global choices made, changed and deleted by messages: CreateOptionSet, UpdateOptionSet, DeleteOptionSet.

Learn: "Create and edit global option sets"; their options change through actions of their own.
"""

from __future__ import annotations

from dataclasses import replace

from entities.errors import InvalidArgument, RecordNotFound
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Choice
from entities.metadata.global_choices import uses
from entities.metadata.ids import choice_id
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.standard.customization.components import of_choice
from entities.standard.customization.finding import managed, solution_of
from entities.standard.customization.labels import changed_label
from entities.standard.customization.naming import LONGEST_OTHER, check_name, new_metadata_id
from entities.standard.customization.solution_components import add_to_solution
from entities.standard.customization.system_columns import titled


def choice_steps() -> tuple[Step, ...]:
    """Return the handlers of the messages about global choices."""
    return (
        Step("CreateOptionSet", None, Stage.MAIN, create_choice),
        Step("UpdateOptionSet", None, Stage.MAIN, update_choice),
        Step("DeleteOptionSet", None, Stage.MAIN, delete_choice),
    )


def create_choice(context: ExecutionContext) -> None:
    """Make the global choice `OptionSet`; answers with OptionSetId.

    Raises:
        InvalidArgument: its name is not possible or taken (0x80044345).
    """
    system, asked = context.system, context.parameters["OptionSet"]
    assert isinstance(asked, Choice)
    check_name(system, asked.name, "OptionSet", LONGEST_OTHER)
    if asked.name.lower() in {name.lower() for name in system.catalog.choices}:
        raise InvalidArgument(
            "An OptionSet with the specified name already exists. Please specify a unique name.", code="0x80044345"
        )
    made = replace(
        asked,
        is_global=True,
        is_custom=True,
        display_name=titled(asked.display_name, asked.name),
        metadata_id=new_metadata_id(system, "choice", asked.name),
    )
    system.change_catalog(CatalogChange(choices=(made,)))
    add_to_solution(system, solution_of(context), of_choice(made))
    context.result = {"OptionSetId": choice_id(made)}


def update_choice(context: ExecutionContext) -> None:
    """Change what a global choice is called.

    Raises:
        RecordNotFound: there is no such choice.
    """
    system, asked = context.system, context.parameters["OptionSet"]
    assert isinstance(asked, Choice)
    before = choice_named(system, asked.name)
    merges = context.parameters.get("MergeLabels") is True
    after = replace(
        before,
        display_name=changed_label(before.display_name, asked.display_name, merges=merges),
        description=changed_label(before.description, asked.description, merges=merges),
        external_type_name=asked.external_type_name,
    )
    system.change_catalog(CatalogChange(choices=(after,)))
    add_to_solution(system, solution_of(context), of_choice(after))


def delete_choice(context: ExecutionContext) -> None:
    """Delete the global choice `Name`.

    Raises:
        RecordNotFound: there is no such choice.
        InvalidArgument: it is one of the system (0x8004f032).
        InvalidArgument: columns use it (0x80048417).
    """
    system = context.system
    choice = choice_named(system, str(context.parameters["Name"]))
    if not choice.is_custom:
        raise managed("OptionSet", choice_id(choice), "Delete")
    users = sorted(name for name, table in system.catalog.tables.items() if uses(table, (choice.name,)))
    if users:
        raise InvalidArgument(
            "This option set cannot be deleted. The current set of entities that reference this option set are: "
            f"{', '.join(users)}. These references must be removed before this option set can be deleted",
            code="0x80048417",
        )
    system.change_catalog(CatalogChange(drop_choices=(choice.name,)))


def choice_named(system: Operations, name: str) -> Choice:
    """Return a global choice by its name.

    Raises:
        RecordNotFound: there is none.
    """
    found = system.catalog.choices.get(name)
    if found is None:
        raise RecordNotFound(f"Could not find an OptionSet with Name = '{name}'.")
    return found
