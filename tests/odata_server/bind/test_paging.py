"""Paging cookies: what is written is read back, and nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entities.errors import MalformedRequest
from entities.metadata.columns import (
    BooleanType,
    DateTimeBehavior,
    DateTimeType,
    DoubleType,
    IntegerType,
    LookupType,
    MoneyType,
    StringType,
    UniqueIdentifierType,
)
from entities.query import PageAnchor
from entities.values import Guid
from odata_server.bind.paging import Key, cookie_link, fetch_cookie, read_cookie, read_fetch_cookie

ID = Guid("1b2c3d4e-0000-4000-8000-00000000000a")
ID_KEY = Key("accountid", UniqueIdentifierType(), is_id=True)
NAME_KEY = Key("name", StringType())
DATE_ONLY = DateTimeType(DateTimeBehavior.DATE_ONLY)


def round_trip(keys, values, number=2):
    return read_cookie(unquote(cookie_link(keys, PageAnchor(number, values), values)), keys)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (StringType(), "Ärger & <\"'%> 100%"),
        (StringType(), ""),
        (StringType(), str(ID)),
        (StringType(), None),
        (IntegerType(), -5),
        (MoneyType(), Decimal("20000.0000")),
        (DoubleType(), 0.1),
        (BooleanType(), True),
        (BooleanType(), False),
        (DateTimeType(), datetime(2023, 4, 7, 21, 59, 1, tzinfo=UTC)),
        (DATE_ONLY, date(2023, 4, 7)),
        (LookupType(("contact",)), "ann o'neil"),
    ],
)
def test_a_value_of_any_type_survives_the_cookie(type_, value):
    keys = (Key("x", type_), ID_KEY)
    assert round_trip(keys, (value, ID)) == PageAnchor(2, (value, ID))


def test_only_the_id_of_the_rows_themselves_is_always_there():
    keys = (ID_KEY, Key("f1.contactid", UniqueIdentifierType()))
    assert round_trip(keys, (ID, None)) == PageAnchor(2, (ID, None))


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_fetch_cookie_is_read_however_often_the_client_decoded_it(times):
    keys = (NAME_KEY, ID_KEY)
    cookie = fetch_cookie(keys, PageAnchor(3, ("a%20<b>", ID)), ("a", ID))
    assert cookie.startswith('<cookie pagenumber="3" pagingcookie="%253ccookie%2520page%253d%25222%2522%253e')
    text = cookie.split('pagingcookie="')[1].split('"')[0]
    for _ in range(times):
        text = unquote(text)
    assert read_fetch_cookie(text, keys) == PageAnchor(3, ("a%20<b>", ID))


def test_a_fetch_cookie_may_be_written_without_blanks():
    text = f'<cookie page="1"><accountid last="{{{ID}}}" first="{{{ID}}}"/></cookie>'
    assert read_fetch_cookie(text, (ID_KEY,)) == PageAnchor(2, (ID,))
    with pytest.raises(MalformedRequest):
        read_fetch_cookie(text, (NAME_KEY, ID_KEY))


@given(text=st.text(st.characters(exclude_categories=["Cs"])), number=st.integers(2, 10**6))
def test_any_text_survives_the_cookie(text, number):
    assert round_trip((NAME_KEY, ID_KEY), (text, ID), number) == PageAnchor(number, (text, ID))


def test_the_form_is_the_documented_one():
    link = cookie_link((ID_KEY,), PageAnchor(2, (ID,)), (ID,))
    guid = str(ID).upper()
    assert link == (
        "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253caccountid"
        f"%2520last%253d%2522%257b{guid}%257d%2522%2520first%253d%2522%257b{guid}%257d%2522%2520%252f%253e"
        "%253c%252fcookie%253e%22%20istracking=%22False%22%20/%3E"
    )


def inner(text, number=2):
    return f'<cookie pagenumber="{number}" pagingcookie="{text}" istracking="False" />'


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        inner("x"),
        inner("%3ccookie page=%221%22%3e%3c/cookie%3e"),
        inner("%3ccookie page=%221%22%3e%3caccountid last=%22{x}%22 first=%22{x}%22 /%3e%3c/cookie%3e"),
        inner("%3ccookie page=%221%22%3e%3caccountid lastnull=%221%22 firstnull=%221%22 /%3e%3c/cookie%3e"),
        inner(f"%3ccookie page=%229%22%3e%3caccountid last=%22{{{ID}}}%22 first=%22{{{ID}}}%22 /%3e%3c/cookie%3e"),
        inner(f"%3ccookie page=%221%22%3e%3ccontactid last=%22{{{ID}}}%22 first=%22{{{ID}}}%22 /%3e%3c/cookie%3e"),
        inner(f"%3ccookie page=%221%22%3ex%3caccountid last=%22{{{ID}}}%22 first=%22{{{ID}}}%22 /%3e%3c/cookie%3e"),
    ],
)
def test_a_cookie_that_was_not_written_here_is_refused(token):
    with pytest.raises(MalformedRequest):
        read_cookie(token, (ID_KEY,))


@pytest.mark.parametrize(
    ("type_", "text"),
    [(IntegerType(), "x"), (IntegerType(), "9" * 400), (MoneyType(), "NaN"), (BooleanType(), "2"), (DATE_ONLY, "x")],
)
def test_a_changed_value_of_a_cookie_is_refused(type_, text):
    term = f"%3cx last=%22{text}%22 first=%22{text}%22 /%3e%3caccountid last=%22{{{ID}}}%22 first=%22{{{ID}}}%22 /%3e"
    with pytest.raises(MalformedRequest):
        read_cookie(inner(f"%3ccookie page=%221%22%3e{term}%3c/cookie%3e"), (Key("x", type_), ID_KEY))
