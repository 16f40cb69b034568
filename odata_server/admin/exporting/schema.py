"""Brings the schema out of an environment, over its public metadata: definitions as JSON, or its metadata document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from integration.retry import RetryPolicy, with_retry
from integration.web_api import WebApi, literal
from odata_server.admin.exact_json import to_json
from odata_server.admin.exporting.pages import QueryError
from odata_server.admin.exporting.solution import solution_archive
from odata_server.admin.services import UnexpectedAnswerError

_EXPANDED: Final = "Attributes,Keys,ManyToOneRelationships,ManyToManyRelationships"
_CASTS: Final[Mapping[str, str]] = {
    "Picklist": "PicklistAttributeMetadata",
    "State": "StateAttributeMetadata",
    "Status": "StatusAttributeMetadata",
    "Boolean": "BooleanAttributeMetadata",
    "MultiSelectPicklist": "MultiSelectPicklistAttributeMetadata",
}
_LEFT_OUT: Final = frozenset({"UserLocalizedLabel", "HasChanged", "@odata.context"})
"""What an answer says twice, or of itself only."""

Json = dict[str, Any]


def export_schema(
    path: Path, service: WebApi, names: tuple[str, ...], advance: Callable[[int, int], None], *, solution: str | None
) -> int:
    """Write the schema to a file, in the format that its name says; return how many tables.

    Args:
        path: the file; one that is there is replaced when all is written.
        service: the environment's Web API.
        names: the tables to write; all where there are none. A metadata document always has all.
        advance: told how many tables of how many are read.
        solution: the unique name of the solution whose tables an archive holds; None for all custom tables.

    Raises:
        QueryError: the format is unknown, or what is wanted is not there.
        WebApiError, ServerUnreachableError, TokenError: the server refused, or is not to be had.
    """
    if path.suffix.lower() not in {".json", ".xml", ".zip"}:
        raise QueryError(f"{path}: a schema is written as .json (definitions), .xml ($metadata) or .zip (a solution)")
    if path.suffix.lower() == ".xml":
        headers = {"Accept": "application/xml"}
        content = with_retry(RetryPolicy(), partial(service.exchange, "GET", "$metadata", None, headers)).content
        return _written(path, content, content.count(b"<EntitySet "))
    reader = _Reader(service)
    listed = reader.tables()
    wanted = names or tuple(listed)
    unknown = next((name for name in wanted if name not in listed), None)
    if unknown is not None:
        raise QueryError(f"the environment has no table '{unknown}'")
    if path.suffix.lower() == ".zip":
        return _solution(path, reader, solution, names, advance)
    tables = reader.definitions(wanted, advance)
    sets = reader.rows("GlobalOptionSetDefinitions")
    content = {"EntityDefinitions": tables, "GlobalOptionSetDefinitions": sets}
    return _written(path, to_json(content), len(tables))


def _written(path: Path, content: bytes, count: int) -> int:
    partial_file = path.with_name(f"{path.name}.part")
    partial_file.write_bytes(content)
    partial_file.replace(path)
    return count


class _Reader:
    """Reads definitions."""

    def __init__(self, service: WebApi) -> None:
        self._service = service
        self._policy = RetryPolicy()

    def rows(self, path: str, query: Mapping[str, str] | None = None) -> list[Json]:
        """Return a collection of definitions, without what answers say twice."""
        answer = self._get(path, query)
        found = answer.get("value")
        if not isinstance(found, list):
            raise UnexpectedAnswerError(f"the answer to {path} is no collection")
        return found

    def tables(self) -> dict[str, Json]:
        """Return name, kind and ownership of all tables by logical name."""
        query = {"$select": "LogicalName,IsCustomEntity,IsIntersect,TableType"}
        return {str(row["LogicalName"]): row for row in self.rows("EntityDefinitions", query)}

    def definitions(self, names: Iterable[str], advance: Callable[[int, int], None]) -> list[Json]:
        """Return whole definitions, options included."""
        wanted, found = list(names), []
        for number, name in enumerate(wanted, start=1):
            found.append(self._definition(name))
            advance(number, len(wanted))
        return found

    def _definition(self, name: str) -> Json:
        path = f"EntityDefinitions(LogicalName={literal(name)})"
        table = self._get(path, {"$expand": _EXPANDED})
        columns = {column["LogicalName"]: column for column in table.get("Attributes", ())}
        kinds = {_kind(column) for column in columns.values()}
        for kind, cast in _CASTS.items():
            if kind not in kinds:
                continue
            query = {"$select": "LogicalName", "$expand": "OptionSet"}
            for row in self.rows(f"{path}/Attributes/Microsoft.Dynamics.CRM.{cast}", query):
                columns[row["LogicalName"]]["OptionSet"] = row.get("OptionSet")
        return table

    def solution_of(self, name: str) -> tuple[Json, set[str]]:
        """Return a solution with its publisher, and the ids of the tables in it.

        Raises:
            QueryError: there is no such solution.
        """
        query = {"$filter": f"uniquename eq {literal(name)}", "$expand": "publisherid"}
        found = self.rows("solutions", query)
        if not found:
            raise QueryError(f"the environment has no solution '{name}'")
        query = {"$filter": f"_solutionid_value eq {found[0]['solutionid']} and componenttype eq 1"}
        return found[0], {str(row["objectid"]) for row in self.rows("solutioncomponents", query)}

    def _get(self, path: str, query: Mapping[str, str] | None) -> Json:
        answer = with_retry(self._policy, partial(self._service.get, path, query))
        found = pruned(answer)
        return found if isinstance(found, dict) else {}


def _kind(column: Json) -> str:
    return str((column.get("AttributeTypeName") or {}).get("Value", "")).removesuffix("Type")


def pruned(value: object) -> object:
    """Return JSON without members that say nothing, or that answers say twice."""
    if isinstance(value, list):
        return [pruned(item) for item in value]
    if isinstance(value, dict):
        return {
            name: pruned(item)
            for name, item in value.items()
            if item is not None and name not in _LEFT_OUT and not name.endswith("@odata.context")
        }
    return value


def _solution(
    path: Path, reader: _Reader, name: str | None, names: tuple[str, ...], advance: Callable[[int, int], None]
) -> int:
    """Write a solution: its tables, or those that are named, or all custom ones."""
    solution, ids = reader.solution_of(name) if name is not None else (_UNNAMED, set[str]())
    listed = reader.tables()
    if name is not None:
        chosen = [table for table, row in listed.items() if str(row.get("MetadataId")) in ids]
    else:
        chosen = list(names) or [table for table, row in listed.items() if row.get("IsCustomEntity")]
    stored = [t for t in chosen if not listed[t].get("IsIntersect") and listed[t].get("TableType") != "Virtual"]
    tables = reader.definitions(stored, advance)
    sets = [row for row in reader.rows("GlobalOptionSetDefinitions") if row.get("IsCustomOptionSet")]
    return _written(path, solution_archive(tables, sets, solution), len(tables))


_UNNAMED: Final[Json] = {
    "uniquename": "Export",
    "friendlyname": "Export",
    "version": "1.0.0.0",
    "publisherid": {
        "uniquename": "DefaultPublisher",
        "friendlyname": "Default Publisher",
        "customizationprefix": "new",
        "customizationoptionvalueprefix": 10_000,
    },
}
"""What an archive of tables without a solution says of itself."""
