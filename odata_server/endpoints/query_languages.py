"""Collections asked for in another language than OData's: FetchXML, written out or stored as a view, and SQL.

`GET set?fetchXml=…` (Learn: "Use FetchXML with the Web API"), `?savedQuery=id` and `?userQuery=id` (Learn: "Retrieve
and execute predefined queries"), `?sql=SELECT …` (Microsoft's Python SDK).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import MalformedRequest
from entities.messages import Retrieve, Rows
from entities.metadata.tables import Table
from entities.values import EntityReference, guid
from odata_server.bind.fetchxml import ENTITIES_DO_NOT_MATCH, bind_document, bind_fetch, bind_saved
from odata_server.bind.fetchxml_document import read_document
from odata_server.bind.paging import fetch_cookie
from odata_server.bind.query import BoundRows, bind_rows
from odata_server.bind.sql import read_sql
from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.endpoints.call import Call
from odata_server.render.envelope import MORE_RECORDS, PAGING_COOKIE, FetchPage
from odata_server.syntax.request_trees import CustomOption, QueryOptions

FETCH_XML: Final = "fetchXml"
_STORED: Final[Mapping[str, str]] = {"savedQuery": "savedquery", "userQuery": "userquery"}
SQL: Final = "sql"
_LANGUAGES: Final = frozenset({FETCH_XML, SQL, *_STORED})
_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    FETCH_XML: frozenset({"$count"}),
    **dict.fromkeys((SQL, *_STORED), frozenset({"$count", "$skiptoken"})),
}


def bound_rows(call: Call, table: Table) -> tuple[BoundRows, bool]:
    """Return what a request for a collection means, and whether the text of the request alone decides that.

    Raises:
        DataverseError: the query is refused, or the view is not there for the caller.
    """
    options = call.options()
    asked = _language(options)
    if asked is None:
        return bind_rows(table, options, call.reading()), True
    text = asked.value or ""
    if asked.name == FETCH_XML:
        return bind_fetch(text, table, call.reading(), counts=bool(options.count)), True
    is_sql = asked.name == SQL
    document = read_sql(text) if is_sql else read_document(_stored_query(call, _STORED[asked.name], table, text))
    if is_sql and document.get("page") is not None:
        return bind_document(document, table, call.reading(), counts=bool(options.count)), True
    bound = bind_saved(document, table, call.reading(), skiptoken=options.skiptoken, counts=bool(options.count))
    return bound, is_sql


def fetch_page(call: Call, bound: BoundRows, found: Rows) -> FetchPage:
    """Return what a FetchXML answer says about the page behind it, as far as the caller asked for it.

    A page behind which nothing can be named, as of groups, has no cookie: the caller asks for the next number.
    """
    wanted = call.preferences.annotations
    cookie = None
    if found.next is not None and found.next.values and wanted.includes(f"{WEB_API_NAMESPACE}.{PAGING_COOKIE}"):
        cookie = fetch_cookie(bound.keys, found.next, found.first or (None,) * len(bound.keys))
    more = found.next is not None if wanted.includes(f"{WEB_API_NAMESPACE}.{MORE_RECORDS}") else None
    return FetchPage(cookie, more)


def _language(options: QueryOptions) -> CustomOption | None:
    """Return the option that holds the query; one language at a time, with few options beside it."""
    found = [option for option in options.custom if option.name in _LANGUAGES]
    if not found:
        return None
    asked = found[0]
    for other in (*(option.name for option in found[1:]), *options.names):
        if other not in _BESIDE[asked.name]:
            raise MalformedRequest(f"The query option '{other}' cannot be used together with '{asked.name}'.")
    return asked


def _stored_query(call: Call, stored_in: str, table: Table, text: str) -> str:
    """Return the FetchXML of a view that the caller may read."""
    view = guid(text.strip().removeprefix("{").removesuffix("}"))
    if view is None:
        raise MalformedRequest(f"Cannot convert the literal '{text[:100]}' to the expected type 'Edm.Guid'.")
    key = call.catalog.tables[stored_in].primary_id
    found = call.read(Retrieve(EntityReference(stored_in, view), (key, "fetchxml", "returnedtypecode"))).records[0]
    if found.get("returnedtypecode") != table.logical_name:
        raise MalformedRequest(
            "The entity name specified in fetchxml does not match the entity name specified in the Entity or Query"
            " Expression.",
            code=ENTITIES_DO_NOT_MATCH,
        )
    return str(found.get("fetchxml") or "")
