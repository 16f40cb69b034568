"""Every attribute of FetchXML's elements: what it changes, or how it is refused (Learn: "FetchXml reference")."""

from __future__ import annotations

from urllib.parse import quote

import pytest

ANNOTATED = {"prefer": 'odata.include-annotations="*"'}
COUNT = "@odata.count"


@pytest.fixture(scope="module")
def firms(api):
    """A parent with two children and a grandchild, and an account of the same name as one child."""
    ids = {"root": api.created("accounts", name="Root")}
    for name, parent in (("Left", "root"), ("Right", "root"), ("Leaf", "Left")):
        bind = {"parentaccountid@odata.bind": f"/accounts({ids[parent]})"}
        ids[name] = api.created("accounts", name=name, numberofemployees=len(name), **bind)
    api.created("accounts", name="Left")
    api.created("contacts", lastname="Ann", **{"parentcustomerid_account@odata.bind": f"/accounts({ids['root']})"})
    return ids


BY_NAME = "<order attribute='name'/>"
NAME = "<attribute name='name'/>"


def fetch(inside=NAME + BY_NAME, **attributes):
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<fetch{given}><entity name='account'>{inside}</entity></fetch>"


def answered(api, text, **headers):
    return api.json(f"/accounts?fetchXml={quote(text)}", **headers)


def flags(name):
    return f"The only valid values for {name} attribute are 'true', 'false', '1', and '0'."


ALL = ["Leaf", "Left", "Left", "Right", "Root"]


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ({}, ALL),
        ({"version": "1.0"}, ALL),
        ({"mapping": "logical"}, ALL),
        ({"mapping": "internal"}, ALL),
        ({"output_format": "xml-platform"}, ALL),
        ({"utc_offset": "60"}, ALL),
        ({"no_lock": "true"}, ALL),
        ({"no_lock": "false"}, ALL),
        ({"latematerialize": "true"}, ALL),
        ({"options": "HashJoin,DisableRowGoal"}, ALL),
        ({"min_active_row_version": "false"}, ALL),
        ({"aggregatelimit": "1"}, ALL),
        ({"datasource": ""}, ALL),
        ({"datasource": "retained"}, []),
        ({"datasource": "retained", "top": "3"}, []),
        ({"top": "2"}, ALL[:2]),
        ({"top": "5000"}, ALL),
        ({"count": "2"}, ALL[:2]),
        ({"count": "0"}, ALL),
        ({"count": "100000"}, ALL),
        ({"count": "2", "page": "1"}, ALL[:2]),
        ({"count": "2", "page": "2"}, ALL[2:4]),
        ({"count": "2", "page": "3"}, ALL[4:]),
        ({"count": "2", "page": "4"}, []),
        ({"page": "2"}, []),
        ({"distinct": "true"}, ["Leaf", "Left", "Right", "Root"]),
        ({"distinct": "1", "count": "2", "page": "2"}, ["Right", "Root"]),
        ({"distinct": "0"}, ALL),
        ({"returntotalrecordcount": "false", "top": "1"}, ALL[:1]),
        ({"useraworderby": "true"}, ALL),
    ],
)
def test_an_attribute_of_fetch_changes_what_it_says(api, firms, attributes, names):
    assert [row["name"] for row in answered(api, fetch(**attributes))["value"]] == names


@pytest.mark.parametrize(
    ("attributes", "code", "message"),
    [
        (
            {"distinct": "x"},
            "0x80041115",
            flags("distinct"),
        ),
        (
            {"no_lock": "x"},
            "0x80041118",
            flags("no-lock"),
        ),
        (
            {"mapping": "x"},
            "0x80041116",
            "The only valid values for mapping are 'logical' or 'internal' which is deprecated.",
        ),
        (
            {"useraworderby": "x"},
            "0x800410fd",
            flags("useraworderby"),
        ),
        ({"min_active_row_version": "x"}, "0x8004111b", None),
        ({"aggregate": "x"}, "0x8004111a", None),
        ({"latematerialize": "x"}, "0x80040303", None),
        ({"returntotalrecordcount": "x"}, "0x80040303", None),
        ({"datasource": "x"}, "0x80040303", None),
        ({"top": "0"}, "0x80040303", None),
        ({"top": "5001"}, "0x80040303", None),
        ({"top": "x"}, "0x80040303", None),
        ({"count": "-1"}, "0x80040303", None),
        ({"page": "0"}, "0x80040303", None),
        ({"top": "2", "page": "1"}, "0x80040303", "The top attribute can't be specified with paging attribute page"),
        ({"top": "2", "count": "1"}, "0x80040303", "The top attribute can't be specified with paging attribute count"),
        (
            {"top": "2", "returntotalrecordcount": "1"},
            "0x80040303",
            "The top attribute can't be specified with paging attribute returntotalrecordcount",
        ),
        ({"top": "2", "paging_cookie": "x"}, "0x80040303", None),
        ({"count": "2", "page": "2", "paging_cookie": "x"}, "0x80040203", "Malformed XML in the Paging Cookie"),
        (
            {"count": "5000", "page": "12"},
            "0x8004430a",
            (
                "Over upper limit of records that can be requested without a paging cookie. A paging cookie is required"
                " when retrieving a high page number."
            ),
        ),
    ],
)
def test_an_attribute_of_fetch_is_refused(api, firms, attributes, code, message):
    status, found, told = api.error("GET", f"/accounts?fetchXml={quote(fetch(**attributes))}")
    assert (status, found) == (400, code)
    assert message in {None, told}


@pytest.mark.parametrize(
    ("attributes", "annotations", "shown"),
    [
        ({"returntotalrecordcount": "true"}, {}, {COUNT: 5}),
        ({"returntotalrecordcount": "true", "count": "2", "page": "2"}, {}, {COUNT: 5}),
        ({"returntotalrecordcount": "true", "distinct": "true"}, {}, {COUNT: 4}),
        ({"returntotalrecordcount": "true", "datasource": "retained"}, {}, {COUNT: 0}),
        ({"returntotalrecordcount": "false"}, {}, {COUNT: None}),
        (
            {"returntotalrecordcount": "true"},
            ANNOTATED,
            {
                COUNT: 5,
                "@Microsoft.Dynamics.CRM.totalrecordcount": 5,
                "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded": False,
            },
        ),
        ({}, ANNOTATED, {COUNT: None, "@Microsoft.Dynamics.CRM.totalrecordcount": -1}),
    ],
)
def test_the_number_of_all_rows_is_told_when_asked_for(api, firms, attributes, annotations, shown):
    answer = answered(api, fetch(**attributes), **annotations)
    assert {name: answer.get(name) for name in shown} == shown


COUNTED = "<attribute name='accountid' aggregate='count' alias='n'/>"


@pytest.mark.parametrize("limit", ["5", "50000", "90000"])
def test_a_limit_of_its_own_lets_an_aggregate_pass(api, firms, limit):
    assert answered(api, fetch(COUNTED, aggregate="true", aggregatelimit=limit))["value"] == [{"n": 5}]


def test_an_aggregate_over_its_own_limit_is_refused(api, firms):
    text = fetch(COUNTED, aggregate="true", aggregatelimit="4")
    told = "The maximum record limit is exceeded. Reduce the number of records."
    assert api.error("GET", f"/accounts?fetchXml={quote(text)}") == (400, "0x8004e023", told)


def test_aggregates_of_retained_rows_are_those_of_none(api, firms):
    assert answered(api, fetch(COUNTED, aggregate="true", datasource="retained"))["value"] == [{"n": 0}]


@pytest.mark.parametrize(
    ("inside", "attributes", "code", "message"),
    [
        (
            "<no-attrs/>",
            {"distinct": "true"},
            "0x8004112c",
            "The no-attrs tag cannot be used in conjuction with Distinct set to true.",
        ),
        (
            "<filter isquickfindfields='x'/>",
            {},
            "0x80041138",
            flags("isquickfindfields"),
        ),
        (
            "<attribute name='name' groupby='x' alias='n'/>",
            {"aggregate": "true"},
            "0x8004112e",
            flags("groupby"),
        ),
        (
            "<attribute name='createdon' groupby='1' dategrouping='hour' alias='n'/>",
            {"aggregate": "true"},
            "0x80041135",
            "An invalid value was specified for dategrouping.",
        ),
        (
            "<attribute name='name' groupby='1' aggregate='count' alias='n'/>",
            {"aggregate": "true"},
            "0x80041137",
            "An attribute can either be an aggregate or a Group By but not both",
        ),
        ("<attribute alias='n'/>", {}, "0x8004111e", None),
    ],
)
def test_an_attribute_of_another_element_is_refused(api, firms, inside, attributes, code, message):
    status, found, told = api.error("GET", f"/accounts?fetchXml={quote(fetch(inside, **attributes))}")
    assert (status, found) == (400, code)
    assert message in {None, told}


def test_a_document_without_entity_is_refused(api):
    told = "A required element was not specified. 'entity'"
    assert api.error("GET", "/accounts?fetchXml=%3Cfetch/%3E") == (400, "0x80041123", told)
