"""Everyone has settings of his own, reads and changes them; those of others are an administrator's business."""

from __future__ import annotations

import pytest

from entities.messages import Associate, RetrieveMultiple
from entities.query import QueryExpression, equals
from entities.standard.identifiers import role_id, root_business_unit_id
from entities.standard.seed import BASIC_USER
from entities.values import EntityReference

CLERK_APPLICATION = "0a000000-0000-4000-8000-000000000003"
ADMIN_APPLICATION = "0a000000-0000-4000-8000-000000000002"
CLERK_HEADER = {"authorization": "Bearer roleless"}


def _user(service, application):
    found = service.execute(
        RetrieveMultiple(QueryExpression("systemuser", filter=equals("applicationid", application))), service.system
    )
    return found.records[0]["systemuserid"]


@pytest.fixture(scope="module")
def admin(services):
    return _user(services.dataverse, ADMIN_APPLICATION)


@pytest.fixture(scope="module")
def clerk(services):
    """The other user, who holds the role Basic User from now on."""
    service = services.dataverse
    user = _user(service, CLERK_APPLICATION)
    root = root_business_unit_id("0a000000-0000-4000-8000-000000000001")
    role = EntityReference("role", role_id(root, BASIC_USER))
    service.execute(Associate(EntityReference("systemuser", user), "systemuserroles_association", role), service.system)
    return user


def _settings(api, user, **headers):
    return api.json(f"/usersettingscollection({user})", **headers)


def test_every_user_has_settings_of_the_organization(api, admin, clerk):
    rows = api.json("/usersettingscollection?$select=systemuserid,timezonecode")["value"]
    users = api.json("/systemusers?$select=systemuserid")["value"]

    assert {row["systemuserid"] for row in rows} == {row["systemuserid"] for row in users} > {admin, clerk}
    assert {row["timezonecode"] for row in rows} == {92}
    row = _settings(api, admin)
    assert (row["dateformatstring"], row["timeformatstring"], row["decimalsymbol"]) == ("M/d/yyyy", "h:mm tt", ".")
    assert row["businessunitid"] == api.json(f"/systemusers({admin})")["_businessunitid_value"]


def test_a_user_and_its_settings_are_reached_from_each_other(api, admin):
    path = f"/systemusers({admin})?$select=fullname&$expand=user_settings($select=timezonecode)"
    back = f"/usersettingscollection({admin})?$select=timezonecode&$expand=systemuserid_systemuser($select=fullname)"

    assert [row["timezonecode"] for row in api.json(path)["user_settings"]] == [92]
    assert api.json(back)["systemuserid_systemuser"]["fullname"] == api.json(path)["fullname"]


def test_a_user_changes_its_own_settings_and_what_follows_from_the_zone_is_computed(api, clerk):
    answer = api("PATCH", f"/usersettingscollection({clerk})", {"timezonecode": 35, "paginglimit": 100}, **CLERK_HEADER)

    assert answer.status == 204
    row = _settings(api, clerk, **CLERK_HEADER)
    names = ("timezonecode", "paginglimit", "timezonebias", "timezonedaylightbias")
    assert [row[name] for name in names] == [35, 100, 300, -60]
    # Eastern Time: from the second Sunday of March to the first of November, at two o'clock (Learn: "Specify time zone
    # settings for a user").
    changes = [
        [row[f"timezone{name}{part}"] for part in ("month", "day", "dayofweek", "hour")]
        for name in ("daylight", "standard")
    ]
    assert changes == [[3, 2, 0, 2], [11, 1, 0, 2]]


@pytest.mark.parametrize("code", [-1, 9_999, None])
def test_an_unknown_time_zone_is_refused_and_nothing_changes(api, clerk, code):
    before = _settings(api, clerk)

    status, error, text = api.error(
        "PATCH", f"/usersettingscollection({clerk})", {"timezonecode": code, "paginglimit": 25}, **CLERK_HEADER
    )

    assert (status, error) == (400, "0x800608f7")
    assert text.endswith("is not recognized. Please specify a valid Time Zone Code value.")
    assert _settings(api, clerk) == before


def test_the_settings_of_others_are_closed_to_a_user_and_open_to_an_administrator(api, admin, clerk):
    own = api.json("/usersettingscollection?$select=systemuserid", **CLERK_HEADER)["value"]
    before = _settings(api, admin)

    status, code, _ = api.error("PATCH", f"/usersettingscollection({admin})", {"paginglimit": 25}, **CLERK_HEADER)
    hidden, _, _ = api.error("GET", f"/usersettingscollection({admin})", **CLERK_HEADER)

    assert [row["systemuserid"] for row in own] == [clerk]
    assert (status, hidden, code) == (403, 403, "0x80040220")
    assert _settings(api, admin) == before
    assert api("PATCH", f"/usersettingscollection({clerk})", {"paginglimit": 75}).status == 204
    assert _settings(api, clerk, **CLERK_HEADER)["paginglimit"] == 75


@pytest.mark.parametrize(
    ("method", "body"), [("POST", {"timezonecode": 92}), ("DELETE", None)], ids=["create", "delete"]
)
def test_settings_come_and_go_with_their_user_only(api, clerk, method, body):
    path = "/usersettingscollection" + (f"({clerk})" if method == "DELETE" else "")

    assert api(method, path, body).status in {400, 405}
    assert _settings(api, clerk)["systemuserid"] == clerk


def test_there_are_no_settings_without_a_user(api):
    nobody = "00000000-0000-4000-8000-00000000dead"

    assert api.error("PATCH", f"/usersettingscollection({nobody})", {"paginglimit": 25})[0] == 404


def test_a_user_takes_its_settings_along_to_another_unit_and_away_when_deleted(api):
    root = root_business_unit_id("0a000000-0000-4000-8000-000000000001")
    parent = {"parentbusinessunitid@odata.bind": f"/businessunits({root})"}
    unit = api.created("businessunits", name="Elsewhere", **parent)
    bind = {"businessunitid@odata.bind": f"/businessunits({root})"}
    user = api.created("systemusers", firstname="Uma", lastname="Example", domainname="uma@contoso.test", **bind)
    moved = {"businessunitid@odata.bind": f"/businessunits({unit})"}
    assert _settings(api, user)["businessunitid"] == root
    assert api("PATCH", f"/systemusers({user})", moved).status == 204
    assert _settings(api, user)["businessunitid"] == unit

    assert api("PATCH", f"/systemusers({user})", {"isdisabled": True}).status == 204
    assert api("DELETE", f"/systemusers({user})").status == 204

    assert api("GET", f"/usersettingscollection({user})").status == 404


def test_time_zones_are_listed_for_everyone(api, clerk):
    path = "/timezonedefinitions?$select=timezonecode,standardname,userinterfacename,bias&$filter=timezonecode eq 110"

    (row,) = api.json(path.replace(" ", "%20"), **CLERK_HEADER)["value"]

    assert (row["standardname"], row["bias"]) == ("W. Europe Standard Time", -60)
    assert row["userinterfacename"] == "(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"
    assert api("POST", "/timezonedefinitions", {"timezonecode": 1, "standardname": "Mine"}).status == 405
