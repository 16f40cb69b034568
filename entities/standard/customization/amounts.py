"""What every record of a table that somebody made gets: its amounts in the base currency, and its organization."""

from __future__ import annotations

from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import ALL_ROWS
from entities.standard.customer_rules import convert_amounts
from entities.standard.lookups import first
from entities.values import EntityReference, Guid


def amount_steps() -> tuple[Step, ...]:
    """Return the steps of all tables that somebody made."""
    return (
        Step("Create", None, Stage.PRE_OPERATION, complete_new),
        Step("Update", None, Stage.PRE_OPERATION, complete_changed),
    )


def complete_new(context: ExecutionContext) -> None:
    """Convert the amounts of a new record; one that no user owns belongs to the organization."""
    reference = context.reference
    table = context.system.catalog.tables[reference.table] if reference is not None else None
    if table is None or not table.is_custom:
        return
    if "organizationid" in table.by_name:
        found = first(context.system, "organization", ALL_ROWS, "organizationid")
        if found is not None:
            context.record["organizationid"] = EntityReference("organization", Guid(str(found["organizationid"])))
    convert_amounts(context)


def complete_changed(context: ExecutionContext) -> None:
    """Convert the amounts of a changed record; tables of the system have steps of their own."""
    reference = context.reference
    if reference is not None and context.system.catalog.tables[reference.table].is_custom:
        convert_amounts(context)
