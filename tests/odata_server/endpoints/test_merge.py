"""The action Merge: two records become one (Learn: "Merge table rows")."""

from __future__ import annotations

import json

import pytest
from things import dump

ROOT = "https://org.test:8443/api/data/v9.2"
CRM = "Microsoft.Dynamics.CRM"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"


def named(kind, identifier, **values):
    return {"@odata.type": f"{CRM}.{kind}", f"{kind}id": identifier, **values}


def body(kind, target, subordinate, *, checks=False, **content):
    return {
        "Target": named(kind, target),
        "Subordinate": named(kind, subordinate),
        "UpdateContent": {"@odata.type": f"{CRM}.{kind}", **content},
        "PerformParentingChecks": checks,
    }


def test_the_subordinate_is_deactivated_and_what_belongs_to_it_goes_to_the_target(api):
    target = api.created("accounts", name="Target", fax="1")
    subordinate = api.created(
        "accounts", name="Subordinate", fax="2", contact_customer_accounts=[{"lastname": "C"}, {"lastname": "D"}]
    )
    assert api("POST", "/Merge", body("account", target, subordinate, fax="2", telephone1="3")).status == 204
    kept = api.json(f"/accounts({target})?$select=name,fax,telephone1,statecode,merged")
    assert [kept[name] for name in ("name", "fax", "telephone1", "statecode", "merged")] == [
        "Target",
        "2",
        "3",
        0,
        False,
    ]
    gone = api.json(f"/accounts({subordinate})?$select=name,fax,statecode,statuscode,merged,_masterid_value")
    assert [gone[name] for name in ("name", "fax", "statecode", "statuscode", "merged")] == [
        "Subordinate",
        "2",
        1,
        2,
        True,
    ]
    assert gone["_masterid_value"] == target
    path = f"/accounts({target})/contact_customer_accounts?$select=lastname,_modifiedby_value&$orderby=lastname"
    contacts = api.json(path)["value"]
    me = json.loads(api("GET", "/WhoAmI").body)["UserId"]
    changed = [*contacts, *(api.json(f"/accounts({one})?$select=_modifiedby_value") for one in (target, subordinate))]
    assert {row["_modifiedby_value"] for row in changed} == {me}
    assert [row["lastname"] for row in contacts] == ["C", "D"]
    assert api.json(f"/accounts({subordinate})/contact_customer_accounts")["value"] == []


def test_contacts_are_merged_as_well(api):
    target, subordinate = api.created("contacts", lastname="T"), api.created("contacts", lastname="S")
    assert api("POST", "/Merge", body("contact", target, subordinate, firstname="F")).status == 204
    assert api.json(f"/contacts({target})?$select=fullname")["fullname"] == "F T"
    assert api.json(f"/contacts({subordinate})?$select=merged")["merged"] is True


@pytest.fixture(scope="module")
def ids(api):
    above, other = api.created("accounts", name="Above"), api.created("accounts", name="Other")
    bind = {"parentaccountid@odata.bind": f"/accounts({above})"}
    inactive = api.created("accounts", name="Inactive")
    assert api("PATCH", f"/accounts({inactive})", {"statecode": 1, "statuscode": 2}).status == 204
    person = api.created("contacts", lastname="Above")
    below = {"parentcustomerid_contact@odata.bind": f"/contacts({person})"}
    return {
        "a": api.created("accounts", name="A"),
        "b": api.created("accounts", name="B"),
        "inactive": inactive,
        "below": api.created("accounts", name="Below", **bind),
        "elsewhere": api.created("accounts", name="Elsewhere", **{"parentaccountid@odata.bind": f"/accounts({other})"}),
        "contact": api.created("contacts", lastname="C"),
        "person": person,
        "child": api.created("contacts", lastname="Child", **below),
        "nobody": NOBODY,
    }


def merged(target, subordinate, kind="account", *, checks=False, **content):
    return lambda ids: body(kind, ids[target], ids[subordinate], checks=checks, **content)


def without(name):
    return lambda ids: {key: value for key, value in merged("a", "b")(ids).items() if key != name}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (merged("a", "a"), 400, "0x80045305"),
        (merged("a", "inactive"), 400, "0x80045304"),
        (merged("inactive", "a"), 400, "0x80045304"),
        (merged("a", "nobody"), 404, "0x80040217"),
        (merged("nobody", "a"), 404, "0x80040217"),
        (merged("a", "below", checks=True), 400, "0x80045317"),
        (merged("elsewhere", "below", checks=True), 400, "0x80045316"),
        (merged("child", "person", "contact"), 400, "0x80045300"),
        (merged("a", "b", name="x" * 161), 400, "0x80044331"),
        (merged("a", "b", nope=1), 400, "0x80048d19"),
        (merged("a", "b", **{"ownerid@odata.bind": f"/systemusers({NOBODY})"}), 400, "0x80040203"),
        (lambda ids: {**merged("a", "b")(ids), "Subordinate": named("contact", ids["contact"])}, 400, "0x80040203"),
        (
            lambda ids: {
                "Target": named("businessunit", NOBODY),
                "Subordinate": named("businessunit", NOBODY),
                "UpdateContent": {"@odata.type": f"{CRM}.businessunit", "name": "x"},
                "PerformParentingChecks": False,
            },
            405,
            "0x80040800",
        ),
        (without("Target"), 400, "0x80048d19"),
        (without("Subordinate"), 400, "0x80048d19"),
        (without("PerformParentingChecks"), 400, "0x80048d19"),
        (lambda ids: {**merged("a", "b")(ids), "Target": {"@odata.type": f"{CRM}.account"}}, 400, "0x80040203"),
        (lambda ids: {**merged("a", "b")(ids), "More": 1}, 400, "0x80048d19"),
    ],
)
def test_a_merge_that_cannot_be_changes_nothing(api, services, ids, asked, status, code):
    before = dump(services.dataverse.database)
    assert api.error("POST", "/Merge", asked(ids))[:2] == (status, code)
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize(
    ("depths", "status"),
    [
        ({"prvMerge": "Global", "prvWriteAccount": "Global"}, 204),
        ({"prvMerge": "Global", "prvWriteAccount": "Basic"}, 403),
        ({"prvMerge": "Global", "prvReadAccount": "Global"}, 403),
        ({"prvWriteAccount": "Global"}, 403),
    ],
)
def test_a_merge_takes_its_privilege_and_write_on_both_records(api, services, depths, status):
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    role = api.created("roles", name="Merges", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    privileges = [{"PrivilegeId": known[n], "Depth": d, "BusinessUnitId": unit} for n, d in depths.items()]
    path = f"/roles({role})/{CRM}.ReplacePrivilegesRole"
    assert api("POST", path, {"Privileges": privileges}).status == 204
    link = {"@odata.id": f"{ROOT}/roles({role})"}
    assert api("POST", f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref", link).status == 204
    target, subordinate = api.created("accounts", name="T"), api.created("accounts", name="S")
    before = dump(services.dataverse.database)
    answer = api("POST", "/Merge", body("account", target, subordinate), authorization="Bearer roleless")
    assert answer.status == status, answer.body
    assert (dump(services.dataverse.database) == before) is (status == 403)
    assert api("DELETE", f"/roles({role})").status == 204
