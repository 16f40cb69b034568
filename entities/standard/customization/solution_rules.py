"""What solutions must be, which of them nobody changes, and rows that a request puts into one.

Learn: "Create solutions and publishers", "MSCRM.SolutionUniqueName". All solutions are unmanaged here: one that is
deleted leaves its components where they are.
"""

from __future__ import annotations

import re
from typing import Final

from entities.errors import InvalidArgument
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import equals
from entities.standard.customization.components import SOLUTION_AWARE, Component, row_kind
from entities.standard.customization.solution_components import SYSTEM_SOLUTIONS, add_to_solution
from entities.standard.identifiers import ACTIVE_SOLUTION, DEFAULT_SOLUTION
from entities.standard.lookups import by_id, first
from entities.values import EntityReference

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_VERSION: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}", re.ASCII)
_RESTRICTED: Final = frozenset({"active", "basic", "default", "system"})


def solution_steps() -> tuple[Step, ...]:
    """Return the rules of solutions."""
    return (
        Step("Create", "solution", Stage.PRE_OPERATION, check_new_solution),
        Step("Update", "solution", Stage.PRE_OPERATION, check_solution),
        Step("Delete", "solution", Stage.PRE_OPERATION, keep_system_solutions),
        *(Step("Create", table, Stage.POST_OPERATION, put_into_solution) for table in sorted(SOLUTION_AWARE)),
    )


def check_new_solution(context: ExecutionContext) -> None:
    """Check a new solution, and say since when it is there; those of the system come with the organization.

    Raises:
        InvalidArgument: its name has another form (0x8004f002), is restricted (0x8004f022) or taken (0x8004f023), its
            version is none (0x8004f01e), or nobody may publish with its publisher (0x8004f034).
    """
    record = context.record
    if context.reference is not None and context.reference.id in SYSTEM_SOLUTIONS:
        return
    name = str(record.get("uniquename") or "")
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            "Invalid character specified for solution unique name. Only characters within the ranges [A-Z], [a-z], "
            "[0-9] or _ are allowed. The first character may only be in the ranges [A-Z], [a-z] or _.",
            code="0x8004f002",
        )
    if name.lower() in _RESTRICTED:
        raise InvalidArgument(
            f"The solution unique name '{name}' is restricted and can only be used by internal solutions.",
            code="0x8004f022",
        )
    if first(context.system, "solution", equals("uniquename", name), "solutionid"):
        raise InvalidArgument(
            f"The solution unique name '{name}' is already being used and cannot be used again.", code="0x8004f023"
        )
    _check_version(record.get("version"))
    _check_publisher(context)
    record.setdefault("installedon", context.system.now)
    record.setdefault("updatedon", context.system.now)


def check_solution(context: ExecutionContext) -> None:
    """Check what changes of a solution.

    Raises:
        InvalidArgument: it is one of the system (0x8004f009, 0x8004f00a) or managed (0x8004f024), or the version is
            none.
    """
    before, identifier = context.pre_image or {}, context.reference.id if context.reference else None
    name = str(before.get("uniquename"))
    if identifier == DEFAULT_SOLUTION:
        shown = ", ".join(sorted(context.record))
        raise InvalidArgument(
            f"Default solution attributes {shown} can only be set on installation or upgrade.  The values cannot be "
            "modified.",
            code="0x8004f009",
        )
    if identifier == ACTIVE_SOLUTION:
        raise InvalidArgument(f"Restricted solution ({name}) cannot be updated.", code="0x8004f00a")
    if before.get("ismanaged"):
        raise InvalidArgument(f"Cannot update solution '{name}' because it is a managed solution.", code="0x8004f024")
    if "version" in context.record:
        _check_version(context.record["version"])
        context.record.setdefault("updatedon", context.system.now)
    _check_publisher(context)


def keep_system_solutions(context: ExecutionContext) -> None:
    """Refuse to delete the solutions that every organization has.

    Raises:
        InvalidArgument: it is one of them (0x8004f005).
    """
    if context.reference is not None and context.reference.id in SYSTEM_SOLUTIONS:
        raise InvalidArgument("Attempting to delete a restricted solution.", code="0x8004f005")


def put_into_solution(context: ExecutionContext) -> None:
    """Put a new row into the solution that the request names.

    Raises:
        InvalidArgument: there is no such solution.
    """
    if context.caller.solution is None or context.reference is None:
        return
    table = context.system.catalog.tables[context.reference.table]
    name = str(context.record.get(table.primary_name or "") or "")
    add_to_solution(context.system, context.caller.solution, Component(row_kind(table), context.reference.id, name))


def _check_version(version: object) -> None:
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidArgument("An invalid solution version was specified.", code="0x8004f01e")


def _check_publisher(context: ExecutionContext) -> None:
    publisher = context.record.get("publisherid")
    if isinstance(publisher, EntityReference) and by_id(context.system, publisher).get("isreadonly"):
        raise InvalidArgument("Attempting to  select a readonly publisher for solution.", code="0x8004f034")
