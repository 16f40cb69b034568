"""The views that a new table begins with: its active rows, which open first, and its inactive ones.

Learn: "Understand views": public views are made with each table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from entities.messages import Create
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext
from entities.query import ALL_ROWS
from entities.standard.lookups import first
from entities.standard.queries import View, view_record
from entities.values import Guid


def add_default_views(context: ExecutionContext, table: Table) -> None:
    """Make the views of a new table, in an environment that has views; in a solution they go with the table."""
    system = context.system
    organization = first(system, "organization", ALL_ROWS, "organizationid")
    if organization is None or "savedquery" not in system.catalog.tables:
        return
    for view in _views(table):
        record = view_record(view, Guid(str(organization["organizationid"])))
        caller = replace(context.caller, solution=None)
        system.execute(Create("savedquery", {**record, "ismanaged": False}), caller)


def _views(table: Table) -> Iterator[View]:
    assert table.primary_name is not None
    columns = ((table.primary_name, 300), ("createdon", 125))
    shown = table.plural_name.text() or table.schema_name
    for state, word in enumerate(("Active", "Inactive")):
        yield View(
            f"{word} {shown}"[:200],
            table.logical_name,
            table.object_type_code,
            columns,
            state,
            is_default=state == 0,
            primary_id=table.primary_id,
        )
