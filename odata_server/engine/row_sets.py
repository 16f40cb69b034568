"""Many rows of one table with one statement per set of columns, run as the database likes it best.

Rows that break a uniqueness are written once more one by one, so that the refusal names the record that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Final, NamedTuple

from entities.metadata.tables import Table
from entities.values import Guid, Value
from odata_server.engine import rows
from odata_server.engine.database import Place, Writer, quoted, single
from odata_server.engine.storage import SqlValue, physical
from odata_server.engine.stored_columns import stored_columns, stored_values
from odata_server.engine.watched import WatchedRecord

_SAVED: Final = "rows"


class RowWrite(NamedTuple):
    """A row to insert, or columns to change of the row that has an id."""

    record: dict[str, Value]
    changed: Guid | None = None


def stamp_all(connection: Writer, table: Table, writes: Sequence[RowWrite]) -> None:
    """Give records the next organization-wide row versions, in their order."""
    if not table.has_version or not writes:
        return
    taken = 'UPDATE "$state" SET row_version = row_version + $1 RETURNING row_version'
    first = int(single(connection, taken, (len(writes),))) - len(writes) + 1
    for version, write in enumerate(writes, first):
        write.record["versionnumber"] = version


def write_all(connection: Writer, table: Table, writes: Sequence[RowWrite]) -> None:
    """Insert and change rows; each row is there once.

    Raises:
        DuplicateRecord: the id or an alternate key of one is taken.
    """
    if len(writes) == 1:
        _write_one(connection, table, writes[0])
        return
    connection.execute(f"SAVEPOINT {quoted(_SAVED)}")
    try:
        _write_together(connection, table, writes)
    except connection.dialect.constraint_errors:
        connection.execute(f"ROLLBACK TO SAVEPOINT {quoted(_SAVED)}")
        for write in writes:
            _write_one(connection, table, write)
    connection.execute(f"RELEASE SAVEPOINT {quoted(_SAVED)}")


def _write_one(connection: Writer, table: Table, write: RowWrite) -> None:
    if write.changed is None:
        rows.insert(connection, table, write.record)
    elif write.record:
        rows.update(connection, table, write.changed, write.record)


def _write_together(connection: Writer, table: Table, writes: Sequence[RowWrite]) -> None:
    """Write the new rows before the changed ones, those with the same columns with one statement."""
    new = [write.record for write in writes if write.changed is None]
    for same in _alike(new):
        names, stored_rows = _stored_rows(table, same)
        connection.write_rows(partial(_insert_sql, table.logical_name, names), stored_rows)
    changed = [{table.primary_id: write.changed, **write.record} for write in writes if write.changed and write.record]
    for same in _alike(changed):
        names, stored_rows = _stored_rows(table, same)
        types = tuple(connection.dialect.types[type_] for type_ in _types(table, names))
        connection.write_rows(partial(_update_sql, table.logical_name, names, types), stored_rows)


def _alike(records: Iterable[dict[str, Value]]) -> Iterable[list[dict[str, Value]]]:
    """Return the records of the same columns together."""
    by_columns: dict[tuple[object, ...], list[dict[str, Value]]] = {}
    for record in records:
        key = (id(record.common), *record.own) if isinstance(record, WatchedRecord) else tuple(record)
        by_columns.setdefault(key, []).append(record)
    return by_columns.values()


def _stored_rows(
    table: Table, records: Sequence[dict[str, Value]]
) -> tuple[tuple[str, ...], list[tuple[SqlValue, ...]]]:
    """Return physical columns and the stored rows of records with the same columns, made column by column."""
    parts, first, count = table.derived(stored_columns), records[0], len(records)
    own = first.own if isinstance(first, WatchedRecord) else first
    names: list[str] = []
    columns: list[Sequence[SqlValue]] = []
    for name, value in first.items():
        values = list(map(itemgetter(name), records)) if name in own else None
        for part, store in parts[name]:
            names.append(part)
            columns.append([store(value)] * count if values is None else stored_values(values, store))
    return tuple(names), list(zip(*columns, strict=True))


def _types(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    known = {own.name: own.sql_type for column in table.columns for own in physical(column)}
    return tuple(known[name] for name in names)


@lru_cache(maxsize=256)
def _insert_sql(table: str, names: tuple[str, ...], place: Place, count: int) -> str:
    listed = ", ".join(map(quoted, names))
    return f"INSERT INTO {quoted(table)} ({listed}) VALUES {_places(place, len(names), count)}"


def _places(place: Place, width: int, count: int, first: int = 1) -> str:
    starts = range(first, first + width * count, width)
    return ", ".join(f"({', '.join(place(start + n) for n in range(width))})" for start in starts)


@lru_cache(maxsize=256)
def _update_sql(table: str, names: tuple[str, ...], types: tuple[str, ...], place: Place, count: int) -> str:
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
