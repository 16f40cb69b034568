"""From the opportunity to the invoice, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest
from things import dump

NOBODY = "0c000000-0000-4000-8000-0000000000ff"
ALL = {"AllColumns": True}


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


@pytest.fixture(scope="module")
def shop(api):
    """An account, and the line that every offer has: two hours of work, written in."""
    account = api.created("accounts", name="Fabrikam")
    work = {"isproductoverridden": True, "productdescription": "Work", "priceperunit": 75, "quantity": 2, "tax": 10}
    return SimpleNamespace(customer={"customerid_account@odata.bind": f"/accounts({account})"}, work=work, id=account)


@pytest.fixture
def quote(api, shop):
    def made(statecode=1, **more):
        found = api.created("quotes", name="Offer", discountamount=20, **shop.customer, **more)
        api.created("quotedetails", **shop.work, **{"quoteid@odata.bind": f"/quotes({found})"})
        if statecode:
            assert api("PATCH", f"/quotes({found})", {"statecode": 1, "statuscode": 2}).status == 204
        return found

    return made


def act(api, action, body, status=204):
    answer = api("POST", f"/{action}", body)
    assert answer.status == status, answer.body
    return json.loads(answer.body) if answer.body else None


def refused(api, action, body):
    answer = api("POST", f"/{action}", body)
    return answer.status, json.loads(answer.body)["error"]["code"]


def closes(quote, status, **more):
    bind = {"quoteid@odata.bind": f"/quotes({quote})"}
    return {"Status": status, "QuoteClose": {"subject": "Closed", **bind, **more}}


def finishes(order, status):
    bind = {"salesorderid@odata.bind": f"/salesorders({order})"}
    return {"Status": status, "OrderClose": {"subject": "Done", **bind}}


def states(api, entity_set, record):
    row = api.json(f"/{entity_set}({record})?$select=statecode,statuscode")
    return row["statecode"], row["statuscode"]


@pytest.mark.parametrize(
    ("action", "status", "new"),
    [
        ("WinQuote", 4, (2, 4)),
        ("WinQuote", -1, (2, 4)),
        ("CloseQuote", 5, (3, 5)),
        ("CloseQuote", 6, (3, 6)),
        ("CloseQuote", 7, (3, 7)),
    ],
)
def test_an_active_quote_is_won_or_closed_with_an_activity(api, quote, action, status, new):
    made = quote()
    act(api, action, closes(made, status))
    assert states(api, "quotes", made) == new
    (activity,) = api.json(f"/quotes({made})/Quote_QuoteClose")["value"]
    assert (activity["subject"], activity["statecode"], activity["revision"]) == ("Closed", 1, 0)
    assert activity["quotenumber"] == api.json(f"/quotes({made})")["quotenumber"]


def test_a_quote_is_closed_once_and_only_when_it_is_active(api, quote, state):
    draft, won = quote(0), quote()
    act(api, "WinQuote", closes(won, 4))
    before = state()
    for made in (draft, won):
        assert refused(api, "WinQuote", closes(made, 4)) == (400, "0x80040203")
        assert refused(api, "CloseQuote", closes(made, 5)) == (400, "0x80040203")
    answer = api("PATCH", f"/quotes({won})", {"statecode": 1, "statuscode": 2})
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "0x80100003")
    assert state() == before


@pytest.mark.parametrize(
    ("action", "body", "refusal"),
    [
        ("WinQuote", closes("{id}", 5), (400, "0x80048408")),
        ("WinQuote", closes(NOBODY, 4), (404, "0x80040217")),
        ("CloseQuote", {"Status": 5, "QuoteClose": {"subject": "x"}}, (400, "0x80040203")),
        ("ReviseQuote", {"QuoteId": "{id}", "ColumnSet": ALL}, (400, "0x80048d00")),
        ("ReviseQuote", {"QuoteId": NOBODY, "ColumnSet": ALL}, (404, "0x80040217")),
        ("ConvertSalesOrderToInvoice", {"SalesOrderId": NOBODY, "ColumnSet": ALL}, (404, "0x80040217")),
        ("GenerateQuoteFromOpportunity", {"OpportunityId": "x", "ColumnSet": ALL}, (400, "0x80048d19")),
    ],
)
def test_what_closes_or_converts_nothing_is_refused(api, quote, state, action, body, refusal):
    made = quote()
    before = state()
    assert refused(api, action, json.loads(json.dumps(body).replace("{id}", made))) == refusal
    assert state() == before


def test_a_closed_quote_is_revised_with_its_lines(api, quote):
    made = quote()
    act(api, "CloseQuote", closes(made, 7))
    revised = act(api, "ReviseQuote", {"QuoteId": made, "ColumnSet": ALL}, 200)
    first = api.json(f"/quotes({made})")
    assert (revised["quotenumber"], revised["revisionnumber"]) == (first["quotenumber"], 1)
    assert (revised["statecode"], revised["discountamount"], revised["totalamount"]) == (0, 20, 140)
    (line,) = api.json(f"/quotes({revised['quoteid']})/quote_details")["value"]
    assert (line["productdescription"], line["extendedamount"]) == ("Work", 160)


def test_a_quote_becomes_an_order_and_is_won(api, quote, shop):
    made = quote()
    body = {"QuoteId": made, "ColumnSet": ALL, "QuoteCloseSubject": "Yes", "QuoteCloseDescription": ""}
    order = act(api, "ConvertQuoteToSalesOrder", body, 200)
    assert (order["name"], order["totalamount"], order["_quoteid_value"]) == ("Offer", 140, made)
    assert order["_customerid_value"] == shop.id
    assert states(api, "quotes", made) == (2, 4)
    (line,) = api.json(f"/salesorders({order['salesorderid']})/order_details")["value"]
    assert line["_quotedetailid_value"] == api.json(f"/quotes({made})/quote_details")["value"][0]["quotedetailid"]
    (activity,) = api.json(f"/quotes({made})/Quote_QuoteClose")["value"]
    assert activity["subject"] == "Yes"


def test_a_draft_does_not_become_an_order(api, quote, state):
    made = quote(0)
    before = state()
    body = {"QuoteId": made, "ColumnSet": ALL, "QuoteCloseSubject": "", "QuoteCloseDescription": ""}
    assert refused(api, "ConvertQuoteToSalesOrder", body) == (400, "0x80040203")
    assert state() == before


def test_an_order_becomes_an_invoice_and_is_fulfilled_once(api, shop, state):
    order = api.created("salesorders", name="Order", freightamount=5, **shop.customer)
    line = api.created("salesorderdetails", **shop.work, **{"salesorderid@odata.bind": f"/salesorders({order})"})
    invoice = act(api, "ConvertSalesOrderToInvoice", {"SalesOrderId": order, "ColumnSet": ALL}, 200)
    assert (invoice["_salesorderid_value"], invoice["totalamount"]) == (order, 165)
    (billed,) = api.json(f"/invoices({invoice['invoiceid']})/invoice_details")["value"]
    assert billed["_salesorderdetailid_value"] == line
    act(api, "FulfillSalesOrder", finishes(order, 100001))
    assert states(api, "salesorders", order) == (3, 100001)
    assert api.json(f"/salesorders({order})")["datefulfilled"] is not None
    before = state()
    assert refused(api, "CancelSalesOrder", finishes(order, 4)) == (400, "0x80040203")
    assert state() == before


def test_an_order_is_canceled(api, shop):
    order = api.created("salesorders", name="Order", **shop.customer)
    act(api, "CancelSalesOrder", finishes(order, -1))
    assert states(api, "salesorders", order) == (2, 4)
    (activity,) = api.json(f"/salesorders({order})/SalesOrder_OrderClose")["value"]
    assert activity["statecode"] == 1


@pytest.mark.parametrize(
    ("action", "lines"),
    [
        ("GenerateQuoteFromOpportunity", "quote_details"),
        ("GenerateSalesOrderFromOpportunity", "order_details"),
        ("GenerateInvoiceFromOpportunity", "invoice_details"),
    ],
)
def test_an_opportunity_becomes_a_quote_an_order_or_an_invoice(api, shop, action, lines):
    opportunity = api.created("opportunities", name="Chairs", discountpercentage=10, **shop.customer)
    bind = {"opportunityid@odata.bind": f"/opportunities({opportunity})"}
    api.created("opportunityproducts", **shop.work, **bind)
    made = act(api, action, {"OpportunityId": opportunity, "ColumnSet": ALL}, 200)
    assert (made["name"], made["_opportunityid_value"], made["totalamount"]) == ("Chairs", opportunity, 145)
    entity_set = made["@odata.context"].rpartition("#")[2].partition("/")[0]
    key = made[{"quotes": "quoteid", "salesorders": "salesorderid", "invoices": "invoiceid"}[entity_set]]
    assert [line["extendedamount"] for line in api.json(f"/{entity_set}({key})/{lines}")["value"]] == [160]
