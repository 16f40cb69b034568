"""What the rows have in common that are parts of solutions (Learn: "Solution concepts")."""

from __future__ import annotations

from entities.metadata.columns import Column
from entities.metadata.declare import SERVER_SET, choice, date_time, lookup, unique_identifier
from entities.standard.choices import COMPONENT_STATE


def solution_part_columns(primary_id: str) -> tuple[Column, ...]:
    """Declare the columns by which solutions tell the versions of a part.

    Args:
        primary_id: the schema name of the table's id.
    """
    return (
        unique_identifier(f"{primary_id}Unique", "Unique Id", **SERVER_SET),
        unique_identifier("SolutionId", "Solution", **SERVER_SET),
        choice("ComponentState", COMPONENT_STATE, "Component State", **SERVER_SET),
        date_time("OverwriteTime", "Record Overwrite Time", **SERVER_SET),
        lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
    )
