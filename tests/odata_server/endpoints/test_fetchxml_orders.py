"""FetchXML sorts lookups by name and choices by label unless it is told not to (Learn: "Order rows using FetchXml")."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

PAGING = {"prefer": 'odata.include-annotations="*"'}
COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
METHODS = {"Any": 1, "Email": 2, "Phone": 3, "Fax": 4, "Mail": 5}
METHOD = "preferredcontactmethodcode"


@pytest.fixture(scope="module")
def people(api):
    """A contact for each way to be reached, two for Fax, and one that was never asked."""
    first = api.created("accounts", name="Zenith", accountid="00000000-0000-4000-8000-0000000000a1")
    last = api.created("accounts", name="Acme", accountid="00000000-0000-4000-8000-0000000000a2")
    for method in ("Phone", "Fax", "Mail", "Any", "Fax", "Email"):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({first if method < 'G' else last})"}
        api.created("contacts", firstname=method, preferredcontactmethodcode=METHODS[method], **bind)
    nobody = api.created("contacts", firstname="None")
    assert api("PATCH", f"/contacts({nobody})", {METHOD: None}).status == 204


@pytest.fixture(scope="module")
def tasks(api):
    """Tasks in three of their status reasons."""
    for status in (4, 2, 3):
        api.created("tasks", subject="x", statuscode=status)


def fetch(orders, columns="<attribute name='firstname'/>", **attributes):
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<fetch{given}><entity name='contact'>{columns}{orders}</entity></fetch>"


def answered(api, text):
    return api.json(f"/contacts?fetchXml={quote(text)}", **PAGING)


def names(api, text):
    return [row["firstname"] for row in answered(api, text)["value"]]


ORDER = f"<order attribute='{METHOD}'/>"
DESCENDING = f"<order attribute='{METHOD}' descending='1'/>"
BY_LABEL = ["None", "Any", "Email", "Fax", "Fax", "Mail", "Phone"]
BY_NUMBER = ["None", "Any", "Email", "Phone", "Fax", "Fax", "Mail"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (fetch(ORDER), BY_LABEL),
        (fetch(DESCENDING), BY_LABEL[::-1]),
        (fetch(ORDER, useraworderby="false"), BY_LABEL),
        (fetch(ORDER, useraworderby="0"), BY_LABEL),
        (fetch(ORDER, useraworderby="true"), BY_NUMBER),
        (fetch(ORDER, useraworderby="1"), BY_NUMBER),
        (fetch(DESCENDING, useraworderby="1"), BY_NUMBER[::-1]),
    ],
)
def test_a_choice_sorts_by_label_or_as_it_is_stored(api, people, text, expected):
    assert names(api, text) == expected


@pytest.mark.parametrize(
    "url", [f"$select=firstname&$orderby={METHOD}", f"sql=SELECT firstname FROM contact ORDER BY {METHOD}"]
)
def test_orderby_and_sql_sort_a_choice_by_number(api, people, url):
    assert [row["firstname"] for row in api.json(f"/contacts?{quote(url, safe='=&$')}")["value"]] == BY_NUMBER


@pytest.mark.parametrize(("raw", "expected"), [("0", [3, 2, 4]), ("1", [2, 3, 4])])
def test_a_status_reason_sorts_by_label_too(api, tasks, raw, expected):
    """Not Started, In Progress and Waiting on someone else, in their order and in that of the alphabet."""
    order = "<attribute name='statuscode'/><order attribute='statuscode'/>"
    text = f"<fetch useraworderby='{raw}'><entity name='task'>{order}</entity></fetch>"
    assert [row["statuscode"] for row in api.json(f"/tasks?fetchXml={quote(text)}")["value"]] == expected


def test_a_lookup_sorts_by_name_or_by_id(api, people):
    order = "<order attribute='parentcustomerid'/><order attribute='firstname'/>"
    assert names(api, fetch(order)) == ["None", "Mail", "Phone", "Any", "Email", "Fax", "Fax"]
    assert names(api, fetch(order, useraworderby="1")) == ["None", "Any", "Email", "Fax", "Fax", "Mail", "Phone"]


@pytest.mark.parametrize("by_cookie", [True, False], ids=["cookie", "number"])
@pytest.mark.parametrize(
    ("orders", "columns", "attributes"),
    [
        (ORDER, "<attribute name='firstname'/>", {}),
        (DESCENDING, "<attribute name='firstname'/>", {}),
        (ORDER, "<attribute name='firstname'/>", {"useraworderby": "true"}),
        (DESCENDING, f"<attribute name='firstname'/><attribute name='{METHOD}'/>", {"distinct": "true"}),
        ("<order attribute='parentcustomerid'/>", "<attribute name='firstname'/>", {"useraworderby": "true"}),
    ],
)
def test_pages_follow_one_another(api, people, orders, columns, attributes, by_cookie):
    whole, joined, more, cookie = answered(api, fetch(orders, columns, **attributes))["value"], [], True, ""
    page = 0
    while more:
        page += 1
        answer = answered(api, fetch(orders, columns, count=2, page=page, paging_cookie=cookie, **attributes))
        joined += answer["value"]
        more = answer["@Microsoft.Dynamics.CRM.morerecords"]
        cookie = answer[COOKIE].split('pagingcookie="')[1].split('"')[0] if more and by_cookie else ""
    assert joined == whole
    assert page == (len(whole) + 1) // 2


def test_the_cookie_names_the_label(api, people):
    cookie = unquote(unquote(answered(api, fetch(ORDER, count=3, page=1))[COOKIE]))
    assert '<preferredcontactmethodcodename last="email" firstnull="1" />' in cookie


def test_a_cookie_of_the_other_order_is_refused(api, people):
    cookie = answered(api, fetch(ORDER, count=3))[COOKIE].split('pagingcookie="')[1].split('"')[0]
    text = fetch(ORDER, count=3, page=2, paging_cookie=cookie, useraworderby="1")
    assert api.error("GET", f"/contacts?fetchXml={quote(text)}") == (
        400,
        "0x80041129",
        "Order by columns do not match those in paging cookie.",
    )


def test_groups_sort_by_label_as_rows_do(api, people):
    counted = "<attribute name='contactid' aggregate='count' alias='n'/>"
    columns = f"<attribute name='{METHOD}' groupby='true' alias='m'/>{counted}"
    for attributes, expected in (({}, [1, 2, 4, 5, 3]), ({"useraworderby": "1"}, [1, 2, 3, 4, 5])):
        found = answered(api, fetch("<order alias='m'/>", columns, aggregate="true", **attributes))["value"]
        assert [row.get("m") for row in found] == [None, *expected]


def test_a_view_sorts_by_label(api, people):
    view = api.created("userqueries", name="By method", returnedtypecode="contact", fetchxml=fetch(ORDER), querytype=0)
    assert [row["firstname"] for row in api.json(f"/contacts?userQuery={view}")["value"]] == BY_LABEL
    link = api.json(f"/contacts?userQuery={view}", prefer="odata.maxpagesize=5")["@odata.nextLink"]
    following = api.json(link.partition("/api/data/v9.2")[2], prefer="odata.maxpagesize=5")
    assert [row["firstname"] for row in following["value"]] == BY_LABEL[5:]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            fetch(ORDER, useraworderby="yes"),
            "0x800410fd",
            "The only valid values for useraworderby attribute are 'true', 'false', '1', and '0'.",
        ),
    ],
)
def test_a_faulty_order_is_refused(api, people, text, code, message):
    assert api.error("GET", f"/contacts?fetchXml={quote(text)}") == (400, code, message)
