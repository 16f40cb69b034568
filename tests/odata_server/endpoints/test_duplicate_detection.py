"""Duplicate detection over HTTP: rules, what they refuse, and what functions and jobs tell of duplicates."""

from __future__ import annotations

import json
from functools import partial

import pytest
from things import dump

from entities.standard.environment import standard_catalog
from odata_server.engine.jobs import JobWorker
from odata_server.engine.migration import difference
from odata_server.environments import background_work
from odata_server.providers.system_jobs import report

ON = {"mscrm.suppressduplicatedetection": "false"}
DUPLICATE = (
    412,
    "0x80040333",
    "A record was not created or updated because a duplicate of the current record already exists.",
)
PUBLISH = "Microsoft.Dynamics.CRM.PublishDuplicateRule"
NO_ONE = "0c000000-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def worker(environments):
    dataverse, finance = environments
    return JobWorker(dataverse.database, background_work(dataverse, finance), partial(report, dataverse))


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


@pytest.fixture
def clean(api, worker):
    """Take away what a test has made: records, rules and jobs, the rules of the seed not among them."""
    seeded = {row["duplicateruleid"] for row in api.json("/duplicaterules?$select=name")["value"]}
    yield
    for entity_set in ("contacts", "accounts", "tasks"):
        key = {"tasks": "activityid"}.get(entity_set, f"{entity_set[:-1]}id")
        for row in api.json(f"/{entity_set}?$select={key}")["value"]:
            assert api("DELETE", f"/{entity_set}({row[key]})").status == 204
    for row in api.json("/duplicaterules?$select=statuscode")["value"]:
        if row["duplicateruleid"] in seeded:
            continue
        if row["statuscode"] == 2:
            assert api("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": row["duplicateruleid"]}).status == 204
        assert api("DELETE", f"/duplicaterules({row['duplicateruleid']})").status == 204
    run_all(worker)


@pytest.fixture
def rule(api, worker, clean):
    """Make a published rule."""

    def make(base="account", matching="account", *conditions, **more):
        identifier = draft(api, base, matching, *conditions, **more)
        answer = api("POST", f"/duplicaterules({identifier})/{PUBLISH}")
        assert answer.status == 200, answer.body
        run_all(worker)
        return identifier

    return make


def run_all(worker):
    while worker.run_one():
        pass


def draft(api, base="account", matching="account", *conditions, **more):
    identifier = api.created("duplicaterules", name="Rule", baseentityname=base, matchingentityname=matching, **more)
    for condition in conditions or ({"baseattributename": "accountnumber"},):
        bind = {"regardingobjectid@odata.bind": f"/duplicaterules({identifier})"}
        api.created("duplicateruleconditions", **{"operatorcode": 0, **bind, **condition})
    return identifier


def column(name, operator=0, matching=None, **more):
    return {"baseattributename": name, "matchingattributename": matching or name, "operatorcode": operator, **more}


def ids(answer, key="accountid"):
    return {row[key] for row in answer["value"]}


# --- what is refused


@pytest.mark.parametrize(("entity_set", "other"), [("accounts", {"name": "B"}), ("contacts", {"lastname": "B"})])
def test_a_new_organization_knows_records_with_the_same_e_mail_address(api, clean, state, entity_set, other):
    existing = api.created(entity_set, emailaddress1="Ann@x.test", **other)
    before = state()
    for text in ("Ann@x.test", "ANN@X.TEST"):
        assert api.error("POST", f"/{entity_set}", {**other, "emailaddress1": text}, **ON) == DUPLICATE
    assert state() == before
    second = api.created(entity_set, emailaddress1="Bob@x.test", **other)
    before = state()
    assert api.error("PATCH", f"/{entity_set}({second})", {"emailaddress1": "ann@x.test"}, **ON) == DUPLICATE
    assert api.error("PUT", f"/{entity_set}({second})/emailaddress1", {"value": "ann@x.test"}, **ON) == DUPLICATE
    upsert = api.error("PATCH", f"/{entity_set}({NO_ONE})", {"emailaddress1": "ann@x.test"}, **ON)
    assert upsert == DUPLICATE
    assert state() == before
    assert api("PATCH", f"/{entity_set}({existing})", {"emailaddress1": "ANN@x.test"}, **ON).status == 204
    assert api("POST", f"/{entity_set}", {**other, "emailaddress1": "cid@x.test"}, **ON).status == 204
    assert api("POST", f"/{entity_set}", other, **ON).status == 204
    assert api("POST", f"/{entity_set}", other, **ON).status == 204


@pytest.mark.parametrize("headers", [{}, {"mscrm.suppressduplicatedetection": "true"}, *({n: ""} for n in ON)])
def test_duplicates_are_written_unless_their_detection_is_asked_for(api, clean, headers):
    for _ in range(2):
        assert api("POST", "/accounts", {"emailaddress1": "ann@x.test"}, **headers).status == 204
    assert api.json("/accounts?$select=name&$count=true")["@odata.count"] == 2


@pytest.mark.parametrize("setting", ["isduplicatedetectionenabled", "isduplicatedetectionenabledforonlinecreateupdate"])
def test_an_organization_can_have_no_duplicates_detected(api, clean, setting):
    (organization,) = api.json("/organizations?$select=name")["value"]
    path = f"/organizations({organization['organizationid']})"
    api.created("accounts", emailaddress1="ann@x.test")
    assert api("PATCH", path, {setting: False}).status == 204
    assert api("POST", "/accounts", {"emailaddress1": "ann@x.test"}, **ON).status == 204
    assert api("PATCH", path, {setting: True}).status == 204
    assert api.error("POST", "/accounts", {"emailaddress1": "ann@x.test"}, **ON) == DUPLICATE


TYPED = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
BULK = "/accounts/Microsoft.Dynamics.CRM."


@pytest.mark.parametrize(
    ("action", "records"),
    [
        ("CreateMultiple", [{"name": "B"}, {"emailaddress1": "ann@x.test"}]),
        ("CreateMultiple", [{"emailaddress1": "new@x.test"}, {"emailaddress1": "NEW@x.test"}]),
        ("UpdateMultiple", [{"accountid": "other", "emailaddress1": "ann@x.test"}]),
        ("UpsertMultiple", [{"emailaddress1": "new@x.test"}, {"accountid": "other", "emailaddress1": "ann@x.test"}]),
        ("UpsertMultiple", [{"@odata.id": f"accounts({NO_ONE})", "emailaddress1": "ann@x.test"}]),
    ],
)
def test_bulk_messages_refuse_duplicates_and_write_nothing(api, clean, state, action, records):
    api.created("accounts", emailaddress1="ann@x.test")
    known = {"other": api.created("accounts", name="Other")}
    targets = [{**TYPED, **record} for record in records]
    for target in targets:
        if "accountid" in target:
            target["accountid"] = known[target["accountid"]]
    before = state()
    assert api.error("POST", f"{BULK}{action}", {"Targets": targets}, **ON) == DUPLICATE
    assert state() == before
    assert api("POST", f"{BULK}{action}", {"Targets": targets}).status in {200, 204}


def test_records_that_come_with_a_new_one_are_looked_at(api, clean, state):
    api.created("contacts", lastname="Ann", emailaddress1="ann@x.test")
    before = state()
    same = {"lastname": "B", "emailaddress1": "ann@x.test"}
    for body in ({"name": "A", "primarycontactid": same}, {"name": "A", "contact_customer_accounts": [same]}):
        assert api.error("POST", "/accounts", body, **ON) == DUPLICATE
        assert state() == before
    assert api("POST", "/accounts", {"name": "A", "contact_customer_accounts": [same]}).status == 204


def batch(*requests, change_set):
    def part(number, body):
        head = "POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n"
        return f"Content-Type: application/http\r\nContent-ID: {number}\r\n\r\n{head}\r\n{json.dumps(body)}\r\n"

    edge = "changes" if change_set else "batch"
    parts = "".join(f"--{edge}\r\n{part(number, body)}" for number, body in enumerate(requests, 1)) + f"--{edge}--\r\n"
    if change_set:
        parts = f"--batch\r\nContent-Type: multipart/mixed; boundary=changes\r\n\r\n{parts}--batch--\r\n"
    return parts.encode()


def test_batches_and_change_sets_refuse_duplicates(api, clean, state):
    before = state()
    twice = ({"emailaddress1": "ann@x.test"}, {"emailaddress1": "ann@x.test"})
    sent = {"content_type": "multipart/mixed; boundary=batch", **ON}
    answer = api("POST", "/$batch", batch(*twice, change_set=True), **sent)
    assert (answer.status, b"0x80040333" in answer.body) == (412, True)
    assert state() == before
    answer = api("POST", "/$batch", batch(*twice, change_set=False), **sent)
    assert (answer.status, b"0x80040333" in answer.body, b"204 No Content" in answer.body) == (412, True, True)
    assert len(api.json("/accounts?$select=name")["value"]) == 1


# --- how records are compared

MATCHES = [
    ([column("name", 1, operatorparam=3)], {"name": "Contoso"}, {"name": "CONfold"}, {"name": "Cotton"}),
    ([column("name", 1, operatorparam=9)], {"name": "Contoso"}, {"name": "contoso"}, {"name": "Contoso Ltd"}),
    (
        [column("name", 2, operatorparam=3)],
        {"name": "Contoso"},
        {"name": "Virtuoso"},
        {"name": "so"},
    ),
    ([column("industrycode", 6)], {"industrycode": 1}, {"industrycode": 1}, {"industrycode": 2}),
    ([column("industrycode", 5)], {"industrycode": 1}, {"industrycode": 1}, {"industrycode": 2}),
    ([column("address1_addresstypecode", 5, "address2_addresstypecode")], {"address1_addresstypecode": 1}, {}, {}),
    ([column("donotemail")], {"donotemail": True}, {"donotemail": True}, {"donotemail": False}),
    ([column("numberofemployees")], {"numberofemployees": 3}, {"numberofemployees": 3}, {"numberofemployees": 4}),
    ([column("revenue")], {"revenue": 3.5}, {"revenue": 3.5}, {"revenue": 3.51}),
    ([column("name"), column("fax")], {"name": "A"}, {"name": "a"}, {"name": "A", "fax": "1"}),
    (
        [column("name"), column("fax", ignoreblankvalues=True)],
        {"name": "A", "fax": "1"},
        {"name": "A", "fax": "1"},
        {"name": "A"},
    ),
    (
        [column("telephone1", 0, "telephone2")],
        {"telephone1": "9", "telephone2": "1"},
        {"telephone1": "1"},
        {"telephone2": "1"},
    ),
]


@pytest.mark.parametrize(("conditions", "known", "same", "other"), MATCHES, ids=range(len(MATCHES)))
def test_a_rule_compares_as_its_conditions_say(api, rule, conditions, known, same, other):
    rule("account", "account", *conditions)
    if not same:
        known = {"address2_addresstypecode": 1}
        same, other = {"address1_addresstypecode": 1}, {"address1_addresstypecode": 3}
    api.created("accounts", **known)
    assert api("POST", "/accounts", other, **ON).status == 204
    assert api.error("POST", "/accounts", same, **ON) == DUPLICATE


DAYS = [
    ("task", "scheduledstart", 3, ("2026-05-01T01:00:00Z", "2026-05-01T23:59:59Z", "2026-05-02T00:00:00Z")),
    ("task", "scheduledstart", 4, ("2026-05-01T01:00:00Z", "2026-05-01T01:00:00Z", "2026-05-01T01:00:01Z")),
    ("contact", "birthdate", 3, ("2001-05-01", "2001-05-01", "2001-05-02")),
]


@pytest.mark.parametrize(("table", "name", "operator", "values"), DAYS)
def test_a_rule_compares_days_and_moments(api, rule, table, name, operator, values):
    known, same, other = values
    rule(table, table, column(name, operator))
    own = {"task": {"subject": "A"}, "contact": {"lastname": "A"}}[table]
    api.created(f"{table}s", **own, **{name: known})
    assert api("POST", f"/{table}s", {**own, name: other}, **ON).status == 204
    assert api.error("POST", f"/{table}s", {**own, name: same}, **ON) == DUPLICATE


@pytest.mark.parametrize(
    "conditions", [[column("name")], [column("name", 1, operatorparam=3)], [column("name", 2, operatorparam=3)]]
)
def test_a_rule_can_regard_the_case(api, rule, conditions):
    rule("account", "account", *conditions, iscasesensitive=True)
    api.created("accounts", name="ConSo")
    assert api("POST", "/accounts", {"name": "conso"}, **ON).status == 204
    assert api.error("POST", "/accounts", {"name": "ConSo"}, **ON) == DUPLICATE


def test_a_rule_can_leave_inactive_records_out(api, rule):
    rule("account", "account", column("name"), excludeinactiverecords=True)
    old = api.created("accounts", name="A")
    assert api.error("POST", "/accounts", {"name": "A"}, **ON) == DUPLICATE
    assert api("PATCH", f"/accounts({old})", {"statecode": 1}).status == 204
    assert api("POST", "/accounts", {"name": "A"}, **ON).status == 204


def test_records_of_another_table_can_be_duplicates(api, rule):
    rule("account", "contact", column("telephone1"))
    contact = api.created("contacts", lastname="B", telephone1="020 555")
    assert api.error("POST", "/accounts", {"name": "A", "telephone1": "020 555"}, **ON) == DUPLICATE
    account = api.created("accounts", name="A", telephone1="020 555")
    # The rule is about accounts.
    assert api("PATCH", f"/contacts({contact})", {"telephone1": "020 555"}, **ON).status == 204
    found = retrieved(api, {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}, "contact")
    assert ids(found, "contactid") == {contact}
    assert found["@odata.context"].endswith("$metadata#contacts")


# --- rules


def test_a_rule_is_published_by_a_job_and_unpublished_at_once(api, worker, clean):
    identifier = draft(api)
    path = f"/duplicaterules({identifier})"
    assert shown(api, path) == (0, 0)
    answer = api("POST", f"{path}/{PUBLISH}")
    job = json.loads(answer.body)
    assert answer.status == 200
    assert job["@odata.context"].endswith("$metadata#asyncoperations/$entity")
    assert (job["operationtype"], job["messagename"], job["statuscode"]) == (7, "PublishDuplicateRule", 0)
    assert shown(api, path) == (0, 1)
    api.created("accounts", accountnumber="1")
    assert api("POST", "/accounts", {"accountnumber": "1"}, **ON).status == 204
    assert worker.run_one()
    assert shown(api, path) == (1, 2)
    assert api.json(f"/asyncoperations({job['asyncoperationid']})?$select=statuscode")["statuscode"] == 30
    assert api.error("POST", "/accounts", {"accountnumber": "1"}, **ON) == DUPLICATE
    assert api("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": identifier}).status == 204
    assert shown(api, path) == (0, 0)
    assert api("POST", "/accounts", {"accountnumber": "1"}, **ON).status == 204


def shown(api, path):
    row = api.json(f"{path}?$select=statecode,statuscode")
    return row["statecode"], row["statuscode"]


INDEXES = [
    ([column("fax")], {"emailaddress1", "fax"}),
    ([column("fax", 1, operatorparam=3), column("revenue")], {"emailaddress1", "fax"}),
    ([column("industrycode", 6), column("revenue")], {"emailaddress1", "revenue"}),
    ([column("emailaddress1")], {"emailaddress1"}),
    # Names are indexed anyhow; last characters and choices are not found by an index.
    ([column("fax"), column("name")], {"emailaddress1"}),
    ([column("fax", 2, operatorparam=3), column("industrycode", 6)], {"emailaddress1"}),
]


@pytest.mark.parametrize(("conditions", "indexed"), INDEXES)
def test_what_a_published_rule_finds_records_by_is_indexed(api, environments, worker, rule, conditions, indexed):
    dataverse = environments[0]
    identifier = rule("account", "account", *conditions)
    assert set(dataverse.catalog.tables["account"].indexed) == indexed
    # A start of the server leaves it.
    assert "account" not in {table.logical_name for table in difference(dataverse.catalog, standard_catalog(1)).put}
    known = api.created("accounts", name="A", fax="1", revenue=2)
    assert ids(api.json("/accounts?$filter=fax eq '1' and revenue eq 2")) == {known}
    assert api("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": identifier}).status == 204
    run_all(worker)
    assert dataverse.catalog.tables["account"].indexed == ("emailaddress1",)
    assert ids(api.json("/accounts?$filter=fax eq '1' and revenue eq 2")) == {known}


def test_what_is_published_does_not_change(api, rule, state):
    identifier = rule()
    path = f"/duplicaterules({identifier})"
    (condition,) = api.json(f"{path}/DuplicateRule_DuplicateRuleConditions?$select=operatorcode")["value"]
    own = f"/duplicateruleconditions({condition['duplicateruleconditionid']})"
    bind = {"regardingobjectid@odata.bind": path}
    before = state()
    for method, url, body in (
        ("PATCH", path, {"name": "New"}),
        ("DELETE", path, None),
        ("PATCH", own, {"baseattributename": "fax"}),
        ("DELETE", own, None),
        ("POST", "/duplicateruleconditions", {**bind, **column("name")}),
    ):
        status, code, _ = api.error(method, url, body)
        assert (status, code) == (400, "0x80048428")
        assert state() == before
    assert api("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": identifier}).status == 204
    assert api("PATCH", own, {"baseattributename": "fax", "matchingattributename": "fax"}).status == 204
    assert api("DELETE", path).status == 204
    assert api("GET", own).status == 404


REFUSED_RULES = [
    ({"baseentityname": "nothing"}, "0x80041102"),
    ({"baseentityname": "account", "matchingentityname": "nothing"}, "0x80041102"),
    ({"baseentityname": "systemuserroles"}, "0x80048410"),
    ({"baseentityname": "account", "statuscode": 2}, "0x80048408"),
]


@pytest.mark.parametrize(("values", "code"), REFUSED_RULES)
def test_rules_that_make_no_sense_are_refused(api, state, values, code):
    before = state()
    assert api.error("POST", "/duplicaterules", {"name": "Rule", **values})[:2] == (400, code)
    assert state() == before


REFUSED_CONDITIONS = [
    (column("nothing"), "0x80041103"),
    (column("name", 0, "nothing"), "0x80041103"),
    (column("versionnumber"), "0x80048430"),
    (column("name", 1), "0x80048415"),
    (column("name", 0, operatorparam=3), "0x80048415"),
    (column("name", 3), "0x80048415"),
    (column("numberofemployees", 1, operatorparam=3), "0x80048415"),
    (column("name", 6), "0x80048415"),
    (column("name", 0, "numberofemployees"), "0x80048415"),
    (column("description"), "0x80048429"),
    (column("name", 1, operatorparam=451), "0x80048429"),
    (column("name", 1, operatorparam=0), "0x80044330"),
    (column("name", 7), "0x80048415"),
]


@pytest.mark.parametrize(("values", "code"), REFUSED_CONDITIONS)
def test_conditions_that_make_no_sense_are_refused(api, clean, state, values, code):
    identifier = draft(api, "account", "account", column("fax"))
    before = state()
    body = {"regardingobjectid@odata.bind": f"/duplicaterules({identifier})", **values}
    assert api.error("POST", "/duplicateruleconditions", body)[:2] == (400, code)
    assert api.error("POST", "/duplicateruleconditions", column("fax"))[:2] == (400, "0x80040203")
    assert state() == before


def test_a_rule_is_not_published_as_it_is(api, worker, clean, state):
    empty = api.created("duplicaterules", name="Rule", baseentityname="account")
    before = state()
    assert api.error("POST", f"/duplicaterules({empty})/{PUBLISH}")[:2] == (400, "0x80048414")
    assert api.error("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": empty})[:2] == (400, "0x80048423")
    assert api.error("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": NO_ONE})[:2] == (404, "0x80040217")
    assert api.error("POST", f"/duplicaterules({NO_ONE})/{PUBLISH}")[:2] == (404, "0x80040217")
    assert state() == before
    drafts = [draft(api) for _ in range(5)]
    for identifier in drafts[:4]:
        assert api("POST", f"/duplicaterules({identifier})/{PUBLISH}").status == 200
    assert api.error("POST", f"/duplicaterules({drafts[0]})/{PUBLISH}")[:2] == (400, "0x80048434")
    # With the rule of the seed there are five.
    assert api.error("POST", f"/duplicaterules({drafts[4]})/{PUBLISH}")[:2] == (400, "0x80048419")
    run_all(worker)


def test_publishing_takes_its_privilege(api, clean, state):
    identifier = draft(api)
    before = state()
    for path, body in (
        (f"/duplicaterules({identifier})/{PUBLISH}", None),
        ("/UnpublishDuplicateRule", {"DuplicateRuleId": identifier}),
    ):
        assert api.error("POST", path, body, authorization="Bearer roleless")[0] == 403
    assert state() == before


# --- RetrieveDuplicates


def retrieved(api, entity, matching="account", more="", paging=None):
    function = "/RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName=@p2,PagingInfo=@p3)"
    written = json.dumps(entity).replace('"', "'")
    page = json.dumps(paging or {"PageNumber": 1, "Count": 50}).replace('"', "'")
    return api.json(f"{function}?@p1={written}&@p2='{matching}'&@p3={page}{more}")


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


def detection(table="account", **changed):
    return {
        "Query": {"@odata.type": "#Microsoft.Dynamics.CRM.QueryExpression", "EntityName": table},
        "JobName": "Look for duplicates",
        "SendEmailNotification": False,
        "TemplateId": "07b94c1d-c85f-492f-b120-f0a743c540e6",
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "RecurrenceStartTime": "2015-07-15T05:30:00Z",
        **changed,
    }


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
