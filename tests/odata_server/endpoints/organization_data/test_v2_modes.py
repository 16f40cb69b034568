"""What the faithful mode refuses and the extended one has; and what both have."""

from __future__ import annotations

from urllib.parse import quote

import pytest


@pytest.fixture(scope="module")
def account(v2):
    """The path of an account with a primary contact."""
    made = v2.made("AccountSet", Name="Moded", account_primary_contact={"LastName": "Mode"})
    return f"/AccountSet(guid'{made}')"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/AccountSet?$inlinecount=allpages", 400),
        ("/AccountSet?$format=json", 400),
        ("/AccountSet/$count", 404),
        ("/AccountSet?$filter=tolower(Name) eq 'x'", 400),
        ("/AccountSet?$filter=length(Name) eq 1", 400),
        ("/AccountSet?$filter=Revenue eq 1M", 400),
        ("/AccountSet?$filter=PrimaryContactId eq null", 400),
        ("/AccountSet?$filter=Name ne 'x' and account_primary_contact/LastName ne 'x'", 400),
        ("/AccountSet?$filter=Referencingaccount_parent_account/account_primary_contact/LastName eq 'x'", 400),
        ("/AccountSet?$orderby=account_primary_contact/LastName", 400),
        ("/ContactSet?$expand=contact_customer_accounts/account_primary_contact", 400),
        (
            (
                "/AccountSet?$expand=account_primary_contact,contact_customer_accounts,lk_accountbase_createdby,"
                "lk_accountbase_modifiedby,transactioncurrency_account,business_unit_accounts,user_accounts"
            ),
            400,
        ),
    ],
)
def test_reads_that_only_the_extended_mode_has(v2, faithful, account, path, status):
    path = quote(path, safe="/?&=$,()'")
    assert v2("GET", path).status == 200
    assert faithful.error("GET", path)[0] == status


@pytest.mark.parametrize(
    "path",
    [
        "/AccountSet?$filter=substringof('ode',Name) and startswith(Name,'M') and endswith(Name,'d')",
        "/AccountSet?$filter=account_primary_contact/LastName eq 'Mode' or account_primary_contact/FirstName eq 'x'",
        "/AccountSet?$filter=Revenue/Value eq null and PrimaryContactId/Id ne null",
        "/AccountSet?$orderby=Name desc&$skip=0&$top=1&$select=Name",
        "/AccountSet?$expand=account_primary_contact&$select=Name,account_primary_contact/FullName",
    ],
)
def test_reads_that_both_have(v2, faithful, account, path):
    path = quote(path, safe="/?&=$,()'")
    found = faithful.results(path)
    assert [one["Name"] for one in found] == v2.names(path)
    assert all("etag" not in one["__metadata"] for one in found)


def test_paths_of_the_faithful_mode_go_one_level(v2, faithful, account):
    path = f"{account}/account_primary_contact"
    assert faithful.data(f"{path}/LastName") == {"LastName": "Mode"}
    assert v2("GET", f"{path}/contact_customer_accounts").status == 404
    assert faithful.error("GET", f"{path}/contact_customer_accounts")[0] == 400


def test_writes_of_the_faithful_mode(v2, faithful, account):
    assert faithful.error("PATCH", account, {"Name": "x"})[0] == 405
    assert faithful.error("POST", "/$batch", b"--b--", content_type="multipart/mixed;boundary=b")[0] == 404
    faithful.done("POST", account, {"Description": "tunneled"}, x_http_method="MERGE")
    assert v2.data(f"{account}/Description") == {"Description": "tunneled"}
    made = faithful.made("ContactSet", LastName="Faithful")
    faithful.done("DELETE", f"/ContactSet(guid'{made}')")


def test_the_faithful_mode_pages_too(v2, faithful):
    for number in range(52):
        v2.made("ContactSet", LastName=f"Page {number:02}")
    first = faithful.data("/ContactSet?$filter=startswith(LastName,'Page')&$select=LastName")
    assert len(first["results"]) == 50
    assert "$skiptoken=1,'contactid','%7B" in first["__next"]
    second = faithful.data(first["__next"].partition(faithful.root)[2])
    assert (len(second["results"]), "__next" in second) == (2, False)
