"""Which records an expansion adds to one record: its query, narrowed to the records that are related."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from entities.errors import EngineFault
from entities.metadata.catalog import Catalog, CollectionNavigation, LookupNavigation, ManyToManyNavigation
from entities.metadata.columns import LookupType
from entities.query import (
    NO_ROWS,
    And,
    ColumnRef,
    Condition,
    ConditionOperator,
    Expansion,
    Filter,
    QueryExpression,
    both,
    equals,
)
from entities.values import EntityReference, Record, Value


def related_query(
    expansion: Expansion, table: str, record: Record, catalog: Catalog, tables: Mapping[str, Sequence[Record]]
) -> QueryExpression:
    """Return the query whose rows are the records that an expansion adds to a record.

    Args:
        expansion: a navigation property of the record's table and a query on the related one.
        table: the logical name of the record's table.
        record: the record.
        catalog: the definitions of the tables.
        tables: the records of each table; those of intersect tables say which records are related.
    """
    own = record[catalog.tables[table].primary_id]
    target = expansion.query.table
    navigation = catalog.navigation(table, expansion.navigation)
    narrowed: Filter
    match navigation:
        case LookupNavigation(relationship=relationship):
            narrowed = _referenced(catalog, target, record.get(relationship.referencing_column))
        case CollectionNavigation(relationship=relationship):
            narrowed = _referring(catalog, target, relationship.referencing_column, table, own)
        case ManyToManyNavigation(relationship=relationship, near=near, far=far):
            pairs = tables.get(relationship.intersect_table, ())
            ids = tuple(pair[far] for pair in pairs if pair[near] == own)
            narrowed = Condition(ColumnRef(catalog.tables[target].primary_id), ConditionOperator.IN, ids)
        case None:
            raise EngineFault(f"The table '{table}' has no navigation property '{expansion.navigation}'.")
        case _:
            assert_never(navigation)
    return replace(expansion.query, filter=both(expansion.query.filter, narrowed))


def _referenced(catalog: Catalog, name: str, value: Value) -> Filter:
    """Return the condition for the record that a lookup's value points to, where it is one of this table."""
    if isinstance(value, EntityReference) and value.table == name:
        return equals(catalog.tables[name].primary_id, value.id)
    return NO_ROWS


def _referring(catalog: Catalog, name: str, lookup: str, table: str, own: Value) -> Filter:
    """Return the condition that a lookup points to one record; a polymorphic one must name its table too."""
    type_ = catalog.tables[name].by_name[lookup].type
    points = Condition(ColumnRef(lookup), ConditionOperator.EQUAL, (own,))
    if isinstance(type_, LookupType) and type_.is_polymorphic:
        return And((points, Condition(ColumnRef(lookup, part="table"), ConditionOperator.EQUAL, (table,))))
    return points
