"""Webhooks over HTTP: what is registered calls a program that listens, in the message's transaction or behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hooks import Hooks, with_registration
from listening import listening
from things import dump

from odata_server.endpoints import web_api
from odata_server.engine.organization import OrganizationService

ROLELESS = "0a000000-0000-4000-8000-000000000003"
SHOWN = "statecode,statuscode,message,errorcode,retrycount,name,messagename,depth,_owningextensionid_value"


@pytest.fixture(scope="module")
def opened(environments, services, api) -> Iterator[Hooks]:
    service = with_registration(environments[0])
    client = type(api)(replace(services, dataverse=service), web_api.handle, "/api/data/v9.2")
    with listening() as listener:
        yield Hooks(client, service, listener)


@pytest.fixture
def hooks(opened) -> Iterator[Hooks]:
    yield opened
    opened.run()
    opened.forget()


def jobs(hooks, step):
    return hooks.api.json(f"/asyncoperations?$select={SHOWN}&$filter=_owningextensionid_value eq {step}")["value"]


def keyed(parameters):
    return {one["key"]: one["value"] for one in parameters}


def attributes(entity):
    return keyed(entity["Attributes"])


def test_an_asynchronous_step_sends_the_execution_context_when_its_job_runs(hooks):
    step = hooks.step("Create", "account", name="Tell the hook")
    account = hooks.api.created("accounts", name="Contoso")
    assert hooks.listener.take() == []
    assert [(job["statecode"], job["statuscode"]) for job in jobs(hooks, step)] == [(0, 0)]

    (heard,) = hooks.run()
    assert heard.path == "/hook?code=secret"
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["x-ms-dynamics-organization"] == "org.test:8443"
    assert heard.headers["x-ms-dynamics-entity-name"] == "account"
    assert heard.headers["x-ms-dynamics-request-name"] == "Create"
    assert "x-ms-dynamics-msg-size-exceeded" not in heard.headers
    sent = heard.json()
    me = hooks.api.json("/WhoAmI")
    assert heard.headers["x-ms-correlation-request-id"] == sent["CorrelationId"]
    assert {name: sent[name] for name in ("MessageName", "Mode", "Stage", "Depth", "PrimaryEntityName")} == {
        "MessageName": "Create",
        "Mode": 1,
        "Stage": 40,
        "Depth": 1,
        "PrimaryEntityName": "account",
    }
    assert (sent["PrimaryEntityId"], sent["OrganizationName"]) == (account, "Contoso")
    assert sent["OrganizationId"] == me["OrganizationId"]
    assert (sent["InitiatingUserId"], sent["UserId"]) == (me["UserId"], me["UserId"])
    assert sent["BusinessUnitId"] == me["BusinessUnitId"]
    assert sent["OwningExtension"]["Id"] == step
    assert sent["OwningExtension"]["Name"] == "Tell the hook"
    assert sent["OperationCreatedOn"].startswith("/Date(")
    assert keyed(sent["OutputParameters"]) == {"id": account}
    (job,) = jobs(hooks, step)
    assert (job["statecode"], job["statuscode"], job["messagename"], job["name"]) == (3, 30, "Create", "Tell the hook")


def test_the_target_holds_values_as_dot_net_types_them(hooks):
    hooks.step("Create", "account")
    account = hooks.api.created("accounts", name="Contoso", revenue=5.25, donotemail=True, industrycode=7)
    sent = hooks.run()[0].json()
    target = keyed(sent["InputParameters"])["Target"]
    assert target["__type"] == "Entity:http://schemas.microsoft.com/xrm/2011/Contracts"
    assert (target["Id"], target["LogicalName"]) == (account, "account")
    given = attributes(target)
    assert given["name"] == "Contoso"
    assert given["donotemail"] is True
    assert given["revenue"] == {"__type": "Money:http://schemas.microsoft.com/xrm/2011/Contracts", "Value": 5.25}
    assert given["industrycode"]["Value"] == 7
    assert given["ownerid"]["LogicalName"] == "systemuser"
    assert given["createdon"].startswith("/Date(")
    assert "createdon" not in attributes(keyed(sent["ParentContext"]["InputParameters"])["Target"])


def test_who_acts_for_another_user_is_told(hooks):
    hooks.step("Create", "account")
    me = hooks.api.json("/WhoAmI")["UserId"]
    (other,) = hooks.api.json(f"/systemusers?$select=fullname&$filter=applicationid eq {ROLELESS}")["value"]
    (role,) = hooks.api.json("/roles?$select=name&$filter=name eq 'System Administrator'")["value"]
    link = {"@odata.id": f"https://org.test:8443/api/data/v9.2/roles({role['roleid']})"}
    path = f"/systemusers({other['systemuserid']})/systemuserroles_association/$ref"
    assert hooks.api("POST", path, link).status == 204
    assert hooks.api("POST", "/accounts", {"name": "a"}, mscrmcallerid=other["systemuserid"]).status == 204
    sent = hooks.run()[0].json()
    assert (sent["UserId"], sent["InitiatingUserId"]) == (other["systemuserid"], me)


def test_a_step_that_is_not_registered_for_a_message_sends_nothing(hooks):
    hooks.step("Create", "contact")
    account = hooks.api.created("accounts", name="Contoso")
    hooks.api("PATCH", f"/accounts({account})", {"name": "x"})
    assert hooks.run() == []


def test_a_disabled_step_sends_nothing_until_it_is_enabled(hooks):
    step = hooks.step("Create", "account")
    assert hooks.api("PATCH", f"/sdkmessageprocessingsteps({step})", {"statecode": 1, "statuscode": 2}).status == 204
    hooks.api.created("accounts", name="a")
    assert hooks.run() == []
    assert hooks.api("PATCH", f"/sdkmessageprocessingsteps({step})", {"statecode": 0, "statuscode": 1}).status == 204
    hooks.api.created("accounts", name="a")
    assert len(hooks.run()) == 1


def test_a_step_goes_with_its_endpoint(hooks):
    endpoint = hooks.endpoint()
    step = hooks.step("Create", "account", endpoint)
    assert hooks.api("DELETE", f"/serviceendpoints({endpoint})").status == 204
    assert hooks.api("GET", f"/sdkmessageprocessingsteps({step})").status == 404
    hooks.api.created("accounts", name="a")
    assert hooks.run() == []


def test_an_update_sends_only_what_is_filtered_with_its_images(hooks):
    account = hooks.api.created("accounts", name="old", telephone1="1", description="before")
    step = hooks.step("Update", "account", filteringattributes="name, telephone1")
    image = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})", "imagetype": 2}
    alias = {"entityalias": "both", "messagepropertyname": "Target", "attributes": "name,description"}
    hooks.api.created("sdkmessageprocessingstepimages", **image, **alias)
    hooks.api("PATCH", f"/accounts({account})", {"description": "after"})
    assert hooks.run() == []

    hooks.api("PATCH", f"/accounts({account})", {"name": "new"})
    (heard,) = hooks.run()
    sent = heard.json()
    target = keyed(sent["InputParameters"])["Target"]
    assert attributes(target)["name"] == "new"
    assert attributes(target)["accountid"] == account
    assert "telephone1" not in attributes(target)
    before, after = (attributes(keyed(sent[f"{kind}EntityImages"])["both"]) for kind in ("Pre", "Post"))
    assert before == {"name": "old", "description": "after", "accountid": account}
    assert after == {"name": "new", "description": "after", "accountid": account}
    parent = attributes(keyed(sent["ParentContext"]["InputParameters"])["Target"])
    assert parent == {"accountid": account, "name": "new"}


def test_a_deletion_sends_a_reference_and_what_there_was(hooks):
    account = hooks.api.created("accounts", name="old")
    step = hooks.step("Delete", "account")
    image = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})", "imagetype": 0}
    hooks.api.created("sdkmessageprocessingstepimages", **image, entityalias="was", messagepropertyname="Target")
    hooks.api("DELETE", f"/accounts({account})")
    (heard,) = hooks.run()
    sent = heard.json()
    target = keyed(sent["InputParameters"])["Target"]
    assert (target["Id"], target["LogicalName"]) == (account, "account")
    assert target["__type"].startswith("EntityReference:")
    assert attributes(keyed(sent["PreEntityImages"])["was"])["name"] == "old"
    assert sent["PostEntityImages"] == []


def test_a_step_without_a_table_hears_of_every_table_but_those_of_the_platform(hooks):
    hooks.step("Create", None)
    hooks.api.created("accounts", name="a")
    hooks.api.created("contacts", lastname="b")
    assert [heard.json()["PrimaryEntityName"] for heard in hooks.run()] == ["account", "contact"]


def test_a_function_is_heard_with_its_result(hooks):
    hooks.step("RetrieveVersion", None)
    version = hooks.api.json("/RetrieveVersion")["Version"]
    (heard,) = hooks.run()
    assert keyed(heard.json()["OutputParameters"]) == {"Version": version}
    assert heard.headers["x-ms-dynamics-entity-name"] == "none"


def test_each_record_of_a_bulk_message_is_heard(hooks):
    hooks.step("Create", "account")
    targets = [{"@odata.type": "Microsoft.Dynamics.CRM.account", "name": name} for name in "abc"]
    answer = hooks.api("POST", "/accounts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets})
    assert answer.status == 200, answer.body
    names = [attributes(keyed(h.json()["InputParameters"])["Target"])["name"] for h in hooks.run()]
    assert sorted(names) == ["a", "b", "c"]


def test_a_job_whose_row_is_not_wanted_leaves_none(hooks):
    step = hooks.step("Create", "account", asyncautodelete=True)
    hooks.api.created("accounts", name="a")
    assert len(jobs(hooks, step)) == 1
    assert len(hooks.run()) == 1
    assert jobs(hooks, step) == []


def test_what_a_transaction_takes_back_is_not_sent(hooks):
    step = hooks.step("Create", "account")
    refuser = hooks.endpoint("/refuse")
    hooks.step("Create", "account", refuser, mode=0, rank=2)
    hooks.listener.statuses[:] = [500]
    before = dump(hooks.service.database)
    assert hooks.api.error("POST", "/accounts", {"name": "a"})[:2] == (400, "0x80050201")
    assert dump(hooks.service.database) == before
    assert [heard.path for heard in hooks.run()] == ["/refuse?code=secret"]
    assert jobs(hooks, step) == []


AUTHENTICATION = [
    ({"authtype": 4, "authvalue": "a b&c"}, "/hook?code=a+b%26c", {}),
    (
        {
            "authtype": 6,
            "authvalue": '<settings><setting name="k" value="v 1"/><setting name="l" value="2"/></settings>',
        },
        "/hook?k=v+1&l=2",
        {},
    ),
    ({"authtype": 5, "authvalue": '<settings><setting name="X-Key" value="v"/></settings>'}, "/hook", {"x-key": "v"}),
]


@pytest.mark.parametrize(("members", "path", "headers"), AUTHENTICATION)
def test_a_webhook_knows_its_sender(hooks, members, path, headers):
    hooks.step("Create", "account", hooks.endpoint(**members))
    hooks.api.created("accounts", name="a")
    (heard,) = hooks.run()
    assert heard.path == path
    assert headers.items() <= heard.headers.items()


@pytest.mark.parametrize("mode", [0, 1])
def test_what_is_too_long_loses_its_long_parts(hooks, monkeypatch, mode):
    monkeypatch.setattr("odata_server.providers.webhooks.LARGEST", (6_500, 9_000)[mode])
    hooks.step("Create", "task", mode=mode)
    hooks.api.created("tasks", subject="a", description="x" * 100)
    task = hooks.api.created("tasks", subject="b", description="é" * 2_000)
    short, long = hooks.run()
    assert "x-ms-dynamics-msg-size-exceeded" not in short.headers
    assert "InputParameters" in short.json()
    assert long.headers["x-ms-dynamics-msg-size-exceeded"] == "true"
    gone = {"ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages"}
    assert short.json().keys() - long.json().keys() == gone
    assert (long.json()["PrimaryEntityId"], long.json()["MessageName"]) == (task, "Create")


def test_a_synchronous_step_is_called_before_the_answer(hooks):
    hooks.step("Create", "account", mode=0, stage=20)
    account = hooks.api.created("accounts", name="a")
    (heard,) = hooks.listener.take()
    sent = heard.json()
    assert (sent["Mode"], sent["Stage"], sent["IsInTransaction"]) == (0, 20, True)
    assert sent["ParentContext"] is None
    assert (sent["PrimaryEntityId"], sent["OutputParameters"]) == (account, [])


@pytest.mark.parametrize(
    ("statuses", "calls"),
    [([400], 1), ([500], 1), ([301], 1), ([503, 503], 2), ([502, 400], 2)],
    ids=str,
)
def test_a_synchronous_step_that_fails_fails_the_message(hooks, statuses, calls):
    hooks.step("Create", "account", mode=0)
    hooks.listener.statuses[:] = statuses
    before = dump(hooks.service.database)
    status, code, text = hooks.api.error("POST", "/accounts", {"name": "a"})
    assert (status, code) == (400, "0x80050201")
    assert "non-success httpStatus code" in text
    assert len(hooks.listener.take()) == calls
    assert dump(hooks.service.database) == before


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_bad_connection_gets_a_second_try(hooks, status):
    hooks.step("Create", "account", mode=0)
    hooks.listener.statuses[:] = [status]
    hooks.api.created("accounts", name="a")
    assert len(hooks.listener.take()) == 2


def test_nobody_who_answers_fails_a_message(hooks):
    hooks.step("Create", "account", hooks.endpoint(url="http://127.0.0.1:9/hook"), mode=0)
    before = dump(hooks.service.database)
    assert hooks.api.error("POST", "/accounts", {"name": "a"})[:2] == (400, "0x80050205")
    assert dump(hooks.service.database) == before


FETCHED = "fetchXml=<fetch><entity name='serviceendpoint'>{}</entity></fetch>"
SECRET_QUERIES = [
    "$select=authvalue",
    "$filter=authvalue eq 'secret'",
    "$filter=startswith(authvalue,'s')",
    "$orderby=authvalue",
    "$apply=groupby((authvalue))",
    FETCHED.format("<attribute name='authvalue'/>"),
    FETCHED.format("<filter><condition attribute='authvalue' operator='eq' value='secret'/></filter>"),
]


def test_a_secret_is_never_read(hooks):
    endpoint = hooks.endpoint()
    read = hooks.api("GET", f"/serviceendpoints({endpoint})", prefer='odata.include-annotations="*"')
    assert b"secret" not in read.body
    assert b'authvalue"' not in read.body
    assert json.loads(read.body)["isauthvalueset"] is True
    for query in SECRET_QUERIES:
        answer = hooks.api("GET", f"/serviceendpoints?{query}")
        assert answer.status == 400, (query, answer.body)
    assert hooks.api.error("GET", f"/serviceendpoints({endpoint})/authvalue")[:2] == (405, "0x8004023b")


OUTCOMES = [
    ([500], [(3, 31, -2147155455)]),
    ([400], [(3, 31, -2147155455)]),
    ([503, 200], [(1, 10, -2147155455), (3, 30, -2147155455)]),
    ([503, 503], [(1, 10, -2147155455), (3, 31, -2147155455)]),
]


@pytest.mark.parametrize(("statuses", "states"), OUTCOMES, ids=str)
def test_a_job_says_how_its_call_went(hooks, monkeypatch, statuses, states):
    step = hooks.step("Create", "account")
    hooks.api.created("accounts", name="a")
    hooks.listener.statuses[:] = statuses
    seen = []
    for attempt, _ in enumerate(states):
        monkeypatch.setattr("odata_server.engine.jobs.time.time", lambda at=2e9 + attempt * 1_000: at)
        assert hooks.worker.run_one()
        (job,) = jobs(hooks, step)
        seen.append((job["statecode"], job["statuscode"], job["errorcode"]))
        assert "non-success httpStatus code" in job["message"]
    assert seen == states
    assert not hooks.worker.run_one()
    monkeypatch.undo()


def test_a_call_that_nobody_answers_is_tried_as_often_as_any_job(hooks, monkeypatch):
    step = hooks.step("Create", "account", hooks.endpoint(url="http://127.0.0.1:9/hook"))
    hooks.api.created("accounts", name="a")
    for attempt in range(5):
        monkeypatch.setattr("odata_server.engine.jobs.time.time", lambda at=2e9 + attempt * 1_000: at)
        assert hooks.worker.run_one()
    (job,) = jobs(hooks, step)
    assert (job["statecode"], job["statuscode"], job["errorcode"]) == (3, 31, -2147155451)
    assert not hooks.worker.run_one()


def test_another_process_sees_a_registration_at_once(hooks):
    other = OrganizationService(hooks.service.database, hooks.service._parts)
    hooks.step("Create", "account")
    client = type(hooks.api)(replace(hooks.api.services, dataverse=other), hooks.api.door, hooks.api.root)
    client.created("accounts", name="a")
    assert len(hooks.run()) == 1
    hooks.forget()
    client.created("accounts", name="a")
    assert hooks.run() == []
