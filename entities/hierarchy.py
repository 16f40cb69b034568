"""Hierarchies: tables whose records have a parent of the same table, and the records above and below one.

A one-to-many relationship of a table with itself may be marked hierarchical; a table has one such at most (Learn:
"Query hierarchical data"). The operators look at 100 levels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.columns import Column, IntegerType, LookupType
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import Table
from entities.query import CHILDREN, ConditionOperator
from entities.values import EntityReference, Record

DEPTH: Final = 100
"""Levels that a hierarchical condition looks at (Learn: "Query hierarchical data", recursion limits)."""

HIERARCHICAL: Final = frozenset(
    {
        ConditionOperator.ABOVE,
        ConditionOperator.EQUAL_OR_ABOVE,
        ConditionOperator.UNDER,
        ConditionOperator.EQUAL_OR_UNDER,
        ConditionOperator.NOT_UNDER,
    }
)
UPWARD: Final = frozenset({ConditionOperator.ABOVE, ConditionOperator.EQUAL_OR_ABOVE})
WITH_ITSELF: Final = frozenset({ConditionOperator.EQUAL_OR_ABOVE, ConditionOperator.EQUAL_OR_UNDER})


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A table, its id and the lookup to the parent."""

    table: str
    key: str
    parent: str


def hierarchies(catalog: Catalog, table: Table, column: str) -> tuple[Hierarchy, ...]:
    """Return the hierarchies whose records a column names: a table's own by its id, others by a lookup to them."""
    if column == table.primary_id:
        targets: tuple[str, ...] = (table.logical_name,)
    else:
        type_ = table.by_name[column].type
        targets = type_.targets if isinstance(type_, LookupType) else ()
    return tuple(found for name in targets if (found := _hierarchy(catalog, name)) is not None)


def _hierarchy(catalog: Catalog, name: str) -> Hierarchy | None:
    for relationship in catalog.relationships_of(name) if name in catalog.tables else ():
        if (
            isinstance(relationship, OneToMany)
            and relationship.is_hierarchical
            and relationship.referencing_table == relationship.referenced_table == name
        ):
            return Hierarchy(name, catalog.tables[name].primary_id, relationship.referencing_column)
    return None


def children_table(table: Table) -> Table:
    """Return the table that `CHILDREN` is a column of: a row per record of a table, with its id."""
    return replace(table, columns=(table.by_name[table.primary_id], Column(CHILDREN.name, IntegerType(), "Children")))


def children(hierarchy: Hierarchy, records: Iterable[Record]) -> Counter[str]:
    """Return how many records are directly below each record of a hierarchy."""
    return Counter(parent for _, parent in _pairs(hierarchy, records))


def related(
    operator: ConditionOperator,
    start: str,
    levels: Iterable[Hierarchy],
    tables: Mapping[str, Sequence[Record]],
) -> frozenset[str]:
    """Return the ids that a hierarchical operator means, `not-under` those that it excludes."""
    found: set[str] = {start} if operator in WITH_ITSELF else set()
    for hierarchy in levels:
        pairs = _pairs(hierarchy, tables.get(hierarchy.table, ()))
        steps = pairs if operator in UPWARD else [(parent, child) for child, parent in pairs]
        found |= _reached(start, steps)
    return frozenset(found)


def _pairs(hierarchy: Hierarchy, records: Iterable[Record]) -> list[tuple[str, str]]:
    """Return child and parent of every record that has one."""
    found = ((str(record[hierarchy.key]), record.get(hierarchy.parent)) for record in records)
    return [(child, parent.id) for child, parent in found if isinstance(parent, EntityReference)]


def _reached(start: str, steps: Sequence[tuple[str, str]]) -> set[str]:
    """Return what one step or more lead to; a loop ends where it began."""
    reached: set[str] = set()
    level = {start}
    for _ in range(DEPTH):
        level = {to for origin, to in steps if origin in level} - reached
        if not level:
            break
        reached |= level
    return reached
