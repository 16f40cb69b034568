"""Marketing lists and their members, customers of opportunities, and prices that stay."""

from __future__ import annotations

import json

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"


@pytest.fixture(scope="module")
def state(environments):
    return lambda: dump(environments[0].database)


@pytest.fixture(scope="module")
def people(api):
    return [api.created("contacts", lastname=name) for name in ("Berg", "Dahl")]


def members(api, target):
    return {row["_entityid_value"] for row in api.json(f"/listmembers?$filter=_listid_value eq {target}")["value"]}


def count(api, target):
    return api.json(f"/lists({target})?$select=membercount")["membercount"]


def add(api, target, member, status=200):
    answer = api("POST", f"/lists({target})/{CRM}.AddMemberList", {"EntityId": member})
    assert answer.status == status, answer.body
    return json.loads(answer.body)


def test_members_come_and_go_and_are_counted(api, people):
    target = api.created("lists", listname="Spring", createdfromcode=2)
    first = add(api, target, people[0])["Id"]
    assert add(api, target, people[0])["Id"] == first
    every = [{"@odata.type": f"{CRM}.contact", "contactid": one} for one in people]
    body = {"List": {"listid": target}, "Members": every}
    assert api("POST", "/AddListMembersList", body).status == 204
    assert (members(api, target), count(api, target)) == (set(people), 2)
    row = api.json(f"/listmembers({first})?$expand=entityid_contact($select=lastname)")
    assert (row["entitytype"], row["entityid_contact"]["lastname"]) == ("contact", "Berg")
    for _ in range(2):
        path = f"/lists({target})/{CRM}.RemoveMemberList"
        assert api("POST", path, {"EntityId": people[0]}).status == 204
    assert (members(api, target), count(api, target)) == ({people[1]}, 1)


@pytest.mark.parametrize(
    ("more", "member", "status"),
    [
        ({"createdfromcode": 2}, NOBODY, 404),
        ({"createdfromcode": 1}, None, 404),
        ({"createdfromcode": 2, "type": True}, None, 400),
        ({"createdfromcode": 2, "lockstatus": True}, None, 400),
    ],
)
def test_a_list_takes_only_records_of_its_table_while_it_is_open(api, people, state, more, member, status):
    target = api.created("lists", listname="Closed", **more)
    before = state()
    add(api, target, member or people[0], status)
    assert state() == before


def test_a_member_that_is_made_as_a_row_is_checked_too(api, people, state):
    target = api.created("lists", listname="Accounts", createdfromcode=1)
    before = state()
    bind = {"listid@odata.bind": f"/lists({target})", "entityid_contact@odata.bind": f"/contacts({people[0]})"}
    assert api("POST", "/listmembers", bind).status == 400
    assert state() == before


def test_the_customer_of_an_opportunity_is_its_account_or_contact(api, people):
    account = api.created("accounts", name="Fabrikam")
    binds = {
        "parentaccountid@odata.bind": f"/accounts({account})",
        "parentcontactid@odata.bind": f"/contacts({people[0]})",
    }
    both = api.json(f"/opportunities({api.created('opportunities', name='O', **binds)})")
    assert both["_customerid_value"] == account
    bind = {"customerid_contact@odata.bind": f"/contacts({people[1]})"}
    row = api.json(f"/opportunities({api.created('opportunities', name='O', **bind)})")
    assert (row["_parentcontactid_value"], row["_parentaccountid_value"]) == (people[1], None)
    none = api.json(f"/opportunities({api.created('opportunities', name='O')})")
    assert none["_customerid_value"] is None


def test_prices_of_an_order_stay_while_they_are_locked(api):
    order = api.created("salesorders", name="Order")
    for action, locked in (("LockSalesOrderPricing", True), ("UnlockSalesOrderPricing", False)):
        assert api("POST", f"/salesorders({order})/{CRM}.{action}", {}).status == 204
        assert api.json(f"/salesorders({order})")["ispricelocked"] is locked


def test_totals_are_computed_anew_on_demand(api, state):
    quote = api.created("quotes", name="Offer")
    work = {"isproductoverridden": True, "productdescription": "Work", "priceperunit": 75, "quantity": 2}
    api.created("quotedetails", **work, **{"quoteid@odata.bind": f"/quotes({quote})"})
    assert api("PATCH", f"/quotes({quote})", {"totalamount": 1}).status == 204
    target = {"@odata.type": f"{CRM}.quote", "quoteid": quote}
    assert api("POST", "/CalculatePrice", {"Target": target}).status == 204
    assert api.json(f"/quotes({quote})")["totalamount"] == 150
    before = state()
    account = api.json("/accounts?$top=1")["value"][0]["accountid"]
    other = {"@odata.type": f"{CRM}.account", "accountid": account}
    assert api("POST", "/CalculatePrice", {"Target": other}).status == 400
    assert state() == before
