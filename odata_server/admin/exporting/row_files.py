"""Rows as JSON Lines and as CSV, in the form in which an import takes them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from odata_server.admin.exact_json import to_json
from odata_server.admin.exporting.pages import ExportedReference, ExportedRow, Selection
from odata_server.admin.remote_tables import RemoteColumn, RemoteTables


def write_json_lines(
    path: Path,
    selections: Iterable[tuple[Selection, Iterable[list[ExportedRow]]]],
    tables: RemoteTables,
    advance: Callable[[int], None],
) -> int:
    """Write one object per line, as the Web API takes it; return how many.

    Args:
        path: the file.
        selections: what was asked for, with its pages.
        tables: the environment's tables.
        advance: told how many rows are written.
    """
    count = 0
    with path.open("wb") as file:
        for selection, found in selections:
            for page in found:
                file.writelines(_line(selection, row, tables) for row in page)
                count += len(page)
                advance(count)
    return count


def _line(selection: Selection, row: ExportedRow, tables: RemoteTables) -> bytes:
    members: dict[str, object] = {"@odata.type": f"#Microsoft.Dynamics.CRM.{selection.table.name}"}
    for name, value in row.values.items():
        match value:
            case ExportedReference(table, id_):
                navigation = selection.table.columns[name].navigation(table)
                members[f"{navigation}@odata.bind"] = f"/{tables.table(table).entity_set}({id_})"
            case None:
                continue
            case _:
                members[name] = value
    return to_json(members) + b"\n"


def write_csv(
    path: Path,
    selection: Selection,
    found: Iterable[list[ExportedRow]],
    tables: RemoteTables,
    advance: Callable[[int], None],
) -> int:
    """Write a table with a header of logical names; return how many rows. The arguments are those of the others."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        columns: list[RemoteColumn] = []
        for page in found:
            if not columns:
                columns = _shown(selection, page)
                writer.writerow([column.name for column in columns])
            writer.writerows([_cell(column, row.values.get(column.name), tables) for column in columns] for row in page)
            count += len(page)
            advance(count)
    return count


def _shown(selection: Selection, page: list[ExportedRow]) -> list[RemoteColumn]:
    """Return the columns of a header: all that were asked for, of a query those that its first rows have."""
    there = {name for row in page for name in row.values}
    return [column for column in selection.columns if selection.is_whole or column.name in there]


def _cell(column: RemoteColumn, value: object, tables: RemoteTables) -> str:
    """Return a value as text; a record of several possible tables is its URL."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case ExportedReference(table, id_):
            return id_ if len(column.targets) == 1 else f"/{tables.table(table).entity_set}({id_})"
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)
