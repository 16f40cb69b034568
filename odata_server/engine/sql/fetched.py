"""Rows as values: which columns a statement gives, and the records that they make.

Every query for records reads this way; so do pages where the database does not make the JSON itself. Expanded records
come with their row as nested JSON arrays of stored values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final, overload

import orjson

from entities.metadata.columns import (
    BigIntType,
    ChoiceType,
    Column,
    ColumnType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    MemoType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.query import ColumnRef, Expansion, QueryExpression
from entities.values import EntityReference, Guid, Record, Value
from odata_server.edm.representation import Expanded, Facet, Member, RowShape
from odata_server.engine.database import quoted
from odata_server.engine.sql.clauses import limit_sql, orders_of, sorted_sql, source_sql
from odata_server.engine.sql.expansions import row_in_sight, tie_sql
from odata_server.engine.sql.predicates import Scope, filter_sql
from odata_server.engine.sql.row_json import shown_name_sql
from odata_server.engine.storage import SqlValue, fold_of, loaded, physical

_STORED_AS_THEY_ARE: Final = (
    *(StringType, MemoType, EntityNameType, UniqueIdentifierType, IntegerType, BigIntType, DoubleType),
    *(ChoiceType, StateType, StatusType, FileType, ImageType),
)
"""Types of columns whose values are stored as they are."""


@dataclass(frozen=True, slots=True)
class FetchedColumn:
    """A column of a record: its key there, and whether the name of the referenced record comes along."""

    key: str
    column: Column
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the values of a column stand in a row: its own, the table that a lookup points to, the record's name."""

    column: Column
    first: int
    table: int | None
    name: int | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """What stands in a row of a result, from its beginning: the columns, then the records of each expansion.

    Attributes:
        places: where each column stands, by the key of the record.
        width: the number of values before the records of the expansions.
        of_json: what makes a stored value of its JSON, by place, where JSON says it in another way.
    """

    columns: tuple[FetchedColumn, ...]
    expansions: tuple[Fetch, ...] = ()
    places: Mapping[str, _Place] = field(init=False, repr=False, compare=False)
    width: int = field(init=False, repr=False, compare=False)
    of_json: tuple[tuple[int, Callable[[SqlValue], SqlValue]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: dict[str, _Place] = {}
        width = 0
        for one in self.columns:
            type_ = one.column.type
            is_polymorphic = isinstance(type_, LookupType) and type_.is_polymorphic
            end = width + 1 + is_polymorphic
            places[one.key] = _Place(
                one.column, width, width + 1 if is_polymorphic else None, end if one.is_named else None
            )
            width = end + one.is_named
        of_json = ((at.first, _of_json(at.column.type)) for at in places.values())
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "of_json", tuple((place, load) for place, load in of_json if load is not None))


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


class FetchedRecords(Sequence[Record]):
    """Records as the stored values that were read; a record is made of them when somebody takes it.

    Args:
        fetch: what stands in a row.
        rows: the rows; what stands behind the fetched values is ignored.
    """

    __slots__ = ("_by_place", "_fetch", "_rows")

    def __init__(self, fetch: Fetch, rows: Sequence[Sequence[SqlValue]]) -> None:
        self._fetch = fetch
        self._rows = rows
        self._by_place: list[tuple[SqlValue, ...]] = list(zip(*rows, strict=True))

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        """Return the record at a place, or the records of a slice."""
        if isinstance(place, slice):
            return FetchedRecords(self._fetch, self._rows[place])
        return _record_of(self._fetch, self._rows[place])

    def stored(self, key: str) -> tuple[Column, Sequence[SqlValue]] | None:
        """Return a column and its stored values, of a lookup the ids; None where it was not read."""
        at = self._fetch.places.get(key)
        return None if at is None else (at.column, self._values_at(at.first))

    def values(self, key: str) -> Sequence[Value] | None:
        """Return the values of a column; None where it was not read."""
        at = self._fetch.places.get(key)
        if at is None:
            return None
        first = self._values_at(at.first)
        if isinstance(at.column.type, _STORED_AS_THEY_ARE):
            return first
        if not isinstance(at.column.type, LookupType):
            return [loaded(at.column, value) for value in first]
        tables = repeat(at.column.type.targets[0]) if at.table is None else self._values_at(at.table)
        names = repeat(None) if at.name is None else self._values_at(at.name)
        found = zip(first, tables, names, strict=False)
        return [_reference(key, table, name) for key, table, name in found]

    def _values_at(self, place: int) -> Sequence[SqlValue]:
        return self._by_place[place] if self._rows else ()

    def expansion(self, number: int) -> tuple[FetchedRecords, Sequence[int]]:
        """Return the records that an expansion adds to all records, and how many of them each has."""
        fetch = self._fetch.expansions[number]
        lists = [orjson.loads(str(text)) for text in self._values_at(self._fetch.width + number)]
        rows = [list(row.values()) for listed in lists for row in listed]
        for place, load in fetch.of_json:
            for row in rows:
                row[place] = None if row[place] is None else load(row[place])
        return FetchedRecords(fetch, rows), [len(listed) for listed in lists]


def _record_of(fetch: Fetch, row: Sequence[SqlValue]) -> Record:
    """Return the record that a row's values make."""
    # Most columns of most records are empty.
    return {key: None if row[at.first] is None else _value(at, row) for key, at in fetch.places.items()}


def _value(at: _Place, row: Sequence[SqlValue]) -> Value:
    if isinstance(at.column.type, _STORED_AS_THEY_ARE):
        return row[at.first]
    if not isinstance(at.column.type, LookupType):
        return loaded(at.column, row[at.first])
    table = at.column.type.targets[0] if at.table is None else row[at.table]
    return _reference(row[at.first], table, None if at.name is None else row[at.name])


def _reference(key: SqlValue, table: SqlValue, name: SqlValue) -> EntityReference | None:
    if key is None:
        return None
    return EntityReference(str(table), Guid(str(key)), None if name is None else str(name))


def _of_json(type_: ColumnType) -> Callable[[SqlValue], SqlValue] | None:
    """Return what makes a stored value of its JSON: a double may stand there without a point, bytes in hex."""
    match type_:
        case DoubleType():
            return lambda value: float(str(value))
        case ImageType():
            return lambda value: bytes.fromhex(str(value).removeprefix("\\x"))
        case _:
            return None
