"""Calculated and rollup columns of a schema file, checked when all tables are known: they stand on other columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from entities.errors import DataverseError, InvalidArgument
from entities.formulas.checking import FormulaScope, check_formula
from entities.metadata.columns import Column
from entities.metadata.tables import Table
from entities.rollups import check_rollups
from odata_server.admin.schema.findings import Findings


def checked_derivations(put: Mapping[str, Table], before: Mapping[str, Table], findings: Findings) -> dict[str, Table]:
    """Return tables whose calculated and rollup columns can be calculated.

    Args:
        put: the tables of a change.
        before: the tables that are there.
        findings: gets the columns that stay as they were, and the new ones whose values can be set instead.

    Raises:
        InvalidArgument: a column that is there could no longer be calculated.
    """
    tables = {**before, **put}
    return {name: _checked(tables, table, before.get(name), findings) for name, table in put.items()}


def _checked(tables: Mapping[str, Table], table: Table, before: Table | None, findings: Findings) -> Table:
    columns = []
    for column in table.columns:
        why = _defect(tables, table, column) if column.formula or column.rollup is not None else None
        if why is None:
            columns.append(column)
            continue
        known = before.by_name.get(column.logical_name) if before is not None else None
        if known is None:
            what = f"Its values are not calculated: they can be set. {why}"
            findings.guess(table.logical_name, column.logical_name, what, "Give it a formula that is understood here.")
            columns.append(replace(column, formula="", rollup=None, valid_for_create=True, valid_for_update=True))
        else:
            still = _defect(tables, _with(table, known), known)
            if still is not None:
                raise InvalidArgument(
                    f"The column {table.logical_name}.{column.logical_name} stands in the way. {still}"
                )
            findings.refuse(table.logical_name, column.logical_name, why)
            columns.append(known)
    return replace(table, columns=tuple(columns))


def _with(table: Table, column: Column) -> Table:
    columns = tuple(column if c.logical_name == column.logical_name else c for c in table.columns)
    return replace(table, columns=columns)


def _defect(tables: Mapping[str, Table], table: Table, column: Column) -> str | None:
    """Return why a column cannot be calculated, None where it can."""
    others = tuple(c if c is column else replace(c, rollup=None) for c in table.columns)
    try:
        if column.formula:
            check_formula(FormulaScope(tables, table), column)
        check_rollups(tables, replace(table, columns=others))
    except DataverseError as error:
        return error.message
    return None
