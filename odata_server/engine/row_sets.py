"""Many rows of one table in few statements: one per set of columns, in portions that a statement's parameters allow.

Rows that break a uniqueness are written once more one by one, so that the refusal names the record that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from entities.metadata.tables import Table
from entities.values import Guid, Value
from odata_server.engine import rows
from odata_server.engine.database import Connection, quoted, single
from odata_server.engine.storage import SqlValue, physical

_PARAMETERS: Final = 8_000
"""SQLite takes 32,766 of them in a statement, PostgreSQL 65,535; longer statements are not faster."""

_SAVED: Final = "rows"

Place: TypeAlias = Callable[[int], str]
"""Writes the place of the parameter with a number."""


@dataclass(frozen=True, slots=True)
class RowWrite:
    """A row to insert, or columns to change of the row that has an id."""

    record: dict[str, Value]
    changed: Guid | None = None


def stamp_all(connection: Connection, table: Table, writes: Sequence[RowWrite]) -> None:
    """Give records the next organization-wide row versions, in their order."""
    if not table.has_version or not writes:
        return
    taken = 'UPDATE "$state" SET row_version = row_version + $1 RETURNING row_version'
    first = int(single(connection, taken, (len(writes),))) - len(writes) + 1
    for version, write in enumerate(writes, first):
        write.record["versionnumber"] = version


def write_all(connection: Connection, table: Table, writes: Sequence[RowWrite]) -> None:
    """Insert and change rows; each row is there once.

    Raises:
        DuplicateRecord: the id or an alternate key of one is taken.
    """
    if len(writes) == 1:
        _write_one(connection, table, writes[0])
        return
    connection.execute(f"SAVEPOINT {quoted(_SAVED)}")
    try:
        for sql, parameters in _statements(connection, table, writes):
            connection.execute(sql, parameters)
    except connection.dialect.constraint_errors:
        connection.execute(f"ROLLBACK TO SAVEPOINT {quoted(_SAVED)}")
        for write in writes:
            _write_one(connection, table, write)
    connection.execute(f"RELEASE SAVEPOINT {quoted(_SAVED)}")


def _write_one(connection: Connection, table: Table, write: RowWrite) -> None:
    if write.changed is None:
        rows.insert(connection, table, write.record)
    elif write.record:
        rows.update(connection, table, write.changed, write.record)


def _statements(
    connection: Connection, table: Table, writes: Sequence[RowWrite]
) -> Iterator[tuple[str, list[SqlValue]]]:
    """Yield statements with their parameters: the new rows before the changed ones."""
    place, name = connection.dialect.place, table.logical_name
    new = [tuple(rows.physical_values(table, write.record)) for write in writes if write.changed is None]
    for names, portion in _portions(new):
        yield _insert_sql(place, name, names, len(portion)), _flat(portion)
    changed = [
        ((table.primary_id, write.changed), *rows.physical_values(table, write.record))
        for write in writes
        if write.changed is not None and write.record
    ]
    for names, portion in _portions(changed):
        types = _types(table, names)
        sql_types = tuple(connection.dialect.types[type_] for type_ in types)
        yield _update_sql(place, name, names, sql_types, len(portion)), _flat(portion)


def _flat(portion: Sequence[tuple[SqlValue, ...]]) -> list[SqlValue]:
    return [value for row in portion for value in row]


def _portions(
    written: Sequence[tuple[tuple[str, SqlValue], ...]],
) -> Iterator[tuple[tuple[str, ...], list[tuple[SqlValue, ...]]]]:
    """Yield rows of the same columns together, as many as one statement takes."""
    by_columns: dict[tuple[str, ...], list[tuple[SqlValue, ...]]] = {}
    for row in written:
        names, values = zip(*row, strict=True)
        by_columns.setdefault(names, []).append(values)
    for names, same in by_columns.items():
        size = max(1, _PARAMETERS // len(names))
        for start in range(0, len(same), size):
            yield names, same[start : start + size]


def _types(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    known = {own.name: own.sql_type for column in table.columns for own in physical(column)}
    return tuple(known[name] for name in names)


@lru_cache(maxsize=256)
def _insert_sql(place: Place, table: str, names: tuple[str, ...], count: int) -> str:
    listed = ", ".join(map(quoted, names))
    return f"INSERT INTO {quoted(table)} ({listed}) VALUES {_places(place, len(names), count)}"


def _places(place: Place, width: int, count: int, first: int = 1) -> str:
    starts = range(first, first + width * count, width)
    return ", ".join(f"({', '.join(place(start + n) for n in range(width))})" for start in starts)


@lru_cache(maxsize=256)
def _update_sql(place: Place, table: str, names: tuple[str, ...], types: tuple[str, ...], count: int) -> str:
    """Return the statement; its first row of values says which types the columns have."""
    own, new = quoted(table), quoted("new")
    key, *others = map(quoted, names)
    typed = ", ".join(f"CAST({place(number)} AS {type_})" for number, type_ in enumerate(types, 1))
    more = f", {_places(place, len(names), count - 1, len(names) + 1)}" if count > 1 else ""
    changes = ", ".join(f"{name} = {new}.{name}" for name in others)
    return (
        f"WITH {new} ({', '.join((key, *others))}) AS (VALUES ({typed}){more})"
        f" UPDATE {own} SET {changes} FROM {new} WHERE {own}.{key} = {new}.{key}"
    )
