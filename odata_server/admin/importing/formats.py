"""Which format a file of rows has: its name says so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from odata_server.admin.importing.configuration_data import configuration_data
from odata_server.admin.importing.csv_rows import csv_rows
from odata_server.admin.importing.json_lines import json_array, json_lines
from odata_server.admin.importing.source import Source, SourceError


def open_source(path: Path, table: str | None, delimiter: str) -> Source:
    """Return a file of rows.

    Args:
        path: the file.
        table: the table of rows that do not say theirs.
        delimiter: what stands between the cells of a CSV file.

    Raises:
        SourceError: it is not there, or its name says no format that is known.
    """
    if not path.is_file():
        raise SourceError(f"{path} is not there")
    match path.suffix.lower():
        case ".csv" if table is None:
            raise SourceError(f"{path}: a CSV file does not say its table: name it with --table")
        case ".csv":
            return csv_rows(path, str(table), delimiter)
        case ".jsonl" | ".ndjson":
            return json_lines(path, table)
        case ".json":
            return json_array(path, table)
        case ".zip":
            return configuration_data(path, lambda: datetime.now(UTC))
        case _:
            raise SourceError(f"{path}: rows come as .jsonl, .json, .csv, or as .zip of a configuration migration")
