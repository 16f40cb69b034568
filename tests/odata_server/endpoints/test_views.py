"""Views of the system and of users as queries: `?savedQuery=` and `?userQuery=`."""

from __future__ import annotations

import pytest

from entities.standard.queries import view_id

ACTIVE_ACCOUNTS = view_id("Active Accounts")
FIRST_NAMES = (
    "<fetch{}><entity name='contact'><attribute name='firstname'/><order attribute='firstname' descending='true'/>"
    "</entity></fetch>"
)


@pytest.fixture(scope="module")
def rows(api):
    ids = {name: api.created("accounts", name=name) for name in ("Contoso", "Fabrikam", "Litware")}
    assert api("PATCH", f"/accounts({ids['Litware']})", {"statecode": 1}).status == 204
    for name, account in (("Ann", "Contoso"), ("Bob", "Contoso"), ("Cid", "Fabrikam")):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({ids[account]})"}
        ids[name] = api.created("contacts", firstname=name, **bind)
    ids["view"] = api.created(
        "userqueries", name="Mine", returnedtypecode="contact", querytype=0, fetchxml=FIRST_NAMES.format("")
    )
    return ids


@pytest.mark.parametrize(
    ("view", "entity_set", "names"),
    [
        ("Active Accounts", "accounts", ["Contoso", "Fabrikam"]),
        ("Inactive Accounts", "accounts", ["Litware"]),
        ("Active Contacts", "contacts", ["Ann", "Bob", "Cid"]),
        ("Inactive Contacts", "contacts", []),
    ],
)
def test_a_fresh_environment_has_views_that_run(api, rows, view, entity_set, names):
    found = api.json(f"/savedqueries?$select=savedqueryid&$filter=name eq '{view}'")["value"][0]["savedqueryid"]
    answer = api.json(f"/{entity_set}?savedQuery={found}")
    assert [row.get("name") or row["fullname"] for row in answer["value"]] == names


def test_a_view_of_the_user_runs_on_sets_and_on_collections_of_a_row(api, rows):
    whole = api.json(f"/contacts?userQuery={rows['view']}&$count=true")
    assert [row["firstname"] for row in whole["value"]] == ["Cid", "Bob", "Ann"]
    assert whole["@odata.count"] == 3
    of_contoso = api.json(f"/accounts({rows['Contoso']})/contact_customer_accounts?userQuery={{{rows['view']}}}")
    assert [row["firstname"] for row in of_contoso["value"]] == ["Bob", "Ann"]


@pytest.mark.parametrize("view", ["Active Accounts", None])
def test_pages_of_a_view_are_linked(api, rows, view):
    url = f"/accounts?savedQuery={view_id(view)}" if view else f"/contacts?userQuery={rows['view']}"
    whole = api.json(url)["value"]
    joined = []
    while url:
        page = api.json(url, prefer="odata.maxpagesize=1")
        joined += page["value"]
        url = page.get("@odata.nextLink", "").partition("/api/data/v9.2")[2]
    assert joined == whole


def test_repeated_rows_of_a_view_are_not_lost_between_pages(api, rows):
    text = (
        "<fetch count='2'><entity name='account'><attribute name='name'/><link-entity name='contact' "
        "from='parentcustomerid' to='accountid' link-type='outer'/></entity></fetch>"
    )
    view = api.created("userqueries", name="Repeats", returnedtypecode="account", querytype=0, fetchxml=text)
    url, names = f"/accounts?userQuery={view}", []
    while url:
        page = api.json(url)
        assert len(page["value"]) <= 2
        names += [row["name"] for row in page["value"]]
        url = page.get("@odata.nextLink", "").partition("/api/data/v9.2")[2]
    assert names == ["Contoso", "Contoso", "Fabrikam", "Litware"]


def test_a_view_that_changes_answers_differently_at_once(api, rows):
    view = api.created(
        "userqueries", name="x", returnedtypecode="contact", querytype=0, fetchxml=FIRST_NAMES.format("")
    )
    assert len(api.json(f"/contacts?userQuery={view}")["value"]) == 3
    assert api("PATCH", f"/userqueries({view})", {"fetchxml": FIRST_NAMES.format(" top='1'")}).status == 204
    assert len(api.json(f"/contacts?userQuery={view}")["value"]) == 1
    assert api("DELETE", f"/userqueries({view})").status == 204
    assert api.error("GET", f"/contacts?userQuery={view}")[0] == 404


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        (f"/contacts?savedQuery={ACTIVE_ACCOUNTS}", 400, "0x80041128"),
        (f"/accounts?userQuery={ACTIVE_ACCOUNTS}", 404, "0x80040217"),
        ("/accounts?savedQuery=00000000-0000-0000-0000-000000000001", 404, "0x80040217"),
        ("/accounts?savedQuery=nonsense", 400, "0x80060888"),
        ("/accounts?savedQuery", 400, "0x80060888"),
        (f"/accounts?savedQuery={ACTIVE_ACCOUNTS}&$filter=name eq 'x'", 400, "0x80060888"),
        (f"/accounts?savedQuery={ACTIVE_ACCOUNTS}&$skiptoken=x", 400, "0x80040203"),
        (f"/accounts/$count?savedQuery={ACTIVE_ACCOUNTS}", 400, "0x80060888"),
    ],
)
def test_what_is_no_view_of_the_collection_is_refused(api, rows, url, status, code):
    assert api.error("GET", url)[:2] == (status, code)


def test_a_view_without_a_query_is_refused(api):
    view = api.created("userqueries", name="Empty", returnedtypecode="account", querytype=0)
    assert api.error("GET", f"/accounts?userQuery={view}")[:2] == (400, "0x80040201")


def test_a_view_with_thousands_of_values_runs(api, rows):
    values = "".join(f"<value>Nobody {n}</value>" for n in range(9_000))
    condition = f"<condition attribute='firstname' operator='in'>{values}<value>Ann</value></condition>"
    text = FIRST_NAMES.format("").replace("<order", f"<filter>{condition}</filter><order")
    view = api.created("userqueries", name="Long", returnedtypecode="contact", querytype=0, fetchxml=text)
    assert [row["firstname"] for row in api.json(f"/contacts?userQuery={view}")["value"]] == ["Ann"]
