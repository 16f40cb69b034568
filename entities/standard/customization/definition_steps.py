"""The handlers of all messages that make, change and delete definitions."""

from __future__ import annotations

from entities.pipeline import Step
from entities.standard.customization.amounts import amount_steps
from entities.standard.customization.choice_changes import choice_steps
from entities.standard.customization.column_changes import column_steps
from entities.standard.customization.key_changes import key_steps
from entities.standard.customization.new_tables import PrivilegeRows
from entities.standard.customization.relationship_changes import relationship_steps
from entities.standard.customization.table_changes import table_steps


def definition_steps(privileges: PrivilegeRows) -> tuple[Step, ...]:
    """Return the handlers.

    Args:
        privileges: gives the rows of the table `privilege` for tables.
    """
    return (
        *amount_steps(),
        *table_steps(privileges),
        *column_steps(),
        *relationship_steps(),
        *key_steps(),
        *choice_steps(),
    )
