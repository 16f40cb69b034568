"""Which column a name in a file means: logical name, schema name, label, or the words that the Web API has for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

from entities.text import fold
from odata_server.admin.remote_tables import RemoteColumn, RemoteTable, RemoteTables

_BIND: Final = "@odata.bind"
_NONE: Final = ""


class UnknownColumnError(Exception):
    """A name in a file means no column; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """An annotation, or what is left out on request."""


@dataclass(frozen=True, slots=True)
class PlainUse:
    """A column that takes values."""

    column: RemoteColumn


@dataclass(frozen=True, slots=True)
class LookupUse:
    """A lookup, and how the record is found: by columns of tables, the first ones that find any."""

    column: RemoteColumn
    by: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BindUse:
    """A lookup whose values are URLs of records; `target` is the table where the navigation property has one."""

    column: RemoteColumn
    target: str | None


Use: TypeAlias = Nothing | PlainUse | LookupUse | BindUse


class Matcher:
    """Finds out once what each name of a table's rows means."""

    def __init__(self, tables: RemoteTables, mapping: Mapping[str, str]) -> None:
        self._tables = tables
        self._mapping = mapping
        self._found: dict[tuple[str, str], Use] = {}

    def use(self, table: RemoteTable, name: str) -> Use:
        """Return what a name means.

        Args:
            table: the table of the rows.
            name: a heading, or a member of a JSON object. The mapping stands before everything else; to say how a
                lookup's record is found, a name goes on: `parentaccountid.accountnumber`, or with the table where
                several are possible, `parentcustomerid.account.accountnumber`.

        Raises:
            UnknownColumnError: it means nothing, or two things.
            NoTableError: it names a table that is not there.
        """
        found = self._found.get((table.name, name))
        if found is None:
            found = self._found[table.name, name] = self._match(table, name)
        return found

    def _match(self, table: RemoteTable, name: str) -> Use:
        mapped = self._mapping.get(name)
        if mapped == _NONE:
            return Nothing()
        return self._named(table, name if mapped is None else mapped)

    def _named(self, table: RemoteTable, name: str) -> Use:
        if name.endswith(_BIND):
            return _bound(table, name.removesuffix(_BIND))
        if "@" in name:
            return Nothing()
        column = _column(table, name)
        if column is not None:
            return LookupUse(column, tuple(self._ways(column.targets))) if column.is_lookup else PlainUse(column)
        match name.split("."):
            # The column in the other table, or that table and its column.
            case [start, *rest] if rest and not rest[2:]:
                lookup = _column(table, start)
            case _:
                lookup, rest = None, []
        if lookup is None or not lookup.is_lookup:
            raise _unknown(table, name)
        return LookupUse(lookup, tuple(self._told(lookup, rest, name)))

    def _ways(self, targets: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield by which columns a record is found where nothing is told: keys of one text column, then the name."""
        tables = [self._tables.table(target) for target in targets]
        for table in tables:
            yield from ((table.name, key[0]) for key in table.keys if len(key) == 1 and _is_text(table, key[0]))
        yield from ((table.name, table.primary_name) for table in tables if table.primary_name)

    def _told(self, lookup: RemoteColumn, rest: list[str], name: str) -> Iterator[tuple[str, str]]:
        """Yield the one way that a name tells: a column of the targets, a target, or both."""
        if rest[0] in lookup.targets:
            target = self._tables.table(rest[0])
            wanted = _column(target, rest[1]) if len(rest) > 1 else target.columns.get(target.primary_name or "")
            if wanted is None:
                raise _unknown(target, rest[-1])
            yield target.name, wanted.name
            return
        found = [(t, _column(t, rest[0])) for t in map(self._tables.table, lookup.targets) if len(rest) == 1]
        ways = [(target.name, column.name) for target, column in found if column is not None]
        if not ways:
            raise UnknownColumnError(
                f"'{name}': '{rest[0]}' is no column of {' or '.join(lookup.targets)}, which '{lookup.name}' points to"
            )
        yield from ways


def _is_text(table: RemoteTable, column: str) -> bool:
    return column in table.columns and table.columns[column].kind == "String"


def _bound(table: RemoteTable, name: str) -> BindUse:
    """Return the lookup that a navigation property, or the column itself, sets by a URL."""
    for column in table.columns.values():
        for target, navigation in column.navigations.items():
            if navigation == name:
                return BindUse(column, target if len(column.targets) == 1 else None)
    itself = table.columns.get(name.lower())
    if itself is None or not itself.is_lookup:
        raise _unknown(table, name)
    return BindUse(itself, None)


def _column(table: RemoteTable, name: str) -> RemoteColumn | None:
    """Return a column by logical or schema name, by its property in the Web API, or by its label."""
    lowered = name.strip().lower()
    found = table.columns.get(lowered)
    if found is None and lowered.startswith("_") and lowered.endswith("_value"):
        found = table.columns.get(lowered[1:].removesuffix("_value"))
    return found or table.by_display_name.get(fold(name.strip()))


def _unknown(table: RemoteTable, name: str) -> UnknownColumnError:
    near = get_close_matches(name.lower(), table.columns, n=1)
    meant = f" (is '{near[0]}' meant?)" if near else ""
    return UnknownColumnError(
        f"table '{table.name}' has no column '{name}'{meant}: say which one with --map '{name}=COLUMN', "
        f"or leave it out with --map '{name}='"
    )
