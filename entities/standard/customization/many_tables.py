"""Several tables in one message, with the relationships between them and their keys: CreateEntities.

It is what Microsoft's client for Python makes tables with. Tables come first, so that they may lead to one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from entities.errors import InvalidArgument
from entities.messages import Execute
from entities.metadata.columns import Column
from entities.metadata.relationships import OneToMany, Relationship
from entities.metadata.tables import AlternateKey, Table
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.customization.finding import solution_of


@dataclass(frozen=True, slots=True)
class NewTable:
    """A table with what comes with it: relationships, one-to-many ones with their lookups, and keys."""

    table: Table
    related: tuple[tuple[Relationship, Column | None], ...] = ()
    keys: tuple[AlternateKey, ...] = ()


def many_tables_steps() -> tuple[Step, ...]:
    """Return the handler of the action."""
    return (Step("CreateEntities", None, Stage.MAIN, create_tables),)


def create_tables(context: ExecutionContext) -> None:
    """Answer CreateEntities: all of `Entities`, or none.

    Raises:
        InvalidArgument: there is none, or one is refused.
        RecordNotFound: one leads to a table that does not exist.
    """
    asked = cast("list[NewTable]", context.parameters["Entities"])
    if not asked:
        raise InvalidArgument("The parameter 'Entities' has no table.")
    solution = {"SolutionUniqueName": solution_of(context)}
    for new in asked:
        _execute(context, "CreateEntity", {"Entity": new.table, **solution})
    for new in asked:
        for relationship, lookup in new.related:
            _relate(context, relationship, lookup, solution)
    for new in asked:
        for key in new.keys:
            _execute(context, "CreateEntityKey", {"EntityName": new.table.logical_name, "EntityKey": key, **solution})


def _relate(
    context: ExecutionContext, relationship: Relationship, lookup: Column | None, solution: Mapping[str, object]
) -> None:
    if isinstance(relationship, OneToMany):
        parameters = {"OneToManyRelationship": relationship, "Lookup": lookup, **solution}
        _execute(context, "CreateOneToMany", parameters)
    else:
        _execute(context, "CreateManyToMany", {"ManyToManyRelationship": relationship, **solution})


def _execute(context: ExecutionContext, name: str, parameters: Mapping[str, object]) -> None:
    context.system.execute(Execute(name, parameters))
