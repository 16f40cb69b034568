"""From a hired candidate in LinkedIn's file to a worker in Human Resources, over TLS with real tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPORTED_SET = "mshr_hcmlinkedinexportedcandidateentities"
HIRED = 200000001
DISMISSED = 200000003
START = "2021-07-01"


def candidates(client, where: str = "") -> list[dict]:
    query = f"&$filter={where}" if where else ""
    return client.rows(f"/data/CandidatesToHire?cross-company=true{query}")


def action(candidate: dict, name: str) -> str:
    key = f"dataAreaId='{candidate['dataAreaId']}',CandidateId='{candidate['CandidateId']}'"
    return f"/data/CandidatesToHire({key})/Microsoft.Dynamics.DataEntities.{name}"


def hire(client, candidate: dict, **more: str):
    body = {"LegalEntityId": "USMF", "EmploymentStartDate": START, **more}
    return client.send("POST", action(candidate, "Hire"), body)


def worker(client, number: str) -> dict:
    return client.rows(f"/data/Workers?$filter=PersonnelNumber eq '{number}'")[0]


def test_acc_66_an_exported_candidate_becomes_a_worker_with_the_five_details(ready, admin, ann):
    done = ready.export(ann)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("exported  hr-0001  Ann Example  ->  ")
    [candidate] = candidates(admin)
    assert (candidate["dataAreaId"], candidate["ApplicantIntegrationResult"]) == ("", "NotProcessed")
    answer = hire(admin, candidate, PositionId="000601")
    assert answer.status_code == 200
    hired = worker(admin, answer.json()["PersonnelNumber"])
    assert (hired["FirstName"], hired["LastName"]) == ("Ann", "Example")
    assert hired["PrimaryContactEmail"] == "ann@x.test"
    assert hired["PrimaryContactPhone"] == "+31 20 555 0100"
    [employment] = admin.rows(f"/data/Employments?$filter=PersonnelNumber eq '{hired['PersonnelNumber']}'")
    assert employment["LegalEntityId"].upper() == "USMF"
    assert employment["EmploymentStartDate"].startswith(START)
    [assignment] = admin.rows(
        f"/data/PositionWorkerAssignments?$filter=PersonnelNumber eq '{hired['PersonnelNumber']}'"
    )
    assert (assignment["PositionId"], assignment["ValidFrom"][:10]) == ("000601", START)


def test_acc_66_job_title_and_location_stay_off_the_worker_record(ready, admin, ann):
    ready.export(ann)
    answer = hire(admin, candidates(admin)[0])
    text = json.dumps(worker(admin, answer.json()["PersonnelNumber"]))
    assert "Engineer" not in text
    assert "Utrecht" not in text
    [exported] = admin.rows(EXPORTED_SET)
    assert (exported["mshr_jobtitle"], exported["mshr_joblocation"]) == ("Engineer", "Utrecht")


def test_acc_66_a_hired_candidate_leaves_the_list_and_the_export_says_so(ready, admin, ann):
    ready.export(ann)
    hire(admin, candidates(admin)[0])
    assert (
        candidates(
            admin,
            "ApplicantIntegrationResult eq Microsoft.Dynamics.DataEntities.HcmApplicantIntegrationResult'NotProcessed'",
        )
        == []
    )
    [exported] = admin.rows(EXPORTED_SET)
    assert exported["mshr_applicantintegrationresult"] == HIRED


def test_acc_66_an_exported_candidate_shows_in_every_legal_entity(ready, admin, ann):
    ready.export(ann)
    assert len(admin.rows("/data/CandidatesToHire")) == 1
    answer = hire(admin, candidates(admin)[0], LegalEntityId="DEMF")
    assert answer.status_code == 200


def test_acc_67_hiring_without_a_position_assigns_none(ready, admin, ann):
    ready.export(ann)
    number = hire(admin, candidates(admin)[0]).json()["PersonnelNumber"]
    assert len(admin.rows(f"/data/Employments?$filter=PersonnelNumber eq '{number}'")) == 1
    assert admin.rows(f"/data/PositionWorkerAssignments?$filter=PersonnelNumber eq '{number}'") == []


PANE = {
    "start date": lambda c: c.pop("startDate"),
    "job title": lambda c: c.update(jobTitle=""),
    "location": lambda c: c.update(jobLocation=" "),
    "e-mail": lambda c: c["candidateProfile"].update(emailAddresses=[]),
    "ill-formed e-mail": lambda c: c["candidateProfile"].update(emailAddresses=["ann.x.test"]),
}


@pytest.mark.parametrize("field", PANE)
def test_acc_69_a_candidate_with_an_empty_pane_field_is_refused_before_anything_is_sent(ready, admin, ann, field):
    good = {**ann, "hrisRequestId": "hr-0002"}
    PANE[field](ann)
    done = ready.export(good, ann)
    assert done.returncode == 2
    assert "hr-0001" in done.stderr
    assert candidates(admin) == []


def test_acc_70_a_taken_or_retired_position_is_refused_and_no_worker_is_made(ready, admin, ann):
    ready.export(ann, {**ann, "hrisRequestId": "hr-0002", "candidateProfile": {
        **ann["candidateProfile"], "firstName": "Bo", "emailAddresses": ["bo@x.test"]}})  # fmt: skip
    first, second = candidates(admin)
    assert hire(admin, first, PositionId="000601").status_code == 200
    before = len(admin.rows("/data/Workers"))
    for position in ("000601", "000610", "999999"):
        answer = hire(admin, second, PositionId=position)
        assert answer.status_code == 400
        assert position in answer.text
    assert len(admin.rows("/data/Workers")) == before


def test_acc_71_do_not_hire_takes_a_reason_and_dismiss_takes_none(ready, admin, ann):
    ready.export(ann, {**ann, "hrisRequestId": "hr-0002", "candidateProfile": {
        **ann["candidateProfile"], "firstName": "Bo", "emailAddresses": ["bo@x.test"]}})  # fmt: skip
    first, second = candidates(admin)
    assert admin.send("POST", action(first, "DoNotHire"), {}).status_code == 400
    reason = admin.rows("/data/ReasonCodes")[0]["ReasonCodeId"]
    assert admin.send("POST", action(first, "DoNotHire"), {"ReasonCodeId": reason}).status_code == 204
    assert admin.send("POST", action(second, "Dismiss"), {}).status_code == 204
    results = [candidate["ApplicantIntegrationResult"] for candidate in candidates(admin)]
    assert results == ["NotHired", "Dismissed"]
    assert hire(admin, first).status_code == 400


def test_acc_72_the_same_request_twice_creates_one_row(ready, admin, ann):
    assert ready.export(ann).returncode == 0
    again = ready.export(ann)
    assert again.returncode == 0
    assert again.stdout.startswith("already")
    assert len(admin.rows(EXPORTED_SET)) == len(candidates(admin)) == 1


def test_acc_72_the_table_itself_refuses_the_same_request_twice(ready, admin, adapter, ann):
    ready.export(ann)
    [row] = adapter.rows(f"{EXPORTED_SET}?$select=mshr_hiringcontext,mshr_hrisrequestid,mshr_firstname")
    columns = ("mshr_hiringcontext", "mshr_hrisrequestid")
    body = {name: row[name] for name in columns} | {
        "mshr_firstname": "Other",
        "mshr_lastname": "Person",
        "mshr_emailaddress": "other@x.test",
        "mshr_startdate": START,
        "mshr_jobtitle": "Cook",
        "mshr_joblocation": "Oslo",
    }
    assert adapter.refused("POST", EXPORTED_SET, body)[:2] == (400, "0x80040265")
    assert len(candidates(admin)) == 1


def test_acc_72_the_same_person_again_is_a_second_row_only_after_dismissal(ready, admin, ann):
    ready.export(ann)
    again = {**ann, "hrisRequestId": "hr-0002"}
    assert ready.export(again).returncode == 1
    assert len(candidates(admin)) == 1
    admin.send("POST", action(candidates(admin)[0], "Dismiss"), {})
    assert ready.export(again).returncode == 0
    assert len(candidates(admin)) == 2


def test_the_example_file_arrives_exactly_once_when_it_is_exported_twice(ready, admin):
    path = str(EXAMPLES / "hired-candidates.json")
    first = ready.run("talent-hub-adapter", "export", "--file", path)
    assert first.returncode == 0
    second = ready.run("talent-hub-adapter", "export", "--file", path)
    assert second.returncode == 0
    assert [line.split()[0] for line in second.stdout.splitlines()[:25]] == ["already"] * 25
    found = candidates(admin)
    assert len(found) == 25
    sent = json.loads(Path(path).read_text("utf-8"))
    names = {(c["candidateProfile"]["firstName"], c["candidateProfile"]["lastName"]) for c in sent}
    assert {(c["FirstName"], c["LastName"]) for c in found} == names


def test_nothing_of_the_broken_examples_is_stored(ready, admin):
    broken = json.loads((EXAMPLES / "broken-candidates.json").read_text("utf-8"))
    done = ready.run("talent-hub-adapter", "export", "--file", str(EXAMPLES / "broken-candidates.json"))
    assert done.returncode == 2
    for number in range(1, len(broken) + 1):
        assert f"record {number}" in done.stderr, number
    assert candidates(admin) == []
    assert admin.rows(EXPORTED_SET) == []
