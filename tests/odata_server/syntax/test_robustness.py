import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odata_server.syntax.apply import parse_apply
from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.items import parse_compute, parse_orderby
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.options import parse_query
from odata_server.syntax.paths import parse_path
from odata_server.syntax.relative_url import parse_relative_url
from odata_server.syntax.search import parse_search
from odata_server.syntax.selects import parse_expand, parse_select
from odata_server.syntax.shape import strip_literals
from odata_server.syntax.tokens import MAX_DEPTH, Dialect, SyntaxRefused
from odata_server.syntax.unparse import unparse

READERS = (
    parse_filter,
    parse_orderby,
    parse_compute,
    parse_select,
    parse_expand,
    parse_apply,
    parse_search,
    parse_literal,
    parse_path,
    parse_query,
    parse_relative_url,
)
PIECES = [
    *"()/,:;=*-[]{}'\"@$#%&?+. \t\n\\²ä\ud800",
    *(" eq ", " and ", " or ", "not ", " in ", " has ", " add ", "any(", "all(", "x:", "null", "true", "INF"),
    *("cast(", "case(", "isof(", "$it", "$root/", "$these/", "$count", "$filter", "NOT ", " OR ", "keep start"),
    *("$filter=", "$select=", "$expand=", "$search=", "$apply=", "$top=", "$levels=max"),
    *("aggregate(", "groupby((", "filter(", " with sum as ", " from "),
    *("a", "b.C", "1", "-2.5", "1e9", "'x'", "''", '"y"', "2020-01-01", "12:30", "@p", "binary'AA'", "duration'P1D'"),
    *("geometry'SRID=0;Point(1 2)'", "Ns.T'V'", "%41", "01234567-89ab-cdef-0123-456789abcdef"),
]
pieced_texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def refusal_of(read, text, dialect):
    try:
        read(text, dialect=dialect)
    except SyntaxRefused as refusal:
        return refusal
    return None


@pytest.mark.parametrize("dialect", Dialect)
@settings(max_examples=300, deadline=None)
@given(text=st.one_of(pieced_texts, pieced_texts, st.text(max_size=30)))
def test_any_text_is_read_or_refused(dialect, text):
    for read in READERS:
        refusal = refusal_of(read, text, dialect)
        if refusal is not None:
            assert 0 <= refusal.position <= len(refusal.text)
            # What the reader of JSON says has no place in Microsoft.OData either.
            assert f"at position {refusal.position} in" in str(refusal) or str(refusal).startswith("Invalid JSON.")


@settings(max_examples=500, deadline=None)
@given(text=pieced_texts)
def test_what_is_read_reads_back(text):
    try:
        tree = parse_filter(text)
    except SyntaxRefused:
        return
    assert parse_filter(unparse(tree)) == tree


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(pieced_texts, st.text(max_size=30)))
def test_any_text_has_a_shape_or_none(text):
    shape = strip_literals(text)
    assert shape is None or len(shape[1]) <= len(text)


DEEP = 40_000
SIZE = 32_000


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (parse_filter, "(" * DEEP),
        (parse_filter, "not " * DEEP + "a"),
        (parse_filter, "-" * DEEP + "a"),
        (parse_filter, "[" * DEEP),
        (parse_filter, '{"a":' * DEEP),
        (parse_filter, "a(" * DEEP),
        (parse_filter, "a/any(x:" * DEEP),
        (parse_filter, "case(true:" * DEEP),
        (parse_filter, "cast(" * DEEP),
        (parse_filter, "a/$filter(" * DEEP),
        (parse_filter, "a/$count($filter=" * DEEP),
        (parse_filter, "a" + " add a" * DEEP),
        (parse_filter, "a" + " in a" * DEEP),
        (parse_filter, "a()" + "/a()" * DEEP),
        (parse_expand, "a($expand=" * DEEP),
        (parse_select, "a($select=" * DEEP),
        (parse_apply, "concat(" * DEEP),
        (parse_apply, "expand(a," * DEEP),
        (parse_apply, "groupby((a)," * DEEP),
        (parse_search, "(" * DEEP),
        (parse_search, "NOT " * DEEP + "a"),
    ],
)
def test_endless_nesting_is_refused_with_its_reason(read, text):
    with pytest.raises(SyntaxRefused, match="Recursion depth exceeded allowed limit"):
        read(text)


def beneath(frames, call):
    """Run `call` under as many frames as a server and its middleware put beneath a request."""
    return call() if frames == 0 else beneath(frames - 1, call)


@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [
        ("(", "a or b and c eq 1 add 2 mul 3", ")"),
        ("(a or b and c eq 1 add 2 mul ", "a", ")"),
        ("(", "a", " mul 1 add 1 eq 1 and b or c)"),
        ("f(", "a", ")"),
        ("a/any(x:", "a", ")"),
        ("case(a:", "a", ")"),
        ("a/aggregate(", "b", " with sum)"),
        ("a/$count($filter=", "b", ")"),
        ("not ", "a", ""),
        ("[{'a':", "a", "}]"),
        ("a eq (b in (f(not (c add [", "1", "]))))"),
    ],
)
def test_the_deepest_tree_that_is_read_fits_the_stack(opening, middle, closing):
    def deepest():
        for count in range(MAX_DEPTH, 0, -1):
            text = opening * count + middle + closing * count
            if refusal_of(parse_filter, text, Dialect.DATAVERSE) is None:
                return parse_filter(text)
        return None

    tree = beneath(300, deepest)
    assert tree is not None
    assert beneath(300, lambda: parse_filter(unparse(tree)) == tree)
    assert beneath(300, lambda: hash(tree) == hash(parse_filter(unparse(tree))))


@pytest.mark.parametrize("count", [1, 2, 25])
def test_nesting_that_people_write_is_read(count):
    assert parse_filter("(" * count + "a eq 1" + ")" * count) == parse_filter("a eq 1")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (parse_filter, " or ".join(["a eq 1"] * (SIZE // 10))),
        (parse_filter, "a in (" + ",".join(["'x'"] * (SIZE // 4)) + ")"),
        (parse_filter, "/".join(["abc"] * (SIZE // 4))),
        (parse_filter, "'" + "''" * (SIZE // 2)),
        (parse_filter, "a eq 'x" + "''" * (SIZE // 2)),
        (parse_filter, "x'" + "y" * SIZE),
        (parse_filter, "1" * SIZE),
        (parse_filter, "a." * (SIZE // 2)),
        (parse_filter, '"' + "\\a" * (SIZE // 2)),
        (parse_filter, " " * SIZE),
        (parse_filter, "geography'SRID=0;LineString(" + "1 2," * (SIZE // 4) + "')"),
        (parse_filter, "binary'" + "AAAA" * (SIZE // 4) + "!'"),
        (parse_filter, "duration'P" + "1" * SIZE + "'"),
        (parse_search, "a " * (SIZE // 2)),
        (parse_search, " " * SIZE),
        (parse_search, "a" + " OR" * (SIZE // 3)),
        (parse_select, ",".join(["abc"] * (SIZE // 4))),
        (parse_query, "&".join(["a=b"] * (SIZE // 4))),
        (parse_path, "/".join(["abc"] * (SIZE // 4))),
        (parse_path, "a(" + "%27" * (SIZE // 3) + ")"),
        (strip_literals, " or ".join(["a eq 1"] * (SIZE // 10))),
        (strip_literals, "'" + "''" * (SIZE // 2)),
        (strip_literals, "1" * SIZE + "x"),
        (strip_literals, "'a'b " * (SIZE // 5)),
    ],
    ids=range(24),
)
def test_the_longest_url_takes_no_longer_than_its_length(read, text):
    started = time.process_time()
    with contextlib.suppress(SyntaxRefused):
        read(text)
    # A quadratic reader needs seconds for 32 KB; a linear one needs some tens of milliseconds.
    assert time.process_time() - started < 1.0
