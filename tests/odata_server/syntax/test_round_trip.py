import os
from base64 import urlsafe_b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odata_server.syntax import trees as t
from odata_server.syntax.apply import parse_apply
from odata_server.syntax.apply_trees import ComputeItem, OrderItem
from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.items import parse_compute, parse_orderby
from odata_server.syntax.literals import parse_literal
from odata_server.syntax.options import parse_query
from odata_server.syntax.paths import parse_path
from odata_server.syntax.request_trees import (
    AliasAssignment,
    Arguments,
    CrossJoinSegment,
    CustomOption,
    ExpandItem,
    ExpandTarget,
    FilterSegment,
    Levels,
    NamedSegment,
    QueryOptions,
    ReferenceSegment,
    ResourcePath,
    SelectItem,
    SystemName,
    SystemSegment,
    ValueSegment,
)
from odata_server.syntax.search import parse_search
from odata_server.syntax.selects import parse_expand, parse_select
from odata_server.syntax.tokens import Dialect
from odata_server.syntax.unparse import unparse, unparse_expand, unparse_select
from odata_server.syntax.unparse_apply import unparse_apply, unparse_compute, unparse_orderby

MANY = settings(
    max_examples=10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

# Words of the language cannot head an expression; everything else can.
WORDS = {"eq", "ne", "gt", "ge", "lt", "le", "has", "in", "add", "sub", "mul", "div", "divby", "mod", "and", "or"}
WORDS |= {"not", "null", "true", "false", "INF", "NaN", "any", "all", "case", "cast", "isof", "aggregate"}
WORDS |= {"asc", "desc", "as", "with", "from"}
LOWER_WORDS = {word.lower() for word in WORDS}

any_names = st.from_regex(r"[a-zA-Z_äß][a-zA-Z0-9_]{0,8}", fullmatch=True)
names = any_names.filter(lambda name: name.lower() not in LOWER_WORDS)
qualified = st.tuples(names, names).map(".".join)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
written_literals = st.one_of(
    texts.map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda value: f"{value:f}"),
    st.floats(allow_nan=False, allow_infinity=False).map(repr).filter(lambda text: "e" in text),
    st.uuids().map(str),
    st.dates().map(str),
    st.datetimes().map(lambda value: f"{value:%H:%M:%S}"),
    st.datetimes().map(lambda value: f"{value.isoformat(timespec='milliseconds')}Z"),
    st.binary(max_size=6).map(lambda data: f"binary'{urlsafe_b64encode(data).decode()}'"),
    st.sampled_from(
        ["null", "true", "false", "INF", "-INF", "NaN", "duration'P1DT2H'", "geography'SRID=0;Point(1 2)'", '"a\\"b"']
    ),
)
literals = written_literals.map(parse_literal)
enums = st.builds(t.EnumLiteral, qualified, st.lists(names, min_size=1, max_size=3).map(tuple))
variables = st.sampled_from(["$it", "$this"]).map(t.Variable)
aliases = st.builds(t.Alias, names)
path_names = st.tuples(names, st.lists(st.one_of(names, qualified, qualified.map("@{}".format)), max_size=2))
paths = path_names.map(lambda parts: t.Path((parts[0], *parts[1])))
leaves = st.one_of(literals, literals, enums, variables, aliases, paths, paths)
value_kinds = (t.Literal, t.EnumLiteral)


def named_arguments(expressions):
    pairs = st.dictionaries(names, expressions, min_size=1, max_size=2)
    return pairs.map(lambda found: tuple(t.NamedArgument(name, value) for name, value in found.items()))


def targets(expressions):
    calls = st.builds(t.Call, st.one_of(names, qualified), st.lists(expressions, max_size=2).map(tuple))
    return st.one_of(paths, calls, st.builds(t.Filtered, paths, expressions))


def aggregate_items(expressions):
    methods = st.sampled_from(["sum", "min", "countdistinct", "Custom.concat"])
    origins = st.lists(
        st.builds(t.AggregateFrom, st.lists(paths, min_size=1, max_size=2).map(tuple), methods), max_size=2
    )
    # Not a filter: when it retries, Hypothesis writes down the whole strategy, and that is long.
    plain = expressions.map(lambda tree: tree.target if isinstance(tree, t.Count) else tree)
    return st.one_of(
        st.builds(t.AggregateItem, plain, methods, origins.map(tuple)),
        st.builds(t.AggregateItem, st.none(), st.none(), origins.map(tuple)),
        st.builds(t.AggregateItem, st.builds(t.Count, paths), st.none()),
    )


def compounds(inner):
    inside = targets(inner)
    operators = st.sampled_from([op for op in t.Operator if op is not t.Operator.IN])
    lists = st.builds(t.ListExpression, st.lists(literals, max_size=3).map(tuple))
    branch = st.builds(t.CaseBranch, inner, inner)
    return st.one_of(
        st.builds(t.Binary, operators, inner, inner),
        st.builds(t.Binary, st.just(t.Operator.IN), inner, st.one_of(lists, paths, aliases)),
        st.builds(t.Logical, st.sampled_from(t.Connective), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(t.Not, inner),
        st.builds(t.Negate, inner),
        st.builds(t.ArrayExpression, st.lists(inner, max_size=3).map(tuple)),
        st.builds(t.ObjectExpression, st.lists(st.builds(t.ObjectMember, texts, inner), max_size=2).map(tuple)),
        st.builds(
            t.Call, st.one_of(names, qualified), st.just(()), named_arguments(inner), st.one_of(st.none(), inside)
        ),
        st.builds(t.Call, names, st.lists(inner, max_size=2).map(tuple), st.just(()), st.one_of(st.none(), inside)),
        st.builds(t.KeyAccess, st.builds(t.Filtered, paths, inner), st.tuples(inner)),
        st.builds(t.Lambda, inside, st.sampled_from(t.Quantifier), names, inner),
        st.builds(t.Lambda, inside, st.just(t.Quantifier.ANY)),
        st.builds(t.Count, inside, st.one_of(st.none(), inner), st.one_of(st.none(), searches)),
        st.builds(t.Cast, st.one_of(names, qualified, st.just("Collection(Edm.String)")), st.one_of(st.none(), inner)),
        st.builds(t.IsOf, st.one_of(names, qualified), st.one_of(st.none(), inner)),
        st.builds(t.Case, st.lists(branch, min_size=1, max_size=2).map(tuple)),
        st.builds(t.Aggregate, inside, aggregate_items(inner)),
        st.builds(
            t.Path,
            st.lists(names, min_size=1, max_size=2).map(tuple),
            st.one_of(aliases, variables, st.builds(t.Call, names, st.tuples(inner))),
        ),
    )


words = st.from_regex(r"[a-z0-9*$/,][a-z0-9']{0,5}", fullmatch=True)
search_terms = st.one_of(
    st.builds(t.SearchTerm, words),
    st.builds(t.SearchTerm, st.from_regex(r"[a-z ();]{1,8}", fullmatch=True), st.just(True)),
)
searches = st.recursive(
    search_terms,
    lambda inner: st.one_of(
        st.builds(t.SearchNot, inner),
        st.builds(t.SearchJoin, st.sampled_from(t.Connective), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
expressions = st.recursive(leaves, compounds, max_leaves=8)
small = st.recursive(leaves, compounds, max_leaves=3)

order_items = st.lists(st.builds(OrderItem, small, st.booleans()), min_size=1, max_size=2).map(tuple)
compute_items = st.lists(st.builds(ComputeItem, small, names), min_size=1, max_size=2).map(tuple)
alias_values = st.dictionaries(names, small, max_size=2).map(
    lambda found: tuple(AliasAssignment(name, value) for name, value in found.items())
)


def options_of(fields, *, custom=False, may_be_empty=False):
    def build(values, alias_list, custom_list):
        order = tuple(f"${name}" for name in values)
        return QueryOptions(names=order, aliases=alias_list, custom=custom_list, **values)

    @st.composite
    def draw_options(draw):
        chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=4))
        values = {name: draw(fields[name]) for name in chosen}
        alias_list = draw(alias_values)
        if not values and not alias_list and not may_be_empty:
            values = {"top": 5} if "top" in fields else {"filter": draw(small)}
        custom_names = names.filter(lambda name: name.isascii())
        pairs = st.builds(CustomOption, custom_names, st.one_of(st.none(), texts))
        return build(values, alias_list, draw(st.lists(pairs, max_size=2).map(tuple)) if custom else ())

    return draw_options()


counts = st.integers(0, 10**9)
plain_fields = {"filter": small, "top": counts, "skip": counts, "count": st.booleans(), "orderby": order_items}
plain_fields |= {"search": searches}
ref_options = options_of(plain_fields)
plain_select = st.lists(
    st.builds(SelectItem, st.lists(st.one_of(names, qualified), min_size=1, max_size=2).map(tuple)),
    min_size=1,
    max_size=2,
).map(tuple)
plain_expand = st.lists(st.builds(ExpandItem, names.map(lambda n: (n,))), min_size=1, max_size=2).map(tuple)
row_fields = plain_fields | {"select": plain_select, "expand": plain_expand, "compute": compute_items}
expand_items = st.lists(
    st.one_of(
        st.builds(
            ExpandItem,
            names.map(lambda n: (n,)),
            st.just(ExpandTarget.ROWS),
            st.one_of(
                st.none(),
                options_of(row_fields | {"levels": st.builds(Levels, st.one_of(st.none(), st.integers(1, 9)))}),
            ),
        ),
        st.builds(
            ExpandItem, st.tuples(names, qualified), st.just(ExpandTarget.REF), st.one_of(st.none(), ref_options)
        ),
        st.builds(ExpandItem, st.just(("*",)), st.just(ExpandTarget.REF)),
        st.builds(ExpandItem, st.just(("$value",))),
        st.builds(
            ExpandItem,
            st.just(("*",)),
            st.just(ExpandTarget.ROWS),
            st.just(QueryOptions(("$levels",), levels=Levels(2))),
        ),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
select_items = st.lists(
    st.one_of(
        st.builds(SelectItem, st.lists(st.one_of(names, qualified), min_size=1, max_size=3).map(tuple)),
        st.builds(SelectItem, names.map(lambda n: (n,)), st.none(), options_of(row_fields)),
        st.builds(SelectItem, names.map(lambda n: (n,)), st.lists(names, min_size=1, max_size=2).map(tuple)),
        st.sampled_from([SelectItem(("*",)), SelectItem(("Microsoft.Dynamics.CRM.*",))]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
top_fields = row_fields | {"select": select_items, "expand": expand_items}
top_fields |= {name: texts.filter(bool) for name in ("format", "id", "skiptoken", "deltatoken", "schemaversion")}

key_values = st.one_of(
    literals, enums, aliases, st.builds(t.ArrayExpression, st.lists(literals, max_size=2).map(tuple))
)
arguments = st.one_of(
    st.builds(Arguments, st.lists(key_values, max_size=2).map(tuple)),
    st.builds(Arguments, st.just(()), named_arguments(key_values)),
)
inner_segments = st.one_of(
    st.builds(NamedSegment, st.one_of(names, qualified), st.lists(arguments, max_size=2).map(tuple)),
    st.builds(ValueSegment, st.from_regex(r"-?[0-9]{1,5}|[0-9][a-zA-Z'+%/?#äß-]{1,6}", fullmatch=True)),
    st.builds(FilterSegment, small),
    st.just(SystemSegment(SystemName.EACH)),
)
first_segments = st.one_of(
    st.builds(NamedSegment, names, st.lists(arguments, max_size=2).map(tuple)),
    st.builds(ReferenceSegment, st.sampled_from(["1", "2a"])),
    st.builds(CrossJoinSegment, st.lists(names, min_size=1, max_size=2).map(tuple)),
)
last_segments = st.sampled_from(
    [(), *((SystemSegment(name),) for name in (SystemName.REF, SystemName.VALUE, SystemName.COUNT))]
)
resource_paths = st.builds(
    lambda first, inner, last: ResourcePath((first, *inner, *last)),
    first_segments,
    st.lists(inner_segments, max_size=3),
    last_segments,
)


@MANY
@given(expressions)
def test_an_expression_reads_back_from_its_text(tree):
    assert parse_filter(unparse(tree)) == tree


@MANY
@given(expressions)
def test_both_dialects_read_the_same_tree(tree):
    assert parse_filter(unparse(tree), dialect=Dialect.STANDARD) == tree


@MANY
@given(searches)
def test_a_search_reads_back_from_its_text(tree):
    assert parse_search(unparse(tree)) == tree


def test_an_unfinished_search_reads_back():
    tree = t.SearchIncomplete("\"O'Neil")
    assert parse_search(unparse(tree)) == tree


@MANY
@given(resource_paths)
def test_a_path_reads_back_from_its_encoded_text(tree):
    assert parse_path(unparse(tree)) == tree


@MANY
@given(options_of(top_fields, custom=True, may_be_empty=True))
def test_a_query_string_reads_back_from_its_encoded_text(tree):
    assert parse_query(unparse(tree)) == tree


@MANY
@given(select_items, expand_items)
def test_select_and_expand_read_back(selected, expanded):
    assert parse_select(unparse_select(selected)) == selected
    assert parse_expand(unparse_expand(expanded)) == expanded


@MANY
@given(order_items, compute_items)
def test_orderby_and_compute_read_back(ordered, computed):
    assert parse_orderby(unparse_orderby(ordered)) == ordered
    assert parse_compute(unparse_compute(computed)) == computed


@pytest.mark.parametrize(
    "text",
    [
        "identity",
        "aggregate(amount with sum as total,$count as rows,a/$count as b,Forecast,c/Forecast as d)",
        "aggregate(amount with sum from Time with average from Product/Name with max as x)",
        "groupby((a,b/c,rollup(d,e),rollup(Hierarchy)),aggregate(x with max as m))",
        "groupby((rolluprecursive($root/Nodes,Qualifier,ID,filter(a eq 1))))",
        "filter(a eq 1)/orderby(a desc,b)/skip(3)/top(2)",
        "search(coffee OR tea)/compute(a mul 2 as b)",
        "concat(topcount(2,a),bottompercent(5,b)/identity)",
        "expand(Sales,filter(a gt 1),expand(Items,filter(b lt 2)))",
        "nest(identity as a,top(1) as b)",
        "addnested(Sales/Ns.Cast,filter(a gt 3) as f)",
        "join(Sales as s,filter(a eq 1))/outerjoin(Details as d)",
        "ancestors($root/Nodes,Qualifier,a/ID,filter(b eq 2),2,keep start)",
        "descendants($root/Nodes('x')/Sub,Qualifier,ID,identity)",
        "traverse($root/Nodes,Qualifier,ID,postorder,filter(a eq 1),Name desc,ID)",
        "Ns.TopCountAndBalance(Count=1,Property='Total')",
    ],
)
def test_apply_reads_back(text):
    steps = parse_apply(text)
    assert unparse_apply(steps) == text
    assert parse_apply(unparse_apply(steps)) == steps
