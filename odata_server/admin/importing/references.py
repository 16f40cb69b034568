"""Finds the records that lookups point to: many with one request, and each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from entities.text import fold
from integration.web_api import WebApi, literal
from odata_server.admin.importing.drafts import Reference
from odata_server.admin.importing.values import ValueRefusedError
from odata_server.admin.remote_tables import RemoteTables
from odata_server.admin.services import rows, text_of

_MOST_KNOWN: Final = 200_000
_LONGEST_QUERY: Final = 6_000


class ReferenceFinder:
    """Knows which records there are, as far as it was asked; what was not there once is asked for again."""

    def __init__(self, service: WebApi, tables: RemoteTables) -> None:
        self._service = service
        self._tables = tables
        self._known: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def look_up(self, references: Iterable[Reference]) -> None:
        """Ask for those records that are not known yet.

        Raises:
            WebApiError, ServerUnreachableError, TokenError: as `WebApi.get`.
        """
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        wanted: dict[tuple[str, str], dict[str, str]] = {}
        for reference in references:
            for table, column in reference.by:
                if (table, column, fold(reference.text)) not in self._known:
                    wanted.setdefault((table, column), {})[fold(reference.text)] = reference.text
        for (table, column), texts in wanted.items():
            for together in _pieces(texts.values()):
                self._ask(table, column, together)

    def _ask(self, table_name: str, column: str, texts: list[str]) -> None:
        table = self._tables.table(table_name)
        values = ",".join(literal(text) for text in texts)
        query = {
            "$select": ",".join(dict.fromkeys((table.primary_id, column))),
            "$filter": "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)",
            "@p1": literal(column),
            "@p2": f"[{values}]",
        }
        for row in rows(self._service, table.entity_set, query):
            known = (table_name, column, fold(str(row.get(column))))
            self._known[known] = (*self._known.get(known, ()), text_of(row, table.primary_id))

    def target(self, reference: Reference) -> tuple[str, str] | None:
        """Return table and id of the record, None where there is none yet.

        Raises:
            ValueRefusedError: several records are meant.
        """
        text = fold(reference.text)
        found = {(table, id_) for table, column in reference.by for id_ in self._known.get((table, column, text), ())}
        if len(found) > 1:
            raise ValueRefusedError(
                f"'{reference.text[:100]}' for '{reference.column.name}' stands for {len(found)} records: "
                f"give the id, or say by which column the record is found ('{reference.column.name}.COLUMN')"
            )
        return next(iter(found), None)


def absent(reference: Reference) -> str:
    """Return what to say of a reference whose record is not there."""
    ways = " or ".join(dict.fromkeys(f"{table}.{column}" for table, column in reference.by)) or "nothing to find it by"
    return f"there is no record '{reference.text[:100]}' for '{reference.column.name}' ({ways})"


def _pieces(texts: Iterable[str]) -> Iterator[list[str]]:
    """Divide texts so that each query's URL stays short."""
    piece: list[str] = []
    length = 0
    for text in texts:
        if piece and length + len(text) > _LONGEST_QUERY:
            yield piece
            piece, length = [], 0
        piece.append(text)
        length += len(text) + 9
    if piece:
        yield piece
