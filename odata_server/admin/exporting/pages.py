"""The rows of an environment, page by page, as its Web API gives them to one who asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from entities.errors import MalformedRequest
from integration.retry import RetryPolicy, with_retry
from integration.web_api import WebApi
from odata_server.admin.exact_json import from_json
from odata_server.admin.remote_tables import RemoteColumn, RemoteTable, RemoteTables
from odata_server.admin.services import UnexpectedAnswerError
from odata_server.bind.fetchxml_document import read_document

_TYPE: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"
_ANNOTATIONS: Final = (_TYPE, "Microsoft.Dynamics.CRM.fetchxmlpagingcookie", "Microsoft.Dynamics.CRM.morerecords")
_HEADERS: Final = {"Prefer": f'odata.include-annotations="{",".join(_ANNOTATIONS)}"'}
_FETCH: Final = re.compile(r"<fetch\b")
_UNSENT: Final = frozenset({"File", "PartyList", "CalendarRules", "Virtual"})
"""Kinds of columns whose values are no members of a row."""


class QueryError(Exception):
    """A query cannot be read; one line that says why."""


@dataclass(frozen=True, slots=True)
class ExportedReference:
    """A record that a lookup points to."""

    table: str
    id: str


@dataclass(frozen=True, slots=True)
class ExportedRow:
    """A row: values by column, as JSON gave them; lookups as references; None where a column has no value."""

    id: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported of a table.

    Attributes:
        table: the table.
        columns: its columns; of a query, those that its rows may have.
        request: the first request.
        is_whole: whether rows have all of the columns.
        fetch: FetchXML, where that is what is asked.
    """

    table: RemoteTable
    columns: tuple[RemoteColumn, ...]
    request: str
    is_whole: bool = True
    fetch: str | None = None


def whole_table(table: RemoteTable, names: Sequence[str] = ()) -> Selection:
    """Return all rows of a table with some columns, by default its id and those that a caller may set.

    Raises:
        QueryError: the table has no column of a name.
    """
    unknown = next((name for name in names if name not in table.columns), None)
    if unknown is not None:
        raise QueryError(f"table '{table.name}' has no column '{unknown}'")
    columns = _readable(table, names) if names else tuple(c for c in _readable(table, ()) if _is_settable(table, c))
    members = ",".join(_member(column) for column in columns)
    return Selection(table, columns, f"{table.entity_set}?$select={members}")


def _readable(table: RemoteTable, names: Sequence[str]) -> tuple[RemoteColumn, ...]:
    wanted = dict.fromkeys((table.primary_id, *names)) if names else table.columns
    columns = (table.columns[name] for name in wanted)
    return tuple(column for column in columns if column.readable and column.kind not in _UNSENT)


def _is_settable(table: RemoteTable, column: RemoteColumn) -> bool:
    return column.creatable or column.updatable or column.name == table.primary_id


def queried(query: str, tables: RemoteTables) -> Selection:
    """Return what a query selects.

    Args:
        query: FetchXML, or a URL relative to the service root such as `accounts?$filter=statecode eq 0`.
        tables: the environment's tables.

    Raises:
        QueryError: it is neither.
        NoTableError: there is no such table.
    """
    if query.lstrip().startswith("<"):
        table = tables.table(_fetched_table(query))
        return Selection(table, _readable(table, ()), _fetch_request(table, query), is_whole=False, fetch=query)
    entity_set, mark, options = query.strip().lstrip("/").partition("?")
    table = tables.table(entity_set)
    request = table.entity_set + mark + quote(options, safe="=&$,()'@:*/%+")
    return Selection(table, _readable(table, ()), request, is_whole=False)


def _fetched_table(query: str) -> str:
    try:
        entity = next(read_document(query).named("entity"), None)
    except MalformedRequest as error:
        raise QueryError(f"the query is no FetchXML: {error.message}") from error
    name = entity.get("name") if entity is not None else None
    if not name:
        raise QueryError("the query is no FetchXML: it has no <entity name='…'>")
    return name


def _fetch_request(table: RemoteTable, query: str) -> str:
    return f"{table.entity_set}?fetchXml={quote(query, safe='')}"


def pages(selection: Selection, service: WebApi, policy: RetryPolicy) -> Iterator[list[ExportedRow]]:
    """Yield the rows that are selected, page by page.

    Raises:
        UnexpectedAnswerError: the answer is no page.
        WebApiError, ServerUnreachableError, TokenError: as `WebApi.exchange`.
    """
    request: str | None = selection.request
    number = 1
    while request is not None:
        page = with_retry(policy, partial(_page, service, request))
        match page.get("value"):
            case list(found):
                yield [_row(selection, row) for row in found]
            case _:
                raise UnexpectedAnswerError(f"the answer to {request} is no page of rows")
        number += 1
        request = _next(selection, page, number)


def _page(service: WebApi, address: str) -> Mapping[str, object]:
    content = from_json(service.exchange("GET", address, None, _HEADERS).content)
    return content if isinstance(content, dict) else {}


def _next(selection: Selection, page: Mapping[str, object], number: int) -> str | None:
    match page:
        case {"@odata.nextLink": str(link)}:
            return link
        case {"@Microsoft.Dynamics.CRM.morerecords": True, "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie": str(cookie)}:
            return _fetch_request(selection.table, _turned(selection.fetch or "", cookie, number))
        case _:
            return None


def _turned(query: str, cookie: str, number: int) -> str:
    """Return FetchXML for the next page (Learn: "Page results using FetchXml": the cookie's text is encoded twice)."""
    inner = unquote(unquote(read_document(cookie).get("pagingcookie") or ""))
    return _FETCH.sub(
        lambda found: f"{found[0]} page={quoteattr(str(number))} paging-cookie={quoteattr(inner)}", query, 1
    )


def _member(column: RemoteColumn) -> str:
    return f"_{column.name}_value" if column.is_lookup else column.name


def _row(selection: Selection, row: Mapping[str, object]) -> ExportedRow:
    values: dict[str, object] = {}
    for column in selection.columns:
        member = _member(column)
        if member not in row:
            continue
        value = row[member]
        if column.is_lookup and value is not None:
            type_ = row.get(f"_{column.name}_value@{_TYPE}")
            target = type_ if isinstance(type_, str) else next(iter(column.targets), "")
            values[column.name] = ExportedReference(target, str(value))
        else:
            values[column.name] = _plain(value)
    return ExportedRow(str(row.get(selection.table.primary_id)), values)


def _plain(value: object) -> object:
    """Return a value; of a managed property only what it says, not who may change it."""
    match value:
        case {"Value": plain}:
            return plain
        case _:
            return value
