"""Brings rows out of an environment into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from integration.retry import RetryPolicy
from integration.web_api import WebApi
from odata_server.admin.exporting.configuration_data import Pairs, write_configuration_data
from odata_server.admin.exporting.pages import QueryError, Selection, pages, queried, whole_table
from odata_server.admin.exporting.row_files import write_csv, write_json_lines
from odata_server.admin.remote_tables import RemotePairing, RemoteTable, RemoteTables


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported: whole tables, with some of their columns, or what a query selects."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    query: str | None = None


def export_rows(path: Path, service: WebApi, options: ExportOptions, advance: Callable[[int], None]) -> int:
    """Write rows to a file, in the format that its name says; return how many.

    Args:
        path: the file; one that is there is replaced when all is written.
        service: the environment's Web API.
        options: what is exported.
        advance: told how many rows are written.

    Raises:
        QueryError: the format is unknown, or does not take so much, or a name or the query is wrong.
        NoTableError: there is no such table.
        WebApiError, ServerUnreachableError, TokenError: the server refused, or is not to be had.
    """
    tables = RemoteTables(service)
    selections = _selections(options, tables)
    policy = RetryPolicy()
    partial = path.with_name(f"{path.name}.part")
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            found = ((selection, pages(selection, service, policy)) for selection in selections)
            count = write_json_lines(partial, found, tables, advance)
        case ".csv" if len(selections) > 1:
            raise QueryError(f"{path}: a CSV file holds one table")
        case ".csv":
            count = write_csv(partial, selections[0], pages(selections[0], service, policy), tables, advance)
        case ".zip":
            listed = [(selection, pages(selection, service, policy)) for selection in selections]
            count = write_configuration_data(partial, listed, _pairs(service, tables), datetime.now(UTC), advance)
        case _:
            raise QueryError(f"{path}: rows are written as .jsonl, .csv, or as .zip of a configuration migration")
    partial.replace(path)
    return count


def _pairs(service: WebApi, tables: RemoteTables) -> Pairs:
    """Return what reads the pairs of a relationship out of its intersect table."""

    def read(_: RemoteTable, pairing: RemotePairing) -> Iterator[tuple[str, str]]:
        intersect = tables.table(pairing.intersect_table)
        selection = whole_table(intersect, (pairing.near, pairing.far))
        for page in pages(selection, service, RetryPolicy()):
            yield from ((str(row.values[pairing.near]), str(row.values[pairing.far])) for row in page)

    return read


def _selections(options: ExportOptions, tables: RemoteTables) -> tuple[Selection, ...]:
    if options.query is not None:
        return (queried(options.query, tables),)
    return tuple(whole_table(tables.table(name), options.columns) for name in options.tables)
