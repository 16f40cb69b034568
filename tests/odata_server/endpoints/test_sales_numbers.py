"""Cases, quotes, orders and invoices are numbered."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def account(api):
    return api.created("accounts", name="Fabrikam")


@pytest.mark.parametrize(
    ("entity_set", "column", "prefix"),
    [
        ("quotes", "quotenumber", "QUO"),
        ("salesorders", "ordernumber", "ORD"),
        ("invoices", "invoicenumber", "INV"),
        ("incidents", "ticketnumber", "CAS"),
    ],
)
def test_records_are_numbered_from_a_thousand_unless_they_bring_a_number(api, account, entity_set, column, prefix):
    bind = {"customerid_account@odata.bind": f"/accounts({account})"}
    name = {"title" if entity_set == "incidents" else "name": "Numbered"}
    numbers = [api.json(f"/{entity_set}({api.created(entity_set, **name, **bind)})")[column] for _ in range(2)]
    first, second = (number.split("-") for number in numbers)
    assert (first[0], len(first[1]), len(first[2])) == (prefix, 5, 6)
    assert int(second[1]) == int(first[1]) + 1 > 1000
    given = api.created(entity_set, **name, **bind, **{column: "MINE-1"})
    assert api.json(f"/{entity_set}({given})")[column] == "MINE-1"
