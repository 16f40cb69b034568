"""BulkDelete over HTTP: a durable job that tells how it goes, and deletes as the user who asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

import pytest
from things import dump

from odata_server.engine.jobs import JobWorker
from odata_server.environments import background_work
from odata_server.providers.system_jobs import report

SHOWN = "statecode,statuscode,message,retrycount,operationtype,name,messagename,startedon,completedon,_ownerid_value"


@pytest.fixture(scope="module")
def worker(environments) -> JobWorker:
    dataverse, finance = environments
    return JobWorker(dataverse.database, background_work(dataverse, finance), partial(report, dataverse))


@pytest.fixture(scope="module")
def state(environments) -> Callable[[], Mapping[str, object]]:
    return lambda: dump(environments[0].database)


def condition(column: str, operator: str, *values: object) -> dict[str, object]:
    typed = [{"Value": value, "Type": "System.String"} for value in values]
    return {"AttributeName": column, "Operator": operator, "Values": typed}


def query(table: str, *conditions: object, operator: str = "And", **more: object) -> dict[str, object]:
    columns = {"AllColumns": True, "Columns": []}
    criteria = {"FilterOperator": operator, "Conditions": list(conditions), "Filters": []}
    return {"EntityName": table, "ColumnSet": columns, "Distinct": False, "Criteria": criteria, **more}


def body(*queries: object, **changed: object) -> dict[str, object]:
    return {
        "QuerySet": list(queries),
        "JobName": "Clean up",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "StartDateTime": "2020-01-01T00:00:00Z",
        "RunNow": True,
        **changed,
    }


def start(api, *queries: object, **changed: object) -> str:
    answer = api("POST", "/BulkDelete", body(*queries, **changed))
    assert answer.status == 200, answer.body
    found = json.loads(answer.body)
    assert list(found) == ["@odata.context", "JobId"]
    assert found["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse")
    return found["JobId"]


def job(api, identifier: str) -> dict[str, object]:
    return api.json(f"/asyncoperations({identifier})?$select={SHOWN}")


def names(api, table: str) -> set[str]:
    return {row["name"] for row in api.json(f"/{table}?$select=name")["value"]}


DELETIONS = [
    ([query("account", condition("name", "Equal", "a"))], {"a"}),
    ([query("account", condition("name", "In", "a", "b"))], {"a", "b"}),
    (
        [query("account", condition("name", "BeginsWith", "a"), condition("numberofemployees", "GreaterThan", 4))],
        {"ab"},
    ),
    ([query("account", condition("name", "Equal", "a"), condition("name", "Equal", "b"), operator="Or")], {"a", "b"}),
    ([query("account", condition("numberofemployees", "Null"))], {"b"}),
    (
        [query("account", condition("name", "Equal", "a")), query("account", condition("name", "Equal", "b"))],
        {"a", "b"},
    ),
    ([query("account", condition("donotemail", "Equal", True))], set()),
    ([query("account", condition("name", "Equal", '<a> & "b"'))], set()),
    ([query("account")], {"a", "ab", "b"}),
]


@pytest.mark.parametrize(("queries", "gone"), DELETIONS, ids=range(len(DELETIONS)))
def test_a_job_deletes_what_its_queries_select(api, worker, queries, gone):
    for name, employees in (("a", 1), ("ab", 9), ("b", None)):
        api.created("accounts", name=name, numberofemployees=employees)
    before = names(api, "accounts")
    identifier = start(api, *queries)
    waiting = job(api, identifier)
    assert (waiting["statecode"], waiting["statuscode"], waiting["operationtype"]) == (0, 0, 13)
    assert (waiting["name"], waiting["messagename"], waiting["retrycount"]) == ("Clean up", "BulkDelete", 0)
    assert waiting["_ownerid_value"] == api.json("/WhoAmI")["UserId"]
    assert waiting["startedon"] is None
    assert names(api, "accounts") == before

    assert worker.run_one()
    done = job(api, identifier)
    assert (done["statecode"], done["statuscode"]) == (3, 30)
    assert done["message"].startswith(f"Deleted: {len(gone)}. Failed: 0.")
    assert done["startedon"] <= done["completedon"]
    assert names(api, "accounts") == before - gone
    for row in api.json("/accounts?$select=accountid")["value"]:
        api("DELETE", f"/accounts({row['accountid']})")


def test_what_may_not_be_deleted_stays_and_is_counted(api, worker):
    identifier = start(api, query("systemuser"))
    assert worker.run_one()
    done = job(api, identifier)
    assert (done["statecode"], done["statuscode"]) == (3, 30)
    assert "Failed: " in done["message"]
    assert "Failed: 0." not in done["message"]


def test_a_job_that_cannot_be_done_is_tried_again_and_given_up(api, worker, monkeypatch):
    identifier = start(api, query("account", condition("nope", "Equal", "x")))
    seen = []
    for attempt in range(5):
        monkeypatch.setattr("odata_server.engine.jobs.time.time", partial(float, 2_000_000_000 + attempt * 1_000))
        assert worker.run_one()
        found = job(api, identifier)
        seen.append((found["statecode"], found["statuscode"], found["retrycount"]))
    assert seen == [(1, 10, 0), (1, 10, 1), (1, 10, 2), (1, 10, 3), (3, 31, 4)]
    assert "nope" in found["message"]
    assert not worker.run_one()


def test_a_job_of_later_waits(api, worker, monkeypatch):
    identifier = start(api, query("account"), StartDateTime="2033-05-18T00:00:00Z", RunNow=False)
    assert not worker.run_one()
    assert api.json(f"/asyncoperations({identifier})?$select=postponeuntil")["postponeuntil"] == "2033-05-18T00:00:00Z"
    monkeypatch.setattr("odata_server.engine.jobs.time.time", lambda: 2_100_000_000.0)
    assert worker.run_one()
    assert job(api, identifier)["statuscode"] == 30


REFUSED = [
    (body(), 400, "holds no queries"),
    (body(query("account"), QuerySet=None), 400, "holds no queries"),
    (body(query("account"), QuerySet={}), 400, "expected type 'Collection"),
    (body(1), 400, "has another form"),
    (body(query("nope")), 400, "was not found in the MetadataCache"),
    (body(query("account"), JobName=" "), 400, "JobName"),
    (body(query("account"), JobName="x" * 257), 400, "JobName"),
    (body(query("account"), RecurrencePattern="FREQ=DAILY"), 501, "recurs"),
    (body(query("account", condition("name", "Above", "x"))), 501, "'Above'"),
    (body(query("account", operator="Xor")), 400, "LogicalOperator"),
    (body(query("account", LinkEntities=[{"LinkToEntityName": "contact"}])), 501, "LinkEntities"),
    (body(query("account", {"AttributeName": "name", "Operator": "Equal", "Values": "x"})), 400, "has another form"),
    ({"JobName": "x"}, 400, "The missing parameters are: "),
    (body(query("account"), StartDateTime="soon"), 400, "Edm.DateTimeOffset"),
]


@pytest.mark.parametrize(("sent", "status", "text"), REFUSED, ids=range(len(REFUSED)))
def test_a_refused_deletion_queues_nothing(api, state, sent, status, text):
    before = state()
    found = api.error("POST", "/BulkDelete", sent)
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before
