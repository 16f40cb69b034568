"""Human Resources' /data over a real environment: keys, companies, enumerations, entity tags, refusals."""

from __future__ import annotations

import json

import pytest

ROOT = "https://org.test:8443/data"
ONE = "/CandidatesToHire(dataAreaId='',CandidateId='nope')"


def header(answer, name):
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)


def refusal(answer):
    error = json.loads(answer.body)["error"]
    assert (error["code"], error["message"]) == ("", "An error has occurred.")
    return answer.status, error["innererror"]["message"]


@pytest.fixture(scope="module")
def candidates(data):
    """Candidates of two companies and one without, by first name."""
    for company in ("USMF", "DEMF"):
        assert data("POST", "/LegalEntities", {"LegalEntityId": company, "Name": company}).status == 201
    made = {}
    for first, company in (("Ann", "USMF"), ("Bob", "demf"), ("Cid", "")):
        body = {"FirstName": first, "LastName": "Example", "dataAreaId": company, "Gender": "Female"}
        answer = data("POST", "/CandidatesToHire", body)
        assert answer.status == 201, answer.body
        made[first] = json.loads(answer.body)
    return made


def names(answer):
    return sorted(row["FirstName"] for row in answer["value"])


def test_a_created_row_comes_back_with_its_url_by_natural_key(data):
    answer = data("POST", "/LegalEntities", {"LegalEntityId": "GBSI", "Name": "Contoso"})
    assert answer.status == 201
    row = json.loads(answer.body)
    assert row["@odata.context"] == f"{ROOT}/$metadata#LegalEntities/$entity"
    assert list(row)[1] == "@odata.etag"
    assert header(answer, "Location") == f"{ROOT}/LegalEntities(LegalEntityId='GBSI')"
    assert data.json(header(answer, "Location").removeprefix(ROOT))["Name"] == "Contoso"
    assert data.json("/LegalEntities('gbsi')")["Name"] == "Contoso"


def test_no_guid_no_null_and_choices_by_name_on_the_wire(candidates):
    row = candidates["Cid"]
    assert row["Gender"] == "Female"
    assert row["MiddleName"] == ""
    assert row["BirthDate"] == "1900-01-01T00:00:00Z"
    assert None not in row.values()
    assert not any(name.lower().endswith("entityid") for name in row)


def test_without_cross_company_only_the_callers_company_and_rows_without_one_are_shown(data, candidates):
    assert names(data.json("/CandidatesToHire")) == ["Ann", "Cid"]
    assert names(data.json("/CandidatesToHire?cross-company=true")) == ["Ann", "Bob", "Cid"]
    assert data("GET", "/CandidatesToHire/$count").body == b"2"
    assert data("GET", "/CandidatesToHire/$count?cross-company=true").body == b"3"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("FirstName eq 'ann'", ["Ann"]),
        ("FirstName eq '*n*'", ["Ann"]),
        ("FirstName ne 'A*'", ["Bob", "Cid"]),
        ("Gender eq Microsoft.Dynamics.DataEntities.HcmPersonGender'Female'", ["Ann", "Bob", "Cid"]),
        ("Gender eq 'Male'", []),
        ("MiddleName eq ''", ["Ann", "Bob", "Cid"]),
        ("dataAreaId eq 'DEMF'", ["Bob"]),
        ("contains(LastName,'amp') and FirstName gt 'B'", ["Bob", "Cid"]),
    ],
)
def test_a_filter_speaks_the_dialect_of_finance_and_operations(data, candidates, condition, found):
    assert names(data.json(f"/CandidatesToHire?cross-company=true&$filter={condition}")) == found


def test_skip_and_top_cut_a_page_out_and_count_counts_everything(data, candidates):
    path = "/CandidatesToHire?cross-company=true&$select=FirstName&$orderby=FirstName&$count=true"
    answer = data.json(f"{path}&$skip=1&$top=1")
    assert answer["@odata.count"] == 3
    assert names(answer) == ["Bob"]
    assert list(answer["value"][0]) == ["@odata.etag", "FirstName"]
    assert "@odata.nextLink" not in answer
    assert names(data.json(f"{path}&$skip=3")) == []


def test_next_links_lead_through_all_rows(data, candidates):
    path, seen = "/CandidatesToHire?cross-company=true&$orderby=FirstName desc", []
    while path:
        answer = data.json(path, Prefer="odata.maxpagesize=1")
        seen += names(answer)
        path = answer.get("@odata.nextLink", "").removeprefix(ROOT)
    assert seen == ["Cid", "Bob", "Ann"]


def test_a_row_is_changed_and_deleted_under_its_entity_tag(data, candidates):
    made = data("POST", "/CandidatesToHire", {"FirstName": "Eve", "LastName": "Example"})
    url = header(made, "Location").removeprefix(ROOT)
    tag = json.loads(made.body)["@odata.etag"]
    assert data("PATCH", url, {"Comments": "x", "Gender": "Male"}, If_Match=tag).status == 204
    assert data.json(url)["Gender"] == "Male"
    assert refusal(data("PATCH", url, {"Comments": "y"}, If_Match=tag))[0] == 412
    assert refusal(data("DELETE", url, If_Match='W/"nonsense"'))[0] == 400
    assert data("DELETE", url).status == 204
    assert refusal(data("GET", url))[0] == 404
    assert refusal(data("PATCH", url, {"Comments": "z"}))[0] == 404


def test_an_action_on_a_row_answers_its_result(data, candidates):
    row = candidates["Cid"]
    path = f"/CandidatesToHire(dataAreaId='',CandidateId='{row['CandidateId']}')/Microsoft.Dynamics.DataEntities.Hire"
    body = {"LegalEntityId": "USMF", "EmploymentStartDate": "2021-07-01T00:00:00Z"}
    answer = data("POST", path, body)
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["PersonnelNumber"]
    assert refusal(data("POST", path, body))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/Nopes", None, 404, "'Nopes'"),
        ("GET", "/CandidatesToHire?$select=firstname", None, 400, "'firstname' on type 'Microsoft.Dynamics.DataEntit"),
        ("GET", "/CandidatesToHire?$select=HcmCandidateToHireEntityId", None, 400, "Could not find a property"),
        ("GET", "/CandidatesToHire('x')", None, 400, "number of keys"),
        ("GET", "/CandidatesToHire(CandidateId='x')", None, 400, "not a defined key"),
        ("GET", "/CandidatesToHire(dataAreaId='',CandidateId='nope')", None, 404, ""),
        ("GET", "/CandidatesToHire?$expand=X", None, 400, "Could not find a property named 'X' on type"),
        ("GET", "/CandidatesToHire?$apply=aggregate($count as n)", None, 400, "$apply"),
        ("GET", "/CandidatesToHire?$filter=Gender eq 'Nope'", None, 400, "'Nope'"),
        ("POST", "/CandidatesToHire", {"Gender": "Nope"}, 400, "'Nope'"),
        ("POST", "/CandidatesToHire", {"Nope": 1}, 400, "Invalid property 'Nope'"),
        ("PUT", "/CandidatesToHire", {}, 405, "PUT"),
        ("POST", "/$batch", {}, 400, "Content-Type"),
        ("POST", "/LegalEntities", {"LegalEntityId": "twin", "Name": "x"}, 400, ""),
        ("POST", f"{ONE}/Microsoft.Dynamics.DataEntities.Nope", {}, 404, "Microsoft.Dynamics.DataEntities.Nope"),
        ("POST", "/LegalEntities('x')/Microsoft.Dynamics.DataEntities.Hire", {}, 404, "DataEntities.Hire"),
        ("POST", "/CandidatesToHire/Microsoft.Dynamics.DataEntities.Hire", {}, 400, "one record"),
        ("POST", f"{ONE}/Microsoft.Dynamics.DataEntities.Hire", {"Nope": 1}, 400, "no parameter 'Nope'"),
        ("GET", f"{ONE}/Microsoft.Dynamics.DataEntities.Hire", None, 405, "GET"),
        ("POST", f"{ONE}/Microsoft.Dynamics.DataEntities.Dismiss", b"", 404, ""),
    ],
)
def test_refusals_stand_in_the_inner_error(data, method, path, body, status, text):
    data("POST", "/LegalEntities", {"LegalEntityId": "twin", "Name": "first"})
    found = refusal(data(method, path, body))
    assert found[0] == status
    assert text in found[1]


@pytest.mark.parametrize("token", ["", "Bearer bad", "Bearer stranger"])
def test_who_is_no_user_of_human_resources_is_answered_401(data, token):
    answer = data("GET", "/LegalEntities", authorization=token)
    assert answer.status == 401
    assert header(answer, "WWW-Authenticate").startswith("Bearer ")
    assert refusal(answer)[1]
