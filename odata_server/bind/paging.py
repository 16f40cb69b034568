"""The paging cookie in `$skiptoken`: where the next page begins, as Dataverse writes it (Learn: "Page results").

    <cookie pagenumber="2" pagingcookie="ENCODED" istracking="False" />
    ENCODED, percent-encoded with lower-case digits:
    <cookie page="1"><fullname last="Z" first="A" /><contactid last="{GUID}" first="{GUID}" /></cookie>

Order columns stand before the id; a null is `lastnull="1"`. Reading is strict: a cookie that another query or hand
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
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MoneyType,
    StateType,
    StatusType,
    UniqueIdentifierType,
)
from entities.query import PageAnchor
from entities.values import ChoiceSet, EntityReference, KeyReference, Value, guid, utc_text
from odata_server.bind.coerce import day, is_date_only, moment

_TOKEN: Final = re.compile(
    r'<cookie pagenumber="(?P<number>[1-9]\d{0,8})" pagingcookie="(?P<inner>[^"<>]*)" istracking="False" />\Z'
)
_INNER: Final = re.compile(r'<cookie page="(?P<page>[1-9]\d{0,8})">(?P<terms>.*)</cookie>\Z', re.DOTALL)
_TERM: Final = re.compile(
    r'<(?P<name>[\w.]+) (?:last="(?P<last>[^"<>]*)"|lastnull="1") (?:first="[^"<>]*"|firstnull="1") />', re.DOTALL
)
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class Key:
    """One order term of a cookie: its name and the type of its values.

    `is_stored` marks columns of linked tables, whose values travel in their stored form.
    """

    name: str
    type: ColumnType
    is_stored: bool = False


def cookie_link(keys: tuple[Key, ...], anchor: PageAnchor, first: tuple[Value, ...]) -> str:
    """Return the percent-encoded value of `$skiptoken` for the page that `anchor` begins.

    Args:
        keys: the order terms, the id last.
        anchor: number of the next page, and the order values of this page's last row.
        first: the order values of this page's first row.
    """
    terms = "".join(_term(key, last, at) for key, last, at in zip(keys, anchor.values, first, strict=True))
    inner = f'<cookie page="{anchor.number - 1}">{terms}</cookie>'
    encoded = _ESCAPE.sub(lambda found: found.group().lower(), quote(inner, safe="-_.!*()"))
    token = f'<cookie pagenumber="{anchor.number}" pagingcookie="{encoded}" istracking="False" />'
    return quote(token, safe="=/-_.!*()")


def _term(key: Key, last: Value, first: Value) -> str:
    return f"<{key.name} {_end('last', last, key)} {_end('first', first, key)} />"


def _end(name: str, value: Value, key: Key) -> str:
    if value is None:
        return f'{name}null="1"'
    # Only ids are printed as GUIDs; text and names that look like one stay as they are.
    text = f"{{{value.upper()}}}" if isinstance(key.type, UniqueIdentifierType) and isinstance(value, str) else None
    return f'{name}="{escape(text or _printed(value))}"'


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
    inner = _INNER.match(unquote(outer["inner"])) if outer else None
    if outer is None or inner is None or int(inner["page"]) + 1 != int(outer["number"]):
        raise _malformed()
    terms = list(_TERM.finditer(inner["terms"]))
    is_whole = "".join(term.group() for term in terms) == inner["terms"]
    if not is_whole or tuple(term["name"] for term in terms) != tuple(key.name for key in keys):
        raise _malformed()
    values = tuple(_value(term["last"], key) for term, key in zip(terms, keys, strict=True))
    if values[-1] is None:
        raise _malformed()
    return PageAnchor(int(outer["number"]), values)


def _malformed() -> MalformedRequest:
    return MalformedRequest("Malformed XML in the Paging Cookie", code="0x80040203")


def _value(text: str | None, key: Key) -> Value:
    if text is None:
        return None
    try:
        found = _stored(unescape(text), key.type) if key.is_stored else _typed(unescape(text), key.type)
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


def _stored(text: str, type_: ColumnType) -> Value:
    match type_:
        case DoubleType():
            return float(text)
        case UniqueIdentifierType() | LookupType():
            return guid(text.removeprefix("{").removesuffix("}")) or text
        case (
            IntegerType()
            | BigIntType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | BooleanType()
            | DecimalType()
            | MoneyType()
        ):
            return int(text)
        case _:
            return text
