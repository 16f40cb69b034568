"""Headers and query options beside the request's own: what is accepted, and who may ask for it."""

from __future__ import annotations

import pytest
from things import dump

ROOT = "https://org.test:8443/api/data/v9.2"
BYPASSES = {
    "MSCRM.BypassCustomPluginExecution": ("true", "prvBypassCustomPlugins"),
    "MSCRM.BypassBusinessLogicExecution": ("CustomSync,CustomAsync", "prvBypassCustomBusinessLogic"),
    "MSCRM.BypassBusinessLogicExecutionStepIds": (
        "0c000000-0000-4000-8000-000000000001",
        "prvBypassCustomBusinessLogic",
    ),
}


def sent(name):
    """Return a header as the server's front gives it on: in lower case."""
    return {name.lower(): BYPASSES[name][0]}


@pytest.fixture
def granted(api):
    """Give the user without roles exactly some privileges."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    role = api.created("roles", name="Bypasses", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    link = {"@odata.id": f"{ROOT}/roles({role})"}
    assert api("POST", f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref", link).status == 204

    def grant(*names):
        privileges = [{"PrivilegeId": known[name], "Depth": "Global", "BusinessUnitId": unit} for name in names]
        path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": privileges}).status == 204

    yield grant
    assert api("DELETE", f"/roles({role})").status == 204


@pytest.mark.parametrize("name", BYPASSES)
def test_passing_business_logic_by_takes_its_privilege(api, services, granted, name):
    _, privilege = BYPASSES[name]
    granted("prvCreateAccount")
    before = dump(services.dataverse.database)
    asked = {"authorization": "Bearer roleless", **sent(name)}
    status, code, text = api.error("POST", "/accounts", {"name": "A"}, **asked)
    assert (status, code) == (403, "0x80040220")
    assert privilege in text
    assert dump(services.dataverse.database) == before
    granted("prvCreateAccount", privilege)
    assert api("POST", "/accounts", {"name": "A"}, **asked).status == 204


@pytest.mark.parametrize("name", BYPASSES)
@pytest.mark.parametrize("value", ["false", "", "null", "False"])
def test_not_passing_it_by_takes_none(api, granted, name, value):
    granted("prvCreateAccount")
    asked = {"authorization": "Bearer roleless", name.lower(): value}
    assert api("POST", "/accounts", {"name": "A"}, **asked).status == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"mscrm.suppressduplicatedetection": "false"},
        {"mscrm.suppresscallbackregistrationexpanderjob": "true"},
        {"mscrm.solutionuniquename": "Mine"},
        {"mscrm.mergelabels": "true"},
        {"mscrm.languagecode": "1033"},
        {"mscrm.sessiontoken": "x"},
        {"consistency": "Strong"},
    ],
)
@pytest.mark.parametrize("query", ["", "?tag=ProcessA", "?partitionId=x", "?api-version=9.2"])
def test_other_parameters_are_accepted(api, headers, query):
    account = api.created("accounts", name="A")
    path = f"/accounts({account})"
    assert api("POST", f"/accounts{query}", {"name": "B"}, **headers).status == 204
    assert api("PATCH", f"{path}{query}", {"name": "C"}, **headers).status == 204
    assert api("PUT", f"{path}/name{query}", {"value": "D"}, **headers).status == 204
    assert api("GET", f"{path}{query}", **headers).status == 200
    assert api("DELETE", f"{path}{query}", **headers).status == 204
