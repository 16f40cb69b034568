"""Who a token stands for: users and applications with their roles, teams and units, read from the environment."""

from __future__ import annotations

from contextlib import closing

import pytest
from databases import copy_database, on_sqlite_only, open_database

from entities.errors import AccessDenied
from entities.messages import Associate, Create, Disassociate, Execute, Retrieve, RetrieveMultiple, Update
from entities.pipeline import pipeline
from entities.query import QueryExpression
from entities.standard.environment import standard_catalog
from entities.standard.identifiers import default_team_id, role_copy_id, role_id, root_business_unit_id
from entities.standard.rules import SECURITY_TABLES, standard_steps
from entities.standard.seed import NewOrganization, application_administrator_rows, seed_rows
from entities.standard.user_rules import Application
from entities.values import EntityReference, Guid
from odata_server.engine.database import Durability
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.environment import Blueprint, fill, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.sample_data.demo import demo_rows
from odata_server.sample_data.people import BERLIN, PEOPLE, unit_id
from security.holders import holders
from security.privileges import Depth, environment_privilege_records

ORG = Guid("0f4a1f4e-0000-4c57-9d0a-3a5f1b1c9d42")
ROOT = EntityReference("businessunit", root_business_unit_id(ORG))
BERLIN_UNIT = EntityReference("businessunit", unit_id(ORG, BERLIN))
APPLICATION = Application(
    Guid("3a225c96-d62a-44ce-b3ec-bd4e8e9befef"), Guid("00000000-0000-0000-0000-00000000ad01"), "Talent Hub Adapter"
)
STRANGER = Guid("00000000-0000-0000-0000-00000000ffff")


def parts():
    steps = standard_steps(
        {APPLICATION.application_id: APPLICATION}.get,
        tenant_domain="contoso.example",
        organization_id=ORG,
        version="9.2",
    )
    return Parts(pipeline(*steps), lambda d, s: DataverseDirectory(d, s, ORG), SECURITY_TABLES, {})


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("directory") / "environment.db"
    catalog = standard_catalog(1)
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(ORG, catalog))
    service = OrganizationService(open_database(path, Durability.NONE), parts())
    fill(service, seed_rows(NewOrganization(ORG, "contoso"), environment_privilege_records(catalog)))
    fill(service, demo_rows(ORG, "contoso.example"))
    service.database.close()
    return path


@pytest.fixture
def environment(filled, tmp_path):
    path = tmp_path / "environment.db"
    copy_database(filled, path)
    service = OrganizationService(open_database(path, Durability.NONE), parts())
    yield service
    service.database.close()


def person(name):
    return next(p for p in PEOPLE if p.first_name == name)


def user(name):
    return EntityReference("systemuser", person(name).user_id)


def send(environment, message):
    return environment.execute(message, environment.system)


def refusal_of(look_up, *arguments):
    with pytest.raises(AccessDenied) as refusal:
        look_up(*arguments)
    return refusal.value.code, refusal.value.message


def test_a_person_is_found_by_object_id_or_by_name_in_any_case(environment):
    rita = environment.directory.user(person("Rita").object_id, None)
    assert rita.caller.user_id == person("Rita").user_id
    assert rita.caller.business_unit_id == BERLIN_UNIT.id
    assert rita.caller.full_name == "Rita Example"
    assert environment.directory.user(STRANGER, "RITA@contoso.example") == rita
    assert environment.directory.user(None, "rita@contoso.example") == rita


def test_an_application_is_found_by_application_id_or_object_id(environment):
    fill(environment, application_administrator_rows(ORG, APPLICATION.application_id))
    found = environment.directory.application_user(APPLICATION.application_id, None)
    assert found.caller.application_id == APPLICATION.application_id
    assert found.access_mode == 4
    assert environment.directory.application_user(STRANGER, APPLICATION.object_id) == found


def test_a_stranger_is_not_a_member(environment):
    # [L] text of a live answer
    expected = ("0x80072560", "The user is not a member of the organization.")
    assert refusal_of(environment.directory.user, STRANGER, "nobody@contoso.example") == expected
    assert refusal_of(environment.directory.application_user, STRANGER, STRANGER) == expected
    assert refusal_of(environment.directory.user, None, None) == expected


def test_a_disabled_user_is_refused_at_once(environment):
    directory, rob = environment.directory, person("Rob")
    directory.user(rob.object_id, None)
    send(environment, Update(user("Rob"), {"isdisabled": True}))
    code, text = refusal_of(environment.directory.user, rob.object_id, None)
    # [L] text of a live answer
    assert code == "0x80040225"
    assert text.startswith(f"The specified user(Id = {rob.user_id}) is disabled. Consider enabling this user.")
    send(environment, Update(user("Rob"), {"isdisabled": False}))
    assert environment.directory.user(rob.object_id, None)


def test_a_user_without_roles_is_refused(environment):
    role = EntityReference("role", role_copy_id(BERLIN_UNIT.id, role_id(ROOT.id, "Basic User")))
    send(environment, Disassociate(user("Rita"), "systemuserroles_association", role))
    rita = person("Rita")
    # [L] text, [E] code
    code, text = refusal_of(environment.directory.user, rita.object_id, None)
    assert code == "0x80042f09"
    assert text == (
        f"The user with id {rita.user_id} has not been assigned any roles. "
        "They need a role with the prvReadUser privilege."
    )
    send(environment, Associate(user("Rita"), "systemuserroles_association", role))
    assert environment.directory.user(rita.object_id, None).role_count == 1


def test_the_greatest_depth_over_own_and_team_roles_wins(environment):
    rita = person("Rita")
    before = environment.directory.user(rita.object_id, None)
    assert before.grants["prvReadAccount"] is Depth.BASIC
    role = send(environment, Create("role", {"name": "Berlin reader", "businessunitid": BERLIN_UNIT})).reference
    deep = {"PrivilegeName": "prvReadAccount", "Depth": "Deep"}
    send(environment, Execute("AddPrivilegesRole", {"Privileges": [deep]}, role))
    team = EntityReference("team", default_team_id(BERLIN_UNIT.id))
    send(environment, Associate(team, "teamroles_association", role))
    unit = send(environment, Create("businessunit", {"name": "Mitte", "parentbusinessunitid": BERLIN_UNIT})).reference
    after = environment.directory.user(rita.object_id, None)
    assert after.role_count == before.role_count + 1
    assert after.grants["prvReadAccount"] is Depth.DEEP
    assert after.grants["prvWriteAccount"] is Depth.BASIC
    assert set(after.units_below) == {BERLIN_UNIT.id, unit.id}
    assert after.team_ids == (team.id,)


def test_an_administrator_holds_every_privilege_that_there_is(environment):
    ada = environment.directory.user(person("Ada").object_id, None)
    names = [row["name"] for row in send(environment, RetrieveMultiple(QueryExpression("privilege"))).records]
    assert len(ada.grants) == ada.privilege_total == len(names)
    assert set(ada.grants) == set(names)
    assert ada.grants["prvReadSomethingNew"] is Depth.GLOBAL


def test_the_system_is_the_user_system(environment):
    system = environment.directory.system()
    assert system.is_system
    assert system.caller.full_name == "SYSTEM"
    found = send(environment, Retrieve(EntityReference("systemuser", system.caller.user_id))).records[0]
    assert found["fullname"] == "SYSTEM"


def test_a_principal_is_remembered_until_security_changes(environment):
    rita = person("Rita")
    first = environment.directory.user(rita.object_id, None)
    assert environment.directory.user(rita.object_id, None) is first
    send(environment, Create("account", {"name": "no security here"}))
    assert environment.directory.user(rita.object_id, None) is first
    send(environment, Create("role", {"name": "Another", "businessunitid": ROOT}))
    assert environment.directory.user(rita.object_id, None) is not first


@on_sqlite_only
@pytest.mark.parametrize("column", ["applicationid", "azureactivedirectoryobjectid", "domainname$fold"])
def test_finding_a_user_takes_an_index(environment, column):
    plan = environment.database.reader().execute(
        f'EXPLAIN QUERY PLAN SELECT systemuserid FROM systemuser WHERE "{column}" = ?', ("x",)
    )
    assert "USING INDEX" in str(plan.fetchall())


def test_basic_reach_is_what_the_principal_and_its_teams_own(environment):
    rita = environment.directory.user(person("Rita").object_id, None)
    team = EntityReference("team", default_team_id(BERLIN_UNIT.id))

    def seen():
        found = environment.execute(RetrieveMultiple(QueryExpression("account")), rita).records
        return {row["accountid"]: row["ownerid"].id for row in found}

    assert set(seen().values()) == {rita.caller.user_id}
    made = send(environment, Create("account", {"name": "of the team", "ownerid": team})).reference
    assert seen()[made.id] == team.id
    hidden = send(environment, Create("account", {"name": "of Rob", "ownerid": user("Rob")})).reference
    assert hidden.id not in seen()
    with pytest.raises(AccessDenied) as refusal:
        environment.execute(Retrieve(hidden), rita)
    assert f"does not have ReadAccess right(s) for record with id {hidden.id} of entity account" in (
        refusal.value.message
    )


@pytest.mark.parametrize(
    ("privilege", "users", "teams"),
    [
        ("prvReadAccount", {"Ada", "Sam", "Leo", "Uma", "Rita", "Hilda", "Ivan", "Rob", "Rex"}, 0),
        ("prvWriteEntity", {"Ada", "Sam", "Leo", "Hilda"}, 1),
        ("prvDeleteRole", {"Ada", "Sam"}, 0),
    ],
)
def test_who_may_get_a_record_is_found_by_own_and_team_roles(environment, privilege, users, teams):
    if teams:
        # A team of its own: its only member gets its roles.
        administrator = {"administratorid": user("Ada"), "businessunitid": BERLIN_UNIT}
        team = send(environment, Create("team", {"name": "Builders", **administrator})).reference
        customizer = EntityReference("role", role_copy_id(BERLIN_UNIT.id, role_id(ROOT.id, "System Customizer")))
        send(environment, Associate(team, "teamroles_association", customizer))
        send(environment, Associate(team, "teammembership_association", user("Hilda")))

    def found(table, column):
        query = QueryExpression(table, (column,), filter=holders(table, privilege))
        return [row[column] for row in send(environment, RetrieveMultiple(query)).records]

    assert set(found("systemuser", "firstname")) == users
    assert len(found("team", "name")) == teams
