"""Set-up of the page *Integrate with LinkedIn Talent Hub*: what each piece allows, and what its absence denies."""

from __future__ import annotations

import pytest

ADAPTER = "3a225c96-d62a-44ce-b3ec-bd4e8e9befef"
ROLE = "LinkedIn Talent Hub HRIS Integration"
EXPORTED = "mshr_hcmlinkedinexportedcandidateentity"
EXPORTED_SET = "mshr_hcmlinkedinexportedcandidateentities"
DEFINITION = f"EntityDefinitions(LogicalName='{EXPORTED}')"
PIECES = ("role", "privileges", "application-user", "role-assignment", "entra-application", "table")
CATALOG = "mserp_financeandoperationsentities"
PHYSICAL_NAME = "HcmLinkedInExportedCandidateEntity"


def catalog_row(admin) -> dict:
    return admin.rows(f"{CATALOG}?$filter=mserp_physicalname eq '{PHYSICAL_NAME}'")[0]


def candidates(admin) -> list[dict]:
    return admin.rows("/data/CandidatesToHire?cross-company=true")


def integration_role(admin) -> str:
    return admin.rows(f"roles?$select=roleid&$filter=name eq '{ROLE}' and _parentroleid_value eq null")[0]["roleid"]


def test_acc_63_the_check_names_every_missing_piece_then_every_present_one(server):
    before = server.setup("--check")
    assert before.returncode != 0
    assert before.stdout.splitlines() == [f"missing  {piece}" for piece in PIECES]
    assert server.setup().returncode == 0
    after = server.setup("--check")
    assert after.returncode == 0
    assert after.stdout.splitlines() == [f"present  {piece}" for piece in PIECES]


def test_acc_63_the_setup_may_be_repeated_and_undone(ready, admin):
    assert ready.setup().returncode == 0
    assert len(admin.rows(f"systemusers?$filter=applicationid eq {ADAPTER}")) == 1
    assert len(admin.rows("/data/EntraApplications?$filter=ClientId eq '" + ADAPTER + "'")) == 1
    assert ready.setup("--undo").returncode == 0
    assert ready.setup("--check").stdout.splitlines() == [f"missing  {piece}" for piece in PIECES]


def test_acc_63_the_role_gives_organization_level_read_on_entity_field_and_relationship(ready, admin):
    grants = admin.rows(f"roleprivilegescollection?$filter=roleid eq {integration_role(admin)}")
    assert [grant["privilegedepthmask"] for grant in grants] == [8, 8, 8]
    names = {p["privilegeid"]: p["name"] for p in admin.rows("privileges?$select=name")}
    found = {names[grant["privilegeid"]] for grant in grants}
    assert found == {"prvReadEntity", "prvReadAttribute", "prvReadRelationship"}


def test_acc_63_a_token_of_the_adapter_reads_the_definition(ready, adapter):
    definition = adapter.get(f"{DEFINITION}?$select=EntitySetName&$expand=Attributes($select=LogicalName)")
    assert definition["EntitySetName"] == EXPORTED_SET
    assert {"mshr_hiringcontext", "mshr_hrisrequestid"} <= {a["LogicalName"] for a in definition["Attributes"]}
    assert adapter.get(f"{DEFINITION}/ManyToOneRelationships?$select=SchemaName")["value"] == []


@pytest.mark.parametrize("column", ["firstname", "lastname", "internalemailaddress"])
def test_acc_63_an_application_user_with_an_empty_required_field_is_refused(server, admin, column):
    unit = admin.rows("businessunits?$filter=_parentbusinessunitid_value eq null")[0]["businessunitid"]
    body = {"applicationid": ADAPTER, "businessunitid@odata.bind": f"/businessunits({unit})", column: ""}
    status, _, message = admin.refused("POST", "systemusers", body)
    assert status == 400
    assert column in message
    assert admin.rows(f"systemusers?$filter=applicationid eq {ADAPTER}") == []
    assert admin.send("POST", "systemusers", {**body, column: "any value"}).status_code == 204


def test_acc_63_an_unregistered_application_gets_no_user(server, admin):
    unit = admin.rows("businessunits?$filter=_parentbusinessunitid_value eq null")[0]["businessunitid"]
    body = {
        "applicationid": "99999999-9999-4999-8999-999999999999",
        "businessunitid@odata.bind": f"/businessunits({unit})",
    }
    assert admin.refused("POST", "systemusers", body)[:2] == (400, "0x8004f510")


def test_acc_63_the_adapter_runs_as_the_user_of_its_entra_application(ready, adapter, admin, ann):
    assert admin.rows(f"/data/EntraApplications?$filter=ClientId eq '{ADAPTER}'")[0]["UserId"] == "Uma"
    assert ready.export(ann).returncode == 0
    assert len(adapter.rows(EXPORTED_SET)) == 1


def lacks_privilege(name: str):
    def undo(admin) -> None:
        privilege = admin.rows(f"privileges?$filter=name eq '{name}'")[0]["privilegeid"]
        action = f"roles({integration_role(admin)})/Microsoft.Dynamics.CRM.RemovePrivilegeRole"
        assert admin.send("POST", action, {"PrivilegeId": privilege}).status_code == 204

    return undo


def another_client_id(admin) -> None:
    entry = {"ClientId": "51f81489-12ee-4a9e-aaae-a2591f45987d", "Name": ROLE, "UserId": "Uma"}
    assert admin.send("DELETE", f"/data/EntraApplications(ClientId='{ADAPTER}')").status_code == 204
    assert admin.send("POST", "/data/EntraApplications", entry).status_code == 201


def mapped_to_rex(admin) -> None:
    answer = admin.send("PATCH", f"/data/EntraApplications(ClientId='{ADAPTER}')", {"UserId": "Rex"})
    assert answer.status_code == 204


MISSING_PIECES = {
    "role lacks Relationship read": (lacks_privilege("prvReadRelationship"), "0x80040220", "prvReadRelationship"),
    "role lacks Entity read": (lacks_privilege("prvReadEntity"), "0x80040220", "prvReadEntity"),
    "role lacks Field read": (lacks_privilege("prvReadAttribute"), "0x80040220", "prvReadAttribute"),
    "application user missing": ("application-user", "0x80072560", "not a member of the organization"),
    "role not assigned": ("role-assignment", "0x80042f09", "has not been assigned any roles"),
    "Entra application record missing": (
        "entra-application",
        "0x80040265",
        "was not found in finance and operations. Please ensure this user exists.",
    ),
    "record with another client id": (
        another_client_id,
        "0x80040265",
        "was not found in finance and operations. Please ensure this user exists.",
    ),
    "mapped user may not write": (mapped_to_rex, "0x80040265", "HcmLinkedInExportedCandidateEntity"),
    "table not generated": ("table", "0x80040217", EXPORTED),
}


@pytest.mark.parametrize("piece", MISSING_PIECES)
def test_acc_64_each_missing_piece_denies_the_export_and_is_named(ready, admin, ann, piece):
    undo, code, text = MISSING_PIECES[piece]
    if isinstance(undo, str):
        assert ready.setup("--undo", undo).returncode == 0
    else:
        undo(admin)
    done = ready.export(ann)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert code in said
    assert text in said
    assert "talentverse setup talent-hub --check" in said
    assert candidates(admin) == []


DENIALS = {
    "role lacks Relationship read": (403, f"{DEFINITION}/ManyToOneRelationships"),
    "application user missing": (403, EXPORTED_SET),
    "role not assigned": (403, EXPORTED_SET),
    "Entra application record missing": (403, EXPORTED_SET),
    "record with another client id": (403, EXPORTED_SET),
    "table not generated": (404, EXPORTED_SET),
}


@pytest.mark.parametrize("piece", DENIALS)
def test_acc_64_the_web_api_answers_each_missing_piece_with_its_status(ready, admin, adapter, piece):
    undo, code, text = MISSING_PIECES[piece]
    if isinstance(undo, str):
        assert ready.setup("--undo", undo).returncode == 0
    else:
        undo(admin)
    status, path = DENIALS[piece]
    found = adapter.refused("GET", path)
    assert found[0] == status
    if status == 403:
        assert found[1] == code
        assert text in found[2]


def test_acc_64_a_mapped_user_who_may_not_write_is_denied_by_human_resources(ready, admin, adapter):
    mapped_to_rex(admin)
    body = {"mshr_hiringcontext": "urn:li:contract:1", "mshr_hrisrequestid": "x", "mshr_firstname": "A"}
    status, code, message = adapter.refused("POST", EXPORTED_SET, body)
    assert (status, code) == (403, "0x80040265")
    assert "Create" in message
    assert "HcmLinkedInExportedCandidateEntity" in message


@pytest.mark.parametrize("depth", ["Basic", "Local", "Deep"])
def test_acc_64_the_privileges_cannot_be_given_below_organization_level(ready, admin, depth):
    privilege = admin.rows("privileges?$filter=name eq 'prvReadRelationship'")[0]["privilegeid"]
    action = f"roles({integration_role(admin)})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    body = {"Privileges": [{"PrivilegeId": privilege, "Depth": depth}]}
    assert admin.refused("POST", action, body)[:2] == (403, "0x800404bb")


def test_acc_65_the_table_is_generated_in_the_background_and_described_everywhere(server, admin, wait_for):
    row = catalog_row(admin)
    assert row["mserp_displayname"] == "LinkedIn exported candidate"
    assert admin.refused("GET", EXPORTED_SET)[0] == 404
    path = f"{CATALOG}({row['mserp_financeandoperationsentityid']})"
    assert admin.send("PATCH", path, {"mserp_hasbeengenerated": True}).status_code == 204
    wait_for(lambda: admin.send("GET", EXPORTED_SET).status_code == 200)
    assert EXPORTED in admin.send("GET", "$metadata").text
    definition = admin.get(f"{DEFINITION}?$select=LogicalName,TableType,EntitySetName,OwnershipType")
    assert definition["TableType"] == "Virtual"
    assert definition["EntitySetName"] == EXPORTED_SET
    assert EXPORTED_SET in [entry["name"] for entry in admin.rows("")]
    assert catalog_row(admin)["mserp_cdsentitylogicalname"] == EXPORTED


def test_acc_65_generating_and_refreshing_again_changes_nothing(ready, admin, wait_for):
    def definition() -> dict:
        return admin.get(f"{DEFINITION}?$expand=Attributes")

    before = definition()
    path = f"{CATALOG}({catalog_row(admin)['mserp_financeandoperationsentityid']})"
    for change in ({"mserp_hasbeengenerated": True}, {"mserp_refresh": True}, {"mserp_refresh": True}):
        assert admin.send("PATCH", path, change).status_code == 204
        assert catalog_row(admin)["mserp_refresh"] is False
    wait_for(lambda: definition()["MetadataId"] == before["MetadataId"])
    names = [row["LogicalName"] for row in admin.rows("EntityDefinitions?$select=LogicalName")]
    assert names.count(EXPORTED) == 1
    privileges = admin.rows(f"privileges?$filter=name eq 'prvReadmshr_{PHYSICAL_NAME}'")
    assert len(privileges) == 1


def test_acc_65_a_removed_table_is_gone_everywhere_and_its_rows_stay_in_human_resources(ready, admin, ann, wait_for):
    assert ready.export(ann).returncode == 0
    path = f"{CATALOG}({catalog_row(admin)['mserp_financeandoperationsentityid']})"
    assert admin.send("PATCH", path, {"mserp_hasbeengenerated": False}).status_code == 204
    wait_for(lambda: admin.send("GET", EXPORTED_SET).status_code == 404)
    assert admin.refused("GET", DEFINITION)[0] == 404
    assert len(candidates(admin)) == 1
    assert admin.send("PATCH", path, {"mserp_hasbeengenerated": True}).status_code == 204
    wait_for(lambda: admin.send("GET", EXPORTED_SET).status_code == 200)
    assert len(admin.rows(EXPORTED_SET)) == 1
