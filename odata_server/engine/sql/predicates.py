"""Filters as SQL: every operator in one dictionary, every value bound, every compound operand in parentheses.

Text compares by its fold. `ne` is true for rows without a value, as Dataverse's SQL is; `not` is two-valued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, assert_never, cast

from entities.errors import EngineFault
from entities.hierarchy import HIERARCHICAL, hierarchies
from entities.metadata.catalog import Catalog
from entities.metadata.columns import (
    Column,
    ColumnType,
    DecimalType,
    EntityNameType,
    LookupType,
    MemoType,
    MoneyType,
    StringType,
)
from entities.metadata.tables import Table, TableKind
from entities.query import (
    And,
    ColumnComparison,
    ColumnRef,
    ComparisonOperator,
    Condition,
    ConditionOperator,
    Exists,
    Filter,
    LinkEntity,
    LinkType,
    Not,
    Or,
)
from entities.relative import RELATIVE
from entities.values import Value
from entities.wildcards import expression
from odata_server.engine.database import quoted
from odata_server.engine.dialect import Dialect
from odata_server.engine.schema import comparable
from odata_server.engine.slots import Slot
from odata_server.engine.sql.formula_sql import table_sql
from odata_server.engine.sql.hierarchy_sql import related_sql
from odata_server.engine.storage import SqlValue, folded, scale_of, stored, table_of_lookup

Binder: TypeAlias = Callable[[tuple[Value, ...]], SqlValue]
"""Takes a query's literals, gives the value of one SQL parameter."""

_LAST_CHARACTER = "\U0010ffff"


@dataclass(slots=True)
class Scope:
    """The tables of one statement while it is compiled: aliases, and the parameters collected so far."""

    catalog: Catalog
    dialect: Dialect
    tables: dict[str, tuple[str, Table]] = field(default_factory=dict)
    binders: list[Binder] = field(default_factory=list)
    names: int = 0

    def enter(self, alias: str, table: str) -> str:
        """Give a query alias an SQL alias of its own and return it."""
        name = f"t{self.names}"
        self.names += 1
        self.tables[alias] = (name, self.catalog.tables[table])
        return name

    def parameter(self, binder: Binder) -> str:
        """Add a parameter and return its place in the SQL."""
        self.binders.append(binder)
        return self.dialect.place(len(self.binders))

    def column(self, ref: ColumnRef) -> tuple[str, Table, Column]:
        """Return SQL alias, table and column of a reference."""
        sql_alias, table = self.tables[ref.alias]
        return sql_alias, table, table.by_name[ref.name]


def comparable_sql(scope: Scope, ref: ColumnRef) -> str:
    """Return the SQL of a column as comparisons and sorting see it."""
    alias, _, column = scope.column(ref)
    if ref.part == "table":
        assert isinstance(column.type, LookupType)
        if column.type.is_polymorphic:
            return f"{alias}.{quoted(table_of_lookup(ref.name))}"
        return f"CASE WHEN {alias}.{quoted(ref.name)} IS NOT NULL THEN '{column.type.targets[0]}' END"
    return f"{alias}.{quoted(comparable(column))}"


def filter_sql(scope: Scope, node: Filter) -> str:
    """Return a boolean SQL expression in parentheses for a filter whose literals are slots."""
    match node:
        case And(filters):
            return "(" + (" AND ".join(filter_sql(scope, part) for part in filters) or "TRUE") + ")"
        case Or(filters):
            return "(" + (" OR ".join(filter_sql(scope, part) for part in filters) or "FALSE") + ")"
        case Not(inner):
            return f"({filter_sql(scope, inner)} IS NOT TRUE)"
        case Condition():
            return f"({_condition(scope, node)})"
        case ColumnComparison(left, operator, right):
            return f"({_scaled_sql(scope, left, right)} {_COMPARISONS[operator]} {_scaled_sql(scope, right, left)})"
        case Exists(link):
            return exists_sql(scope, link)
        case _:
            assert_never(node)


def _scaled_sql(scope: Scope, ref: ColumnRef, other: ColumnRef) -> str:
    """Return a column as it compares with another one, which may store more digits after the point."""
    own, theirs = (_digits(scope.column(one)[2].type) for one in (ref, other))
    sql = comparable_sql(scope, ref)
    return sql if own >= theirs else f"{sql} * {10 ** (theirs - own)}"


def _digits(type_: ColumnType) -> int:
    return scale_of(type_) if isinstance(type_, DecimalType | MoneyType) else 0


def exists_sql(scope: Scope, link: LinkEntity) -> str:
    """Return EXISTS over a linked table (lambda `any`)."""
    outside = dict(scope.tables)
    inner = scope.enter(link.alias, link.table)
    source = f"FROM {table_sql(scope.catalog, link.table)} AS {inner}"
    joins = [source, *(join_sql(scope, nested) for nested in link.links)]
    on = join_condition(scope, link)
    sql = f"(EXISTS (SELECT 1 {' '.join(joins)} WHERE {on} AND {filter_sql(scope, link.filter)}))"
    scope.tables = outside
    return sql


def join_sql(scope: Scope, link: LinkEntity) -> str:
    """Return the JOIN clause of a link and of the links below it."""
    first = _first_row_sql(scope, link) if link.type is LinkType.MATCH_FIRST_ROW else ""
    alias = scope.enter(link.alias, link.table)
    word = "LEFT JOIN" if link.type is LinkType.LEFT_OUTER else "JOIN"
    key = f"{alias}.{quoted(scope.catalog.tables[link.table].primary_id)}"
    condition = f"{key} = {first}" if first else join_condition(scope, link)
    clause = f"{word} {table_sql(scope.catalog, link.table)} AS {alias} ON {condition}"
    if link.filter != And() and not first:
        clause += f" AND {filter_sql(scope, link.filter)}"
    return " ".join((clause, *(join_sql(scope, nested) for nested in link.links)))


def _first_row_sql(scope: Scope, link: LinkEntity) -> str:
    """Return the id of the first record that a link leads to."""
    outside = dict(scope.tables)
    inner = scope.enter(link.alias, link.table)
    key = f"{inner}.{quoted(scope.catalog.tables[link.table].primary_id)}"
    on = join_condition(scope, link)
    source = table_sql(scope.catalog, link.table)
    sql = f"(SELECT min({key}) FROM {source} AS {inner} WHERE {on} AND {filter_sql(scope, link.filter)})"
    scope.tables = outside
    return sql


def join_condition(scope: Scope, link: LinkEntity) -> str:
    """Return the condition that ties a link to its parent; over a polymorphic lookup it names the table too.

    The rows of a base table are those of many tables, and any of them is meant.
    """
    near, near_table = scope.tables[link.to_alias]
    far, far_table = scope.tables[link.alias]
    from_column, to_column = far_table.by_name[link.from_column], near_table.by_name[link.to_column]
    parts = [f"{far}.{quoted(comparable(from_column))} = {near}.{quoted(comparable(to_column))}"]
    # Two lookups meet in the record that both point to.
    are_lookups = isinstance(from_column.type, LookupType) and isinstance(to_column.type, LookupType)
    for alias, table, name, other in (
        (near, near_table, link.to_column, far_table),
        (far, far_table, link.from_column, near_table),
    ):
        type_ = table.by_name[name].type
        one_of_many = isinstance(type_, LookupType) and type_.is_polymorphic and other.kind is not TableKind.BASE
        if one_of_many and not are_lookups:
            parts.append(f"{alias}.{quoted(table_of_lookup(name))} = '{other.logical_name}'")
    return " AND ".join(parts)


_COMPARISONS: Mapping[ComparisonOperator, str] = {
    ComparisonOperator.EQUAL: "=",
    ComparisonOperator.NOT_EQUAL: "<>",
    ComparisonOperator.GREATER_THAN: ">",
    ComparisonOperator.GREATER_EQUAL: ">=",
    ComparisonOperator.LESS_THAN: "<",
    ComparisonOperator.LESS_EQUAL: "<=",
}

_ConditionSql: TypeAlias = Callable[[Scope, str, ColumnType, tuple[Value, ...]], str]


def bound(type_: ColumnType, slot: Value) -> Binder:
    """Return the binder of a slot: the literal's stored form, folded when it is compared as text."""
    index = cast("Slot", slot).index
    return lambda literals: _comparable_value(type_, literals[index])


def _comparable_value(type_: ColumnType, value: Value) -> SqlValue:
    """Fold what the column stores a fold of; GUIDs and date-times are stored in their only form."""
    raw = stored(type_, value)
    return folded(raw) if isinstance(type_, StringType | MemoType | EntityNameType) else raw


def _after(type_: ColumnType, slot: Value) -> Binder:
    """Return the binder of the end of the range of texts that begin with the literal."""
    begin = bound(type_, slot)
    return lambda literals: f"{begin(literals)!s}{_LAST_CHARACTER}"


def _binary(symbol: str, scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    return f"{column} {symbol} {scope.parameter(bound(type_, values[0]))}"


def _contains(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    return f"instr({column}, {scope.parameter(bound(type_, values[0]))}) > 0"


def _begins_with(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    low = scope.parameter(bound(type_, values[0]))
    high = scope.parameter(_after(type_, values[0]))
    return f"{column} >= {low} AND {column} < {high}"


def _ends_with(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    return scope.dialect.ends_with(column, scope.parameter(bound(type_, values[0])))


def _in(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    listed = ", ".join(scope.parameter(bound(type_, value)) for value in values)
    return f"{column} IN ({listed})" if listed else "FALSE"


def _between(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    low, high = (scope.parameter(bound(type_, value)) for value in values)
    return f"{column} BETWEEN {low} AND {high}"


def _null(word: str, scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    del scope, type_, values
    return f"{column} {word}"


def _not(positive: _ConditionSql, scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    return f"({positive(scope, column, type_, values)}) IS NOT TRUE"


def _like(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    pattern = bound(type_, values[0])
    return f"wildcard_match({scope.parameter(lambda literals: expression(str(pattern(literals))))}, {column})"


def _holds_any(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    # Stored as `,1,2,`: every option stands between commas.
    options = [bound(type_, value) for value in values]
    places = [scope.parameter(partial(_between_commas, option)) for option in options]
    return " OR ".join(f"instr({column}, {place}) > 0" for place in places) or "FALSE"


def _has(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    flags = bound(type_, values[0])
    return f"({column} & {scope.parameter(flags)}) = {scope.parameter(flags)}"


def _between_commas(option: Binder, literals: tuple[Value, ...]) -> SqlValue:
    return f",{option(literals)!s},"


def _in_fiscal_period(scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    number, *calendar = (scope.parameter(bound(type_, value)) for value in values)
    return f"fiscal_period({column}, {', '.join(calendar)}) = {number}"


def _elsewhere(name: str, scope: Scope, column: str, type_: ColumnType, values: tuple[Value, ...]) -> str:
    """Refuse an operator that must have been replaced before."""
    del scope, column, type_, values
    raise EngineFault(f"The condition operator '{name}' was not made concrete.")


_OPERATORS: Mapping[ConditionOperator, _ConditionSql] = {
    **{operator: partial(_elsewhere, operator.value) for operator in RELATIVE},
    ConditionOperator.EQUAL: partial(_binary, "="),
    ConditionOperator.NOT_EQUAL: partial(_binary, "IS DISTINCT FROM"),
    ConditionOperator.GREATER_THAN: partial(_binary, ">"),
    ConditionOperator.GREATER_EQUAL: partial(_binary, ">="),
    ConditionOperator.LESS_THAN: partial(_binary, "<"),
    ConditionOperator.LESS_EQUAL: partial(_binary, "<="),
    ConditionOperator.LIKE: _like,
    ConditionOperator.NOT_LIKE: partial(_not, _like),
    ConditionOperator.CONTAINS: _contains,
    ConditionOperator.NOT_CONTAINS: partial(_not, _contains),
    ConditionOperator.BEGINS_WITH: _begins_with,
    ConditionOperator.NOT_BEGINS_WITH: partial(_not, _begins_with),
    ConditionOperator.ENDS_WITH: _ends_with,
    ConditionOperator.NOT_ENDS_WITH: partial(_not, _ends_with),
    ConditionOperator.IN: _in,
    ConditionOperator.NOT_IN: partial(_not, _in),
    ConditionOperator.BETWEEN: _between,
    ConditionOperator.NOT_BETWEEN: partial(_not, _between),
    ConditionOperator.CONTAIN_VALUES: _holds_any,
    ConditionOperator.NOT_CONTAIN_VALUES: partial(_not, _holds_any),
    ConditionOperator.HAS: _has,
    ConditionOperator.IN_FISCAL_PERIOD: _in_fiscal_period,
    ConditionOperator.NULL: partial(_null, "IS NULL"),
    ConditionOperator.NOT_NULL: partial(_null, "IS NOT NULL"),
}


def _condition(scope: Scope, condition: Condition) -> str:
    column = comparable_sql(scope, condition.column)
    if None in condition.values:
        raise EngineFault("A null literal must be the operator NULL.")
    _, table, found = scope.column(condition.column)
    if condition.operator in HIERARCHICAL:
        levels = hierarchies(scope.catalog, table, condition.column.name)
        start = bound(found.type, condition.values[0])
        return related_sql(condition.operator, levels, column, lambda: scope.parameter(start))
    return _OPERATORS[condition.operator](scope, column, found.type, condition.values)
