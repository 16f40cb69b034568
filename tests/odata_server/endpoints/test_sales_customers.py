"""Records with a customer tell whether it is an account or a contact."""

from __future__ import annotations

import pytest

SETS = ("leads", "opportunities", "quotes", "salesorders", "invoices", "incidents")


@pytest.fixture(scope="module")
def customers(api):
    account = api.created("accounts", name="Fabrikam")
    return account, api.created("contacts", lastname="Nielsen")


def _split(api, path):
    found = api.json(f"{path}?$select=_customerid_value,_accountid_value,_contactid_value")
    return found["_customerid_value"], found["_accountid_value"], found["_contactid_value"]


@pytest.mark.parametrize("entity_set", SETS)
def test_the_customer_is_told_as_account_or_as_contact(api, customers, entity_set):
    account, contact = customers
    names = {"incidents": {"title": "Broken"}, "leads": {"subject": "Hello", "lastname": "Berg"}}
    bind = {"customerid_account@odata.bind": f"/accounts({account})"}
    made = api.created(entity_set, **names.get(entity_set, {"name": "Deal"}), **bind)
    path = f"/{entity_set}({made})"
    assert _split(api, path) == (account, account, None)
    answer = api("PATCH", path, {"customerid_contact@odata.bind": f"/contacts({contact})"})
    assert answer.status == 204, answer.body
    assert _split(api, path) == (contact, None, contact)
    found = api.json(f"/{entity_set}?$filter=_contactid_value eq {contact}&$select=_contactid_value")["value"]
    assert [row["_contactid_value"] for row in found] == [contact]


def test_a_lead_without_customer_has_neither(api):
    assert _split(api, f"/leads({api.created('leads', subject='Hello', lastname='Berg')})") == (None, None, None)


def test_an_opportunity_that_names_its_account_has_it_as_customer(api, customers):
    account, _ = customers
    made = api.created("opportunities", name="Deal", **{"parentaccountid@odata.bind": f"/accounts({account})"})
    assert _split(api, f"/opportunities({made})") == (account, account, None)


@pytest.mark.parametrize("name", ["accountid", "contactid"])
def test_only_the_server_tells_it(api, customers, name):
    path = f"/leads({api.created('leads', subject='Hello', lastname='Berg')})"
    target = f"/accounts({customers[0]})" if name == "accountid" else f"/contacts({customers[1]})"
    assert api("PATCH", path, {f"{name}@odata.bind": target}).status == 400
    assert _split(api, path) == (None, None, None)


def test_merging_accounts_moves_what_their_customers_have(api):
    kept, gone = (api.created("accounts", name=name) for name in ("Kept", "Gone"))
    made = api.created("quotes", name="Deal", **{"customerid_account@odata.bind": f"/accounts({gone})"})
    merged = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
    body = {
        "Target": {**merged, "accountid": kept},
        "Subordinate": {**merged, "accountid": gone},
        "UpdateContent": merged,
        "PerformParentingChecks": False,
    }
    answer = api("POST", "/Merge", body)
    assert answer.status == 204, answer.body
    assert _split(api, f"/quotes({made})") == (kept, kept, None)
