"""Hierarchical conditions as SQL: the ids above or below a record, found level by level in a recursive query.

A level is part of each row, so that a loop in the data ends with the last level that a condition looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from entities.hierarchy import DEPTH, UPWARD, WITH_ITSELF, Hierarchy
from entities.query import CHILDREN, ConditionOperator
from odata_server.engine.database import quoted


def children_sql(hierarchy: Hierarchy) -> str:
    """Return the query for every record of a table: its id, and how many records are directly below it."""
    table, key, parent = (quoted(name) for name in (hierarchy.table, hierarchy.key, hierarchy.parent))
    counted = f"SELECT count(*) FROM {table} AS c WHERE c.{parent} = r.{key}"
    return f"SELECT r.{key}, ({counted}) AS {quoted(CHILDREN.name)} FROM {table} AS r"


def related_sql(
    operator: ConditionOperator, levels: Sequence[Hierarchy], column: str, parameter: Callable[[], str]
) -> str:
    """Return the condition that a column names a record above or below another one.

    Args:
        operator: a hierarchical operator.
        levels: the hierarchies that the column may name a record of; without any, nothing is above or below.
        column: the SQL of the column.
        parameter: makes the parameter that holds the record's id and returns its place.
    """
    if not levels:
        found = f"{column} = {parameter()}" if operator in WITH_ITSELF else "FALSE"
        return f"({found}) IS NOT TRUE" if operator is ConditionOperator.NOT_UNDER else found
    start = parameter()
    found = " OR ".join(f"{column} IN ({_reached(operator, hierarchy, start)})" for hierarchy in levels)
    if operator in WITH_ITSELF:
        return f"{column} = {start} OR {found}"
    return f"({found}) IS NOT TRUE" if operator is ConditionOperator.NOT_UNDER else found


def _reached(operator: ConditionOperator, hierarchy: Hierarchy, start: str) -> str:
    """Return the query for the ids that one step or more lead to."""
    table, key, parent = (quoted(name) for name in (hierarchy.table, hierarchy.key, hierarchy.parent))
    origin, to = (key, parent) if operator in UPWARD else (parent, key)
    return (
        f"WITH RECURSIVE h (id, level) AS (SELECT {start}, 0 UNION SELECT r.{to}, h.level + 1 FROM h"
        f" JOIN {table} AS r ON r.{origin} = h.id WHERE h.level < {DEPTH} AND r.{to} IS NOT NULL)"
        " SELECT id FROM h WHERE level > 0"
    )
