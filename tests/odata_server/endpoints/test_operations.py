"""How functions and actions are called: names, bindings, verbs, and every form of a parameter."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from things import dump

from odata_server.edm.operation_list import AVAILABLE, operation_list
from odata_server.edm.operations import Operation

ID = "00000000-0000-0000-0000-000000000001"
CRM = "Microsoft.Dynamics.CRM"


@pytest.fixture(scope="module")
def unchanged(environments) -> Callable[[], bool]:
    """Say whether the database is what it was at first."""
    before = dump(environments[0].database)
    return lambda: dump(environments[0].database) == before


def _path(operation: Operation, sets: dict[str, str]) -> str:
    if operation.bound is None:
        return f"/{operation.name}"
    # The sets of tables that are not there have some name.
    entity_set = sets.get(operation.bound.name, f"{operation.bound.name}s")
    return f"/{entity_set}{'' if operation.bound.is_collection else f'({ID})'}/{CRM}.{operation.name}"


def test_what_is_not_there_yet_is_refused_by_name(api, environments, unchanged):
    sets = {name: table.entity_set_name for name, table in environments[0].catalog.tables.items()}
    sets["crmbaseentity"] = "accounts"
    asked = 0
    for name, overloads in operation_list().by_name.items():
        for operation in overloads:
            if name in AVAILABLE:
                continue
            path, asked = _path(operation, sets), asked + 1
            method = "POST" if operation.is_action else "GET"
            found = api.error(method, path, {} if operation.is_action else None)
            assert found == (501, "0x80040315", f"The operation '{name}' is not supported yet."), path
    assert asked
    assert unchanged()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Nonsense"),
        ("GET", "/Nonsense()"),
        ("POST", "/Nonsense"),
        ("GET", f"/accounts/{CRM}.Nonsense()"),
        ("POST", f"/workflows({ID})/{CRM}.Nonsense"),
        ("POST", f"/workflows({ID})/ExecuteWorkflow"),
        ("POST", f"/workflows({ID})/{CRM}.AddMembersTeam"),
        ("GET", f"/workflows({ID})"),
        ("GET", f"/accounts({ID})/{CRM}.WhoAmI()"),
        ("GET", f"/accounts/{CRM}.RetrieveUserPrivileges()"),
        ("GET", f"/systemusers/{CRM}.RetrieveUserPrivileges()"),
        ("GET", f"/systemusers({ID})/RetrieveUserPrivileges()"),
        ("POST", "/WhoAmI"),
        ("GET", "/PublishAllXml"),
        ("POST", f"/roles({ID})/Other.Namespace.AddPrivilegesRole"),
    ],
)
def test_a_name_that_stands_for_nothing_there_is_not_found(api, unchanged, method, path):
    assert api.error(method, path, {} if method == "POST" else None)[0] == 404
    assert unchanged()


@pytest.fixture(scope="module")
def role(api) -> str:
    return api.json("/roles?$select=roleid&$filter=name eq 'System Administrator'")["value"][0]["roleid"]


@pytest.mark.parametrize(
    "written",
    ["(RoleId={id})", "(RoleId=@role)?@role={id}", "(RoleId=@role)?@role=@other&@other={id}"],
)
def test_a_parameter_is_written_inline_or_behind_an_alias(api, role, written):
    found = api.json(f"/RetrieveRolePrivilegesRole{written.format(id=role)}")
    assert found["@odata.context"].endswith(f"$metadata#{CRM}.RetrieveRolePrivilegesRoleResponse")
    assert found["RolePrivileges"][0].keys() >= {"Depth", "PrivilegeId", "BusinessUnitId"}


@pytest.mark.parametrize(
    ("written", "status", "text"),
    [
        ("", 404, "Resource not found for the segment 'RetrieveRolePrivilegesRole'."),
        ("()", 404, "Resource not found for the segment 'RetrieveRolePrivilegesRole'."),
        ("(Role={id})", 404, "Resource not found"),
        ("(RoleId={id},More=1)", 404, "Resource not found"),
        ("(RoleId={id},RoleId={id})", 400, "The parameter 'RoleId' is given more than once"),
        ("({id})", 400, "given by name"),
        ("(RoleId=null)", 400, "A null value was found for the parameter named 'RoleId'"),
        ("(RoleId=@role)", 400, "A null value was found for the parameter named 'RoleId'"),
        ("(RoleId=@a0)?" + "&".join(f"@a{n}=@a{n + 1}" for n in range(1500)), 400, "A null value was found"),
        ("(RoleId=@role)?@role=@other&@other='{id}'", 400, "Cannot convert the literal '{id}'"),
        ("(RoleId=@role)?@role=[@role,@role]", 400, "must be a literal"),
        ("(RoleId=@role)?@role=@role", 400, "A null value was found for the parameter named 'RoleId'"),
        ("(RoleId='{id}')", 400, "Cannot convert the literal '{id}'"),
        ("(RoleId=1)", 400, "to the expected type 'Edm.Guid'"),
        ("(RoleId=[{id}])", 400, "to the expected type 'Edm.Guid'"),
        ("(RoleId={{'@odata.id':'roles({id})'}})", 400, "to the expected type 'Edm.Guid'"),
        ("(RoleId=RoleId)", 400, "Syntax error"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(api, role, unchanged, written, status, text):
    found = api.error("GET", f"/RetrieveRolePrivilegesRole{written.format(id=role)}")
    assert found[0] == status, found
    assert text.format(id=role) in found[2]
    assert unchanged()


@pytest.fixture(scope="module")
def privilege(api) -> str:
    return api.json("/privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")["value"][0]["privilegeid"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Nonsense": 1}, "The parameter 'Nonsense' in the request payload is not a valid parameter for the operation"),
        ({"Privileges": 1}, "to the expected type 'Collection(Microsoft.Dynamics.CRM.RolePrivilege)'"),
        ({"Privileges": [1]}, "to the expected type 'Microsoft.Dynamics.CRM.RolePrivilege'"),
        ({"Privileges": [None]}, "A null value was found"),
        ({"Privileges": [{"Deep": 1}]}, "The property 'Deep' does not exist on type"),
        ({"Privileges": [{"PrivilegeId": "x"}]}, "to the expected type 'Edm.Guid'"),
        ({"Privileges": [{"Depth": "Deepest"}]}, "to the expected type 'Microsoft.Dynamics.CRM.PrivilegeDepth'"),
        ({"Privileges": [{"Depth": 9}]}, "to the expected type 'Microsoft.Dynamics.CRM.PrivilegeDepth'"),
        ({"Privileges": [{"Depth": "Basic,Deep"}]}, "to the expected type 'Microsoft.Dynamics.CRM.PrivilegeDepth'"),
        (b"[]", "A JSON object was expected"),
        (b'{"Privileges":[],"Privileges":[]}', "Multiple properties with the name 'Privileges'"),
        (b'{"Privileges":' + b"[" * 10_000, "nesting"),
    ],
)
def test_an_action_refuses_a_body_that_does_not_fit(api, role, unchanged, body, text):
    status, code, message = api.error("POST", f"/roles({role})/{CRM}.AddPrivilegesRole", body)
    assert (status, code) == (400, "0x80048d19")
    assert message.startswith("Error identified in Payload provided by the user for Entity :'AddPrivilegesRole'")
    assert text in message
    assert unchanged()


@pytest.mark.parametrize(
    "record",
    [
        {"@odata.id": "privileges({id})"},
        {"@odata.id": "/privileges({id})"},
        {"@odata.id": "https://org.test:8443/api/data/v9.1/privileges({id})"},
        {"privilegeid": "{id}"},
        {"privilegeid": "{id}", "@odata.type": "Microsoft.Dynamics.CRM.privilege"},
        {"privilegeid": "{id}", "@odata.type": "#Microsoft.Dynamics.CRM.privilege"},
    ],
)
def test_a_record_is_named_by_url_or_by_its_id(api, privilege, record):
    unit = api.json("/businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    made = api.created(
        "roles", name=f"Tester {json.dumps(record)}"[:60], **{"businessunitid@odata.bind": f"/businessunits({unit})"}
    )
    granted = {"Privileges": [{"@odata.type": f"{CRM}.RolePrivilege", "PrivilegeId": privilege, "Depth": "3"}]}
    assert api("POST", f"/roles({made})/{CRM}.AddPrivilegesRole", granted).status == 204
    named = {key: value.replace("{id}", privilege) for key, value in record.items()}
    assert api("POST", f"/roles({made})/{CRM}.RemovePrivilegeRole", {"Privilege": named}).status == 204
    assert api.json(f"/RetrieveRolePrivilegesRole(RoleId={made})")["RolePrivileges"] == []


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"@odata.id": "accounts({id})"}, "is of more than one type"),
        ({"@odata.id": "nopes({id})"}, "Resource not found"),
        ({"@odata.id": "https://elsewhere/privileges({id})"}, "is not part of this service"),
        ({"@odata.id": 1}, "must be the URL of a record"),
        ({"privilegeid": "{id}", "@odata.type": "Microsoft.Dynamics.CRM.account"}, "is of more than one type"),
        ({"privilegeid": "{id}", "@odata.type": "nope"}, "could not be resolved by the model"),
        ({"privilegeid": "x"}, "expected type 'Edm.Guid'"),
        ({"nope": 1}, "Invalid property 'nope'"),
        ("{id}", "to the expected type 'Microsoft.Dynamics.CRM.privilege'"),
    ],
)
def test_a_record_that_is_none_of_the_declared_type_is_refused(api, role, privilege, record, text):
    named = json.loads(json.dumps(record).replace("{id}", privilege))
    found = api.error("POST", f"/roles({role})/{CRM}.RemovePrivilegeRole", {"Privilege": named})
    assert found[0] == 400
    assert text in found[2]
