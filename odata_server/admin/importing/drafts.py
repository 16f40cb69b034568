"""Rows of a file as changes to make: what is written at once, what follows, and which records they point to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never
from uuid import UUID

from entities.values import guid
from integration.web_api import literal
from odata_server.admin.importing.matching import BindUse, LookupUse, Matcher, Nothing, PlainUse
from odata_server.admin.importing.source import SourceRow
from odata_server.admin.importing.values import ValueRefusedError, json_value
from odata_server.admin.remote_tables import RemoteColumn, RemoteTable, RemoteTables

_URL: Final = re.compile(r"(?:.*/)?(?P<set>\w+)\((?P<key>.+)\)\Z", re.DOTALL)
_TEXT_KEY: Final = re.compile(r"(?P<column>\w+)='(?P<text>(?:[^']|'')*)'\Z", re.DOTALL)
_TYPE_OF_LOOKUP: Final = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_STATES: Final[tuple[str, ...]] = ("statecode", "statuscode")


@dataclass(frozen=True, slots=True)
class Reference:
    """A record that a lookup points to: a text, and the (table, column) pairs by which it is looked for, in turn."""

    column: RemoteColumn
    text: str
    by: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A row as it is to be written.

    Attributes:
        row: where it comes from.
        table: its table.
        id: the record's id; chosen by the importer where the file has none, None where a key names the record.
        key: the columns and values of the alternate key that names it.
        body: what is written at once.
        references: lookups; those whose records are there are written at once, too.
        late: what can only be written to a record that is there: its state, and columns that are only updated.
    """

    row: SourceRow
    table: RemoteTable
    id: str | None
    key: Mapping[str, object]
    body: Mapping[str, object]
    references: tuple[Reference, ...] = ()
    late: Mapping[str, object] = field(default_factory=dict)

    @property
    def identity(self) -> Mapping[str, object]:
        """The values by which a file names the record."""
        return self.key if self.id is None else {self.table.primary_id: self.id}

    @property
    def address(self) -> str:
        """The record's URL, relative to the service root."""
        if self.id is not None:
            return f"{self.table.entity_set}({self.id})"
        parts = (f"{name}={_url_literal(value)}" for name, value in self.key.items())
        return f"{self.table.entity_set}({','.join(parts)})"


@dataclass(frozen=True, slots=True)
class Drafting:
    """How rows become drafts.

    Attributes:
        tables: the environment's tables.
        matcher: what names mean.
        key: the columns that name a record, besides its id; empty where the id does.
        seed: sixteen bytes that follow from the file, so that a row gets the same id whenever it is imported.
    """

    tables: RemoteTables
    matcher: Matcher
    key: tuple[str, ...]
    seed: bytes

    def draft(self, row: SourceRow) -> Draft:
        """Return what a row is to write.

        Raises:
            ValueRefusedError: one of its values is none of its column, or it lacks a part of the key.
            UnknownColumnError, NoTableError: it names what is not there.
        """
        table = self.tables.table(row.table)
        body: dict[str, object] = {}
        references = []
        for name, given in row.values.items():
            match self.matcher.use(table, name):
                case Nothing():
                    continue
                case PlainUse(column):
                    body[column.name] = json_value(column, given)
                case LookupUse(column, by) if given is not None:
                    references.append(self._reference(column, by, given, row.values.get(name + _TYPE_OF_LOOKUP)))
                case BindUse(column, target) if given is not None:
                    references.append(self._by_url(column, target, str(given)))
                case LookupUse(column) | BindUse(column):
                    body[f"{column.navigation('')}@odata.bind"] = None
                case other:
                    assert_never(other)
        return self._settled(row, table, body, tuple(references))

    def _settled(
        self, row: SourceRow, table: RemoteTable, body: dict[str, object], references: tuple[Reference, ...]
    ) -> Draft:
        """Return the draft: what names the record apart from what it holds, and what must wait apart from the rest."""
        key = {name: body.pop(name, None) for name in self.key}
        missing = next((name for name, value in key.items() if value is None), None)
        if missing is not None:
            raise ValueRefusedError(f"the row has no value in column '{missing}', by which --key finds its record")
        given = body.pop(table.primary_id, None)
        waiting = [*(_STATES if body.get("statecode") else ()), *(name for name in body if _only_updated(table, name))]
        late = {name: body.pop(name) for name in waiting if body.get(name) is not None}
        settable = {n: v for n, v in body.items() if "@" in n or _can_be_set(table.columns[n])}
        id_ = None if key else str(given or self._own_id(row.number))
        kept = tuple(r for r in references if _can_be_set(r.column))
        return Draft(row, table, id_, key, settable, kept, late)

    def _own_id(self, number: int) -> str:
        """Return the id of a row that has none: the rows of a file keep their order, and get the same ids again."""
        return str(UUID(bytes=self.seed[:10] + number.to_bytes(6, "big"), version=4))

    def _reference(
        self, column: RemoteColumn, by: tuple[tuple[str, str], ...], given: object, type_: object
    ) -> Reference:
        text = str(given).strip()
        identifier = guid(text.strip("{}"))
        if identifier is not None:
            targets = (type_,) if isinstance(type_, str) else column.targets
            return Reference(column, str(identifier), tuple(self._ids(targets)))
        found = _URL.match(text)
        return (
            self._by_url(column, None, text)
            if found and self._is_set(column, found["set"])
            else Reference(column, text, by)
        )

    def _ids(self, targets: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for target in targets:
            table = self.tables.table(target)
            yield table.name, table.primary_id

    def _is_set(self, column: RemoteColumn, entity_set: str) -> bool:
        return any(self.tables.table(target).entity_set == entity_set for target in column.targets)

    def _by_url(self, column: RemoteColumn, target: str | None, url: str) -> Reference:
        """Return the record that a URL names by its id or by a key of one text column."""
        found = _URL.match(url)
        if found is None:
            raise ValueRefusedError(f"'{url[:100]}' for '{column.name}' is no URL of a record, such as /accounts(ID)")
        table = self.tables.table(target or found["set"])
        identifier = guid(found["key"])
        if identifier is not None:
            return Reference(column, str(identifier), ((table.name, table.primary_id),))
        key = _TEXT_KEY.match(found["key"])
        if key is None or key["column"] not in table.columns:
            raise ValueRefusedError(
                f"'{url[:100]}' for '{column.name}' names no record by its id or a key of one column"
            )
        return Reference(column, key["text"].replace("''", "'"), ((table.name, key["column"]),))


def _can_be_set(column: RemoteColumn) -> bool:
    """Tell whether a caller may set a column; the others come in exports and are passed over, as the server does."""
    return (column.creatable or column.updatable) and column.kind != "File"


def _only_updated(table: RemoteTable, name: str) -> bool:
    """Tell whether a column takes no value when a record is made, but later does; a state is another matter."""
    column = table.columns.get(name)
    return column is not None and not column.creatable and column.updatable and name not in _STATES


def _url_literal(value: object) -> str:
    return literal(value) if isinstance(value, str) else str(value)
