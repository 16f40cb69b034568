import pytest

from odata_server.syntax.apply import parse_apply
from odata_server.syntax.apply_trees import AggregateStep, FilterStep, GroupBy, IdentityStep, Rollup, TopStep
from odata_server.syntax.expressions import parse_filter
from odata_server.syntax.tokens import SyntaxRefused
from odata_server.syntax.trees import AggregateFrom, AggregateItem, Count, Path

A, B = Path(("a",)), Path(("b", "c"))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("identity", (IdentityStep(),)),
        ("aggregate(a with sum as t)", (AggregateStep((AggregateItem(A, "sum", (), "t"),)),)),
        (
            "aggregate( a with sum as t , $count as c )",
            (AggregateStep((AggregateItem(A, "sum", (), "t"), AggregateItem(None, None, (), "c"))),),
        ),
        (
            "aggregate(b/c/$count as n,Forecast)",
            (AggregateStep((AggregateItem(Count(B), None, (), "n"), AggregateItem(Path(("Forecast",))))),),
        ),
        (
            "aggregate(a with sum from b/c with max as t)",
            (AggregateStep((AggregateItem(A, "sum", (AggregateFrom((B,), "max"),), "t"),)),),
        ),
        ("groupby((a,b/c))", (GroupBy((A, B)),)),
        ("groupby((rollup(a,b/c)),top(2))", (GroupBy((Rollup((A, B)),), (TopStep(2),)),)),
        (
            "filter(a eq 1)/groupby((a),aggregate($count as c))",
            (
                FilterStep(parse_filter("a eq 1")),
                GroupBy((A,), (AggregateStep((AggregateItem(None, None, (), "c"),)),)),
            ),
        ),
    ],
)
def test_transformations_become_trees(text, steps):
    assert parse_apply(text) == steps


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("aggregate", 9),
        ("aggregate()", 10),
        ("aggregate(a with sum)", 20),
        ("aggregate(a with median as m)", 17),
        ("aggregate(a add 1 as x)", 18),
        ("aggregate($count with sum as x)", 10),
        ("aggregate(a with sum as)", 23),
        ("aggregate(a with sum from b as x)", 28),
        ("groupby(a)", 8),
        ("groupby(())", 9),
        ("groupby((a/Ns.T))", 9),
        ("groupby((a/@Ns.T))", 9),
        ("groupby((a)/top(1))", 11),
        ("top(x)", 4),
        ("top(-1)", 4),
        ("skip()", 5),
        ("concat(identity)", 15),
        ("expand(a,top(1))", 9),
        ("nest(identity)", 13),
        ("join(a)", 6),
        ("topcount(1)", 10),
        ("ancestors(a,b,c,identity)", 10),
        ("descendants($root/A,Q,ID,identity,keep,2)", 38),
        ("traverse($root/A,Q,ID,sideways)", 22),
        ("search()", 7),
        ("unknown(a)", 0),
        ("Ns.F", 4),
        ("identity/", 9),
        ("identity identity", 9),
    ],
)
def test_an_apply_that_is_not_well_formed_is_refused(text, position):
    with pytest.raises(SyntaxRefused) as refused:
        parse_apply(text)
    assert refused.value.position == position
