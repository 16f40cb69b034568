"""Actions on teams and users: members, business units, managers, and records that go to somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
ROOT = "https://org.test:8443/api/data/v9.2"
NOBODY = "0c000000-0000-4000-8000-0000000000ff"
ROLELESS = "0a000000-0000-4000-8000-000000000003"


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


@pytest.fixture(scope="module")
def office(api):
    """The root unit, two below it, and the caller."""
    root = api.json("/businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    units = {"root": root}
    for name, parent in (("North", "root"), ("Oslo", "North")):
        bind = {"parentbusinessunitid@odata.bind": f"/businessunits({units[parent]})"}
        units[name] = api.created("businessunits", name=name, **bind)
    return SimpleNamespace(**units, me=api.json("/WhoAmI")["UserId"])


@pytest.fixture
def user(api, office):
    count = api.json("/systemusers?$count=true&$top=1")["@odata.count"]

    def made(name, unit=None, **more):
        bind = {"businessunitid@odata.bind": f"/businessunits({unit or office.root})"}
        return api.created("systemusers", lastname=name, domainname=f"{name}.{count}@contoso.test", **bind, **more)

    return made


@pytest.fixture
def team(api, office):
    bind = {"businessunitid@odata.bind": f"/businessunits({office.root})"}
    return api.created("teams", name="T", **bind, **{"administratorid@odata.bind": f"/systemusers({office.me})"})


def members(api, team):
    return {row["systemuserid"] for row in api.json(f"/teams({team})/teammembership_association")["value"]}


def act(api, path, body):
    answer = api("POST", path, body)
    assert (answer.status, answer.body) == (204, b""), answer.body


FORMS = [
    {"systemuserid": "{id}"},
    {"systemuserid": "{id}", "@odata.type": "Microsoft.Dynamics.CRM.systemuser"},
    {"ownerid": "{id}", "@odata.type": "#Microsoft.Dynamics.CRM.systemuser"},
    {"@odata.id": "systemusers({id})"},
    {"@odata.id": f"{ROOT}/systemusers({{id}})"},
]


@pytest.mark.parametrize("form", FORMS)
def test_users_become_members_and_leave_again(api, user, team, form):
    one, two = user("one"), user("two")
    listed = [{key: text.replace("{id}", who) for key, text in form.items()} for who in (one, two)]
    act(api, f"/teams({team})/{CRM}.AddMembersTeam", {"Members": listed})
    assert members(api, team) == {one, two}
    act(api, f"/teams({team})/{CRM}.AddMembersTeam", {"Members": listed[:1]})
    assert members(api, team) == {one, two}
    act(api, f"/teams({team})/{CRM}.RemoveMembersTeam", {"Members": listed[:1]})
    act(api, f"/teams({team})/{CRM}.RemoveMembersTeam", {"Members": listed[:1]})
    assert members(api, team) == {two}
    act(api, f"/teams({team})/{CRM}.RemoveMembersTeam", {"Members": []})
    assert members(api, team) == {two}


NO_MEMBERS = [
    ({"Members": [{"systemuserid": NOBODY}]}, 404, "Does Not Exist"),
    ({"Members": [{"systemuserid": "{me}"}, {"systemuserid": NOBODY}]}, 404, "Does Not Exist"),
    ({"Members": [{"@odata.id": f"systemusers({NOBODY})"}]}, 404, "Does Not Exist"),
    ({"Members": [{"@odata.id": "systemusers(domainname='x')"}]}, 400, "not a defined key"),
    ({"Members": [{"@odata.id": "accounts({me})"}]}, 400, "more than one type"),
    ({"Members": [{"lastname": "New"}]}, 400, "must name a record"),
    ({"Members": [None]}, 400, "A null value"),
    ({"Members": {"systemuserid": "{me}"}}, 400, "Collection(Microsoft.Dynamics.CRM.systemuser)"),
    ({"Members": None}, 400, "A null value"),
    ({}, 400, "The missing parameters are: Members."),
    ({"Members": [], "More": 1}, 400, "'More'"),
]


@pytest.mark.parametrize("case", NO_MEMBERS, ids=range(len(NO_MEMBERS)))
@pytest.mark.parametrize("action", ["AddMembersTeam", "RemoveMembersTeam"])
def test_who_is_no_user_is_no_member(api, office, team, state, action, case):
    (body, status, text), before = case, state()
    sent = json.loads(json.dumps(body).replace("{me}", office.me))
    found = api.error("POST", f"/teams({team})/{CRM}.{action}", sent)
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before


@pytest.mark.parametrize(
    "case",
    [
        ("AddMembersTeam", "0x8004830b", "Can't add members to the default business unit team."),
        ("RemoveMembersTeam", "0x8004830c", "Can't remove members from the default business unit team."),
    ],
)
def test_the_members_of_a_default_team_are_those_of_its_unit(api, office, user, state, case):
    action, code, text = case
    other = user("other", office.North)
    default = api.json(f"/teams?$filter=isdefault eq true and _businessunitid_value eq {office.root}")["value"][0]
    chosen = other if action == "AddMembersTeam" else office.me
    before = state()
    found = api.error("POST", f"/teams({default['teamid']})/{CRM}.{action}", {"Members": [{"systemuserid": chosen}]})
    assert found[1:] == (code, text)
    assert state() == before


def test_an_owner_team_becomes_an_access_team_unless_it_holds_or_owns_something(api, office, team, state):
    convert = f"/teams({team})/{CRM}.ConvertOwnerTeamToAccessTeam"
    role = api.created("roles", name="Teamed", **{"businessunitid@odata.bind": f"/businessunits({office.root})"})
    link = f"/teams({team})/teamroles_association"
    assert api("POST", f"{link}/$ref", {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    before = state()
    assert api.error("POST", convert, {})[1] == "0x80048336"
    assert state() == before
    privileges = {"Privileges": [{"PrivilegeName": "prvReadAccount", "Depth": "Global"}]}
    act(api, f"/roles({role})/{CRM}.AddPrivilegesRole", privileges)
    account = api.created("accounts", name="Owned", **{"ownerid@odata.bind": f"/teams({team})"})
    assert api("DELETE", f"{link}({role})/$ref").status == 204
    before = state()
    assert api.error("POST", convert, {})[1] == "0x80048337"
    assert state() == before
    assert api("PATCH", f"/accounts({account})", {"ownerid@odata.bind": f"/systemusers({office.me})"}).status == 204
    act(api, convert, {})
    assert api.json(f"/teams({team})?$select=teamtype")["teamtype"] == 1
    before = state()
    assert api.error("POST", convert, {})[0] == 405
    assert state() == before


OWNED = {
    "accounts": ({"name": "A"}, "ownerid"),
    "contacts": ({"lastname": "C"}, "ownerid"),
    "tasks": ({"subject": "T"}, "ownerid_task"),
}


def owned_by(api, kind, owner):
    records = {}
    for entity_set, (values, lookup) in OWNED.items():
        records[entity_set] = api.created(entity_set, **values, **{f"{lookup}@odata.bind": f"/{kind}({owner})"})
    return records


def owners(api, records):
    select = "$select=_ownerid_value,_owningbusinessunit_value"
    rows = [api.json(f"/{entity_set}({record})?{select}") for entity_set, record in records.items()]
    return {(row["_ownerid_value"], row["_owningbusinessunit_value"]) for row in rows}


@pytest.fixture
def administrator(api, office, user):
    """Make users that may own records: administrators of the root unit."""
    role = api.json(
        f"/roles?$select=roleid&$filter=name eq 'System Administrator' and _businessunitid_value eq {office.root}"
    )["value"][0]["roleid"]

    def made(name):
        found = user(name)
        path = f"/systemusers({found})/systemuserroles_association/$ref"
        assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
        return found

    return made


def principals(kind, identifier):
    name = {"systemusers": "systemuser", "teams": "team"}[kind]
    return {"@odata.type": f"{CRM}.{name}", f"{name}id": identifier}


@pytest.mark.parametrize("bound", [True, False])
def test_all_records_of_a_user_go_to_another_one(api, office, administrator, bound):
    one, two = administrator("one"), administrator("two")
    records, kept = owned_by(api, "systemusers", one), owned_by(api, "systemusers", office.me)
    if bound:
        path = f"/systemusers({one})/{CRM}.ReassignObjectsSystemUser"
        act(api, path, {"ReassignPrincipal": principals("systemusers", two)})
    else:
        body = {"FromPrincipal": principals("systemusers", one), "ToPrincipal": {"@odata.id": f"systemusers({two})"}}
        act(api, "/ReassignObjectsOwner", body)
    assert owners(api, records) == {(two, office.root)}
    assert owners(api, kept) == {(office.me, office.root)}


NO_PRINCIPALS = [
    ({"@odata.type": f"{CRM}.systemuser", "systemuserid": NOBODY}, 404, "Does Not Exist"),
    ({"@odata.id": f"systemusers({NOBODY})"}, 404, "Does Not Exist"),
    ({"systemuserid": "{me}"}, 400, "'@odata.type' is missing"),
    ({"@odata.id": "businessunits({root})"}, 400, "must name a user or a team"),
    (None, 400, "A null value"),
    ("{me}", 400, "crmbaseentity"),
]


@pytest.mark.parametrize("case", NO_PRINCIPALS, ids=range(len(NO_PRINCIPALS)))
@pytest.mark.parametrize(
    "asked",
    [
        ("/ReassignObjectsOwner", "FromPrincipal", "ToPrincipal"),
        ("/ReassignObjectsOwner", "ToPrincipal", "FromPrincipal"),
        (f"/systemusers({{me}})/{CRM}.ReassignObjectsSystemUser", "ReassignPrincipal", None),
        (f"/systemusers({{me}})/{CRM}.SetBusinessSystemUser", "ReassignPrincipal", "BusinessUnit"),
    ],
)
def test_records_go_to_users_and_teams_only(api, office, state, asked, case):
    (path, parameter, other), (given, status, text) = asked, case
    written = json.dumps({parameter: given})
    body = json.loads(written.replace("{me}", office.me).replace("{root}", office.root))
    if other is not None:
        where = f"businessunits({office.North})" if other == "BusinessUnit" else f"systemusers({office.me})"
        body[other] = {"@odata.id": where}
    before = state()
    found = api.error("POST", path.format(me=office.me), body)
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before


@pytest.mark.parametrize("keeps", [True, False])
def test_a_user_moves_to_another_business_unit(api, office, administrator, keeps):
    one, two = administrator("one"), administrator("two")
    records = owned_by(api, "systemusers", one)
    body = {
        "BusinessUnit": {"businessunitid": office.North},
        "ReassignPrincipal": principals("systemusers", one if keeps else two),
    }
    act(api, f"/systemusers({one})/{CRM}.SetBusinessSystemUser", body)
    moved = api.json(f"/systemusers({one})?$select=_businessunitid_value&$expand=systemuserroles_association")
    assert (moved["_businessunitid_value"], moved["systemuserroles_association"]) == (office.North, [])
    assert owners(api, records) == {(one, office.North) if keeps else (two, office.root)}
    teams = api.json(f"/systemusers({one})/teammembership_association?$select=name")["value"]
    assert [row["name"] for row in teams] == ["North"]


def test_what_a_user_owns_follows_it_when_its_business_unit_is_patched(api, office, administrator):
    one = administrator("one")
    records = owned_by(api, "systemusers", one)
    bind = {"businessunitid@odata.bind": f"/businessunits({office.North})"}
    assert api("PATCH", f"/systemusers({one})", bind).status == 204
    assert owners(api, records) == {(one, office.North)}


def test_who_may_not_read_records_does_not_get_them(api, office, user, administrator, state):
    one, reads_nothing = administrator("one"), user("two")
    owned_by(api, "systemusers", one)
    named, before = principals("systemusers", reads_nothing), state()
    for path, body in (
        (f"/systemusers({one})/{CRM}.ReassignObjectsSystemUser", {"ReassignPrincipal": named}),
        ("/ReassignObjectsOwner", {"FromPrincipal": principals("systemusers", one), "ToPrincipal": named}),
        (
            f"/systemusers({one})/{CRM}.SetBusinessSystemUser",
            {"BusinessUnit": {"businessunitid": office.North}, "ReassignPrincipal": named},
        ),
    ):
        assert api.error("POST", path, body)[:2] == (403, "0x80040299"), path
    assert state() == before


def manager(api, user):
    return api.json(f"/systemusers({user})?$select=_parentsystemuserid_value")["_parentsystemuserid_value"]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_user_gets_another_manager(api, user, keeps):
    old, new = user("old"), user("new")
    one = user("one", **{"parentsystemuserid@odata.bind": f"/systemusers({old})"})
    below = user("below", **{"parentsystemuserid@odata.bind": f"/systemusers({one})"})
    body = {"Parent": {"systemuserid": new}, "KeepChildUsers": keeps}
    act(api, f"/systemusers({one})/{CRM}.SetParentSystemUser", body)
    assert (manager(api, one), manager(api, below)) == (new, one if keeps else old)
    act(api, "/RemoveParent", {"Target": {"@odata.id": f"systemusers({one})"}})
    assert manager(api, one) is None


def test_a_user_is_not_managed_in_a_circle_or_by_nobody(api, office, user, state):
    one = user("one")
    below = user("below", **{"parentsystemuserid@odata.bind": f"/systemusers({one})"})
    path, before = f"/systemusers({one})/{CRM}.SetParentSystemUser", state()
    for parent, code in ((one, "0x80041d06"), (below, "0x80041d25"), (NOBODY, "0x80040217")):
        body = {"Parent": {"systemuserid": parent}, "KeepChildUsers": True}
        assert api.error("POST", path, body)[1] == code, parent
    for target, code in (
        (f"systemusers({one})", "0x80041d1e"),
        (f"businessunits({office.North})", "0x80040203"),
        (f"systemusers({NOBODY})", "0x80040217"),
    ):
        assert api.error("POST", "/RemoveParent", {"Target": {"@odata.id": target}})[1] == code, target
    for body in ({"Parent": {"systemuserid": below}}, {"KeepChildUsers": True}, {}):
        assert api.error("POST", path, body)[0] == 400
    assert state() == before


def test_functions_tell_who_and_what_is_below(api, office, user, state):
    top = user("top")
    middle = user("middle", **{"parentsystemuserid@odata.bind": f"/systemusers({top})"})
    low = user("low", **{"parentsystemuserid@odata.bind": f"/systemusers({middle})"})
    before = state()

    def names(path):
        return sorted(next(iter(row.values())) for row in api.json(path)["value"])

    below = f"/systemusers({top})/{CRM}.RetrieveAllChildUsersSystemUser()"
    assert {row["systemuserid"] for row in api.json(below)["value"]} == {middle, low}
    assert [row["lastname"] for row in api.json(f"{below}?$filter=lastname eq 'low'")["value"]] == ["low"]
    assert api.json(f"/systemusers({low})/{CRM}.RetrieveAllChildUsersSystemUser()")["value"] == []
    units = f"/businessunits({{}})/{CRM}.RetrieveBusinessHierarchyBusinessUnit()?$select=name&$orderby=name"
    assert [row["name"] for row in api.json(units.format(office.North))["value"]] == ["North", "Oslo"]
    assert {row["name"] for row in api.json(units.format(office.root))["value"]} >= {"North", "Oslo"}
    assert api.error("GET", units.format(NOBODY))[0] == 404
    assert api.error("GET", f"/systemusers({NOBODY})/{CRM}.RetrieveAllChildUsersSystemUser()")[0] == 404
    assert state() == before


@pytest.fixture(scope="module")
def reader(api, office):
    """A caller that may read everything of users, teams and units, and write nothing."""
    role = api.created("roles", name="Reader", **{"businessunitid@odata.bind": f"/businessunits({office.root})"})
    names = ("prvReadUser", "prvReadTeam", "prvReadBusinessUnit", "prvReadRole")
    granted = {"Privileges": [{"PrivilegeName": name, "Depth": "Global"} for name in names]}
    act(api, f"/roles({role})/{CRM}.AddPrivilegesRole", granted)
    who = api.json(f"/systemusers?$filter=applicationid eq {ROLELESS}")["value"][0]["systemuserid"]
    path = f"/systemusers({who})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    return role


ASKED = [
    ("/teams({team})/AddMembersTeam", {"Members": [{"systemuserid": "{one}"}]}, "prvAppend"),
    ("/teams({team})/RemoveMembersTeam", {"Members": [{"systemuserid": "{one}"}]}, "prvAppend"),
    ("/teams({team})/ConvertOwnerTeamToAccessTeam", {}, "prvWriteTeam"),
    ("/systemusers({one})/ReassignObjectsSystemUser", {"ReassignPrincipal": "{p}"}, "prvAssign"),
    ("/ReassignObjectsOwner", {"FromPrincipal": "{p}", "ToPrincipal": "{p}"}, "prvAssign"),
    ("/systemusers({one})/SetBusinessSystemUser", {"BusinessUnit": "{u}", "ReassignPrincipal": "{p}"}, "prvAssign"),
    ("/systemusers({one})/SetParentSystemUser", {"Parent": "{s}", "KeepChildUsers": True}, "prvWriteUser"),
    ("/RemoveParent", {"Target": "{p}"}, "prvWriteUser"),
]


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("asked", ASKED, ids=range(len(ASKED)))
def test_who_may_only_read_users_and_teams_does_not_change_them(api, office, user, team, state, asked):
    (path, body, privilege), one = asked, user("one")
    values = {
        "{p}": principals("systemusers", one),
        "{u}": {"businessunitid": office.North},
        "{s}": {"systemuserid": office.me},
    }
    body = {name: values.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    where = path.format(team=team, one=one)
    where = where if where.count("/") == 1 else f"{where.rpartition('/')[0]}/{CRM}.{where.rpartition('/')[2]}"
    sent, before = json.loads(json.dumps(body).replace("{one}", one)), state()
    status, _, text = api.error("POST", where, sent, authorization="Bearer roleless")
    assert (status, privilege in text) == (403, True), text
    assert state() == before


@pytest.mark.usefixtures("reader")
def test_who_may_read_users_is_told_what_they_may_do(api, office):
    path = f"/systemusers({office.me})/{CRM}.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvReadAccount')"
    assert api("GET", path, authorization="Bearer roleless").status == 200
    # The privileges themselves are records, which this caller may not read.
    found = api("GET", f"/privileges/{CRM}.RetrievePrivilegeSet()", authorization="Bearer roleless")
    assert found.status == 403
