"""Paths behind records: what each segment leads to, what is refused, and who may follow it."""

from __future__ import annotations

import json

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "00000000-0000-0000-0000-000000000001"
CRM = "Microsoft.Dynamics.CRM"


@pytest.fixture(scope="module")
def ids(api):
    """Two accounts, three contacts, a team that owns one account, and a user whose role starts without privileges."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    (admin,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Admin'")["value"]
    role = api.created("roles", name="Reader", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    reference = {"@odata.id": f"{ROOT}/roles({role})"}
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, reference).status == 204
    found = {"unit": unit, "user": user["systemuserid"], "admin": admin["systemuserid"], "role": role}
    found["contoso"] = api.created("accounts", name="Contoso", accountnumber="C1")
    found["fabrikam"] = api.created("accounts", name="Fabrikam")
    for first, account in (("Ann", "contoso"), ("Bob", "contoso"), ("Eve", "fabrikam")):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({found[account]})"}
        found[first] = api.created("contacts", firstname=first, **bind)
    bound = {"primarycontactid@odata.bind": f"/contacts({found['Ann']})"}
    assert api("PATCH", f"/accounts({found['contoso']})", bound).status == 204
    team = {
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({found['admin']})",
    }
    found["team"] = api.created("teams", name="Sales", teamtype=0, **team)
    (administrator,) = api.json("/roles?$select=name&$filter=name eq 'System Administrator'")["value"]
    reference = {"@odata.id": f"{ROOT}/roles({administrator['roleid']})"}
    assert api("POST", f"/teams({found['team']})/teamroles_association/$ref", reference).status == 204
    owned = {"ownerid@odata.bind": f"/teams({found['team']})"}
    assert api("PATCH", f"/accounts({found['fabrikam']})", owned).status == 204
    return found


def at(path, ids):
    """Return a path with the ids of records in place of their names in angle brackets."""
    for name, identifier in ids.items():
        path = path.replace(f"<{name}>", identifier)
    return path


@pytest.mark.parametrize(
    ("path", "context", "value"),
    [
        ("/accounts(<contoso>)/primarycontactid/firstname", "contacts(<Ann>)/firstname", "Ann"),
        ("/accounts(<contoso>)/primarycontactid/parentcustomerid_account/name", "accounts(<contoso>)/name", "Contoso"),
        ("/accounts(<contoso>)/contact_customer_accounts(<Bob>)/firstname", "contacts(<Bob>)/firstname", "Bob"),
        (
            "/contacts(<Eve>)/parentcustomerid_account/contact_customer_accounts(<Eve>)/firstname",
            "contacts(<Eve>)/firstname",
            "Eve",
        ),
        ("/accounts(<contoso>)/primarycontactid/_parentcustomerid_value", None, "<contoso>"),
        ("/accounts(<contoso>)/ownerid/ownerid", "systemusers(<admin>)/ownerid", "<admin>"),
        ("/accounts(<fabrikam>)/ownerid/ownerid", "teams(<team>)/ownerid", "<team>"),
        (f"/accounts(<contoso>)/ownerid/{CRM}.systemuser/fullname", "systemusers(<admin>)/fullname", "# Admin"),
        (f"/accounts(<fabrikam>)/ownerid/{CRM}.team/name", "teams(<team>)/name", "Sales"),
        (f"/accounts(<contoso>)/{CRM}.account/name", "accounts(<contoso>)/name", "Contoso"),
        (f"/accounts(<contoso>)/primarycontactid/{CRM}.contact/firstname", "contacts(<Ann>)/firstname", "Ann"),
        (f"/accounts/{CRM}.account(<contoso>)/name", "accounts(<contoso>)/name", "Contoso"),
        (
            f"/accounts(<contoso>)/contact_customer_accounts/{CRM}.contact(<Bob>)/firstname",
            "contacts(<Bob>)/firstname",
            "Bob",
        ),
    ],
)
def test_a_property_is_read_behind_any_number_of_navigation_properties(api, ids, path, context, value):
    answer = api.json(at(path, ids))
    assert answer["value"] == at(value, ids)
    if context is not None:
        assert answer["@odata.context"] == f"{ROOT}/$metadata#{at(context, ids)}"


def test_a_property_behind_a_navigation_property_is_raw_text_null_or_changed(api, ids):
    path = at("/accounts(<contoso>)/primarycontactid", ids)
    assert api("GET", f"{path}/firstname/$value").body == b"Ann"
    assert api("GET", f"{path}/jobtitle").status == 204
    assert api("PUT", f"{path}/jobtitle", {"value": "Engineer"}).status == 204
    assert api.json(f"{path}/jobtitle")["value"] == "Engineer"
    assert api("DELETE", f"{path}/jobtitle").status == 204
    assert api("GET", f"{path}/jobtitle").status == 204


@pytest.mark.parametrize(
    ("path", "entity_set", "shown"),
    [
        ("/accounts(<contoso>)/contact_customer_accounts(<Bob>)?$select=firstname", "contacts(firstname)", "Bob"),
        ("/contacts(<Eve>)/parentcustomerid_account?$select=name", "accounts(name)", "Fabrikam"),
        ("/accounts(<contoso>)/primarycontactid/parentcustomerid_account?$select=name", "accounts(name)", "Contoso"),
        ("/accounts(<fabrikam>)/ownerid?$select=name", "teams(name)", "Sales"),
        ("/systemusers(<user>)/systemuserroles_association(<role>)?$select=name", "roles(name)", "Reader"),
    ],
)
def test_a_row_behind_navigation_properties_is_one_of_its_own_set(api, ids, path, entity_set, shown):
    answer = api("GET", at(path, ids))
    row = json.loads(answer.body)
    assert row["@odata.context"] == f"{ROOT}/$metadata#{entity_set}/$entity"
    assert shown in row.values()
    assert dict(answer.headers)["ETag"] == row["@odata.etag"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/contacts(<Ann>)/parentcustomerid_account/contact_customer_accounts?$filter=firstname ne 'Ann'", ["Bob"]),
        (f"/accounts(<contoso>)/contact_customer_accounts/{CRM}.contact?$orderby=firstname", ["Ann", "Bob"]),
        (f"/contacts/{CRM}.contact?$filter=firstname eq 'Eve'", ["Eve"]),
    ],
)
def test_a_collection_behind_a_path_takes_query_options(api, ids, path, names):
    assert [row["firstname"] for row in api.json(at(path, ids))["value"]] == names


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/accounts(<contoso>)/contact_customer_accounts/$count", 2),
        ("/accounts(<contoso>)/contact_customer_accounts/$count?$filter=firstname eq 'Bob'", 1),
        ("/contacts(<Eve>)/parentcustomerid_account/contact_customer_accounts/$count", 1),
        ("/accounts(<fabrikam>)/ownerid/owner_accounts/$count", 1),
        ("/systemusers(<user>)/systemuserroles_association/$count", 1),
        ("/accounts/$count", 2),
    ],
)
def test_the_rows_behind_a_path_are_counted(api, ids, path, number):
    assert api("GET", at(path, ids)).body.decode("utf-8-sig") == str(number)


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("/accounts(<contoso>)/$ref", "accounts(<contoso>)"),
        ("/accounts(<contoso>)/primarycontactid/$ref", "contacts(<Ann>)"),
        ("/accounts(<contoso>)/primarycontactid/parentcustomerid_account/$ref", "accounts(<contoso>)"),
        ("/accounts(<contoso>)/contact_customer_accounts(<Bob>)/$ref", "contacts(<Bob>)"),
        ("/accounts(<fabrikam>)/ownerid/$ref", "teams(<team>)"),
    ],
)
def test_the_url_of_a_row_is_read_in_its_place(api, ids, path, record):
    answer = api.json(at(path, ids))
    assert answer == {"@odata.context": f"{ROOT}/$metadata#$ref", "@odata.id": f"{ROOT}/{at(record, ids)}"}


@pytest.mark.parametrize("path", ["/contacts/$ref", "/contacts/$ref?$orderby=firstname desc"])
def test_the_urls_of_a_set_are_read_in_pages(api, ids, path):
    seen = []
    pages = 0
    while path:
        answer = api.json(path, Prefer="odata.maxpagesize=2")
        assert answer["@odata.context"] == f"{ROOT}/$metadata#Collection($ref)"
        assert all(list(row) == ["@odata.id"] for row in answer["value"])
        seen += [row["@odata.id"] for row in answer["value"]]
        path = answer.get("@odata.nextLink", "").removeprefix(ROOT)
        pages += 1
    assert pages == 2
    assert sorted(seen) == sorted(f"{ROOT}/contacts({ids[name]})" for name in ("Ann", "Bob", "Eve"))


def test_the_urls_behind_a_collection_are_read_in_pages(api, ids):
    path = at("/accounts(<contoso>)/contact_customer_accounts/$ref?$orderby=firstname", ids)
    first = api.json(path, Prefer="odata.maxpagesize=1")
    assert [row["@odata.id"] for row in first["value"]] == [f"{ROOT}/contacts({ids['Ann']})"]
    second = api.json(first["@odata.nextLink"].removeprefix(ROOT), Prefer="odata.maxpagesize=1")
    assert [row["@odata.id"] for row in second["value"]] == [f"{ROOT}/contacts({ids['Bob']})"]
    assert "@odata.nextLink" not in second
    assert len(api.json(f"{path}&$filter=firstname eq 'Bob'")["value"]) == 1


@pytest.mark.parametrize(
    "path", ["/accounts(<fabrikam>)/primarycontactid", "/accounts(<fabrikam>)/primarycontactid/$ref"]
)
def test_an_empty_lookup_is_no_content(api, ids, path):
    answer = api("GET", at(path, ids))
    assert (answer.status, answer.body) == (204, b"")


def test_a_record_is_related_through_a_path(api, ids):
    path = at("/contacts(<Eve>)/parentcustomerid_account/primarycontactid/$ref", ids)
    assert api("PUT", path, {"@odata.id": f"{ROOT}/contacts({ids['Eve']})"}).status == 204
    assert api.json(at("/accounts(<fabrikam>)/primarycontactid/firstname", ids))["value"] == "Eve"
    assert api("DELETE", path).status == 204
    assert api("GET", at("/accounts(<fabrikam>)/primarycontactid", ids)).status == 204


def test_a_function_is_bound_to_a_row_behind_a_path(api, ids):
    path = at(f"/accounts(<contoso>)/owninguser/{CRM}.RetrieveUserPrivileges()", ids)
    assert api.json(path)["RolePrivileges"]
    assert api.error("GET", path.replace("RetrieveUser", "RetrieveTeam"))[0] == 404


_COLLECTION = "refers to a collection, this must be the last segment in the request URI"
_LEAF = "must be the last segment in the URI because it is one of the following"
_PRIMITIVE = "the only supported value from the next segment is '$value'"
_COUNTED = "since $count can only follow an entity set, a collection navigation property"
_UNRELATED = "is neither a base type nor a sub-type of the previously-specified type"


@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        ("/accounts/name", 400, "0x80060888", f"Since the segment 'accounts' {_COLLECTION}"),
        ("/accounts/$value", 400, "0x80060888", _COLLECTION),
        ("/accounts/$query", 400, "0x80060888", _COLLECTION),
        ("/accounts/1", 400, "0x80060888", _COLLECTION),
        ("/accounts(<contoso>)/contact_customer_accounts/firstname", 400, "0x80060888", _COLLECTION),
        ("/accounts(<contoso>)/$query", 404, "0x80060888", "'$query'"),
        ("/accounts(<contoso>)/$value", 404, "0x80060888", "'$value'"),
        ("/accounts(<contoso>)/nope", 404, "0x80060888", "'nope'"),
        ("/accounts(<contoso>)/primarycontactid/nope", 404, "0x80060888", "'nope'"),
        ("/accounts(<contoso>)/primarycontactid/Firstname", 404, "0x80060888", "'Firstname'"),
        ("/accounts(<contoso>)/name/nope", 404, "0x80060888", _PRIMITIVE),
        ("/accounts(<contoso>)/name/$ref", 404, "0x80060888", "The segment 'name' refers to a primitive property"),
        ("/accounts(<contoso>)/$count", 404, "0x80060888", f"to the segment 'accounts' {_COUNTED}"),
        ("/accounts(<contoso>)/primarycontactid/$count", 404, "0x80060888", _COUNTED),
        ("/accounts(<contoso>)/primarycontactid(<Ann>)", 400, "0x80060888", "Error in query syntax"),
        ("/WhoAmI()/UserId", 400, "0x80060888", f"The segment 'WhoAmI' {_LEAF}"),
        (f"/accounts/{CRM}.contact", 400, "0x80060888", f"'{CRM}.contact' specified in the URI {_UNRELATED}"),
        (f"/accounts(<contoso>)/{CRM}.contact", 400, "0x80060888", _UNRELATED),
        (f"/accounts(<contoso>)/primarycontactid/{CRM}.account", 400, "0x80060888", _UNRELATED),
        (f"/accounts(<contoso>)/ownerid/{CRM}.account", 400, "0x80060888", f"'{CRM}.principal'"),
        (f"/accounts(<contoso>)/ownerid/{CRM}.team", 404, "0x80060888", f"'{CRM}.team'"),
        (f"/accounts(<contoso>)/ownerid/{CRM}.team/name", 404, "0x80060888", f"'{CRM}.team'"),
        ("/accounts(<contoso>)/ownerid/fullname", 404, "0x80060888", "'fullname'"),
        (
            "/accounts(<contoso>)/ownerid/systemuserroles_association",
            404,
            "0x80060888",
            "'systemuserroles_association'",
        ),
        (f"/accounts/{CRM}.nope", 404, "0x80060888", f"'{CRM}.nope'"),
        ("/accounts/Other.account", 404, "0x80060888", "'Other.account'"),
        ("/accounts(<fabrikam>)/primarycontactid/firstname", 404, "0x80060888", "'primarycontactid'"),
        ("/accounts(<contoso>)/contact_customer_accounts(<Eve>)", 404, "0x80040217", "With Id = <Eve> Does Not Exist"),
        ("/accounts(<contoso>)/contact_customer_accounts(<Eve>)/firstname", 404, "0x80040217", "Does Not Exist"),
        ("/accounts(<contoso>)/contact_customer_accounts(<Eve>)/$ref", 404, "0x80040217", "Does Not Exist"),
        (f"/accounts(<contoso>)/contact_customer_accounts({NOBODY})", 404, "0x80040217", f"{NOBODY} Does Not Exist"),
        (f"/accounts({NOBODY})/primarycontactid/firstname", 404, "0x80040217", f"{NOBODY} Does Not Exist"),
        (f"/accounts({NOBODY})/$ref", 404, "0x80040217", f"{NOBODY} Does Not Exist"),
        ("/accounts(<contoso>)/contact_customer_accounts(1)", 400, "0x80060888", "Edm.Guid"),
        ("/accounts(<contoso>)(<contoso>)", 400, "0x80060888", "only once"),
        ("/accounts(<contoso>)/$ref?$select=name", 400, "0x80060888", "'$select' cannot be applied to references"),
        ("/accounts/$ref?$select=name", 400, "0x80060888", "'$select' cannot be applied to references"),
        ("/accounts(<contoso>)/primarycontactid?$filter=firstname eq 'Ann'", 400, "0x80060888", "'$filter'"),
        ("/$crossjoin(accounts,contacts)", 404, "0x80060888", "'$crossjoin'"),
        ("/$all", 404, "0x80060888", "'$all'"),
        ("/accounts/$filter(name eq 'x')", 404, "0x80060888", "'$filter'"),
        ("/accounts/$each", 400, "0x80060888", _COLLECTION),
        ("/$1", 400, "0x80060888", "Content-ID Reference: '$1' does not exist in the batch context."),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_in_the_librarys_words(api, ids, path, status, code, text):
    found = api.error("GET", at(path, ids))
    assert found[:2] == (status, code), found
    assert at(text, ids) in found[2]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/accounts(<contoso>)/primarycontactid"),
        ("DELETE", "/accounts(<contoso>)/primarycontactid"),
        ("DELETE", "/accounts(<contoso>)/contact_customer_accounts(<Bob>)"),
        ("PATCH", "/accounts(<contoso>)/contact_customer_accounts"),
        ("POST", "/accounts(<contoso>)/primarycontactid/firstname"),
        ("DELETE", "/accounts(<contoso>)/$ref"),
        ("POST", "/accounts/$ref"),
        ("POST", "/accounts/$count"),
    ],
)
def test_a_verb_that_a_place_does_not_take_is_refused(api, ids, method, path):
    assert api.error(method, at(path, ids), {})[:2] == (405, "0x80060888")
    assert api("GET", at("/contacts(<Bob>)", ids)).status == 200


@pytest.mark.parametrize("body", [b"$select=name", b""])
def test_query_options_in_a_body_are_not_taken(api, ids, body):
    status, code, text = api.error("POST", "/accounts/$query", body, Content_Type="text/plain")
    assert (status, code) == (400, "0x80060888")
    assert _COLLECTION in text
    assert api.error("POST", at("/accounts(<contoso>)/$query", ids), body)[0] == 404


@pytest.fixture
def granted(api, ids):
    """Give the role exactly some privileges."""

    def grant(**depths):
        known = api.json("/privileges?$select=name,privilegeid")["value"]
        by_name = {row["name"]: row["privilegeid"] for row in known}
        body = {
            "Privileges": [
                {"PrivilegeId": by_name[name], "Depth": depth, "BusinessUnitId": ids["unit"]}
                for name, depth in depths.items()
            ]
        }
        answer = api("POST", f"/roles({ids['role']})/{CRM}.ReplacePrivilegesRole", body)
        assert answer.status == 204, answer.body

    return grant


def as_reader(api, method, path, body=None):
    answer = api(method, path, body, authorization="Bearer roleless")
    return answer.status, json.loads(answer.body) if answer.body.startswith(b"{") else answer.body


_BEHIND_CONTACTS = [
    "/accounts(<contoso>)/primarycontactid",
    "/accounts(<contoso>)/primarycontactid/firstname",
    "/accounts(<contoso>)/primarycontactid/$ref",
    "/accounts(<contoso>)/primarycontactid/parentcustomerid_account/name",
    "/accounts(<contoso>)/primarycontactid/parentcustomerid_account/contact_customer_accounts/$count",
    "/accounts(<contoso>)/contact_customer_accounts(<Bob>)",
    "/accounts(<contoso>)/contact_customer_accounts(<Bob>)/firstname",
    "/accounts(<contoso>)/contact_customer_accounts(<Bob>)/$ref",
]


@pytest.mark.parametrize("path", _BEHIND_CONTACTS)
def test_a_path_leads_as_far_as_the_caller_may_read(api, ids, granted, path):
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Global")
    assert as_reader(api, "GET", at(path, ids))[0] == 200
    granted(prvReadAccount="Global", prvReadUser="Global")
    status, body = as_reader(api, "GET", at(path, ids))
    assert status == 403
    assert "prvReadContact" in body["error"]["message"]
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Basic")
    status, body = as_reader(api, "GET", at(path, ids))
    assert status == 403
    assert body["error"]["code"] == "0x80040220"


@pytest.mark.parametrize(
    "path",
    [
        "/contacts(<Ann>)/parentcustomerid_account/contact_customer_accounts",
        "/contacts(<Ann>)/parentcustomerid_account/contact_customer_accounts/$ref",
        "/contacts(<Ann>)/parentcustomerid_account/contact_customer_accounts/$count",
        "/contacts(<Ann>)/parentcustomerid_account/contact_customer_accounts(<Bob>)",
        "/contacts(<Ann>)/parentcustomerid_account/primarycontactid/firstname",
    ],
)
def test_nobody_gets_past_a_hidden_record(api, ids, granted, path):
    granted(prvReadAccount="Basic", prvReadUser="Global", prvReadContact="Global")
    assert as_reader(api, "GET", at(path, ids))[0] == 403
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Global")
    assert as_reader(api, "GET", at(path, ids))[0] == 200


def test_a_collection_behind_a_path_has_what_the_caller_reads_only(api, ids, granted):
    path = at("/accounts(<contoso>)/contact_customer_accounts", ids)
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Basic")
    assert as_reader(api, "GET", path)[1]["value"] == []
    assert as_reader(api, "GET", f"{path}/$ref")[1]["value"] == []
    assert as_reader(api, "GET", f"{path}/$count")[1] == b"\xef\xbb\xbf0"
    assert as_reader(api, "GET", "/contacts/$ref")[1]["value"] == []
    granted(prvReadAccount="Global", prvReadUser="Global", prvReadContact="Global")
    assert len(as_reader(api, "GET", f"{path}/$ref")[1]["value"]) == 2
