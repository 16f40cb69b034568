"""The functions about dependencies (Learn: "Dependency tracking for solution components")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from entities.metadata.declare import derived_id
from entities.pipeline import ExecutionContext, Handler, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.customization.components import Component, ComponentType, component
from entities.standard.customization.dependencies import Dependency, dependencies, dependents, required
from entities.standard.customization.solution_components import SOLUTION_COMPONENT, RootBehavior, solution_named
from entities.standard.identifiers import ACTIVE_SOLUTION
from entities.values import EntityValue, Guid

SYSTEM_SOLUTION: Final = Guid("fd140aad-4df4-11dd-bd17-0019b9312238")
"""The solution of everything that came with the system."""

_PUBLISHED: Final = 2
_TABLE: Final = "dependency"


def dependency_steps() -> tuple[Step, ...]:
    """Return the handlers of these functions."""
    handlers: Mapping[str, Handler] = {
        "RetrieveDependenciesForDelete": retrieve_dependents,
        "RetrieveDependentComponents": retrieve_dependents,
        "RetrieveRequiredComponents": retrieve_required,
        "RetrieveDependenciesForUninstall": retrieve_for_uninstall,
        "RetrieveMissingDependencies": retrieve_missing,
    }
    return tuple(Step(name, None, Stage.MAIN, handler) for name, handler in handlers.items())


def retrieve_dependents(context: ExecutionContext) -> None:
    """Answer with what would be broken without a component.

    Raises:
        InvalidArgument: there is no such component.
    """
    asked = _asked(context)
    found = dependents(context.system, asked.kind, asked.id)
    context.result = {"value": _rows(Dependency(one, asked) for one in found)}


def retrieve_required(context: ExecutionContext) -> None:
    """Answer with what a component needs.

    Raises:
        InvalidArgument: there is no such component.
    """
    asked = _asked(context)
    found = required(context.system, asked.kind, asked.id)
    context.result = {"value": _rows(Dependency(asked, one) for one in found)}


def _asked(context: ExecutionContext) -> Component:
    kind, identifier = context.parameters["ComponentType"], context.parameters["ObjectId"]
    assert isinstance(kind, int)
    return component(context.system, kind, Guid(str(identifier)))


def retrieve_for_uninstall(context: ExecutionContext) -> None:
    """Answer with what is outside of a solution and needs what is in it.

    Raises:
        InvalidArgument: there is no such solution.
    """
    holds = _holds(context)
    found = (one for one in dependencies(context.system) if holds(one.required) and not holds(one.dependent))
    context.result = {"value": _rows(found)}


def retrieve_missing(context: ExecutionContext) -> None:
    """Answer with what a solution needs and has not: parts that are not in every environment.

    Raises:
        InvalidArgument: there is no such solution.
    """
    holds = _holds(context)
    found = (one for one in dependencies(context.system) if holds(one.dependent) and not holds(one.required))
    context.result = {"value": _rows(one for one in found if one.required.is_custom)}


def _holds(context: ExecutionContext) -> Callable[[Component], bool]:
    """Return what tells the components of the named solution; a table that is in it as a whole brings its parts."""
    solution = solution_named(context.system, str(context.parameters["SolutionUniqueName"]))
    columns = ("objectid", "componenttype", "rootcomponentbehavior")
    rows = context.system.records(
        QueryExpression(SOLUTION_COMPONENT, columns, filter=equals("solutionid", Guid(str(solution["solutionid"]))))
    )
    own = {row["objectid"] for row in rows}
    whole = {
        row["objectid"]
        for row in rows
        if row["componenttype"] == ComponentType.ENTITY and row["rootcomponentbehavior"] == RootBehavior.WITH_PARTS
    }
    return lambda one: one.id in own or one.parent in whole


def _rows(found: Iterable[Dependency]) -> list[EntityValue]:
    return [_row(one) for one in dict.fromkeys(found)]


def _row(found: Dependency) -> EntityValue:
    dependent, needed = found.dependent, found.required
    return EntityValue(
        _TABLE,
        {
            "dependencyid": derived_id(_TABLE, dependent.id, needed.id),
            "dependencytype": _PUBLISHED,
            "dependentcomponenttype": dependent.kind,
            "dependentcomponentobjectid": dependent.id,
            "dependentcomponentparentid": dependent.parent,
            "dependentcomponentbasesolutionid": _base_solution(dependent),
            "requiredcomponenttype": needed.kind,
            "requiredcomponentobjectid": needed.id,
            "requiredcomponentparentid": needed.parent,
            "requiredcomponentbasesolutionid": _base_solution(needed),
            "requiredcomponentintroducedversion": 1.0 if needed.is_custom else 5.0,
        },
    )


def _base_solution(found: Component) -> Guid:
    return ACTIVE_SOLUTION if found.is_custom else SYSTEM_SOLUTION
