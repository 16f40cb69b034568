"""Who may use the conditions of a rule and what a job has found: who may use the rule, or the job."""

from __future__ import annotations

import json

import pytest
from duplicates import ON, PUBLISH, column, detection, draft, ids, run_all

ROOT = "https://org.test:8443/api/data/v9.2"
OTHER = {"authorization": "Bearer roleless"}
RIGHTS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo")


@pytest.fixture
def granted(api):
    """Give the user without roles some privileges, at a depth."""
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name")["value"]}
    role = api.created("roles", name="Of duplicates", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    link = {"@odata.id": f"{ROOT}/roles({role})"}
    assert api("POST", f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref", link).status == 204

    def grant(**depths):
        rows = [{"PrivilegeId": known[n], "Depth": depth, "BusinessUnitId": unit} for n, depth in depths.items()]
        path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
        assert api("POST", path, {"Privileges": rows}).status == 204

    yield grant
    assert api("DELETE", f"/roles({role})").status == 204


def all_rights(table, depth):
    return {f"prv{right}{table}": depth for right in RIGHTS}


def condition_of(api, rule):
    (row,) = api.json(f"/duplicaterules({rule})/DuplicateRule_DuplicateRuleConditions")["value"]
    return row


def test_conditions_are_those_of_the_rules_that_one_may_use(api, clean, granted, state):
    granted(**all_rights("DuplicateRule", "Basic"), prvReadUser="Global")
    rules = []
    for headers in ({}, OTHER):
        made = api("POST", "/duplicaterules", {"name": "Rule", "baseentityname": "account"}, **headers)
        rules.append(dict(made.headers)["OData-EntityId"].rpartition("(")[2].rstrip(")"))
        bind = {"regardingobjectid@odata.bind": f"/duplicaterules({rules[-1]})", **column("fax")}
        answer = api("POST", "/duplicateruleconditions", bind, **headers)
        assert answer.status == 204, answer.body
    mine, theirs = (condition_of(api, rule) for rule in rules)
    assert theirs["_ownerid_value"] == theirs["owninguser"] != mine["owninguser"]
    own, other = (f"/duplicateruleconditions({row['duplicateruleconditionid']})" for row in (theirs, mine))
    seen = api.json("/duplicateruleconditions", **OTHER)
    assert ids(seen, "duplicateruleconditionid") == {theirs["duplicateruleconditionid"]}
    before = state()
    bind = {"regardingobjectid@odata.bind": f"/duplicaterules({rules[0]})", **column("name")}
    for method, path, body in (
        ("GET", other, None),
        ("PATCH", other, {"ignoreblankvalues": True}),
        ("DELETE", other, None),
        ("POST", "/duplicateruleconditions", bind),
    ):
        assert api.error(method, path, body, **OTHER)[0] == 403
    assert state() == before
    assert api("PATCH", own, {"ignoreblankvalues": True}, **OTHER).status == 204
    assert api("DELETE", own, **OTHER).status == 204


def test_what_a_job_has_found_is_seen_with_the_job(api, worker, clean, granted, state):
    for _ in range(2):
        api.created("accounts", emailaddress1="ann@x.test")
    granted(**all_rights("AsyncOperation", "Basic"), prvReadDuplicateRule="Global", prvReadAccount="Basic")
    for headers in ({}, OTHER):
        assert api("POST", "/BulkDetectDuplicates", detection(), **headers).status == 200
    run_all(worker)
    # The other user may read none of the accounts.
    assert len(api.json("/duplicaterecords")["value"]) == 2
    assert api.json("/duplicaterecords", **OTHER)["value"] == []
    granted(**all_rights("AsyncOperation", "Basic"), prvReadDuplicateRule="Global", prvReadAccount="Global")
    job = json.loads(api("POST", "/BulkDetectDuplicates", detection(), **OTHER).body)["JobId"]
    run_all(worker)
    assert {row["_asyncoperationid_value"] for row in api.json("/duplicaterecords", **OTHER)["value"]} == {job}
    granted(prvReadAccount="Global")
    before = state()
    assert api.error("POST", "/BulkDetectDuplicates", detection(), **OTHER)[0] == 403
    assert api.error("GET", "/duplicaterecords", **OTHER)[0] == 403
    assert state() == before


def test_duplicates_that_one_may_not_read_are_not_told_and_refuse_all_the_same(api, clean, granted):
    api.created("accounts", emailaddress1="ann@x.test")
    granted(**all_rights("Account", "Basic"))
    sent = {"emailaddress1": "ann@x.test"}
    entity = json.dumps({"@odata.type": "Microsoft.Dynamics.CRM.account", **sent}).replace('"', "'")
    path = f"/RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName='account')?@p1={entity}"
    assert api.json(path, **OTHER)["value"] == []
    assert len(api.json(path)["value"]) == 1
    assert api.error("POST", "/accounts", sent, **OTHER, **ON)[:2] == (412, "0x80040333")


def test_publishing_takes_its_privilege_and_not_that_to_write(api, worker, clean, granted):
    identifier = draft(api, "account", "account", column("fax"))
    path = f"/duplicaterules({identifier})/{PUBLISH}"
    granted(**all_rights("DuplicateRule", "Global"), **all_rights("AsyncOperation", "Basic"))
    status, code, text = api.error("POST", path, **OTHER)
    assert (status, code, "prvPublishDuplicateRule" in text) == (403, "0x80040220", True)
    granted(**all_rights("AsyncOperation", "Basic"), prvPublishDuplicateRule="Global", prvReadDuplicateRule="Global")
    assert api("POST", path, **OTHER).status == 200
    run_all(worker)
    assert api("POST", "/UnpublishDuplicateRule", {"DuplicateRuleId": identifier}, **OTHER).status == 204
