"""An account tells how many opportunities are open, its own and those of accounts below, and what they may bring."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from odata_server.providers.rollup_job import schedule_rollups

COLUMNS = ("opendeals", "openrevenue", "openrevenue_base")


def _calculate(api, account, column):
    target = quote(json.dumps({"@odata.id": f"accounts({account})"}))
    return api("GET", f"/CalculateRollupField(Target=@t,FieldName=@f)?@t={target}&@f='{column}'")


@pytest.fixture(scope="module")
def family(api):
    parent = api.created("accounts", name="Contoso")
    child = api.created("accounts", name="Contoso Nederland", **{"parentaccountid@odata.bind": f"/accounts({parent})"})
    for account, value in ((parent, 100), (child, 40), (child, 2.5)):
        _opportunity(api, account, value)
    lost = _opportunity(api, parent, 1000)
    close = {"opportunityid@odata.bind": f"/opportunities({lost})"}
    answer = api("POST", "/LoseOpportunity", {"Status": 4, "OpportunityClose": close})
    assert answer.status == 204, answer.body
    return parent, child


def _opportunity(api, account, value):
    bind = {"customerid_account@odata.bind": f"/accounts({account})"}
    return api.created("opportunities", name="Deal", estimatedvalue=value, **bind)


def test_nothing_is_known_before_the_calculation(api):
    found = api.json(f"/accounts({api.created('accounts', name='Fabrikam')})")
    assert [found[name] for name in (*COLUMNS, "opendeals_date")] == [None] * 4
    assert [found[f"{name}_state"] for name in ("opendeals", "openrevenue")] == [0, 0]


@pytest.mark.parametrize(("which", "deals", "revenue"), [(0, 3, 142.5), (1, 2, 42.5)])
def test_open_opportunities_are_added_up_along_the_hierarchy(api, family, which, deals, revenue):
    account = family[which]
    for column, value in (("opendeals", deals), ("openrevenue", revenue)):
        answer = _calculate(api, account, column)
        assert (answer.status, json.loads(answer.body)[column]) == (200, value)
    found = api.json(f"/accounts({account})")
    assert [found[name] for name in COLUMNS] == [deals, revenue, revenue]
    assert (found["opendeals_state"], found["openrevenue_state"]) == (1, 1)


def test_an_account_without_opportunities_has_none(api):
    account = api.created("accounts", name="Tailspin")
    for column in ("opendeals", "openrevenue"):
        assert json.loads(_calculate(api, account, column).body)[column] == 0


def test_only_rollup_columns_are_calculated(api, family):
    answer = _calculate(api, family[0], "revenue")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "0x80060554")


def test_no_job_calculates_what_nobody_declared(api, family):
    schedule_rollups(api.services.dataverse)
    assert api.json("/asyncoperations?$filter=operationtype eq 58")["value"] == []
