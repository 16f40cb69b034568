"""Requests for another user (Learn: "Impersonate another user using the Web API")."""

from __future__ import annotations

import json

import pytest
from things import dump

ROOT = "https://org.test:8443/api/data/v9.2"
DELEGATE = {"authorization": "Bearer roleless"}
ACT = "prvActOnBehalfOfAnotherUser"
OBJECT_ID = "0d000000-0000-4000-8000-000000000001"
NO_ONE = "0d000000-0000-4000-8000-0000000000ff"
OWN = ("prvCreateAccount", "prvReadAccount", "prvWriteAccount", "prvReadUser")


@pytest.fixture(scope="module")
def unit(api):
    (found,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    return found


@pytest.fixture(scope="module")
def privileges(api):
    return {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name")["value"]}


@pytest.fixture(scope="module")
def granted(api, unit, privileges):
    """Give a user exactly some privileges, at a depth."""
    roles = {}

    def grant(user, *names, depth="Global"):
        if user not in roles:
            bind = {"businessunitid@odata.bind": f"/businessunits({unit})"}
            roles[user] = api.created("roles", name=f"Role of {user}", **bind)
            link = {"@odata.id": f"{ROOT}/roles({roles[user]})"}
            assert api("POST", f"/systemusers({user})/systemuserroles_association/$ref", link).status == 204
        depths = dict.fromkeys(names, depth) | {name: "Global" for name in names if name == ACT}
        rows = [{"PrivilegeId": privileges[n], "Depth": d, "BusinessUnitId": unit} for n, d in depths.items()]
        path = f"/roles({roles[user]})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": rows}).status == 204

    return grant


@pytest.fixture(scope="module")
def delegate(api):
    (found,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    return found["systemuserid"]


@pytest.fixture(scope="module")
def uma(api, unit, granted):
    bind = {"businessunitid@odata.bind": f"/businessunits({unit})"}
    names = {"firstname": "Uma", "lastname": "Example", "domainname": "uma@contoso.test"}
    user = api.created("systemusers", azureactivedirectoryobjectid=OBJECT_ID, **names, **bind)
    granted(user, *OWN)
    return user


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


def ways(user):
    return [{"callerobjectid": OBJECT_ID}, {"mscrmcallerid": user}, {"mscrmcallerid": f"{{{user.upper()}}}"}]


def test_what_is_made_for_another_user_is_his_and_tells_who_made_it(api, uma):
    me = api.json("/WhoAmI")["UserId"]
    for number, header in enumerate(ways(uma)):
        assert api.json("/WhoAmI", **header)["UserId"] == uma
        assert api("POST", "/accounts", {"name": f"Of Uma {number}"}, **header).status == 204
    rows = api.json("/accounts?$filter=startswith(name,'Of Uma')")["value"]
    assert len(rows) == 3
    for row in rows:
        assert (row["_ownerid_value"], row["_createdby_value"], row["_modifiedby_value"]) == (uma, uma, uma)
        assert (row["_createdonbehalfby_value"], row["_modifiedonbehalfby_value"]) == (me, me)
    path = f"/accounts({rows[0]['accountid']})"
    assert api("PATCH", path, {"name": "Of Uma, changed"}).status == 204
    row = api.json(path)
    assert (row["_createdonbehalfby_value"], row["_modifiedby_value"]) == (me, me)
    assert row["_modifiedonbehalfby_value"] is None
    assert api("PATCH", path, {"name": "Of Uma again"}, mscrmcallerid=uma).status == 204
    told = api.json(f"{path}?$select=name&$expand=modifiedonbehalfby($select=systemuserid)")
    assert told["modifiedonbehalfby"]["systemuserid"] == me


@pytest.mark.parametrize("number", range(3))
def test_it_takes_the_privilege_to_act_for_others(api, uma, delegate, granted, state, number):
    granted(delegate, *OWN)
    header = ways(uma)[number]
    before = state()
    text = "User does not have the privilege to act on behalf another user."
    assert api.error("POST", "/accounts", {"name": "A"}, **DELEGATE, **header) == (403, "0x8004a110", text)
    assert state() == before
    granted(delegate, *OWN, ACT)
    assert api("POST", "/accounts", {"name": "A"}, **DELEGATE, **header).status == 204


HELD = [(OWN, OWN, 204), (("prvReadUser",), OWN, 403), (OWN, ("prvReadUser",), 403)]


@pytest.mark.parametrize("held", HELD)
def test_only_what_both_may_do_may_be_done(api, uma, delegate, granted, state, held):
    of_delegate, of_user, status = held
    granted(delegate, *of_delegate, ACT)
    granted(uma, *of_user)
    before = state()
    assert api("POST", "/accounts", {"name": "A"}, **DELEGATE, mscrmcallerid=uma).status == status
    assert (state() == before) is (status != 204)
    granted(uma, *OWN)


def test_the_lesser_depth_counts(api, uma, delegate, granted):
    api.created("accounts", name="Of somebody else")
    granted(delegate, *OWN, ACT, depth="Basic")
    seen = api.json("/accounts?$select=_ownerid_value", **DELEGATE, mscrmcallerid=uma)["value"]
    assert {row["_ownerid_value"] for row in seen} <= {uma}
    granted(delegate, *OWN, ACT)
    everything = api.json("/accounts?$select=_ownerid_value", **DELEGATE, mscrmcallerid=uma)["value"]
    assert len({row["_ownerid_value"] for row in everything}) > 1


@pytest.mark.parametrize("value", ["", "null"])
@pytest.mark.parametrize("name", ["callerobjectid", "mscrmcallerid"])
def test_an_empty_header_names_nobody(api, name, value):
    assert api.json("/WhoAmI", **{name: value}) == api.json("/WhoAmI")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"callerobjectid": "x"}, (400, "0x80060888")),
        ({"mscrmcallerid": "{"}, (400, "0x80060888")),
        ({"callerobjectid": NO_ONE}, (403, "0x80072560")),
        ({"mscrmcallerid": NO_ONE}, (403, "0x80072560")),
    ],
)
def test_a_user_that_is_not_there_cannot_be_acted_for(api, state, header, expected):
    before = state()
    assert api.error("POST", "/accounts", {"name": "A"}, **header)[:2] == expected
    assert state() == before


def test_a_disabled_user_cannot_be_acted_for(api, uma, state):
    assert api("PATCH", f"/systemusers({uma})", {"isdisabled": True}).status == 204
    before = state()
    assert api.error("POST", "/accounts", {"name": "A"}, mscrmcallerid=uma)[:2] == (403, "0x80040225")
    assert state() == before
    assert api("PATCH", f"/systemusers({uma})", {"isdisabled": False}).status == 204
    assert api("POST", "/accounts", {"name": "A"}, mscrmcallerid=uma).status == 204


def test_each_request_of_a_batch_is_for_the_user_it_names(api, uma):
    def part(number, header):
        head = f"POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n{header}"
        body = json.dumps({"name": f"Batch {number}"})
        return f"--b\r\nContent-Type: application/http\r\n\r\n{head}\r\n{body}\r\n"

    me = api.json("/WhoAmI")["UserId"]
    parts = (part(1, ""), part(2, f"MSCRMCallerID: {uma}\r\n"), part(3, "MSCRMCallerID: null\r\n"))
    whole = "".join((*parts, "--b--\r\n"))
    sent = {"content_type": "multipart/mixed; boundary=b"}
    assert api("POST", "/$batch", whole.encode(), **sent).status == 200
    owners = api.json("/accounts?$select=_ownerid_value&$filter=startswith(name,'Batch')&$orderby=name")["value"]
    assert [row["_ownerid_value"] for row in owners] == [me, uma, me]
    assert api("POST", "/$batch", whole.replace("Batch", "Whole").encode(), mscrmcallerid=uma, **sent).status == 200
    owners = api.json("/accounts?$select=_ownerid_value&$filter=startswith(name,'Whole')&$orderby=name")["value"]
    assert [row["_ownerid_value"] for row in owners] == [uma, uma, me]
