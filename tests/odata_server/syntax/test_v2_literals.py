"""Literals and options of OData v2, as the trees of those that v4 has in their place."""

from __future__ import annotations

import pytest

from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.tokens import Dialect, SyntaxRefused
from odata_server.syntax.trees import Literal, LiteralKind
from odata_server.syntax.v2_options import parse_v2_query

ID = "57D4F1A2-0000-4000-8000-00000000000A"


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        (f"guid'{ID}'", LiteralKind.GUID, ID),
        ("datetime'2020-01-31T10:20:30'", LiteralKind.DATE_TIME, "2020-01-31T10:20:30Z"),
        ("datetime'2020-01-31T10:20:30.1234567'", LiteralKind.DATE_TIME, "2020-01-31T10:20:30Z"),
        ("datetime'2020-01-31T10:20'", LiteralKind.DATE_TIME, "2020-01-31T10:20:00Z"),
        ("datetime'2020-01-31'", LiteralKind.DATE_TIME, "2020-01-31T00:00:00Z"),
        ("datetimeoffset'2020-01-31T10:20:30+02:00'", LiteralKind.DATE_TIME, "2020-01-31T10:20:30+02:00"),
        ("time'P1DT2H'", LiteralKind.DURATION, "P1DT2H"),
        ("X'0aFF'", LiteralKind.BINARY, "0aFF"),
        ("binary''", LiteralKind.BINARY, ""),
        ("5L", LiteralKind.INTEGER, "5"),
        ("-9223372036854775808l", LiteralKind.INTEGER, "-9223372036854775808"),
        ("1.50M", LiteralKind.DECIMAL, "1.50"),
        ("1m", LiteralKind.DECIMAL, "1"),
        ("1.5e3d", LiteralKind.DOUBLE, "1.5e3"),
        ("2f", LiteralKind.DOUBLE, "2"),
        ("1.500000E+00", LiteralKind.DOUBLE, "1.500000E+00"),
        ("'it''s'", LiteralKind.STRING, "'it''s'"),
        ("null", LiteralKind.NULL, "null"),
    ],
)
def test_literals(text, kind, written):
    found = parse_literal(text, dialect=Dialect.VERSION_2)
    assert isinstance(found, Literal)
    assert (found.kind, found.text) == (kind, written)


@pytest.mark.parametrize(
    "text",
    [
        "guid'57D4'",
        "GUID'57D4F1A2-0000-4000-8000-00000000000A'",
        "datetime'2020-01-31 10:20'",
        "datetime'31.1.2020'",
        "time'1H'",
        "X'0'",
        "binary'xy'",
        "duration'P1D'",
        "5.5L",
        "9223372036854775808L",
        "9" * 401 + "M",
        "5Lx",
        "5 L",
        "'open",
        "guid'open",
    ],
)
def test_what_is_no_literal_is_refused(text):
    with pytest.raises(SyntaxRefused):
        parse_literal(text, dialect=Dialect.VERSION_2)


@pytest.mark.parametrize("text", [f"guid'{ID}'", "datetime'2020-01-31T10:20:30'", "5L", "1.5M", "time'PT1H'"])
@pytest.mark.parametrize("dialect", [Dialect.DATAVERSE, Dialect.STANDARD])
def test_v4_reads_no_literal_of_v2(text, dialect):
    with pytest.raises(SyntaxRefused):
        parse_filter(f"a eq {text}", dialect=dialect)


def test_options_are_read_each_into_its_tree():
    found = parse_v2_query("$select=A,%20b/C%2C*&$expand=b&$top=5&$skip=2&$inlinecount=allpages&x=1+2&$format=json")
    assert found.select == (("A",), ("b", "C"), ("*",))
    assert (found.expand, found.top, found.skip, found.inlinecount, found.format) == ((("b",),), 5, 2, True, "json")
    assert found.names == ("$select", "$expand", "$top", "$skip", "$inlinecount", "$format")
    assert ("x", "1 2") in found.given


@pytest.mark.parametrize(
    "query",
    [
        "$top=1&$top=1",
        "$top=",
        "$top=1e3",
        "$skip=-1",
        "$inlinecount=1",
        "$count=true",
        "$select=a b",
        "$select=a//b",
        "$select=" + "a," * 2_000 + "a",
        "$expand=a(b)",
        "$orderby=",
        "$filter=%",
        "$filter=a%00",
    ],
)
def test_options_that_cannot_be_read_are_refused(query):
    with pytest.raises(SyntaxRefused):
        parse_v2_query(query)
