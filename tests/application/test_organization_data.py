"""The Organization Data Service in the whole application: in front of Flask, in either mode, over virtual tables."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from driving import CONTROL, Caller
from set_up import set_talent_hub_up

from odata_server.app import build
from odata_server.endpoints.v2.organization_data import ROOT

JSON = {"Accept": "application/json"}
CANDIDATES = "mshr_HcmLinkedInExportedCandidateEntitySet"
CANDIDATE = {
    "mshr_HiringContext": "urn:li:contract:123",
    "mshr_HrisRequestId": "hr-0001",
    "mshr_FirstName": "Ann",
    "mshr_LastName": "Example",
    "mshr_EmailAddress": "ann@x.test",
    "mshr_JobTitle": "Engineer",
    "mshr_JobLocation": "Utrecht",
    "mshr_StartDate": "/Date(1625097600000)/",
}


def send(caller, method, path, body=None, **headers):
    return caller.send(method, f"{ROOT}/{path}", body, headers={**JSON, **headers})


@pytest.mark.parametrize("root", [ROOT, ROOT.upper(), ROOT.lower()])
def test_it_answers_whatever_the_case_of_its_path(administrator, root):
    answer = administrator.send("GET", f"{root}/AccountSet?$top=1&$select=Name", headers=JSON)
    assert (answer.status_code, answer.content_type) == (200, "application/json;charset=utf-8")
    assert len(answer.json["d"]["results"]) == 1
    assert administrator.send("GET", f"{root}x/AccountSet").status_code == 404


@pytest.mark.parametrize("path", ["$metadata", "AccountSet"])
def test_long_answers_are_compressed(administrator, path):
    answer = administrator.send("GET", f"{ROOT}/{path}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data).startswith(b"<?xml")


def test_a_caller_without_a_token_is_challenged(anybody):
    answer = send(anybody, "GET", "AccountSet")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize(("path", "there"), [("AccountSet", "accounts"), ("$metadata", "$metadata")])
def test_who_may_not_here_may_not_in_the_web_api_either(narrow, path, there):
    assert send(narrow, "GET", path).status_code == narrow.send("GET", there).status_code == 403
    assert send(narrow, "POST", "AccountSet", {"Name": "x"}).status_code == 403


def test_methods_of_its_own_get_through(administrator):
    made = send(administrator, "POST", "AccountSet", {"Name": "Through"}).json["d"]["AccountId"]
    path = f"AccountSet(guid'{made}')"
    assert send(administrator, "MERGE", path, {"Description": "merged"}).status_code == 204
    assert send(administrator, "GET", f"{path}/Description").json == {"d": {"Description": "merged"}}
    head = send(administrator, "HEAD", path)
    assert (head.status_code, head.data) == (200, b"")
    assert send(administrator, "DELETE", path).status_code == 204


def test_a_server_is_told_its_mode(prepared, administrator):
    faithful = Caller(build(replace(prepared[0], v2_mode="faithful")), administrator.headers)
    assert send(faithful, "GET", "AccountSet?$top=1").status_code == 200
    assert send(faithful, "GET", "AccountSet/$count").status_code == 404
    assert send(administrator, "GET", "AccountSet/$count").status_code == 200


def test_virtual_tables_are_read_and_written(application, administrator):
    Caller(application).post("/_talentverse/reset", headers=CONTROL)
    set_talent_hub_up(administrator)
    refused = send(administrator, "POST", CANDIDATES, {"mshr_FirstName": "Ann"})
    assert refused.status_code == 400
    assert refused.json["error"]["code"] == "-2147220891"
    made = send(administrator, "POST", CANDIDATES, CANDIDATE)
    assert made.status_code == 201, made.text
    found = send(administrator, "GET", f"{CANDIDATES}?$filter=mshr_HrisRequestId eq 'hr-0001'").json["d"]["results"]
    assert [(one["mshr_LastName"], one["mshr_StartDate"]) for one in found] == [("Example", "/Date(1625097600000)/")]
    path = found[0]["__metadata"]["uri"].partition(f"{ROOT}/")[2]
    assert send(administrator, "MERGE", path, {"mshr_JobTitle": "Chief"}).status_code == 204
    assert send(administrator, "GET", f"{path}/mshr_JobTitle/$value").text == "Chief"
    assert send(administrator, "GET", f"{CANDIDATES}/$count").text == "1"
    assert json.loads(send(administrator, "GET", f"{CANDIDATES}?$skip=1").data)["d"]["results"] == []
    assert send(administrator, "DELETE", path).status_code == 204
    assert send(administrator, "GET", path).status_code == 404
