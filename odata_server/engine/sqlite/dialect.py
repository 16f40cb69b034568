"""What SQLite writes in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import apsw

from odata_server.engine.dialect import Dialect


def _ends_with(column: str, place: str) -> str:
    # As bytes: SQLite's length of a text ends at the character 0. The end of a UTF-8 text is the end of its bytes.
    whole, end = (f"CAST({text} AS BLOB)" for text in (column, place))
    ends = f"substr({whole}, length({whole}) - length({end}) + 1) = {end}"
    return f"length({whole}) >= length({end}) AND (length({end}) = 0 OR {ends})"


def _week(day: str) -> str:
    first = f"CAST(strftime('%w', substr({day}, 1, 4) || '-01-01') AS INTEGER)"
    return f"(CAST(strftime('%j', {day}) AS INTEGER) - 1 + {first}) / 7 + 1"


def _plan_lines(rows: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    depths = {0: 0}
    lines = []
    for number, parent, _, detail in rows:
        depths[number] = depths.get(parent, 0) + 1
        lines.append("  " * (depths[number] - 1) + str(detail))
    return tuple(lines)


def _says_taken(error: Exception) -> bool:
    """Tell unique indexes and primary keys from types and NOT NULL (SQLite, "Result and Error Codes")."""
    taken = (apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY)
    return getattr(error, "extendedresult", None) in taken


def _violates(error: Exception, index: str, columns: tuple[str, ...]) -> bool:
    """SQLite's text names the columns: `UNIQUE constraint failed: account.name, account.number`."""
    del index
    violated = {part.rpartition(".")[2] for part in str(error).rpartition(": ")[2].split(", ")}
    return violated == set(columns)


SQLITE: Final = Dialect(
    name="SQLite",
    makes_json=True,
    types={"TEXT": "TEXT", "INTEGER": "INTEGER", "REAL": "REAL", "BLOB": "BLOB"},
    table_options=" STRICT",
    index_order="",
    place=lambda number: f"?{number}",
    ends_with=_ends_with,
    members=lambda place: f"SELECT value FROM json_each({place})",
    week=_week,
    takes_first_of_group=True,
    schema_tables="SELECT name FROM sqlite_schema WHERE type = 'table'",
    plan_of="EXPLAIN QUERY PLAN ",
    plan_lines=_plan_lines,
    statement_errors=(apsw.SQLError,),
    constraint_errors=(apsw.ConstraintError,),
    says_taken=_says_taken,
    violates=_violates,
)
