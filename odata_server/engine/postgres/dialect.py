"""What PostgreSQL writes in its own way."""

from __future__ import annotations

from typing import Final

import psycopg

from odata_server.engine.dialect import Dialect, sql_name


def _week(day: str) -> str:
    date = f"substr({day}, 1, 10)::date"
    return f"(EXTRACT(doy FROM {date})::int - 1 + EXTRACT(dow FROM date_trunc('year', {date}))::int) / 7 + 1"


def _violates(error: Exception, index: str, columns: tuple[str, ...]) -> bool:
    del columns
    return isinstance(error, psycopg.Error) and error.diag.constraint_name == sql_name(index)


POSTGRESQL: Final = Dialect(
    name="PostgreSQL",
    makes_json=False,
    types={"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision", "BLOB": "bytea"},
    table_options="",
    index_order=" NULLS FIRST",
    place=lambda number: f"${number}",
    ends_with=lambda column, place: f"right({column}, length({place})) = {place}",
    members=lambda place: f"SELECT json_array_elements_text({place}::json)",
    week=_week,
    takes_first_of_group=False,
    schema_tables="SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    plan_of="EXPLAIN ",
    plan_lines=lambda rows: tuple(str(line) for (line,) in rows),
    statement_errors=(psycopg.ProgrammingError,),
    constraint_errors=(psycopg.IntegrityError,),
    says_taken=lambda error: isinstance(error, psycopg.errors.UniqueViolation),
    violates=_violates,
)
