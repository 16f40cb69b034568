"""The chain from Talent Hub to a worker, through every layer of the application (R-140 to R-173, ACC-63 to ACC-72)."""

from __future__ import annotations

import pytest
from driving import URL, WEB_API, Caller, bearer, refusal, until

from security.authority.built_in import ADAPTER_CLIENT_ID

ADAPTER = str(ADAPTER_CLIENT_ID)
ENTITY = "mshr_hcmlinkedinexportedcandidateentity"
SET = "mshr_hcmlinkedinexportedcandidateentities"
RECORD = "/data/EntraApplications"
HIRE = "Microsoft.Dynamics.DataEntities.Hire"
ANN = {
    "mshr_hiringcontext": "urn:li:contract:123",
    "mshr_hrisrequestid": "hr-0001",
    "mshr_firstname": "Ann",
    "mshr_lastname": "Example",
    "mshr_emailaddress": "ann@x.test",
    "mshr_phonenumber": "+31 20 555 0100",
    "mshr_startdate": "2021-07-01",
    "mshr_jobtitle": "Engineer",
    "mshr_joblocation": "Utrecht",
}

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.fixture(scope="session")
def adapter(application, prepared):
    """The adapter's application."""
    made = prepared[1]
    return Caller(application, bearer(application, made.tenant_id, ADAPTER, made.adapter_client_secret))


def root_unit(administrator):
    return administrator.rows("businessunits?$filter=_parentbusinessunitid_value eq null")[0]["businessunitid"]


def add_role(administrator):
    unit = f"/businessunits({root_unit(administrator)})"
    return administrator.create("roles", {"name": "Export", "businessunitid@odata.bind": unit})


def add_privileges(administrator, role, *names):
    named = ",".join(f"'{name}'" for name in names)
    query = f"In(PropertyName=@p1,PropertyValues=@p2)&@p1='name'&@p2=[{named}]"
    found = administrator.rows(f"privileges?$select=privilegeid&$filter=Microsoft.Dynamics.CRM.{query}")
    privileges = [{"PrivilegeId": row["privilegeid"], "Depth": "Global"} for row in found]
    assert len(privileges) == len(names)
    administrator.post(f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": privileges})


def add_user(administrator):
    body = {
        "applicationid": ADAPTER,
        "businessunitid@odata.bind": f"/businessunits({root_unit(administrator)})",
        "firstname": "Dynamics365 HR",
        "lastname": "LinkedIn HRIS Integration",
        "internalemailaddress": "adapter@x.test",
    }
    return administrator.create("systemusers", body)


def assign(administrator, user, role):
    body = {"@odata.id": f"{URL}{WEB_API}roles({role})"}
    administrator.post(f"systemusers({user})/systemuserroles_association/$ref", body)


def catalog_row(administrator):
    query = "$filter=mserp_physicalname eq 'HcmLinkedInExportedCandidateEntity'"
    row = administrator.rows(f"mserp_financeandoperationsentities?{query}")[0]
    return f"mserp_financeandoperationsentities({row['mserp_financeandoperationsentityid']})"


def generate(administrator, *, wanted=True):
    administrator.patch(catalog_row(administrator), {"mserp_hasbeengenerated": wanted})
    until(lambda: (administrator.send("GET", SET).status_code == 200) is wanted)


def map_to(administrator, user):
    administrator.post(RECORD, {"ClientId": ADAPTER, "Name": "Talent Hub", "UserId": user})


@pytest.fixture
def ready(fresh, administrator):
    """The whole set-up, as the page asks for it."""
    role = add_role(administrator)
    add_privileges(administrator, role, "prvReadEntity", "prvReadAttribute", "prvReadRelationship")
    assign(administrator, add_user(administrator), role)
    map_to(administrator, "Uma")
    generate(administrator)


def test_each_piece_of_the_set_up_takes_one_refusal_away(administrator, adapter):
    assert refusal(adapter.send("GET", "WhoAmI"))[:2] == (403, "0x80072560")
    user = add_user(administrator)
    assert refusal(adapter.send("GET", "WhoAmI"))[:2] == (403, "0x80042f09")
    role = add_role(administrator)
    assign(administrator, user, role)
    assert adapter.get("WhoAmI")["UserId"] == user
    definition = f"EntityDefinitions(LogicalName='{ENTITY}')?$select=LogicalName"
    status, code, text = refusal(adapter.send("GET", definition))
    assert (status, code, "prvReadEntity" in text) == (403, "0x80040220", True)
    add_privileges(administrator, role, "prvReadEntity", "prvReadAttribute", "prvReadRelationship")
    assert refusal(adapter.send("GET", definition))[0] == 404
    assert refusal(adapter.send("GET", SET))[0] == 404
    generate(administrator)
    assert adapter.get(definition)["LogicalName"] == ENTITY
    status, code, text = refusal(adapter.send("POST", SET, ANN))
    assert (status, code) == (403, "0x80040265")
    assert text.endswith("was not found in finance and operations. Please ensure this user exists.")
    map_to(administrator, "Rex")
    status, code, text = refusal(adapter.send("POST", SET, ANN))
    assert (status, code, "HcmLinkedInExportedCandidateEntity" in text) == (403, "0x80040265", True)
    administrator.patch(f"{RECORD}(ClientId='{ADAPTER}')", {"UserId": "Uma"})
    assert adapter.send("POST", SET, ANN).status_code == 204


@pytest.mark.usefixtures("ready")
def test_dataverse_refuses_first_whoever_lost_the_last_role(administrator, adapter):
    """Every principal with a role may touch generated tables; one without any may touch nothing."""
    user = administrator.rows(f"systemusers?$filter=applicationid eq {ADAPTER}")[0]["systemuserid"]
    role = administrator.rows(f"systemusers({user})/systemuserroles_association")[0]["roleid"]
    assert adapter.rows(SET) == []
    administrator.delete(f"systemusers({user})/systemuserroles_association({role})/$ref")
    assert refusal(adapter.send("POST", SET, ANN))[:2] == (403, "0x80042f09")
    assert administrator.rows(SET) == []


@pytest.mark.usefixtures("ready")
def test_a_generated_row_is_created_read_changed_and_deleted(administrator, adapter):
    identifier = adapter.create(SET, ANN)
    row = adapter.get(f"{SET}({identifier})")
    assert {name: row[name] for name in ANN} == ANN
    assert adapter.get(f"{SET}({identifier})?$select=mshr_firstname")["mshr_firstname"] == "Ann"
    adapter.patch(f"{SET}({identifier})", {"mshr_jobtitle": "Architect"}, headers={"If-Match": "*"})
    assert administrator.rows(f"{SET}?$filter=mshr_jobtitle eq 'Architect'")[0][f"{ENTITY}id"] == identifier
    assert administrator.get(f"{SET}?$count=true&$filter=startswith(mshr_lastname,'exam')")["@odata.count"] == 1
    adapter.delete(f"{SET}({identifier})")
    assert refusal(adapter.send("GET", f"{SET}({identifier})"))[0] == 404
    assert refusal(adapter.send("DELETE", f"{SET}({identifier})"))[0] == 404


@pytest.mark.usefixtures("ready")
def test_a_created_row_comes_back_when_it_is_asked_for(adapter):
    answer = adapter.send("POST", SET, ANN, headers={"Prefer": "return=representation"})
    assert (answer.status_code, answer.json["mshr_emailaddress"]) == (201, "ann@x.test")


NOBODY = "00000bc7-0000-0000-ffff-000000000000"
REFUSED = {
    "an entity tag": ("PATCH", "({0})", {"mshr_jobtitle": "x"}, 'W/"1"', (405, "0x8006088d")),
    "deletion with an entity tag": ("DELETE", "({0})", None, 'W/"1"', (405, "0x8006088d")),
    "an alternate key": ("GET", "(mshr_hrisrequestid='hr-0001')", None, None, (400, "0x80060890")),
    "a change of an unknown row": ("PATCH", f"({NOBODY})", {"mshr_jobtitle": "x"}, "*", (404, "0x80040217")),
    "an upsert": ("PATCH", f"({NOBODY})", {"mshr_jobtitle": "x"}, None, (404, "0x80040217")),
    "the same keys again": ("POST", "", ANN, None, (400, "0x80040265")),
    "a person exported before": ("POST", "", ANN | {"mshr_hrisrequestid": "2"}, None, (400, "0x80040265")),
    "a value that is missing": ("POST", "", {"mshr_firstname": "Ann"}, None, (400, "0x80040265")),
    "a type that does not fit": ("POST", "", ANN | {"mshr_startdate": "soon"}, None, (400, "0x80048d19")),
    "an unknown column": ("POST", "", ANN | {"mshr_salary": 1}, None, (400, "0x80048d19")),
    "a relation that is not there": ("GET", "({0})/mshr_worker", None, None, (404, "0x80060888")),
}


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("what", REFUSED)
def test_what_virtual_tables_cannot_do_is_refused_and_changes_nothing(adapter, what):
    method, key, body, tag, expected = REFUSED[what]
    identifier = adapter.create(SET, ANN)
    headers = {"If-Match": tag} if tag else {}
    assert refusal(adapter.send(method, SET + key.format(identifier), body, headers=headers))[:2] == expected
    assert [row["mshr_jobtitle"] for row in adapter.rows(SET)] == ["Engineer"]


@pytest.mark.usefixtures("ready")
def test_a_candidate_is_hired_with_a_position_once(administrator, adapter):
    adapter.create(SET, ANN)
    [candidate] = administrator.rows("/data/CandidatesToHire?cross-company=true")
    key = f"/data/CandidatesToHire(dataAreaId='{candidate['dataAreaId']}',CandidateId='{candidate['CandidateId']}')"
    body = {"LegalEntityId": "USMF", "EmploymentStartDate": "2021-07-01", "PositionId": "000601"}
    assert refusal(administrator.send("POST", f"{key}/{HIRE}", body | {"PositionId": "999999"}))[0] == 400
    assert refusal(administrator.send("POST", f"{key}/{HIRE}", body | {"Salary": 1}))[0] == 400
    number = administrator.post(f"{key}/{HIRE}", body).json["PersonnelNumber"]
    [worker] = administrator.rows(f"/data/Workers?$filter=PersonnelNumber eq '{number}'")
    assert (worker["FirstName"], worker["PrimaryContactEmail"]) == ("Ann", "ann@x.test")
    assert refusal(administrator.send("POST", f"{key}/{HIRE}", body))[0] == 400


@pytest.mark.usefixtures("ready")
def test_a_removed_table_is_gone_and_comes_back_with_its_rows(administrator, adapter):
    identifier = adapter.create(SET, ANN)
    generate(administrator, wanted=False)
    assert refusal(adapter.send("GET", SET))[0] == 404
    assert f'Name="{ENTITY}"' not in administrator.send("GET", "$metadata").text
    generate(administrator)
    assert adapter.rows(SET)[0][f"{ENTITY}id"] == identifier
    administrator.patch(catalog_row(administrator), {"mserp_refresh": True})
    assert administrator.get(catalog_row(administrator))["mserp_refresh"] is False
