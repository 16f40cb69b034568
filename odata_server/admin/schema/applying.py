"""Brings a schema file into an environment: in one transaction, with a report of what it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, assert_never

from entities.metadata.catalog import Catalog, CatalogChange
from entities.metadata.tables import Table
from entities.pipeline import Operations
from entities.query import ColumnRef, Condition, ConditionOperator, QueryExpression
from entities.standard.customization.new_tables import add_tables
from odata_server.admin.csdl_import import Guess, ImportedSchema, merged, read_csdl
from odata_server.admin.csdl_operations import add_custom_apis
from odata_server.admin.schema.definitions_reading import read_definitions
from odata_server.admin.schema.findings import Findings
from odata_server.admin.schema.overlay import Overlay, laid_over, without
from odata_server.admin.schema.schema_files import Definitions, MetadataDocument, SchemaFile, schema_file
from odata_server.admin.schema.solution_reading import Solution
from odata_server.admin.schema.solution_rows import add_solution_rows
from odata_server.engine.organization import OrganizationService
from security.privileges import privilege_records

Report = Mapping[str, Any]


class _NotNow(Exception):
    """Ends the transaction of a dry run."""


def import_schema(service: OrganizationService, data: bytes, *, dry_run: bool) -> Report:
    """Bring a schema file into an environment and return the report.

    Args:
        service: the environment.
        data: the file.
        dry_run: whether to change nothing, and only to report.

    Raises:
        MalformedRequest: the file cannot be read.
        DataverseError: a definition is refused; nothing has changed then.
    """
    file = schema_file(data)
    report: Report = {}
    try:
        with service.changing() as transaction:
            report = apply_file(transaction, file)
            _end(dry_run=dry_run)
    except _NotNow:
        pass
    return {**report, "dry_run": dry_run}


def _end(*, dry_run: bool) -> None:
    """Take everything back in a dry run."""
    if dry_run:
        raise _NotNow


def apply_file(system: Operations, file: SchemaFile) -> Report:
    """Bring a schema file into an environment, inside of a running transaction, and return the report.

    Raises:
        DataverseError: a definition is refused.
    """
    before, findings = system.catalog, Findings()
    match file:
        case MetadataDocument(data):
            imported = read_csdl(data)
            findings.guesses.extend(imported.guesses)
            overlay = Overlay(merged(before, imported), ())
        case Definitions() | Solution():
            imported = read_definitions(file, before, findings, completes=isinstance(file, Solution))
            overlay = laid_over(before, imported, lambda table, column: _holds_values(system, table, column), findings)
        case _:
            assert_never(file)
    _apply(system, overlay)
    add_custom_apis(system, imported.custom_apis)
    if isinstance(file, Solution):
        add_solution_rows(system, file)
    return _report(before, imported, overlay.change, findings)


def _apply(system: Operations, overlay: Overlay) -> None:
    """Change the metadata; a column that changes its form is taken away first."""
    leaving: dict[str, set[str]] = {}
    for table, column in overlay.replaced:
        leaving.setdefault(table, set()).add(column)
    if leaving:
        tables = system.catalog.tables
        reduced = (without(tables[name], frozenset(columns)) for name, columns in leaving.items())
        system.change_catalog(CatalogChange(tuple(reduced)))
    if overlay.change != CatalogChange():
        add_tables(system, overlay.change, privilege_records)


def _holds_values(system: Operations, table: str, column: str) -> bool:
    known = system.catalog.tables[table]
    if known.by_name[column].formula:
        return False
    there = Condition(ColumnRef(column), ConditionOperator.NOT_NULL)
    found = system.records(QueryExpression(table, (known.primary_id,), filter=there, top=1))
    return next(iter(found), None) is not None


def _report(before: Catalog, imported: ImportedSchema, change: CatalogChange, findings: Findings) -> Report:
    """Say what a file brought, table by table where something is new."""
    put = {table.logical_name: table for table in change.put}
    added = [name for name in put if name not in before.tables]
    changed = [name for name in put if name in before.tables]
    kept = [table.logical_name for table in imported.tables if table.logical_name not in put]
    columns = list(_columns(before, put.values()))
    new_columns = {(table, column) for table, column, is_new in columns if is_new}
    new = [r.schema_name for r in change.relate if r.schema_name not in before.relationships]
    return {
        "tables": {"added": sorted(added), "changed": sorted(changed), "kept": len(kept)},
        "columns": {
            "added": sum(is_new for _, _, is_new in columns),
            "changed": sorted(f"{table}.{column}" for table, column, is_new in columns if not is_new),
        },
        "relationships": {
            "added": len(new),
            "changed": len(change.relate) - len(new),
            "kept": len(imported.relationships) - len(change.relate),
        },
        "choices": {
            "added": sorted(c.name for c in change.choices if c.name not in before.choices),
            "changed": sorted(c.name for c in change.choices if c.name in before.choices),
        },
        "guessed": [asdict(guess) for guess in findings.guesses if _is_news(guess, new_columns, added)],
        "refused": [asdict(refusal) for refusal in findings.refusals],
    }


def _columns(before: Catalog, put: Iterable[Table]) -> Iterator[tuple[str, str, bool]]:
    """Yield the columns that a change adds or changes: table, column, whether it is new."""
    for table in put:
        known = before.tables.get(table.logical_name)
        for column in table.columns:
            old = known.by_name.get(column.logical_name) if known is not None else None
            if old is None:
                yield table.logical_name, column.logical_name, True
            elif replace(old, metadata_id=None) != replace(column, metadata_id=None):
                yield table.logical_name, column.logical_name, False


def _is_news(guess: Guess, new_columns: set[tuple[str, str]], added: list[str]) -> bool:
    """Tell whether a guess is about something that the file brought; what was there keeps its definition."""
    if not guess.table or guess.table in added:
        return True
    return (guess.table, guess.column) in new_columns
