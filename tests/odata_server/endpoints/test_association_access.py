"""Who may relate two records: the rights on the record in the path, and those on the record that it is related to."""

from __future__ import annotations

import json

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"
READS = {"prvReadAccount": "Global", "prvReadContact": "Global", "prvReadUser": "Global"}
RELATED = {
    "prvWriteAccount": "Global",
    "prvAppendAccount": "Global",
    "prvAppendToAccount": "Global",
    "prvWriteContact": "Global",
    "prvAppendContact": "Global",
    "prvAppendToContact": "Global",
}


@pytest.fixture(scope="module")
def ids(api):
    """An account and a contact of the administrator, and a user with a role that starts without privileges."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    (admin,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Admin'")["value"]
    role = api.created("roles", name="Reader", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    team = {
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({admin['systemuserid']})",
    }
    return {
        "unit": unit,
        "role": role,
        "admin": admin["systemuserid"],
        "team": api.created("teams", name="Sales", teamtype=0, **team),
        "account": api.created("accounts", name="Contoso"),
        "contact": api.created("contacts", lastname="Example"),
    }


@pytest.fixture
def granted(api, ids):
    """Give the role exactly some privileges."""

    def grant(depths):
        known = api.json("/privileges?$select=name,privilegeid")["value"]
        by_name = {row["name"]: row["privilegeid"] for row in known}
        privileges = [
            {"PrivilegeId": by_name[name], "Depth": depth, "BusinessUnitId": ids["unit"]}
            for name, depth in depths.items()
        ]
        path = f"/roles({ids['role']})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": privileges}).status == 204

    return grant


def as_reader(api, method, path, body=None):
    answer = api(method, path, body, authorization="Bearer roleless")
    error = json.loads(answer.body)["error"] if answer.body else {"code": "", "message": ""}
    return answer.status, error["code"], error["message"]


def primary_contact(api, ids):
    return api.json(f"/accounts({ids['account']})?$select=_primarycontactid_value")["_primarycontactid_value"]


def account_of(api, ids):
    return api.json(f"/contacts({ids['contact']})?$select=_parentcustomerid_value")["_parentcustomerid_value"]


def relation(ids, kind):
    """Return method, path, body of a request that makes a relation, and path of the one that ends it."""
    account, contact = f"accounts({ids['account']})", f"contacts({ids['contact']})"
    if kind == "lookup":
        path = f"/{account}/primarycontactid/$ref"
        return "PUT", path, {"@odata.id": f"{ROOT}/{contact}"}, f"{path}?$id={ROOT}/{contact}"
    path = f"/{account}/contact_customer_accounts"
    return "POST", f"{path}/$ref", {"@odata.id": f"{ROOT}/{contact}"}, f"{path}({ids['contact']})/$ref"


_LOOKUP = ("prvWriteAccount", "prvAppendAccount", "prvAppendToContact")
_COLLECTION = ("prvAppendToAccount", "prvAppendContact", "prvWriteContact")
_READERS = {"lookup": primary_contact, "collection": account_of}


@pytest.mark.parametrize(
    ("kind", "missing"),
    [*(("lookup", name) for name in _LOOKUP), *(("collection", name) for name in _COLLECTION)],
)
def test_without_a_right_on_either_record_nothing_is_related_or_ended(api, ids, granted, kind, missing):
    method, path, body, ending = relation(ids, kind)
    needed = dict.fromkeys(_LOOKUP if kind == "lookup" else _COLLECTION, "Global")
    granted(READS | {name: depth for name, depth in needed.items() if name != missing})
    status, code, text = as_reader(api, method, path, body)
    assert (status, code) == (403, "0x80040220")
    assert missing in text
    assert _READERS[kind](api, ids) is None
    granted(READS | needed)
    assert as_reader(api, method, path, body)[0] == 204
    assert _READERS[kind](api, ids) is not None
    granted(READS | {name: depth for name, depth in needed.items() if name != missing})
    assert as_reader(api, "DELETE", ending)[:2] == (403, "0x80040220")
    assert _READERS[kind](api, ids) is not None
    granted(READS | needed)
    assert as_reader(api, "DELETE", ending)[0] == 204
    assert _READERS[kind](api, ids) is None


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("lookup", "prvWriteAccount"),
        ("lookup", "prvAppendAccount"),
        ("lookup", "prvAppendToContact"),
        ("collection", "prvAppendToAccount"),
        ("collection", "prvAppendContact"),
        ("collection", "prvWriteContact"),
    ],
)
def test_a_right_on_own_records_relates_no_record_of_others(api, ids, granted, kind, right):
    method, path, body, ending = relation(ids, kind)
    granted(READS | RELATED | {right: "Basic"})
    status, code, _ = as_reader(api, method, path, body)
    assert (status, code) == (403, "0x80040220")
    assert _READERS[kind](api, ids) is None
    assert api(method, path, body).status == 204
    assert as_reader(api, "DELETE", ending)[:2] == (403, "0x80040220")
    assert _READERS[kind](api, ids) is not None
    assert api("DELETE", ending).status == 204


@pytest.mark.parametrize("missing", ["prvAppendTeam", "prvAppendUser"])
def test_many_to_many_relations_take_append_on_both_records(api, ids, granted, missing):
    needed = {"prvReadTeam": "Global", "prvReadUser": "Global", "prvAppendTeam": "Global", "prvAppendUser": "Global"}
    path = f"/teams({ids['team']})/teammembership_association"
    body = {"@odata.id": f"{ROOT}/systemusers({ids['admin']})"}
    granted({name: depth for name, depth in needed.items() if name != missing})
    status, code, text = as_reader(api, "POST", f"{path}/$ref", body)
    assert (status, code) == (403, "0x80040220")
    assert missing in text
    assert api.json(path)["value"] == []
    granted(needed)
    assert as_reader(api, "POST", f"{path}/$ref", body)[0] == 204
    granted({name: depth for name, depth in needed.items() if name != missing})
    assert as_reader(api, "DELETE", f"{path}({ids['admin']})/$ref")[:2] == (403, "0x80040220")
    assert len(api.json(path)["value"]) == 1
    granted(needed)
    assert as_reader(api, "DELETE", f"{path}({ids['admin']})/$ref")[0] == 204


@pytest.mark.parametrize("kind", ["lookup", "collection"])
def test_ending_a_relation_to_a_record_that_is_gone_is_not_found(api, ids, granted, kind):
    granted(READS | RELATED)
    gone = "00000000-0000-0000-0000-000000000001"
    _, _, _, ending = relation({**ids, "contact": gone}, kind)
    assert as_reader(api, "DELETE", ending)[:2] == (404, "0x80040217")
