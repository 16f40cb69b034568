"""Units: a unit group has its base unit from the beginning (Learn: "Unit Group (UoMSchedule) entity")."""

from __future__ import annotations

from decimal import Decimal

from entities.messages import Create
from entities.pipeline import ExecutionContext, Stage, Step


def unit_steps() -> tuple[Step, ...]:
    """Return the step of unit groups."""
    return (Step("Create", "uomschedule", Stage.POST_OPERATION, make_base_unit),)


def make_base_unit(context: ExecutionContext) -> None:
    """Make the base unit of a new unit group that names one."""
    name = context.record.get("baseuomname")
    if name is None or context.reference is None:
        return
    unit = {"name": name, "quantity": Decimal(1), "isschedulebaseuom": True, "uomscheduleid": context.reference}
    context.system.execute(Create("uom", unit), context.caller)
