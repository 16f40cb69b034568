"""Sharing of records: who may share what with whom, and what that lets them do."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest
from sharing import ROOT, named, set_up
from things import dump

from entities.messages import Update
from entities.metadata.catalog import CatalogChange
from entities.metadata.declare import plain, primary_id, with_ids
from entities.metadata.tables import ExternalSource, Table, TableKind
from entities.values import EntityReference, Guid

NOBODY = "0c000000-0000-4000-8000-0000000000ff"
EVERYTHING = (
    "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess, ShareAccess, AssignAccess"
)
OWN_ACCOUNTS = {
    f"{right}Account": "Basic" for right in ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Share")
}


@pytest.fixture(scope="module")
def sharing(api):
    return set_up(api)


@pytest.fixture
def account(sharing):
    """Return an account of the administrator; the reader may do everything with accounts of its own."""
    sharing.allow(**OWN_ACCOUNTS)
    return "account", sharing.api.created("accounts", name="Shared")


def test_a_record_can_be_read_as_soon_as_it_is_shared_and_no_longer_than_that(sharing, account):
    path = f"/accounts({account[1]})?$select=name"
    assert sharing.send("GET", path)[0] == 403
    sharing.do("GrantAccess", account)
    assert sharing.send("GET", path)[1]["name"] == "Shared"
    assert "Shared" in sharing.names()
    assert sharing.send("PATCH", path.partition("?")[0], {"name": "Mine"})[0] == 403
    sharing.do("RevokeAccess", account)
    assert sharing.send("GET", path)[0] == 403
    assert sharing.masks(account[1]) is None


@pytest.mark.parametrize("kind", ["user", "team"])
def test_lists_and_counts_hold_what_is_shared_with_the_user_or_a_team_of_its(sharing, account, kind):
    before = sharing.names()
    to = ("team", sharing.team) if kind == "team" else None
    sharing.do("GrantAccess", account, to=to)
    assert len(sharing.names()) == len(before) + 1
    assert sharing.send("GET", "/accounts?$count=true&$top=1")[1]["@odata.count"] == len(before) + 1
    sharing.do("RevokeAccess", account, to=to)
    assert sharing.names() == before


@pytest.mark.parametrize(
    ("mask", "method", "body"),
    [("WriteAccess", "PATCH", {"name": "Changed"}), ("DeleteAccess", "DELETE", None)],
)
def test_each_right_lets_do_what_it_says(sharing, account, mask, method, body):
    path = f"/accounts({account[1]})"
    sharing.do("GrantAccess", account)
    before = dump(sharing.api.services.dataverse.database)
    assert sharing.send(method, path, body)[0] == 403
    assert dump(sharing.api.services.dataverse.database) == before
    sharing.do("GrantAccess", account, mask)
    assert sharing.send(method, path, body)[0] == 204


def test_a_share_of_a_right_that_no_role_gives_is_refused_and_one_that_was_given_lapses_with_it(sharing, account):
    sharing.do("GrantAccess", account, "ReadAccess,WriteAccess")
    sharing.allow(ReadAccount="Basic")
    assert sharing.send("PATCH", f"/accounts({account[1]})", {"name": "Mine"})[0] == 403
    assert sharing.send("GET", f"/accounts({account[1]})")[0] == 200
    path, body = sharing.change("GrantAccess", account, "DeleteAccess")
    before = dump(sharing.api.services.dataverse.database)
    status, code, text = sharing.api.error("POST", path, body)
    assert (status, code, text) == (403, "0x80040231", "Target user or team does not hold required privileges.")
    assert dump(sharing.api.services.dataverse.database) == before


def test_grants_add_up_and_a_modification_replaces_them(sharing, account):
    sharing.do("GrantAccess", account, "ReadAccess")
    sharing.do("GrantAccess", account, "WriteAccess")
    assert sharing.masks(account[1]) == (3, 0)
    sharing.do("ModifyAccess", account, "ReadAccess, AppendAccess")
    assert sharing.masks(account[1]) == (5, 0)
    sharing.do("ModifyAccess", account, "None")
    assert sharing.masks(account[1]) is None


def test_who_shares_needs_share_on_the_record_and_the_rights_that_it_gives(sharing, account):
    path, body = sharing.change("GrantAccess", account, "ReadAccess", to=("systemuser", sharing.admin))
    sharing.do("GrantAccess", account, "ReadAccess")
    before = dump(sharing.api.services.dataverse.database)
    status, found = sharing.send("POST", path, body)
    assert (status, found["error"]["code"]) == (403, "0x80040220")
    assert "does not have ShareAccess right(s)" in found["error"]["message"]
    assert dump(sharing.api.services.dataverse.database) == before
    sharing.do("GrantAccess", account, "ShareAccess")
    assert sharing.send("POST", path, body)[0] == 204
    _, more = sharing.change("GrantAccess", account, "WriteAccess", to=("systemuser", sharing.admin))
    status, found = sharing.send("POST", path, more)
    assert status == 403
    assert "does not have WriteAccess right(s)" in found["error"]["message"]
    sharing.allow(ReadAccount="Basic")
    status, found = sharing.send("POST", path, body)
    assert status == 403
    assert "prvShareAccount" in found["error"]["message"]


def test_a_user_shares_its_own_records(sharing, account):
    status, _ = sharing.send("POST", "/accounts", {"name": "Own"})
    assert status == 204
    own = sharing.send("GET", "/accounts?$filter=name eq 'Own'")[1]["value"][0]["accountid"]
    path, body = sharing.change("GrantAccess", ("account", own), to=("systemuser", sharing.admin))
    assert sharing.send("POST", path, body)[0] == 204
    assert sharing.masks(own, sharing.admin) == (1, 0)


@pytest.mark.parametrize(
    ("target", "principal", "refusal"),
    [
        (("account", NOBODY), None, (404, "0x80040217")),
        (None, ("systemuser", NOBODY), (404, "0x80040217")),
        (None, ("team", NOBODY), (404, "0x80040217")),
        (None, ("account", NOBODY), (400, "0x8004020c")),
        (("transactioncurrency", NOBODY), None, (405, "0x80040800")),
    ],
)
@pytest.mark.parametrize("action", ["GrantAccess", "ModifyAccess", "RevokeAccess"])
def test_a_share_needs_a_record_that_has_an_owner_and_a_user_or_team(
    sharing, account, action, target, principal, refusal
):
    path, body = sharing.change(action, target or account, to=principal)
    before = dump(sharing.api.services.dataverse.database)
    assert sharing.api.error("POST", path, body)[:2] == refusal
    assert dump(sharing.api.services.dataverse.database) == before


def test_rows_of_shares_are_written_by_no_other_message(sharing, account):
    sharing.do("GrantAccess", account)
    (row,) = sharing.api.json(f"/principalobjectaccessset?$filter=objectid eq {account[1]}")["value"]
    assert (row["objecttypecode"], row["principaltypecode"]) == ("account", "systemuser")
    one = f"/principalobjectaccessset({row['principalobjectaccessid']})"
    for method, path, body in (
        ("POST", "/principalobjectaccessset", {}),
        ("PATCH", one, {}),
        ("DELETE", one, None),
    ):
        assert sharing.api.error(method, path, body)[:2] == (405, "0x80040800")


def test_who_is_no_administrator_sees_the_rows_of_its_own_shares_only(sharing, account):
    sharing.do("GrantAccess", account, to=("systemuser", sharing.admin))
    sharing.do("GrantAccess", account)
    sharing.do("GrantAccess", account, to=("team", sharing.team))
    path = f"/principalobjectaccessset?$filter=objectid eq {account[1]}&$select=principalid"
    assert len(sharing.api.json(path)["value"]) == 3
    assert set(sharing.names(path, "principalid")) == {sharing.reader, sharing.team}


def test_a_deleted_record_leaves_no_share(sharing, account):
    sharing.do("GrantAccess", account)
    assert sharing.api("DELETE", f"/accounts({account[1]})").status == 204
    assert sharing.masks(account[1]) is None


def shared(sharing, record, user="good"):
    path = f"/RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={{'@odata.id':'accounts({record})'}}"
    status, found = sharing.send("GET", path, user=user)
    return status, found.get("PrincipalAccesses"), found.get("@odata.context")


def test_who_a_record_is_shared_with_is_told_to_who_may_read_it(sharing, account):
    assert shared(sharing, account[1])[:2] == (200, [])
    assert shared(sharing, account[1], "roleless")[0] == 403
    sharing.do("GrantAccess", account, "ReadAccess,WriteAccess")
    one = {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "ownerid": sharing.reader}
    told = [{"AccessMask": "ReadAccess, WriteAccess", "Principal": one}]
    context = f"{ROOT}/$metadata#Microsoft.Dynamics.CRM.RetrieveSharedPrincipalsAndAccessResponse"
    assert shared(sharing, account[1], "roleless") == (200, told, context)
    assert shared(sharing, NOBODY)[0] == 404


def access(sharing, principal, record, user="good"):
    function = "Microsoft.Dynamics.CRM.RetrievePrincipalAccess"
    path = f"/{principal}/{function}(Target=@t)?@t={{'@odata.id':'accounts({record})'}}"
    status, found = sharing.send("GET", path, user=user)
    return status, found.get("AccessRights")


def test_what_a_principal_may_do_with_a_record_comes_from_roles_and_shares(sharing, account):
    reader, admin = f"systemusers({sharing.reader})", f"systemusers({sharing.admin})"
    assert access(sharing, admin, account[1]) == (200, EVERYTHING)
    assert access(sharing, reader, account[1]) == (200, "None")
    assert access(sharing, reader, account[1], "roleless")[0] == 403
    sharing.do("GrantAccess", account, "ReadAccess,AppendAccess")
    assert access(sharing, reader, account[1], "roleless") == (200, "ReadAccess, AppendAccess")
    # The reader sees no user but itself.
    assert access(sharing, admin, account[1], "roleless")[0] == 403
    assert access(sharing, f"teams({sharing.team})", account[1]) == (200, "None")
    (organization,) = sharing.api.json("/organizations?$select=organizationid")["value"]
    assert access(sharing, f"organizations({organization['organizationid']})", account[1]) == (200, "None")
    assert access(sharing, reader, NOBODY)[0] == 404


def test_where_rights_come_from_is_told_apart(sharing, account):
    function = "Microsoft.Dynamics.CRM.RetrievePrincipalAccessInfo"
    sharing.do("GrantAccess", account, "ReadAccess")

    def info(record, table="account"):
        path = f"/systemusers({sharing.reader})/{function}(ObjectId={record},EntityName='{table}')"
        status, found = sharing.send("GET", path, user="good")
        return status, json.loads(found["AccessInfo"]) if status == 200 else found["error"]["code"]

    told = {"RoleAccessRights": "None", "PoaAccessRights": "ReadAccess", "HsmAccessRights": "None"}
    assert info(account[1]) == (200, {**told, "GrantedAccessRights": "ReadAccess"})
    assert info(NOBODY) == (404, "0x80040217")
    assert info(account[1], "nothing")[0] in (400, 404)


@pytest.fixture
def owners(sharing):
    """Return an owner team without roles that the reader is no member of, and a role that reads all accounts."""
    unit = {"businessunitid@odata.bind": f"/businessunits({sharing.unit})"}
    admin = {"administratorid@odata.bind": f"/systemusers({sharing.admin})"}
    role = sharing.api.created("roles", name="Reader of accounts", **unit)
    known = sharing.api.json("/privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")["value"]
    privileges = [{"PrivilegeId": known[0]["privilegeid"], "Depth": "Global", "BusinessUnitId": sharing.unit}]
    path = f"/roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    assert sharing.api("POST", path, {"Privileges": privileges}).status == 204
    team = sharing.api.created("teams", name="Owners", teamtype=0, **unit, **admin)
    yield team, role
    assert sharing.api("DELETE", f"/roles({role})").status == 204


def test_an_owner_team_needs_a_role_and_has_its_rights(sharing, account, owners):
    team, role = owners
    path, body = sharing.change("GrantAccess", account, to=("team", team))
    assert access(sharing, f"teams({team})", account[1]) == (200, "None")
    assert sharing.api.error("POST", path, body)[:2] == (403, "0x80040231")
    assert sharing.masks(account[1], team) is None
    given = {"@odata.id": f"{ROOT}/roles({role})"}
    assert sharing.api("POST", f"/teams({team})/teamroles_association/$ref", given).status == 204
    assert access(sharing, f"teams({team})", account[1]) == (200, "ReadAccess")
    sharing.do("GrantAccess", account, to=("team", team))
    assert sharing.masks(account[1], team) == (1, 0)
    assert sharing.api("DELETE", f"/teams({team})").status == 204
    assert sharing.masks(account[1], team) is None


def test_the_servers_own_access_teams_are_not_shared_with(sharing, account):
    service = sharing.api.services.dataverse
    team = EntityReference("team", Guid(sharing.team))
    service.execute(Update(team, {"systemmanaged": True}), service.system)
    path, body = sharing.change("GrantAccess", account, to=("team", sharing.team))
    assert sharing.api.error("POST", path, body)[1] == "0x80048339"
    assert sharing.masks(account[1], sharing.team) is None
    service.execute(Update(team, {"systemmanaged": False}), service.system)
    assert sharing.api("POST", path, body).status == 204


def test_what_is_shared_later_in_the_same_table_makes_nobody_look_anew(sharing, account):
    """Only the first share of a principal in a table changes what processes keep of principals and plans."""
    service = sharing.api.services.dataverse
    sharing.do("GrantAccess", account, to=("systemuser", sharing.admin))
    stamp = service.catalog.version
    second = "account", sharing.api.created("accounts", name="Second")
    sharing.do("GrantAccess", second, to=("systemuser", sharing.admin))
    sharing.do("RevokeAccess", second, to=("systemuser", sharing.admin))
    assert service.catalog.version == stamp


def test_another_process_knows_of_a_share_at_once(moments):
    """Two servers over one database; the second has asked for the reader's records before anything was shared."""
    here = set_up(moments.api)
    here.allow(ReadAccount="Basic")
    account = "account", here.api.created("accounts", name="Shared")
    there = replace(here, api=moments.another())
    with closing(there.api.services.dataverse.database):
        assert there.names() == []
        here.do("GrantAccess", account)
        assert there.names() == ["Shared"]
        here.do("RevokeAccess", account)
        assert there.names() == []
        here.do("GrantAccess", account, to=("team", here.team))
        assert there.names() == ["Shared"]


def test_a_body_of_another_form_is_refused(sharing, account):
    bad = (
        {"Target": named(*account), "PrincipalAccess": None},
        {"Target": named(*account), "PrincipalAccess": {"AccessMask": "ReadAccess"}},
        {"Target": named(*account), "PrincipalAccess": {"AccessMask": "All", "Principal": named("team", sharing.team)}},
        {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.account"}},
    )
    for body in bad:
        assert sharing.api("POST", "/GrantAccess", body).status == 400


def test_rows_of_virtual_tables_are_not_shared_and_have_the_access_that_roles_give(moments):
    here = set_up(moments.api)
    names = ("mserp_worker", "mserp_Worker", "mserp_workers", 12_000, "mserp_workerid", None)
    source = ExternalSource("finance", "HcmWorkerEntity", "Workers", Guid(NOBODY))
    texts = (plain("Worker"), plain("Workers"))
    worker = Table(*names, (primary_id("mserp_WorkerId"),), *texts, kind=TableKind.VIRTUAL, source=source)
    with moments.service.changing() as transaction:
        transaction.change_catalog(CatalogChange((with_ids(worker),)))
    path, body = here.change("GrantAccess", ("mserp_worker", NOBODY))
    assert moments.api.error("POST", path, body)[:2] == (405, "0x80040800")
    function = f"Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)?@t={{'@odata.id':'mserp_workers({NOBODY})'}}"
    status, found = here.send("GET", f"/systemusers({here.admin})/{function}", user="good")
    assert (status, found["AccessRights"]) == (200, EVERYTHING.partition(", ShareAccess")[0])
    shares = f"/RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={{'@odata.id':'mserp_workers({NOBODY})'}}"
    assert moments.api.json(shares)["PrincipalAccesses"] == []
