"""Amounts in records of tables that somebody made: currency, exchange rate and the amount in the base currency."""

from __future__ import annotations

from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.customer_rules import convert_amounts


def amount_steps() -> tuple[Step, ...]:
    """Return the steps that convert the amounts of any table that came with nobody."""
    return tuple(Step(message, None, Stage.PRE_OPERATION, convert) for message in ("Create", "Update"))


def convert(context: ExecutionContext) -> None:
    """Convert the amounts of a record; tables of the system have steps of their own."""
    reference = context.reference
    if reference is not None and context.system.catalog.tables[reference.table].is_custom:
        convert_amounts(context)
