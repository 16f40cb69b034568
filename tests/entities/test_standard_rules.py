"""The rules that the standard tables bring, in a real environment."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pytest
from databases import copy_database, open_database

from entities.errors import AccessDenied, DataverseError, InvalidArgument, InvalidOperation, RecordNotFound
from entities.messages import Associate, Create, Delete, Disassociate, Execute, RetrieveMultiple, Update
from entities.pipeline import pipeline
from entities.query import QueryExpression, both, equals
from entities.standard.environment import standard_catalog
from entities.standard.identifiers import (
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    default_team_id,
    privilege_id,
    role_copy_id,
    role_id,
    root_business_unit_id,
    system_user_id,
)
from entities.standard.rules import SECURITY_TABLES, standard_steps
from entities.standard.seed import NewOrganization, application_administrator_rows, seed_rows
from entities.standard.user_rules import Application
from entities.values import EntityReference, Guid
from odata_server.engine.database import Durability
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.environment import Blueprint, fill, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.sample_data.demo import demo_rows
from odata_server.sample_data.people import BERLIN, PEOPLE, UTRECHT, unit_id
from security.privileges import environment_privilege_records

ORG = Guid("0f4a1f4e-0000-4c57-9d0a-3a5f1b1c9d42")
ROOT = EntityReference("businessunit", root_business_unit_id(ORG))
BERLIN_UNIT = EntityReference("businessunit", unit_id(ORG, BERLIN))
UTRECHT_UNIT = EntityReference("businessunit", unit_id(ORG, UTRECHT))
BASIC_USER = role_id(ROOT.id, "Basic User")
ADMINISTRATOR = role_id(ROOT.id, "System Administrator")

ADAPTER = Application(
    Guid("3a225c96-d62a-44ce-b3ec-bd4e8e9befef"),
    Guid("00000000-0000-0000-0000-00000000ad01"),
    "Talent Hub Adapter",
)
OTHER_APP = Application(
    Guid("00000000-0000-0000-0000-00000000ad02"), Guid("00000000-0000-0000-0000-00000000ad03"), "Exporter"
)
APPLICATIONS = {application.application_id: application for application in (ADAPTER, OTHER_APP)}


def parts():
    steps = standard_steps(
        APPLICATIONS.get, tenant_domain="contoso.example", organization_id=ORG, version="9.2.21055.119"
    )
    return Parts(pipeline(*steps), lambda d, s: DataverseDirectory(d, s, ORG), SECURITY_TABLES, {})


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("standard") / "environment.db"
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


def send(environment, message):
    return environment.execute(message, environment.system)


def rows(environment, table, condition=None):
    query = QueryExpression(table) if condition is None else QueryExpression(table, filter=condition)
    return send(environment, RetrieveMultiple(query)).records


def only(environment, table, condition):
    (row,) = rows(environment, table, condition)
    return row


def user(name):
    return EntityReference("systemuser", next(p.user_id for p in PEOPLE if p.first_name == name))


def refused(environment, message, family, code=None):
    with pytest.raises(family) as refusal:
        send(environment, message)
    assert code is None or refusal.value.code == code
    return refusal.value.message


def add_application(environment, application=ADAPTER, **more):
    record = {"applicationid": application.application_id, "businessunitid": ROOT, **more}
    return send(environment, Create("systemuser", record)).reference


def test_a_fresh_environment_has_one_root_its_team_and_the_standard_roles(environment):
    root = only(environment, "businessunit", equals("parentbusinessunitid", None))
    assert (root["businessunitid"], root["organizationid"].id, root["inheritancemask"]) == (ROOT.id, ORG, 1023)
    team = only(environment, "team", equals("businessunitid", ROOT))
    assert (team["name"], team["isdefault"], team["systemmanaged"]) == ("contoso", True, True)
    assert team["ownerid"] == team["teamid"]
    roles = rows(environment, "role", equals("businessunitid", ROOT))
    assert {role["name"] for role in roles} == {
        "System Administrator",
        "System Customizer",
        "Basic User",
        "Delegate",
        "Finance and operations Basic User",
    }
    for role in roles:
        assert role["parentroleid"] is None
        assert role["parentrootroleid"].id == role["roleid"]
    administrator = next(role for role in roles if role["name"] == "System Administrator")
    assert administrator["roletemplateid"].id == SYSTEM_ADMINISTRATOR_TEMPLATE
    assert only(environment, "systemuser", equals("systemuserid", system_user_id(ORG)))["fullname"] == "SYSTEM"


def test_the_sample_data_is_complete_and_the_same_every_time(environment, tmp_path):
    assert list(demo_rows(ORG, "contoso.example")) == list(demo_rows(ORG, "contoso.example"))
    accounts, contacts = rows(environment, "account"), rows(environment, "contact")
    assert (len(accounts), len(contacts)) == (50, 200)
    assert len({contact["fullname"] for contact in contacts}) == 200
    assert all(account["primarycontactid"] and account["revenue"] for account in accounts)
    assert {contact["statecode"] for contact in contacts} == {0, 1}
    assert {p["fullname"] for p in rows(environment, "systemuser")} >= {f"{p.first_name} Example" for p in PEOPLE}


def test_a_contact_is_named_by_its_parts(environment):
    made = send(environment, Create("contact", {"firstname": "Ann", "lastname": "Example"})).reference
    assert only(environment, "contact", equals("contactid", made.id))["fullname"] == "Ann Example"
    send(environment, Update(made, {"lastname": "Other", "middlename": "B."}))
    assert only(environment, "contact", equals("contactid", made.id))["fullname"] == "Ann B. Other"
    send(environment, Update(made, {"jobtitle": "Cook"}))
    assert only(environment, "contact", equals("contactid", made.id))["fullname"] == "Ann B. Other"


def test_money_is_converted_to_the_base_currency(environment):
    euro = only(environment, "transactioncurrency", equals("isocurrencycode", "EUR"))
    currency = EntityReference("transactioncurrency", euro["transactioncurrencyid"])
    made = send(environment, Create("account", {"name": "x", "revenue": Decimal(82)})).reference
    first = only(environment, "account", equals("accountid", made.id))
    assert (first["revenue_base"], first["exchangerate"]) == (Decimal(82), Decimal(1))
    send(environment, Update(made, {"transactioncurrencyid": currency}))
    second = only(environment, "account", equals("accountid", made.id))
    assert (second["revenue_base"], second["exchangerate"]) == (Decimal(100), Decimal("0.82"))
    send(environment, Update(made, {"revenue": None}))
    assert only(environment, "account", equals("accountid", made.id))["revenue_base"] is None


def test_an_address_has_a_composite(environment):
    record = {"name": "x", "address1_line1": "Oudegracht 1", "address1_city": "Utrecht", "address1_postalcode": "3511"}
    made = send(environment, Create("account", record)).reference
    found = only(environment, "account", equals("accountid", made.id))
    assert found["address1_composite"] == "Oudegracht 1\r\nUtrecht, 3511"
    assert found["address2_composite"] is None


def test_an_application_user_is_filled_in_by_the_server(environment):
    made = add_application(environment)
    found = only(environment, "systemuser", equals("systemuserid", made.id))
    address = f"TalentHubAdapter{ADAPTER.application_id}@contoso.example"
    assert found["fullname"] == "# Talent Hub Adapter"
    assert found["domainname"] == found["internalemailaddress"] == address
    assert found["azureactivedirectoryobjectid"] == ADAPTER.object_id
    assert found["applicationiduri"]
    assert (found["accessmode"], found["islicensed"]) == (4, False)
    assert found["ownerid"] == made.id


@pytest.mark.parametrize("column", ["firstname", "lastname", "internalemailaddress"])
@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_name_or_address_of_an_application_user_is_refused_by_name(environment, column, empty):
    record = {"applicationid": ADAPTER.application_id, "businessunitid": ROOT, column: empty}
    assert f"'{column}'" in refused(environment, Create("systemuser", record), InvalidArgument)


def test_a_given_name_and_address_of_an_application_user_are_kept(environment):
    made = add_application(environment, firstname="Talent", lastname="Hub", internalemailaddress="hub@contoso.example")
    found = only(environment, "systemuser", equals("systemuserid", made.id))
    assert (found["firstname"], found["internalemailaddress"]) == ("Talent", "hub@contoso.example")


def test_an_unknown_application_is_refused(environment):
    unknown = "00000000-0000-0000-0000-00000000ad99"
    text = refused(
        environment,
        Create("systemuser", {"applicationid": unknown, "businessunitid": ROOT}),
        InvalidArgument,
        "0x8004f510",
    )
    # [E] AzureApplicationIdNotFound
    assert text.startswith(
        f"We didn’t find that application ID {unknown} in your Azure Active Directory (Azure AD) with CorrelationID "
    )


def test_a_second_user_of_an_application_is_refused(environment):
    add_application(environment)
    record = {"applicationid": ADAPTER.application_id, "businessunitid": ROOT}
    # [E] DuplicateApplicationUser
    assert refused(environment, Create("systemuser", record), InvalidArgument, "0x8004f511") == (
        f"You are attempting to create an Application ID = {ADAPTER.application_id} that already exists."
    )
    add_application(environment, OTHER_APP)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"firstname": "x"}, "0x80041d48"),
        ({"domainname": "x@contoso.example"}, "0x80041d48"),
        ({"azureactivedirectoryobjectid": "00000000-0000-0000-0000-00000000ad99"}, "0x80041d4f"),
    ],
)
def test_an_application_user_keeps_its_identity(environment, change, code):
    made = add_application(environment)
    refused(environment, Update(made, change), InvalidOperation, code)
    send(environment, Update(made, {"isdisabled": True}))


def test_a_user_is_deleted_only_after_it_was_disabled(environment):
    made = add_application(environment)
    refused(environment, Delete(made), InvalidOperation)
    send(environment, Update(made, {"isdisabled": True}))
    send(environment, Delete(made))
    assert rows(environment, "systemuser", equals("systemuserid", made.id)) == ()


def test_a_user_joins_and_changes_the_default_team_of_its_unit_and_loses_its_roles(environment):
    ivan = user("Ivan")

    def teams():
        return [row["teamid"] for row in rows(environment, "teammembership", equals("systemuserid", ivan.id))]

    assert teams() == [default_team_id(BERLIN_UNIT.id)]
    assert rows(environment, "systemuserroles", equals("systemuserid", ivan.id))
    send(environment, Update(ivan, {"businessunitid": UTRECHT_UNIT}))
    assert teams() == [default_team_id(UTRECHT_UNIT.id)]
    assert rows(environment, "systemuserroles", equals("systemuserid", ivan.id)) == ()


def test_the_last_administrator_stays(environment):
    role = EntityReference("role", ADMINISTRATOR)
    send(environment, Disassociate(user("Sam"), "systemuserroles_association", role))
    refused(environment, Update(user("Ada"), {"isdisabled": True}), InvalidOperation, "0x80041d2f")
    last = Disassociate(role, "systemuserroles_association", user("Ada"))
    refused(environment, last, InvalidOperation, "0x80041d30")
    send(environment, Update(user("Sam"), {"isdisabled": True}))


def test_a_new_role_is_copied_to_every_unit_below(environment):
    made = send(environment, Create("role", {"name": "Talent Hub", "businessunitid": ROOT})).reference
    copies = rows(environment, "role", equals("name", "Talent Hub"))
    assert {copy["businessunitid"].id for copy in copies} == {ROOT.id, BERLIN_UNIT.id, UTRECHT_UNIT.id}
    assert {copy["parentrootroleid"].id for copy in copies} == {made.id}
    berlin = next(copy for copy in copies if copy["businessunitid"] == BERLIN_UNIT)
    assert (berlin["roleid"], berlin["parentroleid"].id) == (role_copy_id(BERLIN_UNIT.id, made.id), made.id)
    send(environment, Update(made, {"name": "Talent Hub integration"}))
    assert len(rows(environment, "role", equals("name", "Talent Hub integration"))) == 3


def test_a_new_unit_gets_its_team_and_a_copy_of_every_role_with_its_privileges(environment):
    record = {"name": "Kreuzberg", "parentbusinessunitid": BERLIN_UNIT}
    unit = send(environment, Create("businessunit", record)).reference
    assert only(environment, "team", equals("businessunitid", unit))["name"] == "Kreuzberg"
    roles = rows(environment, "role", equals("businessunitid", unit))
    assert len(roles) == len(rows(environment, "role", equals("businessunitid", ROOT)))
    basic = next(role for role in roles if role["name"] == "Basic User")
    assert basic["parentroleid"].id == role_copy_id(BERLIN_UNIT.id, BASIC_USER)
    assert basic["parentrootroleid"].id == BASIC_USER
    own = rows(environment, "roleprivileges", equals("roleid", basic["roleid"]))
    original = rows(environment, "roleprivileges", equals("roleid", BASIC_USER))
    assert {(r["privilegeid"], r["privilegedepthmask"]) for r in own} == {
        (r["privilegeid"], r["privilegedepthmask"]) for r in original
    }


def test_a_renamed_unit_renames_its_default_team_only(environment):
    administrator = {"administratorid": user("Ada"), "businessunitid": BERLIN_UNIT}
    send(environment, Create("team", {"name": "Builders", **administrator}))
    send(environment, Update(BERLIN_UNIT, {"name": "Berlin-Mitte"}))
    names = {team["name"] for team in rows(environment, "team", equals("businessunitid", BERLIN_UNIT))}
    assert names == {"Berlin-Mitte", "Builders"}


def test_the_tree_of_units_keeps_one_root_without_cycles(environment):
    refused(environment, Create("businessunit", {"name": "Second"}), InvalidOperation, "0x80041d35")
    refused(environment, Update(ROOT, {"isdisabled": True}), InvalidOperation, "0x80041d63")
    refused(environment, Update(BERLIN_UNIT, {"parentbusinessunitid": None}), InvalidOperation, "0x80041d35")
    made = send(environment, Create("businessunit", {"name": "Mitte", "parentbusinessunitid": BERLIN_UNIT})).reference
    refused(environment, Update(BERLIN_UNIT, {"parentbusinessunitid": made}), InvalidOperation, "0x80047004")
    send(environment, Update(made, {"parentbusinessunitid": UTRECHT_UNIT}))


def test_a_unit_is_deleted_when_it_is_disabled_and_nothing_needs_it(environment):
    made = send(environment, Create("businessunit", {"name": "Mitte", "parentbusinessunitid": BERLIN_UNIT})).reference
    refused(environment, Delete(made), InvalidOperation, "0x80041d60")
    send(environment, Update(BERLIN_UNIT, {"isdisabled": True}))
    refused(environment, Delete(BERLIN_UNIT), InvalidOperation, "0x80041d61")
    send(environment, Update(made, {"isdisabled": True}))
    send(environment, Delete(made))
    assert rows(environment, "role", equals("businessunitid", made)) == ()
    assert rows(environment, "team", equals("businessunitid", made)) == ()


def test_a_role_name_is_taken_once_per_unit(environment):
    text = refused(
        environment, Create("role", {"name": "basic user", "businessunitid": ROOT}), InvalidArgument, "0x80041403"
    )
    assert f"already exists on business unit {ROOT.id}" in text
    send(environment, Create("role", {"name": "Berlin only", "businessunitid": BERLIN_UNIT}))
    send(environment, Create("role", {"name": "Berlin only", "businessunitid": UTRECHT_UNIT}))


def test_a_role_of_another_unit_is_refused_and_that_of_the_own_unit_given(environment):
    rita, wrong = user("Rita"), EntityReference("role", ADMINISTRATOR)
    text = refused(environment, Associate(rita, "systemuserroles_association", wrong), InvalidArgument, "0x80041409")
    # [E] UserInWrongBusiness
    assert text == (
        f"The user with id={rita.id} belongs to a different business unit={BERLIN_UNIT.id} than the role with "
        f"roleId={wrong.id} and rolebusinessUnit={ROOT.id}."
    )
    right = EntityReference("role", role_copy_id(BERLIN_UNIT.id, ADMINISTRATOR))
    send(environment, Associate(right, "systemuserroles_association", rita))
    team = EntityReference("team", default_team_id(BERLIN_UNIT.id))
    refused(environment, Associate(team, "teamroles_association", wrong), InvalidArgument, "0x8004140d")
    send(environment, Associate(team, "teamroles_association", right))


def test_default_teams_and_role_privileges_are_not_changed_by_hand(environment):
    team = EntityReference("team", default_team_id(BERLIN_UNIT.id))
    refused(environment, Associate(team, "teammembership_association", user("Rob")), InvalidOperation)
    refused(environment, Disassociate(team, "teammembership_association", user("Rita")), InvalidOperation)
    privilege = EntityReference("privilege", privilege_id("prvDeleteAccount"))
    role = EntityReference("role", BASIC_USER)
    refused(environment, Associate(role, "roleprivileges_association", privilege), InvalidOperation)


def test_standard_and_inherited_roles_stay_and_a_root_goes_with_its_copies(environment):
    refused(environment, Delete(EntityReference("role", ADMINISTRATOR)), InvalidOperation, "0x80041d2e")
    made = send(environment, Create("role", {"name": "Talent Hub", "businessunitid": ROOT})).reference
    inherited = EntityReference("role", role_copy_id(BERLIN_UNIT.id, made.id))
    # [E] unManagedidsrolesdeletenonparentrole
    assert refused(environment, Delete(inherited), InvalidOperation, "0x8004140c") == (
        "Cannot delete a role that is inherited from a parent business."
    )
    send(environment, Delete(made))
    assert rows(environment, "role", equals("name", "Talent Hub")) == ()


def grants(environment, role):
    return {
        row["privilegeid"]: row["privilegedepthmask"]
        for row in rows(environment, "roleprivileges", equals("roleid", role))
    }


def add(environment, role, *privileges, action="AddPrivilegesRole"):
    listed = [{"PrivilegeId": privilege_id(name), "Depth": depth} for name, depth in privileges]
    return send(environment, Execute(action, {"Privileges": listed}, role))


def test_privileges_are_added_changed_replaced_and_removed_with_the_copies_in_step(environment):
    role = send(environment, Create("role", {"name": "Talent Hub", "businessunitid": ROOT})).reference
    copy = role_copy_id(BERLIN_UNIT.id, role.id)
    read, write = privilege_id("prvReadAccount"), privilege_id("prvWriteAccount")
    add(environment, role, ("prvReadAccount", "Basic"), ("prvWriteAccount", "3"))
    assert grants(environment, role.id) == grants(environment, copy) == {read: 1, write: 8}
    add(environment, role, ("prvReadAccount", "Deep"))
    assert grants(environment, role.id) == grants(environment, copy) == {read: 4, write: 8}
    shown = send(environment, Execute("RetrieveRolePrivilegesRole", {"RoleId": role.id})).result["RolePrivileges"]
    assert {(item["PrivilegeId"], item["Depth"]) for item in shown} == {(read, "Deep"), (write, "Global")}
    send(environment, Execute("RemovePrivilegeRole", {"Privilege": {"privilegeid": read}}, role))
    assert grants(environment, role.id) == grants(environment, copy) == {write: 8}
    add(environment, role, ("prvReadRelationship", "Global"), action="ReplacePrivilegesRole")
    assert grants(environment, copy) == {privilege_id("prvReadRelationship"): 8}


def test_a_depth_that_a_privilege_cannot_have_is_refused(environment):
    role = send(environment, Create("role", {"name": "Talent Hub", "businessunitid": ROOT})).reference
    for depth in ("Basic", "Local", "Deep"):
        with pytest.raises(AccessDenied) as refusal:
            add(environment, role, ("prvReadRelationship", depth))
        # [E] unManagedinvalidprivilegeedepth
        assert (refusal.value.code, refusal.value.message) == ("0x800404bb", "Invalid privilege depth for user.")
    add(environment, role, ("prvReadRelationship", "Global"))


@pytest.mark.parametrize(
    ("parameters", "family"),
    [
        ({"Privileges": [{"PrivilegeId": "00000000-0000-0000-0000-00000000ad99", "Depth": "Global"}]}, RecordNotFound),
        ({"Privileges": [{"PrivilegeId": "prvReadAccount", "Depth": "Global"}]}, InvalidArgument),
        ({"Privileges": [{"PrivilegeName": "prvReadMinds", "Depth": "Global"}]}, RecordNotFound),
        ({"Privileges": [{"PrivilegeName": "prvReadAccount", "Depth": "Everywhere"}]}, InvalidArgument),
        ({"Privileges": [{"PrivilegeName": "prvReadAccount", "Depth": "Deep"}] * 2}, InvalidArgument),
        ({"Privileges": "prvReadAccount"}, InvalidArgument),
        ({}, InvalidArgument),
    ],
)
def test_a_wrong_list_of_privileges_is_refused(environment, parameters, family):
    role = send(environment, Create("role", {"name": "Talent Hub", "businessunitid": ROOT})).reference
    refused(environment, Execute("AddPrivilegesRole", parameters, role), family)


def test_the_administrator_role_and_copies_are_not_edited(environment):
    one = ("prvReadAccount", "Global")
    with pytest.raises(InvalidOperation) as refusal:
        add(environment, EntityReference("role", ADMINISTRATOR), one)
    assert refusal.value.code == "0x80041d31"
    with pytest.raises(InvalidOperation):
        add(environment, EntityReference("role", role_copy_id(BERLIN_UNIT.id, BASIC_USER)), one)


def test_who_am_i_and_the_version_are_answered(environment):
    ada = environment.directory.by_id(user("Ada").id)
    assert environment.execute(Execute("WhoAmI"), ada).result == {
        "BusinessUnitId": ROOT.id,
        "UserId": ada.caller.user_id,
        "OrganizationId": ORG,
    }
    assert environment.execute(Execute("RetrieveVersion"), ada).result == {"Version": "9.2.21055.119"}


def test_a_user_can_be_asked_for_its_privileges(environment):
    def privileges(name):
        return send(environment, Execute("RetrieveUserPrivileges", {}, user(name))).result["RolePrivileges"]

    everything = {item["PrivilegeId"] for item in privileges("Ada")}
    assert len(everything) == len(rows(environment, "privilege"))
    basic = {item["PrivilegeId"]: item for item in privileges("Rita")}
    assert basic[privilege_id("prvReadAccount")] == {
        "Depth": "Basic",
        "PrivilegeId": privilege_id("prvReadAccount"),
        "BusinessUnitId": BERLIN_UNIT.id,
        "PrivilegeName": "prvReadAccount",
    }
    assert set(basic) < everything


def test_an_application_can_be_administrator_from_the_start(environment):
    fill(environment, application_administrator_rows(ORG, ADAPTER.application_id))
    found = environment.directory.application_user(ADAPTER.application_id, None)
    assert len(found.grants) == len(rows(environment, "privilege"))
    send(environment, Delete(EntityReference("account", rows(environment, "account")[0]["accountid"])))


def test_a_refused_rule_leaves_nothing_behind(environment):
    before = len(rows(environment, "role"))
    with pytest.raises(DataverseError):
        send(environment, Create("role", {"name": "Basic User", "businessunitid": ROOT}))
    assert len(rows(environment, "role")) == before
    assert rows(environment, "role", both(equals("name", "Basic User"), equals("businessunitid", ROOT)))
