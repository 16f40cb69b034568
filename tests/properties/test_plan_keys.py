"""Plans are kept by a query's signature: queries share one exactly when they differ in literals only."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_filters import Scene
from random_queries import queries

from entities.query import (
    ColumnRef,
    Condition,
    ConditionOperator,
    Expansion,
    LinkEntity,
    Order,
    Page,
    PageAnchor,
    QueryExpression,
    equals,
)
from odata_server.engine.slots import signature, split

ANY_QUERY = queries(Scene())
QUERY = QueryExpression("account", ("name",), filter=equals("name", "a"), page=Page(3))
NOW_OTHER = {
    "table": "contact",
    "columns": ("name", "fax"),
    "linked_columns": (ColumnRef("name", "l"),),
    "filter": Condition(ColumnRef("name"), ConditionOperator.NOT_EQUAL, ("a",)),
    "links": (LinkEntity("l", "contact", "accountid", "accountid"),),
    "orders": (Order(ColumnRef("name")),),
    "top": 5,
    "page": Page(3, PageAnchor(2, ("a",))),
    "count": True,
    "distinct": True,
    "groups": ("group",),
    "aggregates": ("sum",),
    "aggregate_limit": 5,
    "counts_children": True,
    "expansions": (Expansion("parent", QueryExpression("account")),),
}


@given(one=ANY_QUERY, other=ANY_QUERY, size=st.integers(1, 9))
def test_queries_share_a_signature_exactly_when_they_share_a_plan(one, other, size):
    for left, right in ((one, other), (one, replace(one, page=Page(size))), (one, replace(one))):
        assert (signature(left)[0] == signature(right)[0]) == (split(left)[0] == split(right)[0])


@given(query=ANY_QUERY, size=st.integers(1, 9))
def test_a_signature_comes_with_the_literals_of_the_split_query(query, size):
    paged = replace(query, page=Page(size, PageAnchor(2, (None, "x"))), top=7)
    assert signature(paged)[1] == split(paged)[1]


@given(query=ANY_QUERY)
def test_a_signature_can_be_a_key(query):
    assert {signature(query)[0]: 1}[signature(query)[0]] == 1


@pytest.mark.parametrize("other", [{"descending": True}, {"labels": 1033}, {"column": ColumnRef("name", part="id")}])
def test_every_part_of_an_order_matters(other):
    query = replace(QUERY, orders=(Order(ColumnRef("name")),))
    assert signature(replace(query, orders=(replace(query.orders[0], **other),)))[0] != signature(query)[0]


def test_literals_do_not_matter():
    assert signature(QUERY)[0] == signature(replace(QUERY, filter=equals("name", "b"), page=Page(9)))[0]


@pytest.mark.parametrize("name", [field.name for field in fields(QueryExpression)])
def test_every_part_of_a_query_matters(name):
    assert signature(replace(QUERY, **{name: NOW_OTHER[name]}))[0] != signature(QUERY)[0]


LINK = LinkEntity("l", "contact", "accountid", "accountid")
LINK_NOW_OTHER = {
    "alias": "m",
    "table": "account",
    "from_column": "parentaccountid",
    "to_column": "parentaccountid",
    "to_alias": "k",
    "type": "outer",
    "filter": equals("name", "a"),
    "links": (LinkEntity("n", "contact", "contactid", "contactid"),),
}


@pytest.mark.parametrize("name", [field.name for field in fields(LinkEntity)])
def test_every_part_of_a_link_matters(name):
    one, other = (replace(QUERY, links=(link,)) for link in (LINK, replace(LINK, **{name: LINK_NOW_OTHER[name]})))
    assert signature(one)[0] != signature(other)[0]
