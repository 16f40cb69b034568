"""Calculated columns in memory: the records of a table with what is calculated of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from entities.formulas.checking import FormulaScope
from entities.formulas.evaluation import Source, calculated
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table
from entities.values import Guid, Record


def with_calculated(catalog: Catalog, tables: Mapping[str, Sequence[Record]]) -> Mapping[str, Sequence[Record]]:
    """Return the records of each table, those of tables with calculated columns completed by these.

    Args:
        catalog: the definitions of the tables.
        tables: the records of each table by logical name.
    """
    own = [catalog.tables[name] for name in tables if name in catalog.tables and catalog.tables[name].calculated]
    if not own:
        return tables
    return {**tables, **{table.logical_name: _completed(catalog, table, tables) for table in own}}


def _completed(catalog: Catalog, table: Table, tables: Mapping[str, Sequence[Record]]) -> tuple[Record, ...]:
    def related(name: str, key: Guid) -> Record | None:
        primary_id = catalog.tables[name].primary_id
        return next((record for record in tables.get(name, ()) if record[primary_id] == key), None)

    scope = FormulaScope(catalog.tables, table)
    return tuple(
        {**record, **{c.logical_name: calculated(c, Source(scope, record, related)) for c in table.calculated}}
        for record in tables[table.logical_name]
    )
