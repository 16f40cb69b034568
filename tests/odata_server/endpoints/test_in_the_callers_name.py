"""What steps write on the way says who asked for it (Learn: plug-ins run as the calling user)."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def me(api):
    return json.loads(api("GET", "/WhoAmI").body)


def test_what_comes_with_a_business_unit_is_made_by_the_caller(api, me):
    above = {"parentbusinessunitid@odata.bind": f"/businessunits({me['BusinessUnitId']})"}
    unit = api.created("businessunits", name="North", **above)
    for path in ("teams", "roles"):
        made = api.json(f"/{path}?$select=_createdby_value&$filter=_businessunitid_value eq {unit}")["value"]
        assert made
        assert {row["_createdby_value"] for row in made} == {me["UserId"]}


def test_copies_of_a_role_are_changed_by_who_changes_the_role(api, me):
    above = {"parentbusinessunitid@odata.bind": f"/businessunits({me['BusinessUnitId']})"}
    api.created("businessunits", name="South", **above)
    unit = {"businessunitid@odata.bind": f"/businessunits({me['BusinessUnitId']})"}
    role = api.created("roles", name="Before", **unit)
    assert api("PATCH", f"/roles({role})", {"name": "After"}).status == 204
    copies = api.json(f"/roles?$select=name,_modifiedby_value&$filter=_parentrootroleid_value eq {role}")["value"]
    assert len(copies) > 1
    assert {(row["name"], row["_modifiedby_value"]) for row in copies} == {("After", me["UserId"])}


def test_what_nobody_asked_for_is_the_systems(api, me):
    (system,) = api.json("/systemusers?$select=systemuserid&$filter=fullname eq 'SYSTEM'")["value"]
    seeded = api.json(
        "/roles?$select=_createdby_value&$filter=name eq 'System Administrator' and _parentroleid_value eq null"
    )["value"]
    assert [row["_createdby_value"] for row in seeded] == [system["systemuserid"]]
    assert system["systemuserid"] != me["UserId"]
