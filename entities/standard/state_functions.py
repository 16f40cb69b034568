"""IsValidStateTransition: may a record go to a state with a reason? (Learn: "IsValidStateTransition Function")."""

from __future__ import annotations

from entities.errors import InvalidArgument, RecordNotFound
from entities.messages import Retrieve, Rows
from entities.metadata.columns import StateType, StatusType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.values import EntityReference, EntityValue, KeyReference


def state_function_steps() -> tuple[Step, ...]:
    """Return the handler of the function."""
    return (Step("IsValidStateTransition", None, Stage.MAIN, is_valid_state_transition),)


def is_valid_state_transition(context: ExecutionContext) -> None:
    """Answer whether a record can get a state (by its name) together with a status reason (by its value).

    A transition is valid where the reason belongs to the state; tables restrict it no further.

    Raises:
        InvalidArgument: no record is named, or its table has no states.
        RecordNotFound: there is no such record.
    """
    value = context.parameters["Entity"]
    target = value.target if isinstance(value, EntityValue) else value
    if not isinstance(target, EntityReference | KeyReference):
        raise InvalidArgument("The parameter 'Entity' names no record.")
    table = context.system.catalog.tables[target.table]
    states, reasons = _states(table)
    _check_exists(context.system, table, target)
    wanted = {state.value for state in states.states if state.invariant_name == context.parameters["NewState"]}
    of_reason = {reason.state for reason in reasons.statuses if reason.value == context.parameters["NewStatus"]}
    context.result = {"IsValid": bool(wanted & of_reason)}


def _states(table: Table) -> tuple[StateType, StatusType]:
    found = [table.by_name[name].type for name in ("statecode", "statuscode") if name in table.by_name]
    match found:
        case [StateType() as states, StatusType() as reasons]:
            return states, reasons
        case _:
            raise InvalidArgument(f"Records of '{table.logical_name}' have no states.")


def _check_exists(system: Operations, table: Table, target: EntityReference | KeyReference) -> None:
    found = system.execute(Retrieve(target, (table.primary_id,)))
    if isinstance(target, EntityReference) and isinstance(found, Rows) and not found.count:
        raise RecordNotFound(f"Entity '{table.logical_name}' With Id = {target.id} Does Not Exist")
