"""What the SQL of the two databases differs in; everything else is one text for both.

Results and their order are the same on both: text compares by code points, nulls come first. The two values stand in
`engine.sqlite.dialect` and `engine.postgres.dialect`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


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
        says_taken: whether such an error says that a value that must be unique is there already.
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
    says_taken: Callable[[Exception], bool]
    violates: Callable[[Exception, str, tuple[str, ...]], bool]


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
