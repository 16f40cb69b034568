"""Components that go leave no rows in solutions (Learn: "SolutionComponent table")."""

from __future__ import annotations

from typing import Final

from entities.messages import Delete
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import Filter, QueryExpression, both, equals
from entities.standard.customization.components import SOLUTION_AWARE, find, row_kind
from entities.standard.customization.solution_components import SOLUTION_COMPONENT
from entities.values import EntityReference, Guid, Record

_DELETIONS: Final = ("DeleteEntity", "DeleteAttribute", "DeleteRelationship", "DeleteEntityKey", "DeleteOptionSet")


def sweeping_steps() -> tuple[Step, ...]:
    """Return what follows the deletion of definitions and of rows that are components."""
    return (
        *(Step(name, None, Stage.POST_OPERATION, forget_definitions) for name in _DELETIONS),
        *(Step("Delete", table, Stage.POST_OPERATION, forget_row) for table in sorted(SOLUTION_AWARE)),
    )


def forget_definitions(context: ExecutionContext) -> None:
    """Delete the rows about definitions that are not there any more."""
    system = context.system
    for row in _rows(system, equals("ismetadata", value=True)):
        kind, identifier = row["componenttype"], Guid(str(row["objectid"]))
        assert isinstance(kind, int)
        if find(system, kind, identifier) is None:
            _delete(system, row)


def forget_row(context: ExecutionContext) -> None:
    """Delete the rows about a row that is gone."""
    reference, system = context.reference, context.system
    if reference is None:
        return
    kind = row_kind(system.catalog.tables[reference.table])
    for row in _rows(system, both(equals("objectid", reference.id), equals("componenttype", kind))):
        _delete(system, row)


def _rows(system: Operations, condition: Filter) -> tuple[Record, ...]:
    columns = ("solutioncomponentid", "componenttype", "objectid")
    return system.records(QueryExpression(SOLUTION_COMPONENT, columns, filter=condition))


def _delete(system: Operations, row: Record) -> None:
    system.execute(Delete(EntityReference(SOLUTION_COMPONENT, Guid(str(row["solutioncomponentid"])))))
