"""Rows as values: which columns a statement gives, and the records that they make.

Every query for records reads this way; so do pages where the database does not make the JSON itself. Expanded records
come with their row as nested JSON arrays of stored values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import orjson

from entities.messages import Rows
from entities.metadata.columns import Column, ColumnType, DoubleType, ImageType, LookupType
from entities.query import ColumnRef, Expansion, QueryExpression
from entities.values import EntityReference, Record, Value
from odata_server.edm.representation import Expanded, Facet, Member, RowShape
from odata_server.engine.clauses import limit_sql, orders_of, sorted_sql, source_sql
from odata_server.engine.database import quoted
from odata_server.engine.expansions import row_in_sight, tie_sql
from odata_server.engine.predicates import Scope, filter_sql
from odata_server.engine.row_json import shown_name_sql
from odata_server.engine.storage import SqlValue, fold_of, loaded, physical


@dataclass(frozen=True, slots=True)
class FetchedColumn:
    """A column of a record: its key there, and whether the name of the referenced record comes along."""

    key: str
    column: Column
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """What stands in a row of a result, from its beginning: the columns, then the records of each expansion."""

    columns: tuple[FetchedColumn, ...]
    expansions: tuple[Fetch, ...] = ()


def columns_of_query(scope: Scope, query: QueryExpression) -> tuple[list[str], Fetch]:
    """Return the SQL of the columns that a query asks for, and how to read them."""
    names = query.columns if query.columns is not None else tuple(scope.catalog.tables[query.table].by_name)
    selected, columns = columns_of(scope, (*(ColumnRef(name) for name in names), *query.linked_columns), {})
    return selected, Fetch(columns)


def columns_of_shape(
    scope: Scope, query: QueryExpression, shape: RowShape, more: Iterable[str] = ()
) -> tuple[list[str], Fetch]:
    """Return the SQL of everything that the rows of a shape show, expanded records included, and how to read it.

    Args:
        scope: the statement, with the query's table under the empty alias.
        query: the query; its literals are slots.
        shape: the members of its rows.
        more: further columns of its table.
    """
    shown = (m.column for m in shape.members)
    needed = (ColumnRef(name) for name in chain(_keys(scope, shape), more))
    refs = tuple(dict.fromkeys(chain(shown, needed)))
    selected, columns = columns_of(scope, refs, named_lookups(shape))
    nested, expansions = _expansions(scope, query, shape)
    return [*selected, *(f"({sql})::text" for sql in nested)], Fetch(columns, expansions)


def _keys(scope: Scope, shape: RowShape) -> Iterator[str]:
    """Yield the columns that links and entity tags are made of besides what is shown."""
    yield from (expanded.link.key for expanded in shape.expanded if expanded.link)
    if any(member.facet is Facet.FINANCE_ETAG for member in shape.members):
        yield scope.catalog.tables[shape.table].primary_id


def named_lookups(shape: RowShape) -> dict[ColumnRef, Member]:
    """Return the members that show the name of the record that a lookup points to, by the lookup's column."""
    return {m.column: m for m in shape.members if m.facet is Facet.FORMATTED and isinstance(m.type, LookupType)}


def columns_of(
    scope: Scope, refs: Iterable[ColumnRef], named: Mapping[ColumnRef, Member]
) -> tuple[list[str], tuple[FetchedColumn, ...]]:
    """Return the SQL of columns, and how to read them.

    Args:
        scope: the statement.
        refs: the columns.
        named: those of the lookups that come with the name of their record.
    """
    selected: list[str] = []
    columns = []
    for ref in refs:
        selected += _stored_sql(scope, ref)
        if ref in named:
            selected.append(_name_sql(scope, named[ref]))
        key = f"{ref.alias}.{ref.name}" if ref.alias else ref.name
        columns.append(FetchedColumn(key, scope.column(ref)[2], ref in named))
    return selected, tuple(columns)


def _stored_sql(scope: Scope, ref: ColumnRef) -> Iterator[str]:
    alias, _, column = scope.column(ref)
    fold = fold_of(column.logical_name)
    return (f"{alias}.{quoted(part.name)}" for part in physical(column) if part.name != fold)


def _name_sql(scope: Scope, member: Member) -> str:
    return shown_name_sql(f"{scope.column(member.column)[0]}.{quoted(member.column.name)}", member)


def _expansions(scope: Scope, query: QueryExpression, shape: RowShape) -> tuple[list[str], tuple[Fetch, ...]]:
    waiting = iter(query.expansions)
    wanted = [(next(waiting), inner, expanded) for expanded in shape.expanded for inner in expanded.shapes]
    found = [_expansion(scope, query.table, expansion, inner, expanded) for expansion, inner, expanded in wanted]
    return [sql for sql, _ in found], tuple(fetch for _, fetch in found)


def _expansion(
    scope: Scope, table: str, expansion: Expansion, shape: RowShape, expanded: Expanded
) -> tuple[str, Fetch]:
    """Return the query for the JSON array of the records that an expansion adds to a row."""
    query = expansion.query
    outside = row_in_sight(scope)
    source = source_sql(scope, query)
    cookie = expanded.link.cookie if expanded.link else None
    selected, fetch = columns_of_shape(scope, query, shape, (cookie.key,) if cookie else ())
    where = f"{tie_sql(scope, table, expansion)} AND {filter_sql(scope, query.filter)}"
    order = sorted_sql(scope, orders_of(scope.catalog, query))
    limit = limit_sql(scope, query)
    end = f" LIMIT {limit}" if limit else ""
    scope.tables = outside
    rows = f"SELECT row_to_json(ROW({', '.join(selected)})) AS j {source} WHERE {where} ORDER BY {order}{end}"
    return f"SELECT coalesce(json_agg(j), '[]') FROM ({rows}) AS e", fetch


def record_of(fetch: Fetch, row: Sequence[SqlValue]) -> tuple[Record, tuple[Rows, ...]]:
    """Return the record that a row's values make, and the records that each expansion adds to it."""
    record: dict[str, Value] = {}
    place = 0
    for one in fetch.columns:
        column = one.column
        if isinstance(column.type, LookupType):
            value, place = _reference(one, row, place)
        else:
            value = loaded(column, row[place])
            place += 1
        record[one.key] = value
    return record, tuple(_nested(inner, row[place + n]) for n, inner in enumerate(fetch.expansions))


def _reference(one: FetchedColumn, row: Sequence[SqlValue], place: int) -> tuple[Value, int]:
    """Return a lookup's value and the place behind it."""
    assert isinstance(one.column.type, LookupType)
    if one.column.type.is_polymorphic:
        value, end = loaded(one.column, row[place], row[place + 1]), place + 2
    else:
        value, end = loaded(one.column, row[place]), place + 1
    if not one.is_named:
        return value, end
    name = row[end]
    if isinstance(value, EntityReference) and name is not None:
        value = replace(value, name=str(name))
    return value, end + 1


def _width(one: FetchedColumn) -> int:
    """Return how many values a column takes in a row."""
    is_polymorphic = isinstance(one.column.type, LookupType) and one.column.type.is_polymorphic
    return 1 + is_polymorphic + one.is_named


def _of_json(type_: ColumnType, value: SqlValue) -> SqlValue:
    """Return a stored value from its JSON: a double may stand there without a point, bytes stand there in hex."""
    match type_:
        case DoubleType() if value is not None:
            return float(value)
        case ImageType() if value is not None:
            return bytes.fromhex(str(value).removeprefix("\\x"))
        case _:
            return value


def _nested(fetch: Fetch, found: SqlValue) -> Rows:
    """Return expanded records from the JSON of their values."""
    types = [column.column.type for column in fetch.columns for _ in range(_width(column))]
    rows = (list(row.values()) for row in orjson.loads(str(found)))
    made = [record_of(fetch, [*map(_of_json, types, row), *row[len(types) :]]) for row in rows]
    return Rows(len(made), None, tuple(r for r, _ in made), expanded=tuple(e for _, e in made))
