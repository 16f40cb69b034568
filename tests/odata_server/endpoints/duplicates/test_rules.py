"""Rules: what they may say, when they change, how they are published."""

from __future__ import annotations

import json

import pytest
from duplicates import DUPLICATE, NO_ONE, ON, PUBLISH, column, draft, ids, run_all

from entities.standard.environment import standard_catalog
from odata_server.engine.migration import difference


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


def compound(rule, *children, **values):
    typed = "Microsoft.Dynamics.CRM.duplicaterule"
    conditions = [{"@odata.type": f"{typed}condition", **child} for child in children]
    return {"Entity": {"@odata.type": typed, "duplicateruleid": rule, **values}, "ChildEntities": conditions}


ACTION = "/CompoundUpdateDuplicateDetectionRule"


def conditions_of(api, rule):
    rows = api.json(f"/duplicaterules({rule})/DuplicateRule_DuplicateRuleConditions")["value"]
    return {row["baseattributename"]: row["duplicateruleconditionid"] for row in rows}


def test_a_rule_and_its_conditions_change_together(api, clean):
    identifier = draft(api, "account", "account", column("fax"))
    known = {"duplicateruleconditionid": conditions_of(api, identifier)["fax"], **column("telephone1")}
    assert api("POST", ACTION, compound(identifier, known, column("name"), iscasesensitive=True)).status == 204
    assert api.json(f"/duplicaterules({identifier})")["iscasesensitive"] is True
    assert conditions_of(api, identifier).keys() == {"telephone1", "name"}


def test_a_rule_and_its_conditions_change_together_or_not_at_all(api, rule, state):
    identifier, other = (draft(api, "account", "account", column("fax")) for _ in range(2))
    published = rule("account", "account", column("telephone1"))
    foreign = {"duplicateruleconditionid": conditions_of(api, other)["fax"]}
    account = {"@odata.type": "Microsoft.Dynamics.CRM.account", "name": "A"}
    before = state()
    for body, expected in (
        (compound(identifier, column("nothing"), name="New"), (400, "0x80041103")),
        (compound(identifier, foreign, name="New"), (400, "0x80040203")),
        (compound(identifier, account, name="New"), (400, "0x80040203")),
        (compound(published, name="New"), (400, "0x80048428")),
        (compound(published, column("name")), (400, "0x80048428")),
        (compound(NO_ONE, name="New"), (404, "0x80040217")),
        ({"Entity": account, "ChildEntities": []}, (400, "0x80040203")),
    ):
        assert api.error("POST", ACTION, body)[:2] == expected
        assert state() == before
    assert api.error("POST", ACTION, compound(identifier, name="New"), authorization="Bearer roleless")[0] == 403
    assert state() == before


def test_publishing_takes_its_privilege(api, clean, state):
    identifier = draft(api)
    before = state()
    for path, body in (
        (f"/duplicaterules({identifier})/{PUBLISH}", None),
        ("/UnpublishDuplicateRule", {"DuplicateRuleId": identifier}),
    ):
        assert api.error("POST", path, body, authorization="Bearer roleless")[0] == 403
    assert state() == before
