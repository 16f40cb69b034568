"""Queries on a virtual table as queries on its source, and the source's rows as those of the virtual table.

Filtering, ordering and paging run in the source. What the source cannot do is refused: joins, grouping, expansion,
and anything but selecting the computed primary field (Learn: "Virtual tables", considerations).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final, assert_never

from entities.errors import InvalidOperation
from entities.messages import Rows
from entities.query import (
    And,
    ColumnComparison,
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    Filter,
    Not,
    Or,
    Order,
    Page,
    PageAnchor,
    QueryExpression,
)
from entities.values import Record, Value, utc_text
from odata_server.providers.table_mapping import ColumnMapping, TableMapping

_SEPARATOR: Final = " | "
_PRIMARY_FIELD_LENGTH: Final = 255
_ORDERING: Final = frozenset(
    {
        ConditionOperator.GREATER_THAN,
        ConditionOperator.GREATER_EQUAL,
        ConditionOperator.LESS_THAN,
        ConditionOperator.LESS_EQUAL,
        ConditionOperator.BETWEEN,
        ConditionOperator.LIKE,
        ConditionOperator.CONTAINS,
        ConditionOperator.BEGINS_WITH,
        ConditionOperator.ENDS_WITH,
        ConditionOperator.IN_FISCAL_PERIOD,
    }
)
"""Operators that are false for a row without value, but may be true for the source's empty value."""


def not_supported() -> InvalidOperation:
    """Return the refusal for a query of a shape that the source cannot run."""
    return InvalidOperation("The query specified is not supported for virtual entity.", code="0x80044822")


def source_query(mapping: TableMapping, query: QueryExpression) -> QueryExpression:
    """Return the query to run on the source.

    Raises:
        InvalidOperation: the shape is not possible there (0x80044822).
    """
    if any((query.links, query.linked_columns, query.groups, query.aggregates, query.expansions, query.distinct)):
        raise not_supported()
    return QueryExpression(
        mapping.source.logical_name,
        columns=_source_columns(mapping, query.columns),
        filter=_source_filter(mapping, query.filter),
        orders=tuple(_source_order(mapping, order) for order in query.orders),
        top=query.top,
        page=_source_page(mapping, query),
        count=query.count,
    )


def virtual_rows(mapping: TableMapping, query: QueryExpression, rows: Rows) -> Rows:
    """Return the source's answer under the virtual table's names and numbers."""
    names = query.columns if query.columns is not None else tuple(mapping.virtual.by_name)
    wanted = dict.fromkeys((mapping.virtual.primary_id, *names))
    following = rows.next and PageAnchor(rows.next.number, _order_values(mapping, query, rows.next.values))
    return replace(
        rows,
        records=tuple(_virtual_record(mapping, record, tuple(wanted)) for record in rows.records),
        next=following,
        first=_order_values(mapping, query, rows.first),
        version=None,
    )


def source_record(mapping: TableMapping, record: Record) -> dict[str, Value]:
    """Return a record that is to be written under the source's names and numbers.

    The id and the computed primary field are the source's own; they are left out.

    Raises:
        InvalidArgument: a choice has no such option.
    """
    return {
        pair.source.logical_name: pair.source_value(value)
        for name, value in record.items()
        if name != mapping.virtual.primary_id and (pair := mapping.columns.get(name)) is not None
    }


def _source_columns(mapping: TableMapping, columns: tuple[str, ...] | None) -> tuple[str, ...]:
    names = mapping.virtual.by_name if columns is None else columns
    found = {mapping.source.primary_id: None}
    for name in names:
        if name in mapping.columns:
            found[mapping.columns[name].source.logical_name] = None
        elif name == mapping.virtual.primary_name:
            found.update(dict.fromkeys(mapping.source.natural_key))
    return tuple(found)


def _pair(mapping: TableMapping, column: ColumnRef) -> ColumnMapping:
    if column.alias or column.part or column.name not in mapping.columns:
        raise not_supported()
    return mapping.columns[column.name]


def _source_order(mapping: TableMapping, order: Order) -> Order:
    pair = _pair(mapping, order.column)
    if pair.target is not None:
        raise not_supported()  # a lookup sorts by the name of a record that may lie in another system
    return replace(order, column=ColumnRef(pair.source.logical_name))


def _source_filter(mapping: TableMapping, node: Filter) -> Filter:
    match node:
        case And(filters):
            return And(tuple(_source_filter(mapping, part) for part in filters))
        case Or(filters):
            return Or(tuple(_source_filter(mapping, part) for part in filters))
        case Not(inner):
            return Not(_source_filter(mapping, inner))
        case Condition():
            return _source_condition(_pair(mapping, node.column), node)
        case ColumnComparison() | Exists():
            raise not_supported()
        case _:
            assert_never(node)


def _source_condition(pair: ColumnMapping, condition: Condition) -> Filter:
    """Return a condition that treats the source's empty value as the null it stands for."""
    column = ColumnRef(pair.source.logical_name)
    translated = Condition(column, condition.operator, tuple(pair.source_literal(v) for v in condition.values))
    if pair.empty is None:
        return translated
    is_empty = Condition(column, ConditionOperator.EQUAL, (pair.empty,))
    is_not_empty = Condition(column, ConditionOperator.NOT_EQUAL, (pair.empty,))
    says_empty = condition.values == (pair.empty,)
    match condition.operator:
        case ConditionOperator.NULL:
            return Or((translated, is_empty))
        case ConditionOperator.NOT_NULL:
            return And((translated, is_not_empty))
        case ConditionOperator.EQUAL if says_empty:
            return Or((Condition(column, ConditionOperator.NULL), is_empty))
        case ConditionOperator.NOT_EQUAL if says_empty:
            return And((Condition(column, ConditionOperator.NOT_NULL), is_not_empty))
        case operator if operator in _ORDERING:
            return And((translated, is_not_empty))
        case _:
            return translated


def _source_page(mapping: TableMapping, query: QueryExpression) -> Page | None:
    if query.page is None or query.page.anchor is None:
        return query.page
    anchor = query.page.anchor
    # The id may be an order itself; then the anchor holds it once.
    pairs = zip(_order_pairs(mapping, query), anchor.values, strict=False)
    values = tuple(value if pair is None else pair.source_literal(value) for pair, value in pairs)
    return replace(query.page, anchor=PageAnchor(anchor.number, values))


def _order_values(mapping: TableMapping, query: QueryExpression, values: tuple[Value, ...]) -> tuple[Value, ...]:
    pairs = zip(_order_pairs(mapping, query), values, strict=False)
    return tuple(value if pair is None else pair.order_value(value) for pair, value in pairs)


def _order_pairs(mapping: TableMapping, query: QueryExpression) -> tuple[ColumnMapping | None, ...]:
    """Return the columns of the order values; None where a value is the label of an option, the same in both."""
    orders = (None if order.labels is not None else _pair(mapping, order.column) for order in query.orders)
    return (*orders, mapping.columns[mapping.virtual.primary_id])


def _virtual_record(mapping: TableMapping, record: Record, names: tuple[str, ...]) -> Record:
    found: dict[str, Value] = {}
    for name in names:
        pair = mapping.columns.get(name)
        if pair is not None:
            found[name] = pair.virtual_value(record.get(pair.source.logical_name))
        elif name == mapping.virtual.primary_name:
            found[name] = primary_field(mapping.source.natural_key, record)
        else:
            found[name] = None
    return found


def primary_field(key: tuple[str, ...], record: Mapping[str, Value]) -> str:
    """Return the primary field: the values of the key fields joined by ` | `, empty ones left out (d.1)."""
    texts = (_text(record.get(name)) for name in key)
    return _SEPARATOR.join(text for text in texts if text)[:_PRIMARY_FIELD_LENGTH]


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case str():
            return value
        case _:
            return f"{value!s}"
