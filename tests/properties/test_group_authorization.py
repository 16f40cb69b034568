"""Groups and aggregates are made of the records that the caller may read, and of nothing else."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from entities.errors import AccessDenied
from entities.evaluate import evaluate
from entities.messages import RetrieveMultiple
from entities.query import (
    Aggregate,
    AggregateFunction,
    ColumnRef,
    Group,
    LinkEntity,
    LinkType,
    QueryExpression,
)
from entities.values import Record
from security.authorize import authorize
from security.principals import Principal
from tests.properties.test_authorization_rows import CATALOG, DATA, Rows, principals, reaches

COUNT = Aggregate(AggregateFunction.COUNT, "n")
BY_SIZE = QueryExpression("note", groups=(Group(ColumnRef("size"), "size"),), aggregates=(COUNT,))
LINK = LinkEntity("note", "note", "noteid", "note", type=LinkType.LEFT_OUTER)
BY_NOTE = QueryExpression(
    "part",
    links=(LINK,),
    groups=(Group(ColumnRef("size", "note"), "size"),),
    aggregates=(COUNT, Aggregate(AggregateFunction.COUNT_COLUMN, "notes", ColumnRef("noteid", "note"))),
)


def read(principal: Principal, query: QueryExpression, data: Rows) -> tuple[Record, ...] | None:
    """Return what a principal reads, None where it is refused."""
    try:
        narrowed = authorize(RetrieveMultiple(query), principal, CATALOG).message.query
    except AccessDenied:
        return None
    return evaluate(narrowed, CATALOG, data)


@given(principal=principals(), data=DATA)
def test_groups_count_the_records_in_sight_only(principal: Principal, data: Rows) -> None:
    found = read(principal, BY_SIZE, data)
    if "prvReadNote" not in principal.grants:
        assert found is None
        return
    visible = Counter(record["size"] for record in data["note"] if reaches(principal, record, data))
    assert found is not None
    assert {record["size"]: record["n"] for record in found} == visible


@given(principal=principals(), data=DATA)
def test_a_linked_record_out_of_sight_gives_away_nothing(principal: Principal, data: Rows) -> None:
    found = read(principal, BY_NOTE, data)
    if {"prvReadNote", "prvReadPart"} - principal.grants.keys():
        assert found is None
        return
    sizes = {record["size"] for record in data["note"] if reaches(principal, record, data)}
    assert found is not None
    for record in found:
        assert record["size"] in {None, *sizes}
        assert record["size"] is not None or record["notes"] == 0


@given(principal=principals(), data=DATA, function=st.sampled_from((AggregateFunction.SUM, AggregateFunction.MAXIMUM)))
def test_aggregates_of_nothing_in_sight_say_nothing(
    principal: Principal, data: Rows, function: AggregateFunction
) -> None:
    query = QueryExpression("note", aggregates=(Aggregate(function, "a", ColumnRef("size")), COUNT))
    found = read(principal, query, data)
    if found is None:
        return
    sizes = [record["size"] for record in data["note"] if reaches(principal, record, data)]
    whole = [size for size in sizes if isinstance(size, int)]
    expected = sum(whole) if function is AggregateFunction.SUM else max(whole, default=0)
    assert found == ({"a": expected if whole else None, "n": len(sizes)},)
