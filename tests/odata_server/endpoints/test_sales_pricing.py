"""Lines of opportunities, quotes, orders and invoices get their prices, and what they are lines of its totals."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def shop(api):
    """Chairs for 100 apiece on a price list, cheaper from ten on, and a table that is not on it."""
    currency = api.json("/transactioncurrencies?$top=1")["value"][0]["transactioncurrencyid"]
    bind_currency = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})"}
    group = api.created("uomschedules", name="Pieces", baseuomname="Piece")
    (unit,) = (
        row["uomid"] for row in api.json(f"/uomschedules({group})/unit_of_measure_schedule_conversions")["value"]
    )
    prices = api.created("pricelevels", name="Retail", **bind_currency)
    many = api.created("discounttypes", name="Many", isamounttype=False)
    bind_many = {"discounttypeid@odata.bind": f"/discounttypes({many})"}
    api.created("discounts", lowquantity=10, highquantity=1000, percentage=10, **bind_many)
    units = {
        "defaultuomid@odata.bind": f"/uoms({unit})",
        "defaultuomscheduleid@odata.bind": f"/uomschedules({group})",
    }
    chair = api.created("products", name="Chair", productnumber="C1", quantitydecimal=2, currentcost=80, **units)
    table = api.created("products", name="Table", productnumber="T1", quantitydecimal=2, **units)
    where = {"pricelevelid@odata.bind": f"/pricelevels({prices})", "uomid@odata.bind": f"/uoms({unit})"}
    item = api.created(
        "productpricelevels", amount=100, **{"productid@odata.bind": f"/products({chair})"}, **where, **bind_many
    )
    account = api.created("accounts", name="Fabrikam")
    return SimpleNamespace(
        chair=chair, table=table, unit=unit, prices=prices, account=account, item=item, currency=currency
    )


@pytest.fixture
def header(api, shop):
    def made(entity_set="quotes", **more):
        binds = {
            "customerid_account@odata.bind": f"/accounts({shop.account})",
            "pricelevelid@odata.bind": f"/pricelevels({shop.prices})",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({shop.currency})",
        }
        return api.created(entity_set, **{"name": "Offer", **binds, **more})

    return made


def line(api, shop, header, *, product=True, of="quote", **more):
    sets = {"quote": "quotedetails", "opportunity": "opportunityproducts", "salesorder": "salesorderdetails"}
    headers = {"quote": "quotes", "opportunity": "opportunities", "salesorder": "salesorders"}
    bind = {f"{of}id@odata.bind": f"/{headers[of]}({header})"}
    if product:
        bind |= {"productid@odata.bind": f"/products({shop.chair})", "uomid@odata.bind": f"/uoms({shop.unit})"}
    return api.created(sets[of], **{"quantity": 2, **bind, **more})


TOTALS = ("totallineitemamount", "totaldiscountamount", "totalamountlessfreight", "totaltax", "totalamount")


def totals(api, header, entity_set="quotes"):
    row = api.json(f"/{entity_set}({header})?$select={','.join(TOTALS)}")
    return tuple(row[name] for name in TOTALS)


def test_a_line_has_the_price_of_the_price_list_and_the_name_of_its_product(api, shop, header):
    quote = header()
    row = api.json(f"/quotedetails({line(api, shop, quote, tax=5, manualdiscountamount=20)})")
    assert (row["priceperunit"], row["baseamount"], row["extendedamount"]) == (100, 200, 185)
    assert (row["quotedetailname"], row["productname"], row["pricingerrorcode"]) == ("Chair", "Chair", 0)
    assert row["_ownerid_value"] == api.json(f"/quotes({quote})")["_ownerid_value"]
    assert totals(api, quote) == (180, 0, 180, 5, 185)


def test_a_discount_list_makes_many_cheaper(api, shop, header):
    quote = header()
    row = api.json(f"/quotedetails({line(api, shop, quote, quantity=10)})")
    assert (row["priceperunit"], row["volumediscountamount"], row["extendedamount"]) == (100, 10, 900)
    assert totals(api, quote) == (900, 0, 900, 0, 900)


def test_a_price_may_be_overridden_and_a_product_written_in(api, shop, header):
    quote = header()
    own = line(api, shop, quote, ispriceoverridden=True, priceperunit=50)
    written = {"isproductoverridden": True, "productdescription": "Delivery", "priceperunit": 30, "quantity": 1}
    other = line(api, shop, quote, product=False, **written)
    assert api.json(f"/quotedetails({own})")["extendedamount"] == 100
    assert api.json(f"/quotedetails({other})")["quotedetailname"] == "Delivery"
    assert totals(api, quote) == (130, 0, 130, 0, 130)


def test_totals_follow_when_lines_change_and_go(api, shop, header):
    quote = header()
    first, second = line(api, shop, quote), line(api, shop, quote)
    assert api("PATCH", f"/quotedetails({first})", {"quantity": 5}).status == 204
    assert totals(api, quote) == (700, 0, 700, 0, 700)
    assert api("DELETE", f"/quotedetails({second})").status == 204
    assert totals(api, quote) == (500, 0, 500, 0, 500)
    body = {"discountpercentage": 10, "discountamount": 50, "freightamount": 20}
    assert api("PATCH", f"/quotes({quote})", body).status == 204
    assert totals(api, quote) == (500, 100, 400, 0, 420)
    assert api("DELETE", f"/quotes({quote})").status == 204
    assert api("GET", f"/quotedetails({first})").status == 404


def test_a_product_that_is_not_on_the_price_list_has_no_price(api, shop, header):
    quote = header()
    bind = {"productid@odata.bind": f"/products({shop.table})"}
    row = api.json(f"/quotedetails({line(api, shop, quote, product=False, **bind)})")
    assert (row["priceperunit"], row["pricingerrorcode"], row["extendedamount"]) == (None, 11, 0)
    assert api.json(f"/quotes({quote})")["pricingerrorcode"] == 1


def test_the_revenue_of_an_opportunity_is_its_total_where_the_system_calculates_it(api, shop, header):
    calculated, own = header("opportunities", isrevenuesystemcalculated=True), header("opportunities", estimatedvalue=7)
    for opportunity in (calculated, own):
        line(api, shop, opportunity, of="opportunity")
    assert api.json(f"/opportunities({calculated})")["estimatedvalue"] == 200
    assert api.json(f"/opportunities({own})")["estimatedvalue"] == 7
    assert totals(api, own, "opportunities")[-1] == 200


@pytest.mark.parametrize(
    ("method", "more", "price"),
    [(2, {"percentage": 50}, 60), (3, {"percentage": 25}, 100), (4, {"percentage": 20}, 100), (1, {}, 100)],
)
def test_a_price_may_go_by_a_percentage(api, shop, header, method, more, price):
    assert api("PATCH", f"/products({shop.chair})", {"price": 120}).status == 204
    change = {"pricingmethodcode": method, **more}
    assert api("PATCH", f"/productpricelevels({shop.item})", change).status == 204
    made = line(api, shop, header(), quantity=1)
    assert api.json(f"/quotedetails({made})")["priceperunit"] == price


def test_a_unit_group_has_its_base_unit_from_the_beginning(api):
    named, unnamed = api.created("uomschedules", name="Boxes", baseuomname="Box"), api.created("uomschedules", name="-")
    (unit,) = api.json(f"/uoms?$filter=_uomscheduleid_value eq {named}")["value"]
    assert (unit["name"], unit["quantity"], unit["isschedulebaseuom"]) == ("Box", 1, True)
    assert api.json(f"/uoms?$filter=_uomscheduleid_value eq {unnamed}")["value"] == []


def test_a_line_of_nothing_is_refused(api, shop):
    bind = {"productid@odata.bind": f"/products({shop.chair})"}
    answer = api("POST", "/quotedetails", {"quantity": 1, **bind})
    assert answer.status == 400
    assert "quoteid" in json.loads(answer.body)["error"]["message"]
