"""Records made together: nested in one body, bound to existing ones, all of them or none."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from things import dump

ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"


def related(api, path):
    return api.json(path)["value"]


@pytest.fixture
def unchanged(services):
    """Check that a request changes no row of any table."""

    @contextmanager
    def check():
        before = dump(services.dataverse.database)
        yield
        assert dump(services.dataverse.database) == before

    return check


@pytest.fixture(scope="module")
def unit(api):
    (row,) = api.json("/businessunits?$select=businessunitid&$filter=_parentbusinessunitid_value eq null")["value"]
    return row["businessunitid"]


def test_records_behind_a_lookup_and_in_collections_are_made_with_the_record_to_any_depth(api):
    account = api.created(
        "accounts",
        name="Root",
        primarycontactid={
            "lastname": "First",
            "parentcustomerid_account": {"name": "Elsewhere", "parentaccountid": {"name": "Above elsewhere"}},
        },
        contact_customer_accounts=[
            {"lastname": "Second", "contact_customer_contacts": [{"lastname": "Third"}, {"lastname": "Fourth"}]},
            {"lastname": "Fifth"},
        ],
    )
    row = api.json(f"/accounts({account})/primarycontactid?$select=lastname&$expand=parentcustomerid_account")
    assert (row["lastname"], row["parentcustomerid_account"]["name"]) == ("First", "Elsewhere")
    above = f"/accounts({row['parentcustomerid_account']['accountid']})/parentaccountid?$select=name"
    assert api.json(above)["name"] == "Above elsewhere"
    contacts = related(api, f"/accounts({account})/contact_customer_accounts?$select=lastname&$orderby=lastname")
    assert [row["lastname"] for row in contacts] == ["Fifth", "Second"]
    below = f"/contacts({contacts[1]['contactid']})/contact_customer_contacts?$select=lastname&$orderby=lastname"
    assert [row["lastname"] for row in related(api, below)] == ["Fourth", "Third"]


def test_a_tower_of_records_is_made_in_one_request_as_high_as_a_body_may_nest(api, unchanged):
    body: dict = {"name": "0"}
    for level in range(1, 100):
        body = {"name": str(level), "parentaccountid": body}
    account = api.created("accounts", **body)
    path = f"/accounts({account})" + "/parentaccountid" * 3
    assert api.json(f"{path}?$select=name")["name"] == "96"
    with unchanged():
        assert api.error("POST", "/accounts", {"name": "100", "parentaccountid": body})[:2] == (400, "0x80048d19")


def test_a_tower_of_collections_is_made_in_one_request(api):
    body: dict = {"lastname": "0"}
    for level in range(1, 50):
        body = {"lastname": str(level), "contact_customer_contacts": [body]}
    contact = api.created("contacts", **body)
    (below,) = related(api, f"/contacts({contact})/contact_customer_contacts?$select=lastname")
    assert below["lastname"] == "48"


def test_the_answer_to_a_deep_insert_shows_what_was_made(api):
    body = {"name": "Seen", "primarycontactid": {"lastname": "Also"}, "contact_customer_accounts": [{"lastname": "C"}]}
    expand = "primarycontactid($select=lastname),contact_customer_accounts($select=lastname)"
    path = f"/accounts?$select=name&$expand={expand}"
    answer = api("POST", path, body, Prefer="return=representation")
    assert (answer.status, dict(answer.headers).get("OData-EntityId")) == (201, None)
    row = json.loads(answer.body)
    assert (row["name"], row["primarycontactid"]["lastname"]) == ("Seen", "Also")
    assert [child["lastname"] for child in row["contact_customer_accounts"]] == ["C"]


def test_existing_records_are_put_into_the_collections_of_a_new_one(api, unit):
    first, second = (api.created("contacts", lastname=name) for name in ("A", "B"))
    urls = [f"/contacts({first})", f"{ROOT}/contacts({second})"]
    body = {"contact_customer_accounts@odata.bind": urls, "contact_customer_accounts": [{"lastname": "C"}]}
    account = api.created("accounts", name="Binds", **body)
    rows = related(api, f"/accounts({account})/contact_customer_accounts?$select=lastname&$orderby=lastname")
    assert [row["lastname"] for row in rows] == ["A", "B", "C"]

    (admin,) = related(api, "/systemusers?$select=fullname&$filter=fullname eq '%23 Admin'")
    user = f"/systemusers({admin['systemuserid']})"
    bind = {"businessunitid@odata.bind": f"/businessunits({unit})", "administratorid@odata.bind": user}
    team = api.created("teams", name="Pair", teamtype=0, **bind, **{"teammembership_association@odata.bind": [user]})
    members = related(api, f"/teams({team})/teammembership_association?$select=fullname")
    assert [row["systemuserid"] for row in members] == [admin["systemuserid"]]


def test_a_record_is_made_in_a_many_to_many_collection(api, unit):
    (admin,) = related(api, "/systemusers?$select=fullname&$filter=fullname eq '%23 Admin'")
    bind = {
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({admin['systemuserid']})",
    }
    path = f"/systemusers({admin['systemuserid']})/teammembership_association"
    assert api("POST", path, {"name": "Made there", "teamtype": 0, **bind}).status == 204
    assert "Made there" in [row["name"] for row in related(api, f"{path}?$select=name")]


@pytest.mark.parametrize("body", [{"name": "x", "contact_customer_accounts": []}, {"name": "x"}])
def test_an_empty_collection_brings_nothing(api, body):
    account = api.created("accounts", **body)
    assert related(api, f"/accounts({account})/contact_customer_accounts") == []


LONG = "x" * 300


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        ({"primarycontactid": {"lastname": LONG}}, 400, "0x80044331", "'lastname'"),
        ({"contact_customer_accounts": [{"lastname": "ok"}, {"lastname": LONG}]}, 400, "0x80044331", "'lastname'"),
        (
            {"contact_customer_accounts": [{"contact_customer_contacts": [{"lastname": LONG}]}]},
            400,
            "0x80044331",
            "'lastname'",
        ),
        ({"primarycontactid": {"nope": 1}}, 400, "0x80048d19", "Invalid property 'nope' was found in entity"),
        ({"primarycontactid": []}, 400, "0x80048d19", "'StartObject' node"),
        ({"contact_customer_accounts": {}}, 400, "0x80048d19", "'StartArray' node"),
        ({"contact_customer_accounts": [1]}, 400, "0x80048d19", "'PrimitiveValue' node"),
        ({"contact_customer_accounts": [None]}, 400, "0x80048d19", "'PrimitiveValue' node"),
        ({"contact_customer_accounts": None}, 400, "0x80048d19", "'PrimitiveValue' node"),
        ({"contact_customer_accounts@odata.bind": "/contacts(1)"}, 400, "0x80048d19", "must be an array"),
        ({"contact_customer_accounts@odata.bind": [1]}, 400, "0x80048d19", "must be the URL of a record"),
        ({"contact_customer_accounts@odata.bind": [f"/contacts({NOBODY})"]}, 404, "0x80040217", "Does Not Exist"),
        ({"contact_customer_accounts@odata.bind": [f"/accounts({NOBODY})"]}, 400, "0x80048d19", "not of 'account'"),
        ({"ownerid": {"fullname": "x"}}, 400, "0x80048d19", "abstract type 'principal'"),
        (
            {
                "primarycontactid": {
                    "lastname": "x",
                    "parentcustomerid_account": {"name": "a"},
                    "parentcustomerid_contact": {"lastname": "c"},
                }
            },
            400,
            "0x80048d19",
            "More than one record is given for the lookup 'parentcustomerid'",
        ),
        (
            {"primarycontactid": {"lastname": "x"}, "primarycontactid@odata.bind": f"/contacts({NOBODY})"},
            400,
            "0x80048d19",
            "More than one record is given for the lookup 'primarycontactid'",
        ),
        (
            {"primarycontactid": {"@odata.type": "#Microsoft.Dynamics.CRM.account"}},
            400,
            "0x80048d19",
            "is not the type 'Microsoft.Dynamics.CRM.contact'",
        ),
    ],
)
def test_one_record_that_is_refused_takes_all_others_with_it(api, unchanged, body, status, code, text):
    with unchanged():
        found = api.error("POST", "/accounts", {"name": "Whole", **body})
    assert found[:2] == (status, code)
    assert text in found[2]


@pytest.mark.parametrize(
    "body",
    [
        {"primarycontactid": {"lastname": "x"}},
        {"contact_customer_accounts": [{"lastname": "x"}]},
        {"contact_customer_accounts@odata.bind": []},
    ],
)
@pytest.mark.parametrize("headers", [{}, {"If_Match": "*"}])
def test_a_change_makes_no_other_records(api, unchanged, body, headers):
    account = api.created("accounts", name="Shallow")
    with unchanged():
        status, code, text = api.error("PATCH", f"/accounts({account})", body, **headers)
    assert (status, code) == (400, "0x80048d19")
    assert "Deep update of navigation properties is not allowed" in text


def test_a_patch_that_only_creates_brings_other_records(api):
    path = "/accounts(0c000000-0000-4000-8000-0000000000a1)"
    body = {"name": "Chosen", "primarycontactid": {"lastname": "Along"}}
    assert api("PATCH", path, body, If_None_Match="*").status == 204
    assert api.json(f"{path}/primarycontactid?$select=lastname")["lastname"] == "Along"


@pytest.mark.parametrize("column", ["createdby", "modifiedby", "masterid"])
def test_lookups_that_only_the_server_sets_are_ignored(api, column):
    other = api.created("accounts", name="Other")
    (roleless,) = related(api, "/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")
    url = f"/accounts({other})" if column == "masterid" else f"/systemusers({roleless['systemuserid']})"
    account = api.created("accounts", name="Own", **{f"{column}@odata.bind": url})
    row = api.json(f"/accounts({account})?$select=_{column}_value")
    assert row[f"_{column}_value"] not in {other, roleless["systemuserid"]}


@pytest.fixture
def granted(api, unit):
    """Give the user without roles a role with exactly some privileges at depth Global."""
    (user,) = related(api, "/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")
    role = api.created("roles", name="Deep", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    known = {row["name"]: row["privilegeid"] for row in related(api, "/privileges?$select=name,privilegeid")}

    def grant(*names):
        privileges = [{"PrivilegeId": known[name], "Depth": "Global", "BusinessUnitId": unit} for name in names]
        path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": privileges}).status == 204

    yield grant
    assert api("DELETE", f"/roles({role})").status == 204


DEEP = (
    {"name": "Mine", "primarycontactid": {"lastname": "M"}},
    ("prvCreateAccount", "prvAppendAccount", "prvCreateContact", "prvAppendToContact"),
)
WIDE = (
    {"name": "Mine", "contact_customer_accounts": [{"lastname": "M"}]},
    ("prvCreateAccount", "prvAppendToAccount", "prvCreateContact", "prvAppendContact"),
)


@pytest.mark.parametrize(
    ("body", "needed", "missing"), [(body, needed, missing) for body, needed in (DEEP, WIDE) for missing in needed]
)
def test_records_made_together_take_the_rights_on_each(api, granted, unchanged, body, needed, missing):
    granted(*(name for name in needed if name != missing))
    with unchanged():
        status, code, text = api.error("POST", "/accounts", body, authorization="Bearer roleless")
    assert (status, code) == (403, "0x80040220")
    assert missing in text
    granted(*needed)
    assert api("POST", "/accounts", body, authorization="Bearer roleless").status == 204
