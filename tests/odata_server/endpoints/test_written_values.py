"""Values that are written: what fits its column, what the server sets itself, and the refusals of what does not fit."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from things import dump

ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def unchanged(services):
    """Check that a request changes no row of any table."""

    @contextmanager
    def check():
        before = dump(services.dataverse.database)
        yield
        assert dump(services.dataverse.database) == before

    return check


@pytest.fixture
def account(api):
    return api.created("accounts", name="A", description="d")


@pytest.fixture
def requests(api, account, unchanged):
    return api, account, unchanged


def invalid(name, character):
    shown = f"{ord(character):02X}"
    return f"Invalid character in field '{name}': '{character}', hexadecimal value 0x{shown}, is an invalid character."


def range_text(name):
    return f"A validation error occurred. The value of '{name}' on record of type 'account' is outside the valid range."


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize(
    ("name", "value", "code", "text"),
    [
        ("name", "x" * 161, "0x80044331", "exceeded the maximum allowed length of '160'."),
        ("description", "x" * 2001, "0x80044331", "exceeded the maximum allowed length of '2000'."),
        ("name", "a\x01b", "0x80040278", invalid("name", "\x01")),
        ("description", "a\x1fb", "0x80040278", invalid("description", "\x1f")),
        ("name", "\uffff", "0x80040278", invalid("name", "\uffff")),
        ("name", 5, "0x80048d19", "Cannot convert the literal '5' to the expected type 'Edm.String'."),
        ("name", {"a": 1}, "0x80048d19", "to the expected type 'Edm.String'."),
        ("name", ["a"], "0x80048d19", "to the expected type 'Edm.String'."),
        ("numberofemployees", -1, "0x80044330", range_text("numberofemployees")),
        ("numberofemployees", 1_000_000_001, "0x80044330", range_text("numberofemployees")),
        ("numberofemployees", 2**31, "0x80048d19", "Edm.Int32"),
        ("numberofemployees", True, "0x80048d19", "literal 'true' to the expected type 'Edm.Int32'."),
        ("numberofemployees", 1.5, "0x80048d19", "Edm.Int32"),
        ("numberofemployees", "1", "0x80048d19", "Edm.Int32"),
        ("revenue", 10**15, "0x80044330", range_text("revenue")),
        ("revenue", "5", "0x80048d19", "Edm.Decimal"),
        ("address1_latitude", 90.5, "0x80044330", range_text("address1_latitude")),
        ("creditonhold", 1, "0x80048d19", "Edm.Boolean"),
        ("accountcategorycode", 3, "0x8004431a", "Accepted Values: 1,2"),
        ("accountcategorycode", "1", "0x80048d19", "Edm.Int32"),
        ("statuscode", 77, "0x8004431a", "The value 77 of 'statuscode' on record of type 'account'"),
        ("stageid", "nope", "0x80048d19", "Edm.Guid"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_refused(requests, method, name, value, code, text):
    api, account, unchanged = requests
    body = {"value": value} if method == "PUT" else {"name": "A", name: value}
    path = {"POST": "/accounts", "PATCH": f"/accounts({account})", "PUT": f"/accounts({account})/{name}"}[method]
    with unchanged():
        found = api.error(method, path, body)
    assert found[:2] == (400, code)
    assert text in found[2]


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("name", "x" * 160, "x" * 160),
        ("name", None, None),
        ("description", "a\tb\r\nc😀", "a\tb\r\nc😀"),
        ("numberofemployees", 0, 0),
        ("numberofemployees", 1_000_000_000, 1_000_000_000),
        ("revenue", 0.12345, 0.1235),
        ("revenue", 5, 5.0),
        ("address1_latitude", 90, 90.0),
        ("creditonhold", True, True),
        ("accountcategorycode", 2, 2),
        ("lastusedincampaign", "2026-01-31T23:30:00+01:00", "2026-01-31T22:30:00Z"),
        ("statuscode", 2, 2),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_value_that_fits_is_stored(api, account, method, name, value, stored):
    body, path = {name: value}, f"/accounts({account})"
    if method == "PUT":
        body, path = {"value": value}, f"{path}/{name}"
    assert api(method, path, body).status == 204
    assert api.json(f"/accounts({account})?$select={name}")[name] == stored


@pytest.mark.parametrize("name", ["description", "numberofemployees", "revenue", "accountcategorycode", "stageid"])
@pytest.mark.parametrize("way", ["PATCH", "PUT", "DELETE"])
def test_a_column_is_emptied(api, name, way):
    value = {"description": "d", "stageid": NOBODY}.get(name, 1)
    account = api.created("accounts", name="A", **{name: value})
    path = f"/accounts({account})"
    if way == "PATCH":
        answer = api("PATCH", path, {name: None})
    else:
        answer = api(way, f"{path}/{name}", {"value": None} if way == "PUT" else None)
    assert answer.status == 204
    assert api.json(f"{path}?$select={name}")[name] is None


SERVER_SET = {
    "createdon": "1999-01-01T00:00:00Z",
    "modifiedon": "1999-01-01T00:00:00Z",
    "versionnumber": 1,
    "exchangerate": 9,
    "revenue_base": 9,
    "merged": True,
}


@pytest.mark.parametrize("name", SERVER_SET)
def test_what_only_the_server_sets_is_ignored_in_a_body_and_refused_alone(api, account, unchanged, name):
    made = api.created("accounts", name="B", **{name: SERVER_SET[name]})
    assert api("PATCH", f"/accounts({account})", {name: SERVER_SET[name], "fax": "1"}).status == 204
    for identifier in (made, account):
        assert api.json(f"/accounts({identifier})?$select={name}")[name] != SERVER_SET[name]
    refusal = (400, "0x80040203", f"The property '{name}' cannot be modified.")
    with unchanged():
        assert api.error("PUT", f"/accounts({account})/{name}", {"value": SERVER_SET[name]}) == refusal
        assert api.error("DELETE", f"/accounts({account})/{name}") == refusal


FILLED = (
    "createdon,modifiedon,versionnumber,statecode,statuscode,revenue_base,exchangerate,_ownerid_value,_owninguser_value,"
    "_owningteam_value,_owningbusinessunit_value,_createdby_value,_modifiedby_value,"
    "_transactioncurrencyid_value"
)


@pytest.mark.parametrize("revenue", [None, 10.5])
def test_what_the_server_fills_in_comes_back_with_the_record(api, revenue):
    who, currency = api.json("/WhoAmI"), api.json("/transactioncurrencies?$select=isocurrencycode")["value"][0]
    body, prefer = {"name": "Filled", "revenue": revenue}, "return=representation"
    row = json.loads(api("POST", f"/accounts?$select={FILLED}", body, Prefer=prefer).body)
    me = dict.fromkeys(("_ownerid_value", "_owninguser_value", "_createdby_value", "_modifiedby_value"), who["UserId"])
    assert {name: row[name] for name in me} == me
    assert (row["_owningbusinessunit_value"], row["_owningteam_value"]) == (who["BusinessUnitId"], None)
    assert (row["statecode"], row["statuscode"]) == (0, 1)
    assert row["createdon"] == row["modifiedon"]
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'
    money = (10.5, 1.0, currency["transactioncurrencyid"]) if revenue else (None, None, None)
    assert (row["revenue_base"], row["exchangerate"], row["_transactioncurrencyid_value"]) == money


def test_what_is_set_once_stays(api):
    account = api.created("accounts", name="A", importsequencenumber=1)
    assert api("PATCH", f"/accounts({account})", {"importsequencenumber": 2, "fax": "1"}).status == 204
    assert api.json(f"/accounts({account})?$select=importsequencenumber")["importsequencenumber"] == 1
    assert api.error("PUT", f"/accounts({account})/importsequencenumber", {"value": 2})[0] == 400


def test_an_id_without_value_is_the_server_s_to_choose(api):
    assert api("POST", "/accounts", {"accountid": None, "name": "A"}).status == 204


@pytest.mark.parametrize("way", ["PATCH", "PUT", "DELETE"])
def test_a_lookup_is_not_written_as_a_value(api, account, unchanged, way):
    path, name = f"/accounts({account})", "_primarycontactid_value"
    with unchanged():
        if way == "PATCH":
            status, code, text = api.error("PATCH", path, {name: NOBODY})
        else:
            status, code, text = api.error(way, f"{path}/{name}", {"value": NOBODY} if way == "PUT" else None)
    assert (status, code) == (400, "0x80048d19")
    assert "CRM do not support direct update of Entity Reference properties" in text


@pytest.mark.parametrize("body", [{"value": "x", "more": 1}, {"name": "x"}, {}, b"", b"x", b"[]", {"Value": "x"}])
def test_a_property_alone_comes_as_its_value(api, account, unchanged, body):
    with unchanged():
        assert api.error("PUT", f"/accounts({account})/name", body)[:2] == (400, "0x80048d19")


@pytest.mark.parametrize("suppress", ["true", "false"])
def test_duplicate_detection_may_be_asked_for(api, suppress):
    headers = {"MSCRM.SuppressDuplicateDetection": suppress}
    assert api("POST", "/accounts", {"name": "Twice"}, **headers).status == 204
    assert api("POST", "/accounts", {"name": "Twice"}, **headers).status == 204


def test_the_moment_a_record_was_made_elsewhere_changes_places_with_that_of_its_import(api):
    before = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    account = api.created("accounts", name="Old", overriddencreatedon="2001-02-03T04:05:06Z")
    row = api.json(f"/accounts({account})?$select=createdon,overriddencreatedon,modifiedon")
    assert row["createdon"] == "2001-02-03T04:05:06Z"
    assert before <= row["overriddencreatedon"] == row["modifiedon"]


def test_who_may_not_override_the_moment_makes_nothing(api, unchanged):
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    role = api.created("roles", name="Imports", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    link = {"@odata.id": f"{ROOT}/roles({role})"}
    assert api("POST", f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref", link).status == 204
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}

    def grant(*names):
        privileges = [{"PrivilegeId": known[name], "Depth": "Global", "BusinessUnitId": unit} for name in names]
        path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": privileges}).status == 204

    body = {"name": "Old", "overriddencreatedon": "2001-02-03T04:05:06Z"}
    grant("prvCreateAccount")
    with unchanged():
        status, code, text = api.error("POST", "/accounts", body, authorization="Bearer roleless")
    assert (status, code) == (403, "0x80040220")
    assert "prvOverrideCreatedOnCreatedBy" in text
    grant("prvCreateAccount", "prvOverrideCreatedOnCreatedBy")
    assert api("POST", "/accounts", body, authorization="Bearer roleless").status == 204
    assert api("DELETE", f"/roles({role})").status == 204


@pytest.fixture(scope="module")
def contact(api):
    return api.created("contacts", lastname="C")


@pytest.mark.parametrize(
    "url",
    [
        "contacts({})",
        "/contacts({})",
        "/api/data/v9.0/contacts({})",
        "/api/data/v9.2/contacts({})",
        ROOT + "/contacts({})",
    ],
)
def test_records_are_related_by_any_url(api, account, contact, url):
    reference = {"@odata.id": url.format(contact)}
    for method, name in (("PUT", "primarycontactid"), ("POST", "contact_customer_accounts")):
        path = f"/accounts({account})/{name}"
        assert api(method, f"{path}/$ref", reference).status == 204
        shown = api.json(f"{path}/$ref")
        links = [shown] if method == "PUT" else shown["value"]
        assert [link["@odata.id"] for link in links] == [f"{ROOT}/contacts({contact})"]
        assert api("DELETE", f"{path}/$ref?$id={url.format(contact)}").status == 204
        assert api("GET", path).status == 204 if method == "PUT" else api.json(path)["value"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "primarycontactid/$ref", {"@odata.id": f"contacts({NOBODY})"}, 404, "0x80040217"),
        ("PUT", "primarycontactid/$ref", {"@odata.id": "contacts(1)"}, 400, "0x80060888"),
        ("PUT", "primarycontactid/$ref", {"@odata.id": "https://other.test/contacts(1)"}, 400, "0x80060888"),
        ("PUT", "primarycontactid/$ref", {"@odata.id": None}, 400, "0x80048d19"),
        ("PUT", "primarycontactid/$ref", {}, 400, "0x80048d19"),
        ("PUT", "primarycontactid/$ref", b"", 400, "0x80048d19"),
        ("PUT", "primarycontactid/$ref", {"@odata.id": f"accounts({NOBODY})"}, 400, "0x80060888"),
        ("PUT", "ownerid/$ref", {"@odata.id": f"contacts({NOBODY})"}, 400, "0x80060888"),
        ("DELETE", "ownerid/$ref", None, 400, "0x80040203"),
        ("PUT", "createdby/$ref", {"@odata.id": f"systemusers({NOBODY})"}, 400, "0x80040203"),
        ("DELETE", "createdby/$ref", None, 400, "0x80040203"),
        ("DELETE", "masterid/$ref", None, 400, "0x80040203"),
        ("DELETE", "contact_customer_accounts/$ref", None, 400, "0x80060888"),
        ("DELETE", f"contact_customer_accounts({NOBODY})/$ref", None, 404, "0x80040217"),
        ("DELETE", f"contact_customer_accounts/$ref?$id=contacts({NOBODY})", None, 404, "0x80040217"),
        ("POST", "contact_customer_accounts/$ref", {"@odata.id": f"contacts({NOBODY})"}, 404, "0x80040217"),
        ("PUT", "contact_customer_accounts/$ref", {"@odata.id": f"contacts({NOBODY})"}, 400, "0x80060888"),
        ("POST", "primarycontactid/$ref", {"@odata.id": f"contacts({NOBODY})"}, 400, "0x80060888"),
        ("POST", "nope/$ref", {"@odata.id": f"contacts({NOBODY})"}, 404, "0x80060888"),
        ("DELETE", "primarycontactid", None, 405, "0x80060888"),
        ("PATCH", "contact_customer_accounts/$ref", {}, 405, "0x80060888"),
    ],
)
def test_a_relation_that_cannot_be_changes_nothing(requests, method, path, body, status, code):
    api, account, unchanged = requests
    with unchanged():
        assert api.error(method, f"/accounts({account})/{path}", body)[:2] == (status, code)


def test_records_are_not_given_to_another_maker_from_the_maker_s_side(api, account, unchanged):
    (roleless,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    path = f"/systemusers({roleless['systemuserid']})/lk_accountbase_createdby/$ref"
    with unchanged():
        found = api.error("POST", path, {"@odata.id": f"accounts({account})"})
    assert found == (400, "0x80040203", "The property 'createdby' cannot be modified.")


def test_a_second_relation_of_many_to_many_is_a_duplicate(api, unchanged):
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    (role,) = api.json("/roles?$select=name&$filter=name eq 'Basic User'")["value"]
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association"
    reference = {"@odata.id": f"{ROOT}/roles({role['roleid']})"}
    assert api("POST", f"{path}/$ref", reference).status == 204
    with unchanged():
        assert api.error("POST", f"{path}/$ref", reference) == (412, "0x80040237", "Cannot insert duplicate key.")
    assert api("DELETE", f"{path}({role['roleid']})/$ref").status == 204
    with unchanged():
        assert api.error("DELETE", f"{path}({role['roleid']})/$ref")[:2] == (404, "0x80040217")


def test_the_refusal_of_a_body_tells_more_to_who_wants_annotations(api, unchanged):
    with unchanged():
        answer = api("POST", "/accounts", {"name": "x" * 161}, Prefer='odata.include-annotations="*"')
    error = json.loads(answer.body)["error"]
    assert error["code"] == "0x80044331"
    assert error["@Microsoft.PowerApps.CDS.HelpLink"].endswith("%3a80044331&client=platform")
