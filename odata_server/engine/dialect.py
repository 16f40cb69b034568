"""What the SQL of the two databases differs in; everything else is one text for both.

Numbers of rows, hidden values and orders are the same on both: text compares by code points, nulls come first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import apsw
import psycopg


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one database writes what the other one writes differently.

    Attributes:
        name: the database's name.
        makes_json: rows leave the database as the JSON of the answer; else the row renderer makes it.
        types: the name of each physical column's type.
        table_options: what stands behind the columns of a new table.
        index_order: what stands behind each column of an index, so that it gives rows in their order.
        place: the place of the parameter with a number.
        ends_with: the condition that a text ends with a parameter.
        members: the query for the texts of a parameter that holds a JSON array.
        week: the week of the year of a date; weeks begin on Sunday, 1 January is in the first.
        takes_first_of_group: a group's other columns come from its row with the only minimum.
        schema_tables: the query for the names of the environment's tables.
        plan_of: what makes a statement the question for its plan.
        plan_lines: the lines of a plan, indented.
        statement_errors: what is raised for a statement that does not fit the tables.
        constraint_errors: what is raised for a violated constraint.
        violates: whether an error says that an index over some columns of a table has that value already.
    """

    name: str
    makes_json: bool
    types: Mapping[str, str]
    table_options: str
    index_order: str
    place: Callable[[int], str]
    ends_with: Callable[[str, str], str]
    members: Callable[[str], str]
    week: Callable[[str], str]
    takes_first_of_group: bool
    schema_tables: str
    plan_of: str
    plan_lines: Callable[[Iterable[tuple[Any, ...]]], tuple[str, ...]]
    statement_errors: tuple[type[Exception], ...]
    constraint_errors: tuple[type[Exception], ...]
    violates: Callable[[Exception, str, tuple[str, ...]], bool]


def _sqlite_ends_with(column: str, place: str) -> str:
    # As bytes: SQLite's length of a text ends at the character 0. The end of a UTF-8 text is the end of its bytes.
    whole, end = (f"CAST({text} AS BLOB)" for text in (column, place))
    ends = f"substr({whole}, length({whole}) - length({end}) + 1) = {end}"
    return f"length({whole}) >= length({end}) AND (length({end}) = 0 OR {ends})"


def _sqlite_week(day: str) -> str:
    first = f"CAST(strftime('%w', substr({day}, 1, 4) || '-01-01') AS INTEGER)"
    return f"(CAST(strftime('%j', {day}) AS INTEGER) - 1 + {first}) / 7 + 1"


def _sqlite_plan_lines(rows: Iterable[tuple[Any, ...]]) -> tuple[str, ...]:
    depths = {0: 0}
    lines = []
    for number, parent, _, detail in rows:
        depths[number] = depths.get(parent, 0) + 1
        lines.append("  " * (depths[number] - 1) + str(detail))
    return tuple(lines)


def _sqlite_violates(error: Exception, index: str, columns: tuple[str, ...]) -> bool:
    """SQLite's text names the columns: `UNIQUE constraint failed: account.name, account.number`."""
    del index
    violated = {part.rpartition(".")[2] for part in str(error).rpartition(": ")[2].split(", ")}
    return violated == set(columns)


def _postgres_week(day: str) -> str:
    date = f"substr({day}, 1, 10)::date"
    return f"(EXTRACT(doy FROM {date})::int - 1 + EXTRACT(dow FROM date_trunc('year', {date}))::int) / 7 + 1"


def _postgres_violates(error: Exception, index: str, columns: tuple[str, ...]) -> bool:
    del columns
    return isinstance(error, psycopg.Error) and error.diag.constraint_name == sql_name(index)


_LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL, which cuts longer ones off."""

_HASHED = 40


def sql_name(name: str) -> str:
    """Return the name of a table, column or index in SQL: its own, or one with a checksum where it is too long."""
    if len(name) <= _LONGEST_NAME and name.isascii():
        return name
    encoded = name.encode()
    if len(encoded) <= _LONGEST_NAME:
        return name
    begin = encoded[:_HASHED].decode(errors="ignore")
    return f"{begin}~{hashlib.sha256(encoded).hexdigest()[:16]}"


def quoted(name: str) -> str:
    """Return an identifier quoted for SQL."""
    return '"' + sql_name(name).replace('"', '""') + '"'


SQLITE = Dialect(
    name="SQLite",
    makes_json=True,
    types={"TEXT": "TEXT", "INTEGER": "INTEGER", "REAL": "REAL", "BLOB": "BLOB"},
    table_options=" STRICT",
    index_order="",
    place=lambda number: f"?{number}",
    ends_with=_sqlite_ends_with,
    members=lambda place: f"SELECT value FROM json_each({place})",
    week=_sqlite_week,
    takes_first_of_group=True,
    schema_tables="SELECT name FROM sqlite_schema WHERE type = 'table'",
    plan_of="EXPLAIN QUERY PLAN ",
    plan_lines=_sqlite_plan_lines,
    statement_errors=(apsw.SQLError,),
    constraint_errors=(apsw.ConstraintError,),
    violates=_sqlite_violates,
)

POSTGRESQL = Dialect(
    name="PostgreSQL",
    makes_json=False,
    types={"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision", "BLOB": "bytea"},
    table_options="",
    index_order=" NULLS FIRST",
    place=lambda number: f"${number}",
    ends_with=lambda column, place: f"right({column}, length({place})) = {place}",
    members=lambda place: f"SELECT json_array_elements_text({place}::json)",
    week=_postgres_week,
    takes_first_of_group=False,
    schema_tables="SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    plan_of="EXPLAIN ",
    plan_lines=lambda rows: tuple(str(line) for (line,) in rows),
    statement_errors=(psycopg.ProgrammingError,),
    constraint_errors=(psycopg.IntegrityError,),
    violates=_postgres_violates,
)
