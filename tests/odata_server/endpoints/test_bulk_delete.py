"""BulkDelete over HTTP: a durable job that tells how it goes, and deletes as the user who asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

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


def link(
    table: str, far: str, near: str, *conditions: object, join: str = "Inner", **more: object
) -> dict[str, object]:
    ends = {"LinkToEntityName": table, "LinkToAttributeName": far, "LinkFromAttributeName": near}
    criteria = {"FilterOperator": "And", "Conditions": list(conditions)}
    return {**ends, "JoinOperator": join, "LinkCriteria": criteria, **more}


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


IN_NEW_YORK = condition("lastname", "Equal", "Of b")
LINKED = [
    ([link("contact", "parentcustomerid", "accountid", IN_NEW_YORK)], [], {"b"}),
    ([link("contact", "parentcustomerid", "accountid", join="Exists")], [], {"a", "b"}),
    (
        [link("contact", "parentcustomerid", "accountid", join="LeftOuter", EntityAlias="c")],
        [{**condition("contactid", "Null"), "EntityName": "c"}],
        {"ab"},
    ),
    (
        [
            link(
                "contact",
                "parentcustomerid",
                "accountid",
                LinkEntities=[link("account", "accountid", "parentcustomerid")],
            )
        ],
        [condition("name", "NotEqual", "a")],
        {"b"},
    ),
    ([], [{**condition("name", "Equal", "accountnumber"), "CompareColumns": True}], {"ab"}),
    ([], [condition("createdon", "Today"), condition("name", "DoesNotEndWith", "b")], {"a"}),
]


@pytest.mark.parametrize(("links", "conditions", "gone"), LINKED, ids=range(len(LINKED)))
def test_a_query_may_look_at_other_tables_and_columns(api, worker, links, conditions, gone):
    for name in ("a", "ab", "b"):
        account = api.created("accounts", name=name, accountnumber="ab")
        if name != "ab":
            bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
            api.created("contacts", lastname=f"Of {name}", **bind)
    before = names(api, "accounts")
    identifier = start(api, query("account", *conditions, LinkEntities=links))
    assert worker.run_one()
    assert job(api, identifier)["message"].startswith(f"Deleted: {len(gone)}. Failed: 0.")
    assert names(api, "accounts") == before - gone
    for row in api.json("/accounts?$select=accountid")["value"]:
        api("DELETE", f"/accounts({row['accountid']})")


def test_any_of_a_filters_links_may_hold(api, worker):
    account = api.created("accounts", name="has one")
    api.created("accounts", name="has none")
    api.created("contacts", lastname="C", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    deletion = query("account")
    deletion["Criteria"] = {"AnyAllFilterLinkEntity": link("contact", "parentcustomerid", "accountid", join="Any")}
    start(api, deletion)
    assert worker.run_one()
    assert names(api, "accounts") == {"has none"}


RUNS = "statuscode,recurrencepattern,recurrencestarttime,postponeuntil"


def runs(api, name):
    path = f"/asyncoperations?$select={RUNS}&$filter=name eq '{name}'&$orderby=createdon,asyncoperationid"
    return [[row[column] for column in RUNS.split(",")] for row in api.json(path)["value"]]


@pytest.fixture
def clock(environments, monkeypatch):
    """Set the time of the queue and of the environment."""

    def set_to(text):
        now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        monkeypatch.setattr("odata_server.engine.jobs.time.time", now.timestamp)
        monkeypatch.setattr(environments[0], "_parts", replace(environments[0]._parts, clock=lambda: now))

    return set_to


def test_a_deletion_recurs_every_few_days_until_it_is_canceled(api, worker, clock):
    clock("2040-01-01T10:00:00")
    pattern, begin = "FREQ=DAILY;INTERVAL=2;", "2040-01-01T12:00:00Z"
    sent = {"RecurrencePattern": pattern, "StartDateTime": begin, "RunNow": False, "JobName": "Again"}
    start(api, query("account", condition("name", "Equal", "old")), **sent)
    assert runs(api, "Again") == [[0, pattern, begin, begin]]
    assert not worker.run_one()
    for day in ("01", "03"):
        clock(f"2040-01-{day}T12:00:00")
        api.created("accounts", name="old")
        assert worker.run_one()
        assert not worker.run_one()
        assert "old" not in names(api, "accounts")
    clock("2040-01-08T13:00:00")  # nobody was there on the 5th and 7th, as their server stood still
    assert worker.run_one()
    done = [30, pattern, begin]
    when = [f"2040-01-{day}T12:00:00Z" for day in ("01", "03", "05", "09")]
    assert runs(api, "Again") == [[*done, at] for at in when[:3]] + [[0, pattern, begin, when[3]]]
    waiting = api.json("/asyncoperations?$filter=name eq 'Again' and statuscode eq 0")["value"][0]["asyncoperationid"]
    assert api("PATCH", f"/asyncoperations({waiting})", {"statecode": 3, "statuscode": 32}).status == 204
    clock("2040-01-20T12:00:00")
    api.created("accounts", name="old")
    assert worker.run_one()
    assert not worker.run_one()
    assert [row[0] for row in runs(api, "Again")] == [30, 30, 30, 32]
    assert "old" in names(api, "accounts")


def test_a_run_that_is_repeated_has_one_run_behind_it(api, environments, clock):
    clock("2041-01-01T12:00:00")
    sent = {"RecurrencePattern": "FREQ=DAILY", "StartDateTime": "2041-01-01T12:00:00Z", "JobName": "Twice"}
    start(api, query("account", condition("name", "Equal", "none")), **sent)
    dataverse, finance = environments
    kept = []
    handlers = {**background_work(dataverse, finance), "bulk deletion": kept.append}
    assert JobWorker(dataverse.database, handlers, partial(report, dataverse)).run_one()
    for _ in range(2):
        background_work(dataverse, finance)["bulk deletion"](kept[0])
    assert [row[3] for row in runs(api, "Twice")] == [None, "2041-01-02T12:00:00Z"]
    row = api.json("/asyncoperations?$filter=name eq 'Twice' and statuscode eq 0")["value"][0]["asyncoperationid"]
    assert api("DELETE", f"/asyncoperations({row})").status == 204


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
    (body(1), 400, "Cannot convert the value"),
    (body(query("nope")), 400, "was not found in the MetadataCache"),
    (body(query("account"), JobName=" "), 400, "JobName"),
    (body(query("account"), JobName="x" * 257), 400, "JobName"),
    *(
        (body(query("account"), RecurrencePattern=pattern), 400, "Error in RecurrencePatternFactory.")
        for pattern in ("x", "FREQ", "INTERVAL=1", "FREQ=DAILY;FREQ=DAILY", "FREQ=SOMETIMES", "FREQ=DAILY;COUNT=1", ";")
    ),
    *(
        (body(query("account"), RecurrencePattern=f"FREQ={frequency};INTERVAL=1"), 400, "must be specified as daily")
        for frequency in ("MINUTELY", "HOURLY", "WEEKLY", "MONTHLY", "YEARLY")
    ),
    *(
        (body(query("account"), RecurrencePattern=f"FREQ=DAILY;INTERVAL={days}"), 400, "between 1 and 365")
        for days in ("0", "366", "-1", "1.5", "", "x", "²", "99999999999")
    ),
    (body(query("account", condition("name", "Mask", "x"))), 501, "'Mask'"),
    (body(query("account", condition("name", "Contains", "x"))), 501, "'Contains'"),
    (body(query("account", operator="Xor")), 400, "LogicalOperator"),
    (body(query("account", LinkEntities={"LinkToEntityName": "contact"})), 400, "'LinkEntities'"),
    (body(query("account", LinkEntities=[1])), 400, "'LinkEntities'"),
    (body(query("account", LinkEntities=[link("contact", "x", "y", join="Cross")])), 400, "JoinOperator"),
    (body(query("account", SubQueryExpression={"EntityName": "contact"})), 501, "SubQueryExpression"),
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


SHOWN_QUERIES = [
    (
        {"EntityName": "account", "ColumnSet": {"AllColumns": True}, "Distinct": True, "NoLock": True, "TopCount": 5},
        '<fetch distinct="true" no-lock="true" top="5"><entity name="account"><all-attributes /></entity></fetch>',
    ),
    (
        {
            "EntityName": "account",
            "ColumnSet": {"AllColumns": False, "Columns": ["name"]},
            "Criteria": {
                "FilterOperator": "Or",
                "Conditions": [condition("name", "In", "a", "b"), condition("name", "Null")],
                "Filters": [{"Conditions": [condition("donotemail", "Equal", True)]}],
            },
            "Orders": [{"AttributeName": "name", "OrderType": "Descending"}],
            "PageInfo": {"Count": 2, "PageNumber": 3, "ReturnTotalRecordCount": True},
        },
        (
            '<fetch count="2" page="3" returntotalrecordcount="true"><entity name="account"><attribute name="name" />'
            '<filter type="or"><condition attribute="name" operator="in"><value>a</value><value>b</value></condition>'
            '<condition attribute="name" operator="null" /><filter type="and"><condition attribute="donotemail" '
            'operator="eq" value="true" /></filter></filter><order attribute="name" descending="true" />'
            "</entity></fetch>"
        ),
    ),
    (
        {
            "EntityName": "account",
            "ColumnSet": {"Columns": []},
            "LinkEntities": [
                {
                    **link("contact", "parentcustomerid", "accountid", EntityAlias="c"),
                    "Columns": {"Columns": ["fullname"]},
                }
            ],
        },
        (
            '<fetch><entity name="account"><link-entity name="contact" from="parentcustomerid" to="accountid" '
            'link-type="inner" alias="c"><attribute name="fullname" /><filter type="and" /></link-entity>'
            "</entity></fetch>"
        ),
    ),
]


@pytest.mark.parametrize(("asked", "fetch"), SHOWN_QUERIES, ids=range(len(SHOWN_QUERIES)))
def test_a_query_is_shown_as_fetchxml_that_can_be_sent(api, state, asked, fetch):
    before = state()
    typed = {"@odata.type": "Microsoft.Dynamics.CRM.QueryExpression", **asked}
    answer = api("POST", "/QueryExpressionToFetchXml", {"Query": typed})
    found = json.loads(answer.body)
    assert found["@odata.context"].endswith("#Microsoft.Dynamics.CRM.QueryExpressionToFetchXmlResponse")
    assert found["FetchXml"] == fetch
    assert api("GET", f"/accounts?fetchXml={quote(fetch)}").status == 200
    assert state() == before


@pytest.mark.parametrize(
    ("sent", "status", "text"),
    [
        ({"Query": None}, 400, "has another form"),
        ({}, 400, "has another form"),
        ({"Query": "account"}, 400, "Cannot convert the value"),
        ({"Query": {"EntityName": "nope"}}, 400, "was not found in the MetadataCache"),
        ({"Query": query("account", Orders=[{"AttributeName": "name", "OrderType": "Up"}])}, 400, "OrderType"),
        ({"Query": query("account", ColumnSet={"Columns": "name"})}, 400, "'Columns'"),
        ({"Query": query("account", PageInfo=1)}, 400, "'PageInfo'"),
        ({"Query": query("account", condition("name", "Nope"))}, 501, "'Nope'"),
        ({"Query": query("account"), "More": 1}, 400, "'More'"),
    ],
)
def test_what_is_no_query_has_no_fetchxml(api, state, sent, status, text):
    before = state()
    found = api.error("POST", "/QueryExpressionToFetchXml", sent)
    assert found[0] == status, found
    assert text in found[2]
    assert state() == before
