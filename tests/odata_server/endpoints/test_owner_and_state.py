"""Owner, state and reason of a record are set like other columns, with rules of their own."""

from __future__ import annotations

import json
from contextlib import contextmanager

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


@pytest.fixture(scope="module")
def ids(api):
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    users = {row["fullname"]: row["systemuserid"] for row in api.json("/systemusers?$select=fullname")["value"]}
    bind = {
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({users['# Admin']})",
    }
    return {
        "unit": unit,
        "admin": users["# Admin"],
        "user": users["# Roleless"],
        "team": api.created("teams", name="Sales", teamtype=0, **bind),
    }


@pytest.fixture
def granted(api, ids):
    """Give the user without roles, or the team, a role with exactly some privileges at some depths."""
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    roles = []

    def grant(holder, **depths):
        name = f"Role {len(roles)}"
        role = api.created("roles", name=name, **{"businessunitid@odata.bind": f"/businessunits({ids['unit']})"})
        roles.append(role)
        privileges = [
            {"PrivilegeId": known[name], "Depth": depth, "BusinessUnitId": ids["unit"]}
            for name, depth in depths.items()
        ]
        path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": privileges}).status == 204
        place = "systemusers({})/systemuserroles_association" if holder == "user" else "teams({})/teamroles_association"
        link = {"@odata.id": f"{ROOT}/roles({role})"}
        assert api("POST", f"/{place.format(ids[holder])}/$ref", link).status == 204

    yield grant
    for role in roles:
        assert api("DELETE", f"/roles({role})").status == 204


def owner_of(api, path):
    return api.json(f"{path}?$select=_ownerid_value")["_ownerid_value"]


def bind(ids, holder):
    return {"ownerid@odata.bind": f"/{'teams' if holder == 'team' else 'systemusers'}({ids[holder]})"}


READS = {"prvReadAccount": "Basic", "prvReadContact": "Basic"}


@pytest.mark.parametrize("holder", ["user", "team"])
def test_a_new_owner_gets_the_record_and_what_goes_along(api, ids, granted, holder):
    granted(holder, **READS)
    account = api.created("accounts", name="A", contact_customer_accounts=[{"lastname": "C"}])
    assert api("PATCH", f"/accounts({account})", bind(ids, holder)).status == 204
    assert owner_of(api, f"/accounts({account})") == ids[holder]
    (contact,) = api.json(f"/accounts({account})/contact_customer_accounts?$select=_ownerid_value")["value"]
    assert contact["_ownerid_value"] == ids[holder]


@pytest.mark.parametrize("missing", ["prvReadAccount", "prvReadContact"])
def test_an_owner_who_may_not_read_a_record_or_what_goes_along_gets_neither(api, ids, granted, unchanged, missing):
    granted("team", **{name: depth for name, depth in READS.items() if name != missing})
    account = api.created("accounts", name="A", contact_customer_accounts=[{"lastname": "C"}])
    with unchanged():
        status, code, text = api.error("PATCH", f"/accounts({account})", bind(ids, "team"))
    assert (status, code) == (403, "0x80040299")
    assert missing in text


@pytest.mark.parametrize(
    ("depths", "missing"),
    [
        ({"prvReadAccount": "Global", "prvWriteAccount": "Global"}, "prvAssignAccount"),
        ({"prvReadAccount": "Global", "prvAssignAccount": "Global"}, "prvWriteAccount"),
        ({"prvReadAccount": "Global", "prvWriteAccount": "Global", "prvAssignAccount": "Basic"}, ""),
    ],
)
def test_giving_a_record_away_takes_the_right_to_assign_it(api, ids, granted, unchanged, depths, missing):
    as_user = {"authorization": "Bearer roleless", "If_Match": "*"}
    granted("user", **depths)
    granted("team", **READS)
    account = api.created("accounts", name="A")
    with unchanged():
        answer = api("PATCH", f"/accounts({account})", bind(ids, "team"), **as_user)
    assert answer.status == 403
    assert missing in json.loads(answer.body)["error"]["message"]
    granted("user", prvReadAccount="Global", prvWriteAccount="Global", prvAssignAccount="Global")
    assert api("PATCH", f"/accounts({account})", bind(ids, "team"), **as_user).status == 204


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"ownerid@odata.bind": None}, 400, "0x80040203"),
        ({"ownerid@odata.bind": f"/systemusers({NOBODY})"}, 404, "0x80040217"),
        ({"ownerid@odata.bind": f"/accounts({NOBODY})"}, 400, "0x80048d19"),
        ({"_ownerid_value": NOBODY}, 400, "0x80048d19"),
        ({"statecode": 5}, 400, "0x8004431a"),
        ({"statuscode": 9}, 400, "0x8004431a"),
        ({"statecode": 1, "statuscode": 1}, 400, "0x80048408"),
        ({"statecode": 0, "statuscode": 2}, 400, "0x80048408"),
        ({"statecode": "Inactive"}, 400, "0x80048d19"),
        ({"statecode": True}, 400, "0x80048d19"),
    ],
)
def test_an_owner_or_state_that_cannot_be_changes_nothing(api, unchanged, body, status, code):
    account = api.created("accounts", name="A")
    with unchanged():
        found = api.error("PATCH", f"/accounts({account})", body)
    assert found[:2] == (status, code)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"statecode": 1, "statuscode": 2}, (1, 2)),
        ({"statecode": 1}, (1, 2)),
        ({"statuscode": 2}, (1, 2)),
        ({"statecode": 0}, (0, 1)),
        ({"statecode": None}, (0, 1)),
        ({"name": "B"}, (0, 1)),
    ],
)
def test_state_and_reason_fit_together(api, body, state):
    account = api.created("accounts", name="A")
    assert api("PATCH", f"/accounts({account})", body).status == 204
    row = api.json(f"/accounts({account})?$select=statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == state
    assert api("PATCH", f"/accounts({account})", {"statecode": 0, "statuscode": 1}).status == 204


def test_an_inactive_record_can_be_changed_and_activated(api):
    account = api.created("accounts", name="A")
    assert api("PATCH", f"/accounts({account})", {"statecode": 1, "statuscode": 2}).status == 204
    assert api("PATCH", f"/accounts({account})", {"name": "B"}).status == 204
    row = api.json(f"/accounts({account})?$select=name,statecode,statuscode")
    assert (row["name"], row["statecode"], row["statuscode"]) == ("B", 1, 2)


@pytest.mark.parametrize("target", ["team", "user"])
def test_a_new_record_may_belong_to_somebody_else(api, ids, granted, unchanged, target):
    with unchanged():
        assert api.error("POST", "/accounts", {"name": "A", **bind(ids, target)})[:2] == (403, "0x80040299")
    granted(target, **READS)
    account = api.created("accounts", name="A", **bind(ids, target))
    assert owner_of(api, f"/accounts({account})") == ids[target]


def test_of_several_new_owners_the_last_one_counts(api, ids, granted):
    granted("team", **READS)
    above = api.created("contacts", lastname="A", contact_customer_contacts=[{"lastname": "B"}])
    (below,) = api.json(f"/contacts({above})/contact_customer_contacts?$select=contactid")["value"]
    targets = [
        {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": above, **bind(ids, "team")},
        {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": below["contactid"], **bind(ids, "admin")},
    ]
    answer = api("POST", "/contacts/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": targets})
    assert answer.status in {200, 204}, answer.body
    assert owner_of(api, f"/contacts({above})") == ids["team"]
    assert owner_of(api, f"/contacts({below['contactid']})") == ids["admin"]
