"""POST, PATCH, PUT and DELETE on the Web API, over a real environment."""

from __future__ import annotations

import json

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"
FRESH = "0c000000-0000-4000-8000-00000000000{}"


def header(answer, name):
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)


def test_a_created_record_is_named_by_its_url(api):
    answer = api("POST", "/accounts", {"name": "New"})
    url = header(answer, "OData-EntityId")
    assert (answer.status, answer.body) == (204, b"")
    assert header(answer, "Location") == url
    assert header(answer, "Content-Type") is None
    assert api.json(url.removeprefix(ROOT) + "?$select=name")["name"] == "New"


def test_a_created_record_comes_back_where_that_is_preferred(api):
    answer = api("POST", "/accounts?$select=name", {"name": "Back"}, Prefer="return=representation")
    assert answer.status == 201
    assert json.loads(answer.body)["@odata.context"] == f"{ROOT}/$metadata#accounts(name)/$entity"
    assert header(answer, "Preference-Applied") == "return=representation"
    assert header(answer, "ETag") == json.loads(answer.body)["@odata.etag"]


def test_an_id_that_exists_already_is_refused(api):
    body = {"accountid": FRESH.format(1), "name": "Mine"}
    assert api("POST", "/accounts", body).status == 204
    status, code, text = api.error("POST", "/accounts", body)
    assert (status, code, text) == (412, "0x80040237", "A record with matching key values already exists.")


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        (b"", 400, "0x80048d19", "no body"),
        (b"{", 400, "0x80048d19", "Invalid JSON"),
        (b"[]", 400, "0x80048d19", "A JSON object was expected"),
        (b'{"name":"a","name":"b"}', 400, "0x80048d19", "Multiple properties with the name 'name'"),
        (b'{"revenue":NaN}', 400, "0x80048d19", "'NaN' is no JSON number"),
        (b'{"revenue":1e999999999}', 400, "0x80048d19", "Edm.Decimal"),
        (b'{"name":"\\ud800"}', 400, "0x80048d19", "surrogate"),
        (b'{"name":"\xff"}', 400, "0x80048d19", "UTF-8"),
        (b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "0x80048d19", "nesting"),
        (b'{"numberofemployees":' + b"9" * 5000 + b"}", 400, "0x80048d19", "out of range"),
        (
            {"Name": "x"},
            400,
            "0x80048d19",
            "Invalid property 'Name' was found in entity 'Microsoft.Dynamics.CRM.account'",
        ),
        ({"name": 5}, 400, "0x80048d19", "Cannot convert the literal '5' to the expected type 'Edm.String'."),
        ({"numberofemployees": "abc"}, 400, "0x80048d19", "literal 'abc' to the expected type 'Edm.Int32'."),
        ({"numberofemployees": 1.5}, 400, "0x80048d19", "Edm.Int32"),
        ({"numberofemployees": 2**31}, 400, "0x80048d19", "Edm.Int32"),
        ({"creditonhold": "true"}, 400, "0x80048d19", "Edm.Boolean"),
        ({"_primarycontactid_value": None}, 400, "0x80048d19", "CRM do not support direct update of Entity Reference"),
        ({"primarycontactid": FRESH.format(0)}, 400, "0x80048d19", "A 'PrimitiveValue' node with non-null value"),
        ({"nope@odata.bind": "/contacts(1)"}, 400, "0x80048d19", "An undeclared property 'nope'"),
        ({"nope@My.Annotation": 1}, 400, "0x80048d19", "An undeclared property 'nope'"),
        ({"@logicalName": "account"}, 400, "0x80048d19", "'logicalName' is an invalid instance annotation name"),
        ({"@odata.type": "Microsoft.Dynamics.CRM.contact"}, 400, "0x80048d19", "is not the type"),
        ({"primarycontactid@odata.bind": 5}, 400, "0x80048d19", "must be the URL of a record"),
        ({"primarycontactid@odata.bind": "/contacts"}, 400, "0x80048d19", "does not name a record"),
        ({"primarycontactid@odata.bind": "/nopes(1)"}, 400, "0x80060888", "'nopes'"),
        ({"primarycontactid@odata.bind": f"/accounts({FRESH.format(0)})"}, 400, "0x80048d19", "not of 'account'"),
        ({"primarycontactid@odata.bind": "https://evil.test/api/data/v9.2/contacts(1)"}, 400, "0x80048d19", "not part"),
        ({"primarycontactid@odata.bind": f"/contacts({FRESH.format(0)})"}, 404, "0x80040217", "Does Not Exist"),
        ({"name": "x" * 161}, 400, "0x80044331", "exceeded the maximum allowed length of '160'"),
    ],
)
def test_a_body_that_is_no_record_is_refused_with_its_reason(api, body, status, code, text):
    found = api.error("POST", "/accounts", body)
    assert found[:2] == (status, code)
    assert text in found[2]


def test_annotations_and_server_set_columns_in_a_body_are_ignored(api):
    body = {
        "@odata.type": "#Microsoft.Dynamics.CRM.account",
        "@odata.etag": 'W/"1"',
        "@My.Annotation": 1,
        "name@My.Annotation": 1,
        "name": "Ignored",
        "createdon": "1999-01-01T00:00:00Z",
        "versionnumber": 1,
    }
    row = json.loads(api("POST", "/accounts", body, Prefer="return=representation").body)
    assert row["name"] == "Ignored"
    assert row["createdon"] > "2020"
    assert row["versionnumber"] != 1


@pytest.mark.parametrize(
    "url", ["contacts({})", "/contacts({})", "/api/data/v9.1/contacts({})", ROOT + "/contacts({})"]
)
def test_a_lookup_is_bound_by_any_url_of_the_record_and_cleared_by_null(api, url):
    contact = api.created("contacts", lastname="Bound")
    account = api.created("accounts", name="Binder", **{"primarycontactid@odata.bind": url.format(contact.upper())})
    path = f"/accounts({account})"
    assert api.json(f"{path}?$select=_primarycontactid_value")["_primarycontactid_value"] == contact
    assert api("PATCH", path, {"primarycontactid@odata.bind": None}).status == 204
    assert api.json(f"{path}?$select=_primarycontactid_value")["_primarycontactid_value"] is None


def test_of_two_navigation_properties_over_one_lookup_the_one_with_a_value_decides(api):
    account = api.created("accounts", name="Parent")
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})", "parentcustomerid_contact@odata.bind": None}
    contact = api.created("contacts", lastname="Child", **bind)
    row = api.json(f"/contacts({contact})", Prefer='odata.include-annotations="*"')
    assert row["_parentcustomerid_value"] == account
    assert row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"


@pytest.mark.parametrize(
    ("exists", "headers", "status"),
    [
        (True, {}, 204),
        (False, {}, 204),
        (True, {"If_Match": "*"}, 204),
        (False, {"If_Match": "*"}, 404),
        (True, {"If_None_Match": "*"}, 412),
        (False, {"If_None_Match": "*"}, 204),
        (True, {"If_Match": 'W/"1"'}, 412),
        (False, {"If_Match": 'W/"1"'}, 404),
        (True, {"If_Match": "null", "If_None_Match": "null"}, 204),
        (True, {"If_Match": "nonsense"}, 400),
        (True, {"If_Match": "*", "If_None_Match": "*"}, 400),
    ],
)
def test_a_patch_updates_or_creates_as_its_conditions_say(api, exists, headers, status):
    key = FRESH.format(2)
    api("DELETE", f"/accounts({key})")
    if exists:
        assert api("POST", "/accounts", {"accountid": key, "name": "Before"}).status == 204
    answer = api("PATCH", f"/accounts({key})", {"name": "After"}, **headers)
    assert answer.status == status
    if status == 204:
        assert header(answer, "OData-EntityId") == f"{ROOT}/accounts({key})"
        assert api.json(f"/accounts({key})?$select=name")["name"] == "After"


def test_a_patch_with_the_current_version_succeeds_once(api):
    account = api.created("accounts", name="Versioned")
    tag = header(api("GET", f"/accounts({account})"), "ETag")
    assert api("PATCH", f"/accounts({account})", {"name": "1"}, If_Match=tag).status == 204
    status, code, text = api.error("PATCH", f"/accounts({account})", {"name": "2"}, If_Match=tag)
    assert (status, code) == (412, "0x80060882")
    assert text == "The version of the existing record doesn't match the RowVersion property provided."


def test_a_patch_answers_with_the_record_where_that_is_preferred(api):
    account = api.created("accounts", name="Old")
    path = f"/accounts({account})?$select=name"
    changed = api("PATCH", path, {"name": "New"}, Prefer="return=representation")
    assert (changed.status, json.loads(changed.body)["name"]) == (200, "New")
    assert header(changed, "Preference-Applied") == "return=representation"
    assert header(api("PATCH", path, {"name": "New"}), "Preference-Applied") is None
    made = api("PATCH", f"/accounts({FRESH.format(3)})", {"name": "Made"}, Prefer="return=representation")
    assert made.status == 201


def test_an_id_in_the_body_must_be_that_of_the_url(api):
    account = api.created("accounts", name="Same")
    assert api("PATCH", f"/accounts({account})", {"accountid": account, "name": "x"}).status == 204
    assert api.error("PATCH", f"/accounts({account})", {"accountid": FRESH.format(9)})[0] == 400


def test_a_property_is_set_and_cleared_alone(api):
    account = api.created("accounts", name="One", description="two")
    assert api("PUT", f"/accounts({account})/name", {"value": "Uno"}).status == 204
    assert api("DELETE", f"/accounts({account})/description").status == 204
    row = api.json(f"/accounts({account})?$select=name,description")
    assert (row["name"], row["description"]) == ("Uno", None)
    assert api.error("PUT", f"/accounts({account})/name", {"name": "x"})[0] == 400
    assert api.error("PUT", f"/accounts({account})/createdon", {"value": None})[0] == 400


def test_a_deleted_record_is_gone(api):
    account = api.created("accounts", name="Gone")
    assert api.error("DELETE", f"/accounts({account})", If_Match='W/"1"')[:2] == (412, "0x80060882")
    assert api("DELETE", f"/accounts({account})").status == 204
    assert api.error("GET", f"/accounts({account})")[:2] == (404, "0x80040217")
    assert api.error("DELETE", f"/accounts({account})")[:2] == (404, "0x80040217")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/accounts"),
        ("DELETE", "/accounts"),
        ("PUT", "/accounts"),
        ("POST", f"/accounts({FRESH.format(0)})"),
        ("PUT", f"/accounts({FRESH.format(0)})"),
        ("POST", "/accounts/$count"),
        ("POST", f"/accounts({FRESH.format(0)})/name"),
    ],
)
def test_a_verb_that_a_resource_does_not_know_is_refused(api, method, path):
    assert api.error(method, path, {})[0] == 405


def test_a_lookup_is_set_and_cleared_through_its_reference(api):
    account, contact = api.created("accounts", name="R"), api.created("contacts", lastname="R")
    reference = {"@odata.id": f"{ROOT}/contacts({contact})"}
    path = f"/accounts({account})/primarycontactid/$ref"
    assert api("PUT", path, reference).status == 204
    assert api.json(path)["@odata.id"] == f"{ROOT}/contacts({contact})"
    assert api("DELETE", path).status == 204
    assert api("GET", path).status == 204
    assert api.error("POST", path, reference)[0] == 400
    assert api.error("PUT", path, {"@odata.id": f"{ROOT}/accounts({account})"})[0] == 400
    assert api.error("PUT", path, {})[0] == 400


def test_records_of_a_one_to_many_relationship_are_added_created_and_removed(api):
    account, contact = api.created("accounts", name="R"), api.created("contacts", lastname="R")
    path = f"/accounts({account})/contact_customer_accounts"
    assert api("POST", f"{path}/$ref", {"@odata.id": f"contacts({contact})"}).status == 204
    assert api("POST", path, {"lastname": "Made"}).status == 204
    assert sorted(row["lastname"] for row in api.json(f"{path}?$select=lastname")["value"]) == ["Made", "R"]
    assert api("DELETE", f"{path}({contact})/$ref").status == 204
    assert [row["lastname"] for row in api.json(f"{path}?$select=lastname")["value"]] == ["Made"]
    assert api.error("DELETE", f"{path}/$ref")[0] == 400


def test_many_to_many_references_are_added_read_and_removed(api):
    user = api.json("/systemusers?$select=systemuserid&$filter=applicationid eq 0a000000-0000-4000-8000-000000000003")[
        "value"
    ][0]["systemuserid"]
    role = api.json("/roles?$select=roleid&$filter=name eq 'Basic User'")["value"][0]["roleid"]
    path = f"/systemusers({user})/systemuserroles_association"
    assert api("POST", f"{path}/$ref", {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    assert [row["roleid"] for row in api.json(f"{path}?$select=name")["value"]] == [role]
    back = f"/roles({role})/systemuserroles_association?$select=fullname"
    assert user in [row["systemuserid"] for row in api.json(back)["value"]]
    assert api("DELETE", f"{path}/$ref?$id={ROOT}/roles({role})").status == 204
    assert api.json(f"{path}?$select=name")["value"] == []


def test_who_may_not_read_the_answer_writes_nothing(api):
    unit = api.json("/businessunits?$select=businessunitid&$filter=_parentbusinessunitid_value eq null")["value"][0]
    bind = {"businessunitid@odata.bind": f"/businessunits({unit['businessunitid']})"}
    role = api.created("roles", name="Writes blindly", **bind)
    create = api.json("/privileges?$filter=name eq 'prvCreateAccount'")["value"][0]["privilegeid"]
    granted = {"Privileges": [{"PrivilegeId": create, "Depth": "Global"}]}
    assert api("POST", f"/roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", granted).status == 204
    found = "/systemusers?$select=systemuserid&$filter=applicationid eq 0a000000-0000-4000-8000-000000000003"
    user = api.json(found)["value"][0]["systemuserid"]
    link = {"@odata.id": f"https://org.test:8443/api/data/v9.2/roles({role})"}
    assert api("POST", f"/systemusers({user})/systemuserroles_association/$ref", link).status == 204

    blind = {"authorization": "Bearer roleless"}
    refused = api.error("POST", "/accounts", {"name": "Blind"}, Prefer="return=representation", **blind)
    assert refused[:2] == (403, "0x80040220")
    assert "prvReadAccount" in refused[2]
    assert api.json("/accounts?$filter=name eq 'Blind'")["value"] == []
    assert api("POST", "/accounts", {"name": "Blind"}, **blind).status == 204
    assert api("DELETE", f"/roles({role})").status == 204
