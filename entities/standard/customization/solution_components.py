"""What belongs to a solution: its publisher's prefixes, and rows that say which components are in it.

Learn: "Solution concepts", "Create solutions and publishers", "AddSolutionComponent Action". The Default Solution holds
whatever there is and has no rows of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Create, Written
from entities.pipeline import Operations
from entities.query import both, equals
from entities.standard.customization.components import DEFINITIONS, Component, ComponentType, component
from entities.standard.identifiers import ACTIVE_SOLUTION, DEFAULT_PUBLISHER, DEFAULT_SOLUTION
from entities.standard.lookups import by_id, first, referenced
from entities.values import EntityReference, Guid, Record

SOLUTION_COMPONENT: Final = "solutioncomponent"
SYSTEM_SOLUTIONS: Final = frozenset({DEFAULT_SOLUTION, ACTIVE_SOLUTION})
"""The solutions that every organization has."""

_LOWEST_OPTION_PREFIX: Final = 10_000


class RootBehavior(IntEnum):
    """How much of a table is in a solution (Learn: "SolutionComponent table", RootComponentBehavior)."""

    WITH_PARTS = 0
    WITHOUT_PARTS = 1
    SHELL = 2


def solution_named(system: Operations, unique_name: str) -> Record:
    """Return the solution of a unique name.

    Raises:
        InvalidArgument: there is none (0x80048037).
    """
    found = first(system, "solution", equals("uniquename", unique_name))
    if found is None:
        raise InvalidArgument(f"The solution with the unique name '{unique_name}' does not exist.", code="0x80048037")
    return found


def publisher_of(system: Operations, unique_name: str | None) -> Record:
    """Return the publisher of a solution, that of the Default Solution where none is named.

    Raises:
        InvalidArgument: there is no such solution.
    """
    identifier: Guid | None = DEFAULT_PUBLISHER
    if unique_name:
        identifier = referenced(solution_named(system, unique_name).get("publisherid"))
    return by_id(system, EntityReference("publisher", identifier or DEFAULT_PUBLISHER))


def option_prefix(system: Operations, unique_name: str | None) -> int:
    """Return the first digits of new options' values (Learn: "Create solutions and publishers").

    Raises:
        InvalidArgument: there is no such solution.
    """
    prefix = publisher_of(system, unique_name).get("customizationoptionvalueprefix")
    return prefix if isinstance(prefix, int) else _LOWEST_OPTION_PREFIX


def add_to_solution(system: Operations, unique_name: str | None, added: Component) -> Guid | None:
    """Put a component into a solution, with the table that it is part of; nothing where none is named.

    Args:
        system: the transaction's operations.
        unique_name: the solution that a header or a parameter names.
        added: the component.

    Returns:
        The id of the row that says so; None where no row is needed.

    Raises:
        InvalidArgument: there is no such solution.
    """
    if not unique_name:
        return None
    solution = Guid(str(solution_named(system, unique_name)["solutionid"]))
    return None if solution in SYSTEM_SOLUTIONS else put_component(system, solution, added)


def put_component(
    system: Operations, solution: Guid, added: Component, behavior: RootBehavior = RootBehavior.WITH_PARTS
) -> Guid:
    """Put a component into a solution that is not one of the system, once; return its row."""
    known = row_of(system, solution, added)
    if known is not None:
        return Guid(str(known["solutioncomponentid"]))
    root = None
    if added.parent is not None and added.kind in DEFINITIONS:
        table = component(system, ComponentType.ENTITY, added.parent)
        root = put_component(system, solution, table, RootBehavior.SHELL)
    record: Record = {
        "solutionid": EntityReference("solution", solution),
        "componenttype": added.kind,
        "objectid": added.id,
        "ismetadata": added.kind in DEFINITIONS,
        "rootcomponentbehavior": int(behavior) if root is None else None,
        "rootsolutioncomponentid": root,
    }
    made = system.execute(Create(SOLUTION_COMPONENT, record))
    assert isinstance(made, Written)
    return made.reference.id


def row_of(system: Operations, solution: Guid, asked: Component) -> Record | None:
    """Return the row that says that a component is in a solution, None where there is none."""
    same = both(equals("objectid", asked.id), equals("componenttype", asked.kind))
    return first(system, SOLUTION_COMPONENT, both(same, equals("solutionid", solution)))
