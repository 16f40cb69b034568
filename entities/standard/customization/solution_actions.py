"""The actions that put components into solutions and take them out (Learn: "AddSolutionComponent Action")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import InvalidArgument
from entities.messages import Delete, Update
from entities.pipeline import ExecutionContext, Handler, Operations, Stage, Step
from entities.query import both, equals
from entities.standard.customization.components import Component, ComponentType, component
from entities.standard.customization.dependencies import required
from entities.standard.customization.solution_components import (
    SOLUTION_COMPONENT,
    SYSTEM_SOLUTIONS,
    RootBehavior,
    put_component,
    row_of,
    solution_named,
)
from entities.standard.identifiers import DEFAULT_SOLUTION
from entities.standard.lookups import first
from entities.values import EntityReference, EntityValue, Guid, KeyReference, Record

_ID: Final = "solutioncomponentid"


def solution_action_steps() -> tuple[Step, ...]:
    """Return the handlers of these operations."""
    handlers: Mapping[str, Handler] = {
        "AddSolutionComponent": add_component,
        "RemoveSolutionComponent": remove_component,
        "UpdateSolutionComponent": update_component,
        "IsComponentCustomizable": is_customizable,
    }
    return tuple(Step(name, None, Stage.MAIN, handler) for name, handler in handlers.items())


def add_component(context: ExecutionContext) -> None:
    """Answer AddSolutionComponent with the id of the row that says that the component is in the solution.

    Raises:
        InvalidArgument: there is no such solution or component, or the solution is one of the system (0x8004f00a).
    """
    system = context.system
    solution, added = _own_solution(context), _named(context)
    behavior = RootBehavior.WITH_PARTS
    if context.parameters.get("DoNotIncludeSubcomponents") is True:
        behavior = _behavior(context.parameters.get("IncludedComponentSettingsValues"))
    identifier = put_component(system, solution, added, behavior)
    if added.kind == ComponentType.ENTITY:
        _keep_behavior(system, identifier, behavior)
    if context.parameters.get("AddRequiredComponents") is True:
        for one in _all_required(system, added):
            put_component(system, solution, one, RootBehavior.WITHOUT_PARTS)
    context.result = {"id": identifier}


def _behavior(settings: object) -> RootBehavior:
    """Return how much of a table is in a solution without its parts: nothing of it where no setting is named."""
    return RootBehavior.SHELL if settings == [] else RootBehavior.WITHOUT_PARTS


def _keep_behavior(system: Operations, identifier: Guid, behavior: RootBehavior) -> None:
    record: Record = {"rootcomponentbehavior": int(behavior)}
    system.execute(Update(EntityReference(SOLUTION_COMPONENT, identifier), record))


def _all_required(system: Operations, added: Component) -> tuple[Component, ...]:
    """Return what a component needs, and what that needs, as far as it is not in every environment."""
    found: dict[Component, None] = {}
    waiting = [added]
    while waiting:
        one = waiting.pop()
        for needed in required(system, one.kind, one.id):
            if needed.is_custom and needed not in found and needed != added:
                found[needed] = None
                waiting.append(needed)
    return tuple(found)


def remove_component(context: ExecutionContext) -> None:
    """Answer RemoveSolutionComponent with the id of the row that is gone; a table takes its parts along.

    Raises:
        InvalidArgument: the solution is the default one (0x8004f000) or another one of the system (0x8004f035), or has
            no such component (0x8004f021).
    """
    system, kind = context.system, context.parameters["ComponentType"]
    name = str(context.parameters["SolutionUniqueName"])
    solution = Guid(str(solution_named(system, name)["solutionid"]))
    if solution in SYSTEM_SOLUTIONS:
        word, code = ("Default", "0x8004f000") if solution == DEFAULT_SOLUTION else ("System", "0x8004f035")
        raise InvalidArgument(f"A Solution Component cannot be removed from the {word} Solution.", code=code)
    identifier = _component_id(context.parameters["SolutionComponent"])
    within = both(equals("solutionid", solution), equals("componenttype", _number(kind)))
    row = first(system, SOLUTION_COMPONENT, both(within, equals("objectid", identifier)), _ID)
    row = row or first(system, SOLUTION_COMPONENT, both(within, equals(_ID, identifier)), _ID)
    if row is None:
        raise InvalidArgument(
            f"Cannot find solution component {kind} {identifier} in solution {name}.", code="0x8004f021"
        )
    removed = Guid(str(row[_ID]))
    while (part := first(system, SOLUTION_COMPONENT, equals("rootsolutioncomponentid", removed), _ID)) is not None:
        system.execute(Delete(EntityReference(SOLUTION_COMPONENT, Guid(str(part[_ID])))))
    system.execute(Delete(EntityReference(SOLUTION_COMPONENT, removed)))
    context.result = {"id": removed}


def _component_id(value: object) -> Guid | None:
    """Return the id that the parameter names: of the component, or of the row about it."""
    target = value.target if isinstance(value, EntityValue) else value
    assert not isinstance(target, KeyReference)
    return target.id if isinstance(target, EntityReference) else None


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def update_component(context: ExecutionContext) -> None:
    """Answer UpdateSolutionComponent: of a table without its parts, its settings are in the solution or they are not.

    Raises:
        InvalidArgument: there is no such solution or component, or the component is not in the solution (0x8004f021).
    """
    system, changed = context.system, _named(context)
    row = row_of(system, _own_solution(context), changed)
    if row is None:
        raise InvalidArgument(
            f"Cannot find solution component {changed.kind} {changed.id} in solution "
            f"{context.parameters['SolutionUniqueName']}.",
            code="0x8004f021",
        )
    if changed.kind == ComponentType.ENTITY and row.get("rootcomponentbehavior") != RootBehavior.WITH_PARTS:
        settings = context.parameters.get("IncludedComponentSettingsValues")
        _keep_behavior(system, Guid(str(row[_ID])), _behavior(settings))


def is_customizable(context: ExecutionContext) -> None:
    """Answer IsComponentCustomizable: whatever is there can be changed, but rows that say that they cannot.

    Raises:
        InvalidArgument: there is no such component.
    """
    found = _named(context)
    context.result = {"IsComponentCustomizable": found.is_customizable}


def _named(context: ExecutionContext) -> Component:
    kind, identifier = context.parameters["ComponentType"], context.parameters["ComponentId"]
    return component(context.system, _number(kind), Guid(str(identifier)))


def _own_solution(context: ExecutionContext) -> Guid:
    """Return the named solution, which is none of the system."""
    name = str(context.parameters["SolutionUniqueName"])
    solution = Guid(str(solution_named(context.system, name)["solutionid"]))
    if solution in SYSTEM_SOLUTIONS:
        raise InvalidArgument(f"Restricted solution ({name}) cannot be updated.", code="0x8004f00a")
    return solution
