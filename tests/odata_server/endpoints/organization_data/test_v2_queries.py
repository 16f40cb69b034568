"""Queries of the Organization Data Service: filters, order, extent, selected and expanded properties, and refusals."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from organization_data import account


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("LastName eq 'O''Neil'", ["Ann"]),
        ("FirstName ne 'Ann' and NumberOfChildren ge 2", ["Bob", "Cid"]),
        ("NumberOfChildren gt 0 and not (NumberOfChildren gt 1)", ["Ann"]),
        ("substringof('er',LastName)", ["Bob", "Cid"]),
        ("substringof('er',LastName) eq true", ["Bob", "Cid"]),
        ("true eq startswith(LastName, 'B')", ["Bob"]),
        ("endswith(LastName,'er') eq true or FirstName eq 'Eve'", ["Cid", "Eve"]),
        ("startswith(FirstName,'E') eq false and NumberOfChildren ne null", ["Ann", "Bob", "Cid"]),
        ("LastName eq null", ["Eve"]),
        ("ParentCustomerId/Id eq guid'{Fabrikam}'", ["Dan", "Eve"]),
        ("contact_customer_accounts/Name eq 'Fabrikam'", ["Dan", "Eve"]),
        ("contact_customer_accounts/Revenue/Value gt 100.5M", ["Ann", "Bob", "Cid"]),
        ("StateCode/Value eq 0 and FirstName eq 'Dan'", ["Dan"]),
        ("CreatedOn gt datetime'2020-01-01T00:00:00' and FirstName eq 'Dan'", ["Dan"]),
        ("CreatedOn lt datetime'2020-01-01'", []),
        ("VersionNumber gt 5L and FirstName eq 'Dan'", ["Dan"]),
        ("ContactId eq guid'{Dan}'", ["Dan"]),
        ("5 lt NumberOfChildren or 2 eq NumberOfChildren", ["Bob", "Cid"]),
        ("tolower(LastName) eq 'berg'", ["Bob"]),
        ("startswith(toupper(LastName),'BE')", ["Bob"]),
        ("length(LastName) eq 4", ["Bob"]),
        ("length(LastName) ne 4", ["Ann", "Cid", "Dan"]),
        ("length(LastName) ge 6", ["Ann"]),
        ("length(LastName) gt 5", ["Ann"]),
        ("length(LastName) lt 5", ["Bob"]),
        ("length(LastName) le 4", ["Bob"]),
        ("length(LastName) gt 100000", []),
        ("indexof(LastName,'er') ge 0", ["Bob", "Cid"]),
        ("indexof(LastName,'er') eq -1", ["Ann", "Dan"]),
        ("indexof(LastName,'b') eq 0", ["Bob"]),
        ("indexof(LastName,'e') gt 0", ["Ann", "Bob", "Cid"]),
        ("indexof(LastName,'a') ne 0", ["Ann", "Bob", "Dan"]),
        ("substring(LastName,1) eq 'erg'", ["Bob"]),
        ("substring(LastName,1,2) eq 'er'", ["Bob"]),
        ("substring(LastName,2,1) eq '%'", ["Dan"]),
        ("substring(LastName,1,2) ne 'er'", ["Ann", "Cid", "Dan"]),
        ("substring(LastName,1,1) eq 'er'", []),
        ("year(CreatedOn) ge 2020 and FirstName eq 'Dan'", ["Dan"]),
        ("year(CreatedOn) lt 2020", []),
        ("year(CreatedOn) eq 1999 or FirstName eq 'Dan'", ["Dan"]),
    ],
)
def test_filters(v2, people, filter_, names):
    text = quote(filter_.format(**people))
    assert v2.names(f"/ContactSet?$orderby=FirstName&$select=FirstName&$filter={text}", "FirstName") == names


@pytest.mark.parametrize(
    "filter_",
    [
        "",
        "Nope eq 1",
        "FirstName",
        "FirstName eq",
        "FirstName gte 'x'",
        "FirstName eq 5",
        "FirstName eq 'x",
        "NumberOfChildren add 1 eq 2",
        "NumberOfChildren eq 1.5L",
        "NumberOfChildren eq 99999999999999999999L",
        "CreatedOn gt datetime'yesterday'",
        "ContactId eq guid'1'",
        "ContactId eq nonsense'1'",
        "contact_customer_accounts eq null",
        "account_primary_contact/Name eq 'x'",
        "ParentCustomerId/Name eq 'x'",
        "ParentCustomerId/Nope eq 'x'",
        "contains(FirstName,'x')",
        "substringof('x')",
        "substringof(FirstName,'x')",
        "month(CreatedOn) eq 1",
        "concat(FirstName,'x') eq 'y'",
        "length(FirstName) eq 'x'",
        "length(NumberOfChildren) eq 1",
        "indexof(FirstName,'x') eq 3",
        "substring(FirstName,-1) eq 'x'",
        "substring(FirstName,1) gt 'x'",
        "substring(FirstName) eq 'x'",
        "year(FirstName) eq 1",
        "year(CreatedOn) eq 99999",
        "FirstName in ('a')",
        "account_primary_contact/any(o:o/Name eq 'x')",
        "startswith(FirstName,'x') eq 1",
        "FirstName eq @p",
        "$it eq 1",
    ],
)
def test_filters_that_are_refused(v2, people, filter_):
    status, code, text = v2.error("GET", f"/ContactSet?$filter={quote(filter_)}")
    assert status == 400
    assert code.startswith("-2147")
    assert text


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("$orderby=FirstName desc", ["Eve", "Dan", "Cid", "Bob", "Ann"]),
        ("$orderby=NumberOfChildren desc,LastName&$top=2", ["Cid", "Bob"]),
        ("$orderby=FirstName&$skip=1&$top=2", ["Bob", "Cid"]),
        ("$orderby=FirstName&$skip=4", ["Eve"]),
        ("$orderby=FirstName&$skip=9", []),
        ("$top=0", []),
        ("$orderby=contact_customer_accounts/Name,FirstName&$top=1", ["Ann"]),
        ("$orderby=ParentCustomerId/Id,FirstName&$top=1", ["Ann"]),
    ],
)
def test_order_and_extent(v2, people, options, names):
    assert v2.names(f"/ContactSet?$select=FirstName&{quote(options, safe='=&$,')}", "FirstName") == names


def test_selected_and_expanded_properties(v2, people):
    found = v2.data(f"{account(people)}?$select=Name,contact_customer_accounts")
    assert set(found) == {"__metadata", "Name", "contact_customer_accounts"}
    path = f"{account(people)}?$select=Name,account_primary_contact/FullName&$expand=account_primary_contact"
    found = v2.data(path)
    assert set(found["account_primary_contact"]) == {"__metadata", "FullName"}
    # What $select does not name is not shown, expanded or not.
    assert set(v2.data(f"{account(people)}?$select=Name&$expand=account_primary_contact")) == {"__metadata", "Name"}
    nested = f"{account(people)}?$expand=contact_customer_accounts/account_primary_contact"
    children = v2.data(nested)["contact_customer_accounts"]["results"]
    of_ann = next(child for child in children if child["FirstName"] == "Ann")
    assert [one["Name"] for one in of_ann["account_primary_contact"]["results"]] == ["Contoso"]
    assert v2.data(f"{account(people, 'Litware')}?$expand=account_primary_contact")["account_primary_contact"] is None
    assert "Name" in v2.data(f"{account(people)}?$select=*")


@pytest.mark.parametrize(
    "options",
    [
        "$select=Nope",
        "$select=Name/x",
        "$select=account_primary_contact/FullName",
        "$select=",
        "$select=Name,,Name",
        "$expand=Nope",
        "$expand=Name",
        "$expand=" + "/".join(["Referencingaccount_parent_account"] * 16),
        "$orderby=Nope",
        "$orderby=Name eq 1",
        "$top=x",
        "$top=-1",
        "$skip=1.5",
        "$inlinecount=some",
        "$skiptoken=nonsense",
        "$skiptoken=1,'name','x','y'",
        "$skiptoken=1,'accountid',null,null",
        "$skiptoken=1,'accountid','x','y'",
        "$search=x",
        "$count=true",
        "$top=1&$top=2",
        "$filter=%ff",
    ],
)
def test_options_that_are_refused(v2, people, options):
    if options == "$select=":
        assert set(v2.results("/AccountSet?$select=&$top=1")[0]) == {"__metadata"}
        return
    assert v2("GET", f"/AccountSet?{options}").status == 400


@pytest.mark.parametrize(
    ("path", "option"),
    [
        ("", "$filter=Name eq 'x'"),
        ("", "$top=1"),
        ("/Name", "$select=Name"),
        ("/$links/account_primary_contact", "$top=1"),
    ],
)
def test_options_that_do_not_fit_the_resource_are_refused(v2, people, path, option):
    assert v2("GET", f"{account(people)}{path}?{quote(option, safe='=$')}").status == 400
