"""Choices of several options in both query languages: what is asked of them, and what is refused."""

from __future__ import annotations

import pytest
from worlds import CATALOG, FIRM

from entities.errors import InvalidArgument, MalformedRequest
from entities.query import ColumnRef, Condition, ConditionOperator
from entities.values import ChoiceSet
from odata_server.bind.dialect import WEB_API
from odata_server.bind.fetchxml import bind_fetch
from odata_server.bind.query import bind_rows
from odata_server.bind.selection import Reading
from odata_server.edm.preferences import parse_preferences
from odata_server.syntax.options import parse_query

PALETTE = ColumnRef("palette")
UNSORTABLE = "GroupBy or OrderBy Query is not supported for MultiSelectPickList Attribute Type."


def reading():
    return Reading(CATALOG, WEB_API, parse_preferences(""))


def filter_of_odata(condition):
    return bind_rows(FIRM, parse_query(f"$filter={condition}"), reading()).query.filter


def fetched(inside):
    return bind_fetch(f"<fetch><entity name='firm'>{inside}</entity></fetch>", FIRM, reading())


def filter_of_fetch(operator, *values):
    listed = "".join(f"<value>{value}</value>" for value in values)
    return fetched(
        f"<filter><condition attribute='palette' operator='{operator}'>{listed}</condition></filter>"
    ).query.filter


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        ("ContainValues", ConditionOperator.CONTAIN_VALUES),
        ("DoesNotContainValues", ConditionOperator.NOT_CONTAIN_VALUES),
    ],
)
def test_any_of_several_options_is_asked_in_both_languages(function, operator):
    expected = Condition(PALETTE, operator, (10, 12))
    call = f"Microsoft.Dynamics.CRM.{function}(PropertyName='palette',PropertyValues=['10','12'])"
    assert filter_of_odata(call) == expected
    assert filter_of_fetch(operator.value, "10", "12") == expected


@pytest.mark.parametrize("text", ["10,12", "12,10"])
def test_equality_takes_all_options_in_any_order(text):
    expected = Condition(PALETTE, ConditionOperator.EQUAL, (ChoiceSet((10, 12)),))
    assert filter_of_odata(f"palette eq '{text}'") == expected
    assert filter_of_fetch("eq", text) == expected


@pytest.mark.parametrize(
    ("operator", "values", "error"),
    [
        ("contain-values", (), MalformedRequest),
        ("contain-values", ("red",), InvalidArgument),
        ("not-contain-values", ("10", "x"), InvalidArgument),
        ("eq", ("red",), InvalidArgument),
        ("like", ("1%",), MalformedRequest),
        ("begins-with", ("1",), MalformedRequest),
    ],
)
def test_what_is_no_option_is_refused(operator, values, error):
    with pytest.raises(error):
        filter_of_fetch(operator, *values)


@pytest.mark.parametrize(
    "bind",
    [
        lambda: bind_rows(FIRM, parse_query("$orderby=palette desc"), reading()),
        lambda: fetched("<order attribute='palette'/>"),
        lambda: fetched("<order attribute='name'/><order attribute='palette' descending='1'/>"),
    ],
    ids=["orderby", "order", "second order"],
)
def test_rows_have_no_order_by_several_options(bind):
    with pytest.raises(MalformedRequest) as refused:
        bind()
    assert (str(refused.value), refused.value.code) == (UNSORTABLE, "0x80050224")
