"""Functions that tell privileges, bound to users, teams and the collection of privileges, and their refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"


@dataclass(frozen=True)
class World:
    """A user with a role of its own and one of a team."""

    unit: str
    user: str
    team: str
    privileges: Mapping[str, str]


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


def role_with(api, world_unit, name, *privileges):
    role = api.created("roles", name=name, **{"businessunitid@odata.bind": f"/businessunits({world_unit})"})
    body = {"Privileges": [{"PrivilegeName": privilege, "Depth": depth} for privilege, depth in privileges]}
    assert api("POST", f"/roles({role})/{CRM}.AddPrivilegesRole", body).status == 204
    return role


@pytest.fixture(scope="module")
def world(api):
    unit = api.json("/businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    bind = {"businessunitid@odata.bind": f"/businessunits({unit})"}
    user = api.created("systemusers", firstname="Ann", lastname="Own", domainname="ann@contoso.test", **bind)
    me = api.json("/WhoAmI")["UserId"]
    team = api.created("teams", name="Sellers", **bind, **{"administratorid@odata.bind": f"/systemusers({me})"})
    own = role_with(api, unit, "Own", ("prvReadAccount", "Basic"), ("prvWriteAccount", "Local"))
    shared = role_with(api, unit, "Shared", ("prvReadAccount", "Global"), ("prvReadContact", "Basic"))
    for path, related in (
        (f"/systemusers({user})/systemuserroles_association/$ref", f"roles({own})"),
        (f"/teams({team})/teamroles_association/$ref", f"roles({shared})"),
        (f"/teams({team})/teammembership_association/$ref", f"systemusers({user})"),
    ):
        assert api("POST", path, {"@odata.id": f"{ROOT}/{related}"}).status == 204
    known = api.json("/privileges?$select=name,privilegeid")["value"]
    return World(unit, user, team, {row["name"]: row["privilegeid"] for row in known})


ALL = {"prvReadAccount": "Global", "prvWriteAccount": "Local", "prvReadContact": "Basic"}
THROUGH = {"prvReadAccount": "Global", "prvReadContact": "Basic"}
FLAGS = "ExcludeOrgDisabledPrivileges=false,IncludeSetupUserFiltering=true"
TOLD = [
    ("systemusers({user})", "RetrieveUserPrivileges()", ALL),
    ("teams({team})", "RetrieveTeamPrivileges()", THROUGH),
    ("teams({team})", "RetrieveTeamPrivileges", THROUGH),
    ("systemusers({user})", f"RetrieveUsersPrivilegesThroughTeams({FLAGS})", THROUGH),
    (
        "systemusers({user})",
        "RetrieveUsersPrivilegesThroughTeams(ExcludeOrgDisabledPrivileges=@a,IncludeSetupUserFiltering=@a)?@a=true",
        THROUGH,
    ),
    (
        "systemusers({user})",
        "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvReadAccount')",
        {"prvReadAccount": "Global"},
    ),
    (
        "systemusers({user})",
        "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName=@n)?@n='prvWriteAccount'",
        {"prvWriteAccount": "Local"},
    ),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvDeleteAccount')", {}),
    (
        "systemusers({user})",
        "RetrieveUserPrivilegeByPrivilegeId(PrivilegeId={prvReadContact})",
        {"prvReadContact": "Basic"},
    ),
    (
        "systemusers({user})",
        "RetrieveUserPrivilegeByPrivilegeId(PrivilegeId=@p)?@p={prvReadContact}",
        {"prvReadContact": "Basic"},
    ),
]


@pytest.mark.parametrize(("bound", "call", "expected"), TOLD, ids=range(len(TOLD)))
def test_privileges_are_told_with_depth_unit_and_name(api, world, state, bound, call, expected):
    before = state()
    names = {"user": world.user, "team": world.team, **world.privileges}
    found = api.json(f"/{bound.format(**names)}/{CRM}.{call.format(**names)}")
    name = call.partition("(")[0]
    assert found["@odata.context"] == f"{ROOT}/$metadata#{CRM}.{name}Response"
    told = {row["PrivilegeName"]: row for row in found["RolePrivileges"]}
    assert {name: row["Depth"] for name, row in told.items()} == expected
    for name, row in told.items():
        assert (row["PrivilegeId"], row["BusinessUnitId"]) == (world.privileges[name], world.unit)
    assert state() == before


REFUSED = [
    ("systemusers({nobody})", "RetrieveUserPrivileges()", 404, "Does Not Exist"),
    ("teams({nobody})", "RetrieveTeamPrivileges()", 404, "Does Not Exist"),
    ("systemusers({user})", "RetrieveTeamPrivileges()", 404, "Resource not found"),
    ("teams", "RetrieveTeamPrivileges()", 404, "Resource not found"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvNo')", 404, "prvNo"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName=1)", 400, "Edm.String"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeName(PrivilegeName=null)", 400, "A null value"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeName()", 404, "Resource not found"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeName(Name='prvReadAccount')", 404, "Resource not found"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeId(PrivilegeId={nobody})", 404, "Does Not Exist"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeId(PrivilegeId='x')", 400, "Edm.Guid"),
    ("systemusers({user})", "RetrieveUserPrivilegeByPrivilegeId(PrivilegeId=@p)", 400, "A null value"),
    (
        "systemusers({user})",
        "RetrieveUsersPrivilegesThroughTeams(ExcludeOrgDisabledPrivileges=1,IncludeSetupUserFiltering=true)",
        400,
        "Edm.Boolean",
    ),
    (
        "systemusers({user})",
        "RetrieveUsersPrivilegesThroughTeams(ExcludeOrgDisabledPrivileges=true)",
        404,
        "Resource not found",
    ),
    ("privileges({nobody})", "RetrievePrivilegeSet()", 404, "Resource not found"),
    ("privileges", "RetrievePrivilegeSet(More=1)", 404, "Resource not found"),
    ("privileges", "RetrievePrivilegeSet()?$select=nope", 400, "nope"),
]


@pytest.mark.parametrize("asked", REFUSED, ids=range(len(REFUSED)))
def test_privileges_are_not_told_of_what_is_not_there(api, world, state, asked):
    (bound, call, status, text), before = asked, state()
    names = {"user": world.user, "nobody": NOBODY}
    found = api.error("GET", f"/{bound.format(**names)}/{CRM}.{call.format(**names)}")
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before


def test_the_set_of_privileges_takes_the_options_of_a_collection(api, world):
    path = f"/privileges/{CRM}.RetrievePrivilegeSet()"
    whole = api.json(path)
    assert {row["name"]: row["privilegeid"] for row in whole["value"]} == world.privileges
    assert whole["@odata.context"].startswith(f"{ROOT}/$metadata#privileges")
    some = api.json(f"{path}?$select=name&$filter=startswith(name,'prvReadA')&$orderby=name&$count=true")
    names = sorted(name for name in world.privileges if name.startswith("prvReadA"))
    assert ([row["name"] for row in some["value"]], some["@odata.count"]) == (names, len(names))
    assert api.json(f"{path}?$top=2")["value"][1:]


def test_the_pages_of_a_function_follow_one_another(api, world):
    path, seen = f"/privileges/{CRM}.RetrievePrivilegeSet()?$select=name", []
    while path:
        page = api.json(path, Prefer="odata.maxpagesize=100")
        seen += [row["name"] for row in page["value"]]
        path = page.get("@odata.nextLink", "").removeprefix(ROOT)
    assert sorted(seen) == sorted(world.privileges)


@pytest.mark.parametrize("named", [{"PrivilegeName": "prvNo"}, {"PrivilegeName": 1}, {"Name": "prvReadAccount"}])
def test_a_privilege_that_no_name_stands_for_is_not_added(api, world, state, named):
    role = api.created(
        "roles", name=f"R {named}"[:40], **{"businessunitid@odata.bind": f"/businessunits({world.unit})"}
    )
    before = state()
    body = {"Privileges": [{**named, "Depth": "Basic"}]}
    assert api("POST", f"/roles({role})/{CRM}.AddPrivilegesRole", body).status in {400, 404}
    assert state() == before
