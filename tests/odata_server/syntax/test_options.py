import pytest

from odata_server.syntax.apply_trees import ComputeItem, OrderItem
from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.items import parse_compute, parse_orderby
from odata_server.syntax.options import parse_query, split_query
from odata_server.syntax.percent import decode_query, decode_segment, encode_query, encode_segment
from odata_server.syntax.request_trees import CustomOption, ExpandItem, ExpandTarget, Levels, QueryOptions, SelectItem
from odata_server.syntax.selects import parse_expand, parse_select
from odata_server.syntax.tokens import Dialect, SyntaxRefused
from odata_server.syntax.trees import ArrayExpression, Path, SearchTerm

A, B = Path(("a",)), Path(("b",))


def test_every_system_option_has_its_field_and_the_order_is_kept():
    options = parse_query(
        "$top=5&$skip=2&$count=true&$filter=a&$orderby=a%20desc,b&$select=a,b/c&$expand=n&$search=blue&$compute=a%20as%20z"
        "&$format=json&$skiptoken=%3Ccookie%2F%3E&$deltatoken=919%2108%2f22&$id=a(1)&$apply=identity&$index=-1"
        "&$schemaversion=*"
    )
    assert (options.top, options.skip, options.count, options.index) == (5, 2, True, -1)
    assert options.filter == A
    assert options.orderby == (OrderItem(A, descending=True), OrderItem(B))
    assert options.select == (SelectItem(("a",)), SelectItem(("b", "c")))
    assert options.expand == (ExpandItem(("n",)),)
    assert options.search == SearchTerm("blue")
    assert options.compute == (ComputeItem(A, "z"),)
    assert (options.format, options.skiptoken, options.deltatoken) == ("json", "<cookie/>", "919!08/22")
    assert (options.id, options.schemaversion) == ("a(1)", "*")
    assert options.names[:4] == ("$top", "$skip", "$count", "$filter")
    assert len(options.names) == 16


def test_aliases_are_read_and_custom_options_are_kept_as_text():
    options = parse_query("@p1='name'&savedQuery=x%3Dy&@p2=['a','b']&tag&fetchXml=%3Cfetch+top=%222%22/%3E")
    assert [alias.name for alias in options.aliases] == ["p1", "p2"]
    assert isinstance(options.aliases[1].value, ArrayExpression)
    assert options.custom == (
        CustomOption("savedQuery", "x=y"),
        CustomOption("tag", None),
        CustomOption("fetchXml", '<fetch top="2"/>'),
    )


def test_the_query_is_split_before_it_is_decoded():
    options = parse_query("$filter=a%20eq%20%27x%26y%3Dz%2B1%27+and+b")
    assert options.filter == parse_filter("a eq 'x&y=z+1' and b")


def test_splitting_gives_decoded_text_and_spans():
    first, second = split_query("$filter=a+eq%201&@p=2")
    assert (first.name, first.value) == ("$filter", "a eq 1")
    assert second.span == (17, 21)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("$filter=a&$filter=b", 10),
        ("@p=1&@p=2", 5),
        ("$unknown=1", 0),
        ("$Filter=a", 0),
        ("$filter =a", 0),
        ("$levels=2", 0),
        ("$count", 6),
        ("$filter=", 0),
        ("$format=", 0),
        ("$top=-1", 0),
        ("$top=x", 0),
        ("$top=1.5", 0),
        ("$top=99999999999999999999", 0),
        ("$count=TRUE", 0),
        ("$count=1", 0),
        ("$index=x", 0),
        ("$search=#1", 8),
        ("$filter=a%2", 1),
        ("$filter=%ff", 0),
        ("@a.b=1", 1),
        ("@p=", 0),
        ("@p", 2),
    ],
)
def test_a_query_string_that_is_not_well_formed_is_refused(text, position):
    with pytest.raises(SyntaxRefused) as refused:
        parse_query(text)
    assert refused.value.position == position


def test_the_standard_dialect_takes_options_without_dollar_and_in_any_case():
    assert parse_query("Filter=a&TOP=5", dialect=Dialect.STANDARD) == parse_query("$filter=a&$top=5")
    assert parse_query("filter=a").custom == (CustomOption("filter", "a"),)
    with pytest.raises(SyntaxRefused):
        parse_query("filter=a&$filter=b", dialect=Dialect.STANDARD)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a", (SelectItem(("a",)),)),
        ("*,Ns.*", (SelectItem(("*",)), SelectItem(("Ns.*",)))),
        ("a/Ns.T/b , c", (SelectItem(("a", "Ns.T", "b")), SelectItem(("c",)))),
        ("Ns.F(P,Q)", (SelectItem(("Ns.F",), ("P", "Q")),)),
        (
            "a($top=5;$select=b)",
            (SelectItem(("a",), None, QueryOptions(("$top", "$select"), top=5, select=(SelectItem(("b",)),))),),
        ),
        ("@Core.Messages", (SelectItem(("@Core.Messages",)),)),
    ],
)
def test_select_items(text, items):
    assert parse_select(text) == items


@pytest.mark.parametrize(
    "text", ["", "a,", ",a", "a b", "*/a", "a/", "a()", "a($levels=2)", "*($top=1)", "'a'", "a(P,)"]
)
def test_a_select_that_is_not_well_formed_is_refused(text):
    with pytest.raises(SyntaxRefused):
        parse_select(text)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("n,m/Ns.T", (ExpandItem(("n",)), ExpandItem(("m", "Ns.T")))),
        ("n/$ref", (ExpandItem(("n",), ExpandTarget.REF),)),
        ("n/$count($filter=a)", (ExpandItem(("n",), ExpandTarget.COUNT, QueryOptions(("$filter",), filter=A)),)),
        ("n($levels=max)", (ExpandItem(("n",), options=QueryOptions(("$levels",), levels=Levels(None))),)),
        ("*($levels=3)", (ExpandItem(("*",), options=QueryOptions(("$levels",), levels=Levels(3))),)),
        (
            "n($select=a;$filter=b;$expand=m($top=1))",
            (
                ExpandItem(
                    ("n",),
                    options=QueryOptions(
                        ("$select", "$filter", "$expand"),
                        select=(SelectItem(("a",)),),
                        filter=B,
                        expand=(ExpandItem(("m",), options=QueryOptions(("$top",), top=1)),),
                    ),
                ),
            ),
        ),
        (
            "n($search=blue;$top=1)",
            (ExpandItem(("n",), options=QueryOptions(("$search", "$top"), search=SearchTerm("blue"), top=1)),),
        ),
    ],
)
def test_expand_items(text, items):
    assert parse_expand(text) == items


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0), ("n(", 2), ("n()", 2), ("n($select=a", 11), ("n($top=1;$top=2)", 13), ("n($top=1,$skip=2)", 8),
        ("n($format=json)", 2), ("n(top=1)", 2), ("n($levels=0)", 10), ("n($levels=04)", 10), ("n/$ref($select=a)", 7),
        ("n/$count($count=true)", 9), ("*/$count", 0), ("*/n", 2), ("*($top=1)", 2), ("Ns.T", 0), ("$ref", 0),
        ("n/$value", 2), ("n(@a=1;@a=2)", 7), ("n($search=gr(een)", 12),
    ],
)  # fmt: skip
def test_an_expand_that_is_not_well_formed_is_refused(text, position):
    with pytest.raises(SyntaxRefused) as refused:
        parse_expand(text)
    assert refused.value.position == position


def test_orderby_and_compute_items():
    assert parse_orderby("a asc,b desc,a") == (OrderItem(A), OrderItem(B, descending=True), OrderItem(A))
    assert parse_compute("a as x,b as y") == (ComputeItem(A, "x"), ComputeItem(B, "y"))
    for text in ("", "a down", "a asc desc", "a,,b", "asc,"):
        with pytest.raises(SyntaxRefused):
            parse_orderby(text)
    for text in ("a", "a as", "a as b.c", "a as 'x'"):
        with pytest.raises(SyntaxRefused):
            parse_compute(text)


def test_plus_is_a_space_in_a_query_and_itself_in_a_path():
    assert decode_query("a+b%2Bc") == "a b+c"
    assert decode_segment("a+b%2Bc") == "a+b+c"
    assert decode_query("%E2%82%AC") == "€"


@pytest.mark.parametrize("text", ["a b", "a+b", "100%", "a&b=c#d?e/f", "€ 日本", "'\"\\"])
def test_encoding_reads_back(text):
    assert decode_query(encode_query(text)) == text
    assert decode_segment(encode_segment(text)) == text


@pytest.mark.parametrize("text", ["a\ud800", "a\0"])
def test_half_a_surrogate_pair_and_null_cannot_be_encoded(text):
    for encode in (encode_query, encode_segment):
        with pytest.raises(SyntaxRefused):
            encode(text)


def test_null_cannot_be_decoded():
    for decode in (decode_query, decode_segment):
        with pytest.raises(SyntaxRefused, match="0x00, is an invalid character at position 1"):
            decode("a%00")
