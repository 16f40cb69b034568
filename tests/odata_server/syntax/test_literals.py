from decimal import Decimal
from uuid import UUID

import pytest

from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.tokens import Dialect, SyntaxRefused
from odata_server.syntax.trees import EnumLiteral, LiteralKind

GUID = "01234567-89ab-CDEF-0123-456789abcdef"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("null", LiteralKind.NULL, None),
        ("true", LiteralKind.BOOLEAN, True),
        ("false", LiteralKind.BOOLEAN, False),
        ("'O''Neil'", LiteralKind.STRING, "O'Neil"),
        ("''", LiteralKind.STRING, ""),
        ("'Straße % & 日本'", LiteralKind.STRING, "Straße % & 日本"),
        ('"a\\u0041\\"\\n"', LiteralKind.STRING, 'aA"\n'),
        ("0", LiteralKind.INTEGER, 0),
        ("-9223372036854775808", LiteralKind.INTEGER, -(2**63)),
        ("+42", LiteralKind.INTEGER, 42),
        ("12345678901234567890123", LiteralKind.DECIMAL, Decimal(12345678901234567890123)),
        ("3.140", LiteralKind.DECIMAL, Decimal("3.140")),
        ("1e-3", LiteralKind.DOUBLE, 0.001),
        ("-1.5E+2", LiteralKind.DOUBLE, -150.0),
        ("INF", LiteralKind.DOUBLE, float("inf")),
        ("-INF", LiteralKind.DOUBLE, float("-inf")),
        (GUID, LiteralKind.GUID, UUID(GUID)),
        ("abcdefab-89ab-cdef-0123-456789abcdef", LiteralKind.GUID, UUID("abcdefab-89ab-cdef-0123-456789abcdef")),
        ("2020-02-29", LiteralKind.DATE, "2020-02-29"),
        ("-10000-04-01", LiteralKind.DATE, "-10000-04-01"),
        ("2020-02-29T12:30:59.123Z", LiteralKind.DATE_TIME, "2020-02-29T12:30:59.123Z"),
        ("2020-02-29T12:30+02:00", LiteralKind.DATE_TIME, "2020-02-29T12:30+02:00"),
        ("12:30", LiteralKind.TIME, "12:30"),
        ("23:59:60.5", LiteralKind.TIME, "23:59:60.5"),
        ("duration'-P6DT23H59M59.9S'", LiteralKind.DURATION, "-P6DT23H59M59.9S"),
        ("binary'Zm9vYg=='", LiteralKind.BINARY, b"foob"),
        ("binary'Zm9vYg'", LiteralKind.BINARY, b"foob"),
        ("binary''", LiteralKind.BINARY, b""),
        ("geography'SRID=0;Point(1.5 -2)'", LiteralKind.GEOGRAPHY, "SRID=0;Point(1.5 -2)"),
        (
            "geometry'SRID=4326;Polygon((1 1,2 2,3 3,1 1))'",
            LiteralKind.GEOMETRY,
            "SRID=4326;Polygon((1 1,2 2,3 3,1 1))",
        ),
    ],
)
def test_literals_have_a_kind_and_a_value(text, kind, value):
    literal = parse_literal(text)
    assert (literal.kind, literal.value, literal.text) == (kind, value, text)
    assert type(literal.value) is type(value)


def test_not_a_number_equals_itself_as_a_tree():
    assert parse_literal("NaN") == parse_literal("NaN")
    assert parse_literal("NaN").value != parse_literal("NaN").value


def test_enums_keep_their_type_and_members():
    assert parse_literal("Ns.T'A'") == EnumLiteral("Ns.T", ("A",))
    assert parse_literal("Ns.Sub.T'A, B,-42'") == EnumLiteral("Ns.Sub.T", ("A", "B", "-42"))


@pytest.mark.parametrize(
    "text",
    [
        "Null", "TRUE", "inf", "nan", "+INF", "'", "'a", "'O'Neil'", '"a', '"\\x"', '"\\ud800"', '"a\nb"',
        "1.", ".5", "1e", "1e+", "0x10", "5L", "1.0m", "1_000", "--1", "1 2",
        "01234g67-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-456789abcdef", "{" + GUID + "}",
        "2020-13-01", "2020-02-32", "20-01-01", "2020-02-29T24:00Z", "2020-02-29T12:00", "2020-02-29T12Z",
        "24:00", "12:60", "12:30:61", "12:30:00.1234567890123",
        "duration'1D'", "duration'P'", "duration'P1DT'", "duration'P1Y'", "duration'PT'",
        "binary'Z'", "binary'Zm9='", "binary'Zm+v'", "X'1a'",
        "geography'Point(1 2)'", "geography'SRID=0;Point(1)'", "geometry'SRID=0;Circle(1 2)'",
        "T'A'", "Ns.T''", "Ns.T'A,,B'", "Ns.T'A B'", "name", "@p", "[1]", "",
    ],
)  # fmt: skip
def test_what_is_no_literal_is_refused(text):
    with pytest.raises(SyntaxRefused):
        parse_literal(text)


def test_prefixes_and_booleans_ignore_case_in_the_standard_dialect_only():
    assert parse_literal("Duration'P1D'", dialect=Dialect.STANDARD).kind is LiteralKind.DURATION
    assert parse_literal("True", dialect=Dialect.STANDARD).value is True
    for text in ("Duration'P1D'", "True"):
        with pytest.raises(SyntaxRefused):
            parse_literal(text)


def test_json_holds_literals_and_expressions():
    tree = parse_filter("[{'@odata.id':'accounts(1)',\"n\":[1,null,a/b]},{}]")
    first, second = tree.items
    assert [member.name for member in first.members] == ["@odata.id", "n"]
    assert second.members == ()


@pytest.mark.parametrize("text", ["[1", "[1,]", "[,1]", "{a:1}", '{"a"}', '{"a":}', '{"a":1,}', "{", '{"a":1 "b":2}'])
def test_broken_json_is_refused(text):
    with pytest.raises(SyntaxRefused):
        parse_filter(text)
