"""Who may enter the Web API, and its functions and actions, over a real environment."""

from __future__ import annotations

import json

import pytest

ROOT = "https://org.test:8443/api/data/v9.2"
CHALLENGE = (
    "Bearer authorization_uri=https://org.test:8443/contoso/oauth2/authorize, resource_id=https://org.test:8443/"
)


def header(answer, name):
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)


@pytest.mark.parametrize(
    ("authorization", "more"),
    [
        ("", ""),
        ("Basic Z29vZA==", ""),
        ("Bearer ", ""),
        ("Bearer bad", ", error=invalid_token, error_description=The token is malformed."),
        ("Bearer expired", ", error=invalid_token, error_description=The token expired at 2020-01-01T00:00:00Z."),
    ],
)
def test_without_a_good_token_the_door_answers_the_challenge(api, authorization, more):
    answer = api("GET", "/nopes", authorization=authorization)
    assert answer.status == 401
    assert header(answer, "WWW-Authenticate") == CHALLENGE + more
    assert header(answer, "Content-Type") == "text/html"
    assert answer.body == b"HTTP Error 401 - Unauthorized: Access is denied\r\n"


@pytest.mark.parametrize(
    ("token", "code", "text"),
    [
        ("stranger", "0x80072560", "The user is not a member of the organization."),
        ("roleless", "0x80042f09", "has not been assigned any roles. They need a role with the prvReadUser privilege."),
    ],
)
def test_who_is_no_member_or_has_no_role_may_not_enter(api, token, code, text):
    found = api.error("GET", "/nopes", authorization=f"bearer {token}")
    assert found[:2] == (403, code)
    assert text in found[2]


@pytest.mark.parametrize("name", ["WhoAmI", "WhoAmI()"])
def test_who_am_i_names_user_unit_and_organization(api, name):
    answer = api("GET", f"/{name}")
    body = json.loads(answer.body)
    assert body["@odata.context"] == f"{ROOT}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    assert set(body) == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}
    assert header(answer, "x-ms-dop-hint") is not None


def test_a_function_called_with_the_wrong_verb_is_not_found(api):
    status, _, text = api.error("POST", "/WhoAmI")
    assert status == 404
    assert text == f"No HTTP resource was found that matches the request URI '{ROOT}/WhoAmI'."


def test_an_action_changes_a_role_and_answers_nothing(api):
    unit = api.json("/businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    bind = {"businessunitid@odata.bind": f"/businessunits({unit})"}
    role = api.created("roles", name="Tester", **bind)
    privilege = api.json("/privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")["value"][0]["privilegeid"]
    body = {"Privileges": [{"PrivilegeId": privilege, "Depth": "Global", "BusinessUnitId": unit}]}
    answer = api("POST", f"/roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", body)
    assert (answer.status, answer.body) == (204, b"")
    path = f"/roleprivilegescollection?$filter=roleid eq {role}"
    assert privilege in [row["privilegeid"] for row in api.json(path)["value"]]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/roles({})/Microsoft.Dynamics.CRM.AddPrivilegesRole", 404),
        ("POST", "/roles({})/Microsoft.Dynamics.CRM.Nonsense", 404),
        ("POST", "/roles({})/Other.Namespace.AddPrivilegesRole", 404),
        ("POST", "/accounts({})/Microsoft.Dynamics.CRM.AddPrivilegesRole", 404),
        ("POST", "/AddPrivilegesRole", 404),
        ("GET", "/WhoAmI(1)", 400),
    ],
)
def test_an_operation_that_is_not_there_is_not_found(api, method, path, status):
    assert api.error(method, path.format("00000000-0000-0000-0000-000000000001"), {})[0] == status


def test_error_details_come_with_the_annotations(api):
    answer = api("GET", "/nopes", Prefer='odata.include-annotations="*"')
    error = json.loads(answer.body)["error"]
    assert error["@Microsoft.PowerApps.CDS.HelpLink"] == (
        "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a80060888&client=platform"
    )
    assert list(json.loads(api("GET", "/nopes").body)["error"]) == ["code", "message"]


def test_a_url_that_is_too_long_is_refused(api):
    assert api.error("GET", "/accounts?$filter=" + "a" * 33_000)[0] == 400
