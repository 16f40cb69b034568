"""Deep insert on /data: a row with its parts in one request, and what is no part of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from things import dump

WORKER = {"FirstName": "Ann", "LastName": "Example"}
EMPLOYMENT = {"LegalEntityId": "USMF", "EmploymentStartDate": "2024-01-01T00:00:00Z"}
SECOND = {"LegalEntityId": "DEMF", "EmploymentStartDate": "2025-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[1].database)


@pytest.fixture(scope="module", autouse=True)
def companies(data):
    for company in ("USMF", "DEMF"):
        assert data("POST", "/LegalEntities", {"LegalEntityId": company, "Name": company}).status == 201


def employments(data, number):
    path = (
        f"/Employments?$filter=PersonnelNumber eq '{number}'&$select=LegalEntityId,PersonnelNumber&cross-company=true"
    )
    return sorted(row["LegalEntityId"] for row in data.json(path)["value"])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [([], []), ([EMPLOYMENT], ["USMF"]), ([EMPLOYMENT, SECOND], ["DEMF", "USMF"])],
)
@pytest.mark.parametrize("number", ["", "W-{count}", "w-{count}-x"])
def test_a_row_is_created_with_its_parts(data, state, parts, expected, number):
    named = {"PersonnelNumber": number.format(count=len(state()["hcmworkerentity"]))} if number else {}
    answer = data(
        "POST", "/Workers?$expand=Employments($select=LegalEntityId)", {**WORKER, **named, "Employments": parts}
    )
    assert answer.status == 201, answer.body
    made = json.loads(answer.body)
    assert made["PersonnelNumber"] == named.get("PersonnelNumber", made["PersonnelNumber"])
    assert employments(data, made["PersonnelNumber"]) == expected
    if number and parts:
        same = {**parts[0], "PersonnelNumber": named["PersonnelNumber"].upper() + "2"}
        body = {**WORKER, "PersonnelNumber": named["PersonnelNumber"] + "2", "Employments": [same]}
        assert data("POST", "/Workers", body).status == 201


REFUSED = [
    ("/Workers", {**WORKER, "Employments": [{**EMPLOYMENT, "PersonnelNumber": "other"}]}, 400, "'PersonnelNumber'"),
    ("/Workers", {**WORKER, "Employments": [{**EMPLOYMENT, "LegalEntityId": "NONE"}]}, 400, "NONE"),
    ("/Workers", {**WORKER, "Employments": [EMPLOYMENT, EMPLOYMENT]}, 400, ""),
    ("/Workers", {**WORKER, "Employments": [{"LegalEntityId": "USMF", "Nope": 1}]}, 400, "Nope"),
    ("/Workers", {**WORKER, "Employments": [1]}, 400, ""),
    ("/Workers", {**WORKER, "Employments": {}}, 400, ""),
    ("/Workers", {**WORKER, "Nope": [EMPLOYMENT]}, 400, "Nope"),
    ("/Workers", {**WORKER, "PersonRelation": {"FirstName": "B", "LastName": "C"}}, 501, "'PersonRelation'"),
    ("/Workers", {**WORKER, "Employments@odata.bind": ["Employments('x')"]}, 400, ""),
    ("/LegalEntities", {"LegalEntityId": "NEW", "Name": "N", "LegalEntity": {}}, 400, "LegalEntity"),
    ("/Employments", {**EMPLOYMENT, "Worker": {**WORKER}}, 501, "'Worker'"),
    ("/CandidatesToHire", {**WORKER, "LinkedInExportedCandidates": [{}]}, 501, "'LinkedInExportedCandidates'"),
]


@pytest.mark.parametrize("asked", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_part_or_does_not_fit_takes_all_with_it(data, state, asked):
    (path, body, status, text), before = asked, state()
    answer = data("POST", path, body)
    found = json.loads(answer.body)["error"]["innererror"]["message"]
    assert answer.status == status, found
    assert text in found
    assert state() == before


def test_parts_come_with_new_rows_only(data, state):
    made = json.loads(data("POST", "/Workers", WORKER).body)["PersonnelNumber"]
    before = state()
    answer = data("PATCH", f"/Workers('{made}')", {"Employments": [EMPLOYMENT]})
    assert answer.status == 400
    assert state() == before
