"""The paging cookie in `$skiptoken`: where the next page begins, as Dataverse writes it (Learn: "Page results").

    <cookie pagenumber="2" pagingcookie="ENCODED" istracking="False" />
    ENCODED, percent-encoded with lower-case digits:
    <cookie page="1"><fullname last="Z" first="A" /><contactid last="{GUID}" first="{GUID}" /></cookie>

Order columns stand before the id; a null is `lastnull="1"`. Behind nested expanded collections the inner element has
`countOfRecords="50"` as well. Reading is strict: a cookie that another query or hand
made is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from html import escape, unescape
from typing import Final
from urllib.parse import quote, unquote

from entities.errors import MalformedRequest
from entities.metadata.catalog import Catalog
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    ManagedPropertyType,
    MoneyType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.tables import Table
from entities.ordering import full_order, tables_of
from entities.query import Order, PageAnchor, QueryExpression
from entities.values import ChoiceSet, EntityReference, KeyReference, Value, guid, utc_text
from odata_server.bind.coerce import day, is_date_only, moment
from odata_server.edm.representation import PageCookie

_TOKEN: Final = re.compile(
    r'<cookie pagenumber="(?P<number>[1-9]\d{0,8})" pagingcookie="(?P<inner>[^"<>]*)" istracking="False" />\Z'
)
_INNER: Final = re.compile(
    r'<cookie page="(?P<page>[1-9]\d{0,8})"(?: countOfRecords="\d{1,9}")?>(?P<terms>.*)</cookie>\Z', re.DOTALL
)
_TERM: Final = re.compile(
    r'<(?P<name>[\w.]+) (?:last="(?P<last>[^"<>]*)"|lastnull="1") (?:first="[^"<>]*"|firstnull="1") ?/>', re.DOTALL
)
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class Key:
    """One order term of a cookie: its name and the type of its values.

    `is_id` marks the id of the query's own table, which every row has.
    """

    name: str
    type: ColumnType
    is_id: bool = False


def keys_of(catalog: Catalog, query: QueryExpression) -> tuple[Key, ...]:
    """Return the terms of a query's paging cookie: what its rows are ordered by, to the last term."""
    tables = tables_of(catalog, query)
    own = tables[""].primary_id
    return tuple(_key(order, tables[order.column.alias], own) for order in full_order(catalog, query))


def _key(order: Order, table: Table, own: str) -> Key:
    column = order.column
    name = ".".join(filter(None, (column.alias, column.name, column.part)))
    if order.labels is not None:
        # The name of the column that holds a choice's label in Dataverse.
        return Key(f"{name}name", StringType())
    return Key(name, table.by_name[column.name].type, is_id=name == own)


def cookie_link(keys: tuple[Key, ...], anchor: PageAnchor, first: tuple[Value, ...]) -> str:
    """Return the percent-encoded value of `$skiptoken` for the page that `anchor` begins.

    Args:
        keys: the order terms, the id last.
        anchor: number of the next page, and the order values of this page's last row.
        first: the order values of this page's first row.
    """
    encoded = _encoded(_inner(keys, anchor, first))
    token = f'<cookie pagenumber="{anchor.number}" pagingcookie="{encoded}" istracking="False" />'
    return quote(token, safe="=/-_.!*()")


def nested_cookie(primary_id: str, size: int) -> PageCookie:
    """Return the percent-encoded `$skiptoken` behind a full first page of expanded records, without its ids.

    Where one `$expand` is nested in another one, the cookie tells the size of the page too, and ids keep their lower
    case (Learn: "Join tables using OData").

    Args:
        primary_id: the column that the page is ordered by.
        size: the number of records of a full page.
    """
    term = f'<{primary_id} last="{{~}}" first="{{~}}" />'
    encoded = _encoded(f'<cookie page="1" countOfRecords="{size}">{term}</cookie>')
    token = quote(f'<cookie pagenumber="2" pagingcookie="{encoded}" istracking="False" />', safe="=/-_.!*()")
    before, between, after = token.split("~")
    return PageCookie(primary_id, size, before, between, after)


def fetch_cookie(keys: tuple[Key, ...], anchor: PageAnchor, first: tuple[Value, ...]) -> str:
    """Return the cookie of a FetchXML answer; what its attribute holds is encoded twice (Learn: "Page results").

    Args:
        keys: the order terms, the id last.
        anchor: number of the next page, and the order values of this page's last row.
        first: the order values of this page's first row.
    """
    encoded = _encoded(_encoded(_inner(keys, anchor, first)))
    return f'<cookie pagenumber="{anchor.number}" pagingcookie="{encoded}" istracking="False" />'


def _inner(keys: tuple[Key, ...], anchor: PageAnchor, first: tuple[Value, ...]) -> str:
    terms = "".join(_term(key, last, at) for key, last, at in zip(keys, anchor.values, first, strict=True))
    return f'<cookie page="{anchor.number - 1}">{terms}</cookie>'


def _encoded(text: str) -> str:
    return _ESCAPE.sub(lambda found: found.group().lower(), quote(text, safe="-_.!*()"))


def _term(key: Key, last: Value, first: Value) -> str:
    return f"<{key.name} {_end('last', last, key)} {_end('first', first, key)} />"


def _end(name: str, value: Value, key: Key) -> str:
    return f'{name}null="1"' if value is None else f'{name}="{escape(printed(value, key))}"'


def printed(value: Value, key: Key) -> str:
    """Return an order value that is not null as text."""
    # Only ids are printed as GUIDs; text and names that look like one stay as they are.
    if isinstance(key.type, UniqueIdentifierType) and isinstance(value, str):
        return f"{{{value.upper()}}}"
    return _printed(value)


def _printed(value: Value) -> str:
    match value:
        case bool():
            return "1" if value else "0"
        case str():
            return value
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case EntityReference():
            return f"{{{value.id.upper()}}}"
        case ChoiceSet():
            return ",".join(map(str, value.options))
        case float():
            return repr(value)
        case int() | Decimal():
            return str(value)
        case bytes() | KeyReference() | None:
            raise AssertionError("rows are not ordered by such values")


def read_cookie(token: str, keys: tuple[Key, ...]) -> PageAnchor:
    """Return where the page of a `$skiptoken` begins.

    Args:
        token: the option's value, decoded once.
        keys: the order terms of the query it comes with.

    Raises:
        MalformedRequest: the cookie is malformed or belongs to another query.
    """
    outer = _TOKEN.match(token)
    anchor = _anchor(unquote(outer["inner"]), keys) if outer else None
    if outer is None or anchor is None or anchor.number != int(outer["number"]):
        raise _malformed()
    return anchor


def read_fetch_cookie(text: str, keys: tuple[Key, ...]) -> PageAnchor:
    """Return where the page behind a FetchXML `paging-cookie` begins.

    Args:
        text: the attribute's value; clients decode it as often as they see fit.
        keys: the order terms of the query it comes with.

    Raises:
        MalformedRequest: the cookie is malformed or belongs to another query.
    """
    for _ in range(2):
        text = text if text.startswith("<") else unquote(text)
    return _anchor(text, keys)


def _anchor(text: str, keys: tuple[Key, ...]) -> PageAnchor:
    inner = _INNER.match(text)
    if inner is None:
        raise _malformed()
    terms = list(_TERM.finditer(inner["terms"]))
    is_whole = "".join(term.group() for term in terms) == inner["terms"]
    if not is_whole:
        raise _malformed()
    if tuple(term["name"] for term in terms) != tuple(key.name for key in keys):
        raise MalformedRequest("Order by columns do not match those in paging cookie.", code="0x80041129")
    values = tuple(
        None if term["last"] is None else order_value(unescape(term["last"]), key)
        for term, key in zip(terms, keys, strict=True)
    )
    if any(key.is_id and value is None for key, value in zip(keys, values, strict=True)):
        raise _malformed()
    return PageAnchor(int(inner["page"]) + 1, values)


def _malformed() -> MalformedRequest:
    return MalformedRequest("Malformed XML in the Paging Cookie", code="0x80040203")


def order_value(text: str, key: Key) -> Value:
    """Return the order value that `printed` made a text of.

    Raises:
        MalformedRequest: it is no value of the column.
    """
    try:
        found = _typed(text, key.type)
    except (ValueError, InvalidOperation) as error:
        raise _malformed() from error
    if found is None or (isinstance(found, int) and abs(found) >= _INT64):
        raise _malformed()
    return found


def _typed(text: str, type_: ColumnType) -> Value:
    match type_:
        case UniqueIdentifierType():
            return guid(text.removeprefix("{").removesuffix("}"))
        case BooleanType() | ManagedPropertyType():
            return {"1": True, "0": False}.get(text)
        case IntegerType() | BigIntType() | ChoiceType() | StateType() | StatusType():
            return int(text)
        case DecimalType() | MoneyType():
            number = Decimal(text)
            return number if number.is_finite() and abs(number.adjusted()) < 30 else None  # noqa: PLR2004 - digits of Edm.Decimal
        case DoubleType():
            return float(text)
        case DateTimeType():
            return day(text) if is_date_only(type_) else moment(text)
        case _:
            return text
