"""What functions and jobs tell of duplicates."""

from __future__ import annotations

import json

import pytest
from duplicates import NO_ONE, TYPED, detection, ids, retrieved, run_all


def test_the_duplicates_of_a_record_are_told(api, clean):
    known = {api.created("accounts", name=f"A{n}", emailaddress1="ann@x.test") for n in range(3)}
    api.created("accounts", name="B", emailaddress1="bob@x.test")
    own = next(iter(known))
    for entity in ({**TYPED, "accountid": own}, {"@odata.id": f"accounts({own})"}):
        found = retrieved(api, entity)
        assert ids(found) == known - {own}
        assert found["@odata.context"].endswith("$metadata#accounts")
        assert {"name", "emailaddress1", "@odata.etag"} <= found["value"][0].keys()
    assert ids(retrieved(api, {**TYPED, "emailaddress1": "ANN@x.test"})) == known
    assert ids(retrieved(api, {**TYPED, "name": "New"})) == set()
    # Given values count before stored ones.
    assert ids(retrieved(api, {**TYPED, "accountid": own, "emailaddress1": "none@x.test"})) == set()
    assert retrieved(api, {**TYPED, "accountid": own}, more="&$select=name")["value"][0].keys() == {
        "@odata.etag",
        "accountid",
        "name",
    }


def test_duplicates_come_in_pages(api, clean):
    known = {api.created("accounts", emailaddress1="ann@x.test") for _ in range(5)}
    asked = {**TYPED, "emailaddress1": "ann@x.test"}
    pages = [ids(retrieved(api, asked, paging={"PageNumber": n, "Count": 2})) for n in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert set().union(*pages) == known


@pytest.mark.parametrize(
    ("entity", "matching", "paging", "expected"),
    [
        ({**TYPED, "accountid": NO_ONE}, "account", None, (404, "0x80040217")),
        (TYPED, "nothing", None, (400, "0x80041102")),
        (TYPED, "systemuserroles", None, (400, "0x80048410")),
        ({**TYPED, "name": "A"}, "account", {"PageNumber": 0, "Count": 2}, (400, "0x80040203")),
        ({**TYPED, "name": "A"}, "account", {"PageNumber": 1, "Count": 5001}, (400, "0x80040203")),
    ],
)
def test_questions_for_duplicates_that_make_no_sense_are_refused(api, entity, matching, paging, expected):
    function = "/RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName=@p2,PagingInfo=@p3)"
    written, page = (json.dumps(value).replace('"', "'") for value in (entity, paging))
    assert api.error("GET", f"{function}?@p1={written}&@p2='{matching}'&@p3={page}")[:2] == expected


# --- BulkDetectDuplicates


def test_a_job_notes_the_records_that_have_duplicates(api, worker, clean):
    same = {api.created("accounts", emailaddress1=text) for text in ("ann@x.test", "ANN@x.test")}
    api.created("accounts", emailaddress1="bob@x.test")
    api.created("accounts", name="None")
    answer = api("POST", "/BulkDetectDuplicates", detection())
    told = json.loads(answer.body)
    assert answer.status == 200
    assert told["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.BulkDetectDuplicatesResponse")
    job = f"/asyncoperations({told['JobId']})"
    assert worker.run_one()
    row = api.json(f"{job}?$select=statuscode,operationtype,message,name")
    assert (row["statuscode"], row["operationtype"], row["name"]) == (30, 8, "Look for duplicates")
    assert row["message"] == "Records with duplicates: 2."
    found = api.json(f"{job}/AsyncOperation_DuplicateBaseRecord")
    assert found["@odata.context"].endswith("$metadata#duplicaterecords")
    assert ids(found, "_baserecordid_value") == same
    me = api.json("/WhoAmI")
    for one in found["value"]:
        assert (one["_ownerid_value"], one["owninguser"]) == (me["UserId"], me["UserId"])
        assert one["_asyncoperationid_value"] == told["JobId"]
        assert one["_duplicaterecordid_value"] is None
        assert one["_duplicateruleid_value"] is None
    first = next(iter(same))
    assert api("DELETE", f"/accounts({first})").status == 204
    assert ids(api.json(f"{job}/AsyncOperation_DuplicateBaseRecord"), "_baserecordid_value") == same - {first}
    assert api("DELETE", job).status == 204
    assert api.json("/duplicaterecords")["value"] == []


def test_a_job_can_recur_and_be_canceled(api, worker, clean):
    api.created("accounts", emailaddress1="ann@x.test")
    api.created("accounts", emailaddress1="ann@x.test")
    answer = api("POST", "/BulkDetectDuplicates", detection(RecurrencePattern="FREQ=DAILY;INTERVAL=2;"))
    assert answer.status == 200, answer.body
    run_all(worker)
    jobs = "/asyncoperations?$select=statuscode,recurrencepattern,postponeuntil&$filter=operationtype eq 8"
    by_status = {row["statuscode"]: row for row in api.json(jobs)["value"]}
    assert by_status.keys() == {0, 30}
    following = by_status[0]
    assert following["recurrencepattern"] == "FREQ=DAILY;INTERVAL=2;"
    assert following["postponeuntil"] > "2026"
    path = f"/asyncoperations({following['asyncoperationid']})"
    assert api("PATCH", path, {"statecode": 3, "statuscode": 32}).status == 204


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Query": {"EntityName": "nothing"}}, (400, "0x80041102")),
        ({"Query": {"EntityName": "organization"}}, (400, "0x80048431")),
        ({"Query": {"EntityName": "task"}}, (400, "0x80048436")),
        ({"Query": None}, (400, "0x80040203")),
        ({"JobName": " "}, (400, "0x80040203")),
        ({"JobName": "x" * 257}, (400, "0x80040203")),
        ({"RecurrencePattern": "FREQ=WEEKLY;INTERVAL=1"}, (400, "0x8004d2a0")),
    ],
)
def test_jobs_that_make_no_sense_are_refused(api, state, changed, expected):
    before = state()
    assert api.error("POST", "/BulkDetectDuplicates", detection(**changed))[:2] == expected
    assert state() == before


def test_nobody_makes_or_changes_what_jobs_have_found(api, state):
    before = state()
    assert api.error("POST", "/duplicaterecords", {})[0] == 405
    assert state() == before


def test_without_detection_nothing_is_told(api, clean):
    (organization,) = api.json("/organizations?$select=name")["value"]
    path = f"/organizations({organization['organizationid']})"
    assert api("PATCH", path, {"isduplicatedetectionenabled": False}).status == 204
    function = (
        f"/RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName='account')?@p1={json.dumps({**TYPED, 'name': 'A'})}"
    )
    for method, url, body in (("GET", function, None), ("POST", "/BulkDetectDuplicates", detection())):
        assert api.error(method, url, body)[:2] == (400, "0x80048412")
    assert api("PATCH", path, {"isduplicatedetectionenabled": True}).status == 204
