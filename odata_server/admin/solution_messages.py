"""Solutions as files, in and out of the environment: the actions ExportSolution and ImportSolution.

Learn: "ExportSolution Action", "ImportSolution Action", "Work with solutions". All solutions are unmanaged here. An
export holds tables with their columns, keys and relationships, and global choices.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Final

from entities.errors import InvalidArgument, MalformedRequest, NotSupported
from entities.messages import Create
from entities.metadata.columns import ChoiceType, MultiChoiceType
from entities.metadata.ids import table_id
from entities.metadata.tables import Table, TableKind
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.customization.components import ComponentType
from entities.standard.customization.solution_components import (
    SOLUTION_COMPONENT,
    SYSTEM_SOLUTIONS,
    publisher_of,
    solution_named,
)
from entities.values import Guid, Record
from odata_server.admin.exporting.schema import pruned
from odata_server.admin.exporting.solution import solution_archive
from odata_server.admin.schema.applying import apply_file
from odata_server.admin.schema.findings import Json
from odata_server.admin.schema.solution_reading import Solution, read_solution
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.render.definitions import Definition, Definitions, Shelf

_BAD_FILE: Final = "0x80048060"
_EXPANDED: Final = ("Attributes", "Keys", "ManyToOneRelationships", "ManyToManyRelationships")
_PUBLISHER: Final = ("uniquename", "friendlyname", "customizationprefix", "customizationoptionvalueprefix")


def solution_file_steps() -> tuple[Step, ...]:
    """Return the handlers of these actions."""
    return (
        Step("ExportSolution", None, Stage.MAIN, export_solution),
        Step("ImportSolution", None, Stage.MAIN, import_solution),
    )


def export_solution(context: ExecutionContext) -> None:
    """Answer ExportSolution with the file: the Default Solution holds all custom tables.

    Raises:
        InvalidArgument: there is no such solution (0x80048037).
        NotSupported: it is to be a managed one.
    """
    system, name = context.system, str(context.parameters["SolutionName"])
    solution = solution_named(system, name)
    if context.parameters["Managed"] is True:
        raise NotSupported("Solutions are exported as unmanaged ones only.")
    ids = _component_ids(system, Guid(str(solution["solutionid"])))
    tables = [table for table in system.catalog.tables.values() if _is_in(table, ids)]
    definitions = Definitions(system.catalog)
    used = {name for table in tables for name in _global_choices(table)}
    sets = [
        choice
        for choice in definitions.choices.items
        if choice.name in used or (ids is not None and choice.id in ids) or ids is None
    ]
    described = (_described(definitions, table) for table in tables)
    publisher = publisher_of(system, name)
    row = {
        **{column: solution.get(column) for column in ("uniquename", "friendlyname", "version")},
        "publisherid": {column: publisher.get(column) for column in _PUBLISHER},
    }
    archive = solution_archive(described, (_json(choice.values) for choice in sets if _is_custom(choice)), row)
    context.result = {"ExportSolutionFile": b64encode(archive).decode()}


def _component_ids(system: Operations, solution: Guid) -> frozenset[str] | None:
    """Return the ids of the definitions in a solution, None for one that holds everything."""
    if solution in SYSTEM_SOLUTIONS:
        return None
    query = QueryExpression(SOLUTION_COMPONENT, ("objectid", "componenttype"), filter=equals("solutionid", solution))
    kinds = {ComponentType.ENTITY, ComponentType.OPTION_SET}
    return frozenset(str(row["objectid"]) for row in system.records(query) if row["componenttype"] in kinds)


def _is_in(table: Table, ids: frozenset[str] | None) -> bool:
    if table.kind is not TableKind.STANDARD:
        return False
    return table.is_custom if ids is None else table_id(table) in ids


def _global_choices(table: Table) -> Iterable[str]:
    types = (column.type for column in table.columns)
    return (t.choice.name for t in types if isinstance(t, ChoiceType | MultiChoiceType) and t.choice.is_global)


def _is_custom(choice: Definition) -> bool:
    return choice.values.get("IsCustomOptionSet") is True


def _described(definitions: Definitions, table: Table) -> Json:
    """Return a table as the Web API shows it with everything expanded."""
    found = definitions.table(table.logical_name)
    assert found is not None
    parts = {name: definitions.related(found, name) for name in _EXPANDED}
    expanded = {
        name: [_part(definitions, item) for item in shelf.items]
        for name, shelf in parts.items()
        if isinstance(shelf, Shelf)
    }
    return _json({**found.values, **expanded})


def _part(definitions: Definitions, item: Definition) -> Json:
    made: Json = {"@odata.type": f"#{WEB_API_NAMESPACE}.{item.type_name}", **item.values}
    choice = definitions.related(item, "OptionSet")
    return {**made, "OptionSet": choice.values} if isinstance(choice, Definition) else made


def _json(value: object) -> Json:
    found = pruned(value)
    assert isinstance(found, dict)
    return found


def import_solution(context: ExecutionContext) -> None:
    """Answer ImportSolution; a row of `importjob` tells that it is done.

    Raises:
        InvalidArgument: the file is no solution (0x80048060).
        DuplicateRecord: there is a job with this id.
        NotSupported: the solution is to be managed, or kept beside another version of itself.
    """
    system = context.system
    unable = next((n for n in ("ConvertToManaged", "HoldingSolution") if context.parameters.get(n) is True), None)
    if unable is not None:
        raise NotSupported(f"Solutions are unmanaged here: '{unable}' is not supported.")
    content = context.parameters["CustomizationFile"]
    assert isinstance(content, bytes)
    file = _solution_file(content)
    apply_file(system, file)
    name = file.manifest.unique_name if file.manifest is not None else ""
    solution = solution_named(system, name) if name else {}
    job: Record = {
        "importjobid": Guid(str(context.parameters["ImportJobId"])),
        "name": "Customizations",
        "solutionname": name,
        "solutionid": solution.get("solutionid"),
        "startedon": system.now,
        "completedon": system.now,
        "progress": 100.0,
    }
    system.execute(Create("importjob", job))


def _solution_file(content: bytes) -> Solution:
    try:
        return read_solution(content)
    except MalformedRequest as error:
        raise InvalidArgument(error.message, code=_BAD_FILE) from error
