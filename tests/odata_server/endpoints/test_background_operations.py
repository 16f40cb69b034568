"""`Prefer: respond-async`: a custom API runs after its answer; its row and the status monitor tell how it goes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hooks import Hooks, with_registration
from listening import listening
from things import dump

from entities.errors import StepRejected
from entities.messages import Create, Execute
from entities.pipeline import ExecutionContext, Pipeline, Stage, Step
from entities.values import EntityReference
from odata_server.endpoints import background, web_api

NAME = "sample_Export"
ROLELESS = "0a000000-0000-4000-8000-000000000003"
ASYNC = {"prefer": "respond-async"}
SHOWN = (
    "name,displayname,backgroundoperationstatecode,backgroundoperationstatuscode,inputparameters,outputparameters,"
    "starttime,endtime,retrycount,errorcode,errormessage,runas,ttlinseconds"
)
STATE, STATUS = "backgroundoperationstatecode", "backgroundoperationstatuscode"
SOON = time.time() + 10_000
DAY = 86_400
CANCEL = {STATE: 2, STATUS: 22}


@dataclass
class Export:
    """The main operation of the custom API: it makes an account, tells its id, and fails as often as it is told."""

    failures: int = 0
    seen: list[object] = field(default_factory=list)

    def run(self, context: ExecutionContext) -> None:
        self.seen.append(dict(context.parameters))
        made = context.system.execute(Create("account", {"name": str(context.parameters["Text"])}), context.caller)
        if self.failures:
            self.failures -= 1
            raise StepRejected("Not today.")
        context.result = {"Account": made.reference.id, "Many": context.parameters.get("Number")}


EXPORT = Export()


@pytest.fixture(scope="module")
def opened(environments, services, api) -> Iterator[Hooks]:
    known = environments[0]._parts
    places = {**known.pipeline.by_place, (NAME, None, Stage.MAIN): (Step(NAME, None, Stage.MAIN, EXPORT.run),)}
    changed = replace(known, pipeline=Pipeline(places, known.pipeline.unknown))
    environments[0]._parts = changed
    service = with_registration(environments[0])
    client = type(api)(replace(services, dataverse=service), web_api.handle, "/api/data/v9.2")
    declare(client)
    with listening() as listener:
        yield Hooks(client, service, listener)


def declare(client):
    texts = {"uniquename": NAME, "name": NAME, "displayname": "Export"}
    custom = client.created("customapis", **texts, bindingtype=0, isfunction=False, allowedcustomprocessingsteptype=2)
    parts = [
        ("customapirequestparameters", "Text", 10, {}),
        ("customapirequestparameters", "Number", 2, {"isoptional": True}),
        ("customapirequestparameters", "When", 1, {"isoptional": True}),
        ("customapirequestparameters", "Who", 5, {"isoptional": True, "logicalentityname": "contact"}),
        ("customapiresponseproperties", "Account", 12, {}),
        ("customapiresponseproperties", "Many", 2, {}),
    ]
    for entity_set, name, kind, more in parts:
        of_api = {"CustomAPIId@odata.bind": f"/customapis({custom})"}
        client.created(entity_set, uniquename=name, name=name, displayname=name, type=kind, **of_api, **more)


@pytest.fixture
def hooks(opened) -> Iterator[Hooks]:
    EXPORT.seen.clear()
    EXPORT.failures = 0
    yield opened
    opened.run()
    opened.forget()


def monitor(hooks, method, identifier):
    answer = background.handle(monitored(hooks, method, f"/api/backgroundoperation/{identifier}"), hooks.api.services)
    return answer.status, json.loads(answer.body)


def monitored(hooks, method, path, token="good"):
    from odata_server.endpoints.exchange import ODataRequest

    headers = {"authorization": f"Bearer {token}"}
    return ODataRequest(method, "https", "org.test:8443", path, "", headers, b"")


def started(hooks, prefer="respond-async", **parameters):
    answer = hooks.api("POST", f"/{NAME}", {"Text": "made", **parameters}, prefer=prefer)
    assert answer.status == 202, answer.body
    return dict(answer.headers)["x-ms-dyn-backgroundoperationid"], answer


def row(hooks, identifier):
    return hooks.api.json(f"/backgroundoperations({identifier})?$select={SHOWN}")


def accounts(hooks):
    return [found["name"] for found in hooks.api.json("/accounts?$select=name")["value"]]


def at(monkeypatch, seconds):
    monkeypatch.setattr("odata_server.engine.jobs.time.time", lambda: SOON + seconds)


def test_a_custom_api_is_accepted_and_runs_behind_its_answer(hooks):
    before = accounts(hooks)
    identifier, answer = started(hooks, Number=1.5, When="2026-01-02T03:04:05Z")
    headers = dict(answer.headers)
    assert headers["Location"] == f"https://org.test:8443/api/backgroundoperation/{identifier}"
    assert headers["Preference-Applied"] == "respond-async"
    assert (answer.body, EXPORT.seen, accounts(hooks)) == (b"", [], before)
    waiting = row(hooks, identifier)
    assert (waiting[STATE], waiting[STATUS], waiting["starttime"], waiting["retrycount"]) == (0, 0, None, 0)
    assert (waiting["name"], waiting["ttlinseconds"]) == (NAME, 7_776_000)
    assert waiting["runas"] == hooks.api.json("/WhoAmI")["UserId"]
    assert json.loads(waiting["inputparameters"])[0] == {"Key": "Text", "Value": "made"}
    assert monitor(hooks, "GET", identifier) == (
        200,
        {"backgroundOperationStateCode": 0, "backgroundOperationStatusCode": 0},
    )

    hooks.run()
    assert accounts(hooks) == [*before, "made"]
    done = row(hooks, identifier)
    assert (done[STATE], done[STATUS], done["errorcode"], done["errormessage"]) == (3, 30, None, None)
    assert done["starttime"] <= done["endtime"]
    told = {pair["Key"]: pair["Value"] for pair in json.loads(done["outputparameters"])}
    assert told["Many"] == 1.5
    status, shown = monitor(hooks, "GET", identifier)
    assert (status, shown["Account"], shown["backgroundOperationStatusCode"]) == (200, told["Account"], 30)


def test_the_parameters_are_those_of_the_request(hooks):
    contact = hooks.api.created("contacts", lastname="x")
    who = {"@odata.id": f"https://org.test:8443/api/data/v9.2/contacts({contact})"}
    given = {"Text": "é\n", "Number": 12345678901.25, "When": "2026-01-02T03:04:05Z", "Who": who}
    assert hooks.api("POST", f"/{NAME}", given).status == 200
    started(hooks, **given)
    hooks.run()
    at_once, later = EXPORT.seen
    assert later == at_once
    assert later["Who"] == EntityReference("contact", contact)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/WhoAmI", None, 200),
        ("GET", "/accounts?$select=name", None, 200),
        ("POST", "/accounts", {"name": "x"}, 204),
        ("POST", f"/{NAME}", {"Text": "x"}, 202),
    ],
)
def test_only_custom_apis_honor_the_preference(hooks, method, path, body, status):
    answer = hooks.api(method, path, body, **ASYNC)
    assert answer.status == status, answer.body
    assert (("Preference-Applied", "respond-async") in answer.headers) is (status == 202)


@pytest.fixture(scope="module")
def weak(opened) -> dict[str, str]:
    """The header of a user whose role grants nothing."""
    api = opened.api
    (unit,) = api.json("/businessunits?$select=name")["value"]
    unit_of_role = {"businessunitid@odata.bind": f"/businessunits({unit['businessunitid']})"}
    role = api.created("roles", name="Nothing", **unit_of_role)
    (user,) = api.json(f"/systemusers?$select=fullname&$filter=applicationid eq {ROLELESS}")["value"]
    link = {"@odata.id": f"https://org.test:8443/api/data/v9.2/roles({role})"}
    assert api("POST", f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref", link).status == 204
    return {"authorization": "Bearer roleless"}


def test_a_request_takes_the_privileges_to_read_and_write_operations(hooks, weak):
    before = dump(hooks.service.database)
    status, code, text = hooks.api.error("POST", f"/{NAME}", {"Text": "x"}, **ASYNC, **weak)
    assert (status, code) == (403, "0x80040220")
    assert "prvReadbackgroundoperation" in text
    assert dump(hooks.service.database) == before
    identifier, _ = started(hooks)
    request = monitored(hooks, "GET", f"/api/backgroundoperation/{identifier}", "roleless")
    assert background.handle(request, hooks.api.services).status == 403
    assert hooks.api("PATCH", f"/backgroundoperations({identifier})", CANCEL, **weak).status == 403
    hooks.run()
    assert row(hooks, identifier)[STATUS] == 30


@pytest.mark.parametrize("body", [{}, {"Text": 5}, {"Text": "x", "Nope": 1}])
def test_what_cannot_be_read_is_refused_at_once(hooks, body):
    before = dump(hooks.service.database)
    assert hooks.api("POST", f"/{NAME}", body, **ASYNC).status == 400
    assert dump(hooks.service.database) == before


def test_a_failed_operation_is_tried_three_times_more(hooks, monkeypatch):
    EXPORT.failures = 9
    before = accounts(hooks)
    identifier, _ = started(hooks)
    seen = []
    for seconds in (0, 1, 3, 7):
        at(monkeypatch, seconds - 0.01)
        if seconds:
            assert not hooks.worker.run_one()
        at(monkeypatch, seconds)
        assert hooks.worker.run_one()
        found = row(hooks, identifier)
        seen.append((found[STATE], found[STATUS], found["retrycount"]))
    assert seen == [(0, 0, 1), (0, 0, 2), (0, 0, 3), (3, 31, 3)]
    assert (found["errorcode"], found["errormessage"]) == (-2147220891, "Not today.")
    assert not hooks.worker.run_one()
    assert len(EXPORT.seen) == 4
    assert accounts(hooks) == before
    assert monitor(hooks, "GET", identifier) == (
        200,
        {
            "backgroundOperationErrorCode": -2147220891,
            "backgroundOperationErrorMessage": "Not today.",
            "backgroundOperationStateCode": 3,
            "backgroundOperationStatusCode": 31,
        },
    )


def test_an_operation_that_fails_once_succeeds_later(hooks, monkeypatch):
    EXPORT.failures = 1
    identifier, _ = started(hooks)
    for seconds in (0, 1):
        at(monkeypatch, seconds)
        assert hooks.worker.run_one()
    found = row(hooks, identifier)
    assert (found[STATE], found[STATUS], found["retrycount"], found["errorcode"]) == (3, 30, 1, None)


def cancel_by_monitor(hooks, identifier):
    status, told = monitor(hooks, "DELETE", identifier)
    assert (status, told) == (200, {"backgroundOperationStateCode": 2, "backgroundOperationStatusCode": 22})


def cancel_by_row(hooks, identifier):
    assert hooks.api("PATCH", f"/backgroundoperations({identifier})", CANCEL).status == 204


@pytest.mark.parametrize("cancel", [cancel_by_monitor, cancel_by_row])
def test_an_operation_that_is_canceled_does_not_run(hooks, cancel):
    identifier, _ = started(hooks)
    cancel(hooks, identifier)
    assert row(hooks, identifier)[STATUS] == 22
    hooks.run()
    found = row(hooks, identifier)
    assert (found[STATE], found[STATUS], EXPORT.seen) == (3, 32, [])


def test_an_operation_that_failed_and_is_canceled_is_not_tried_again(hooks, monkeypatch):
    EXPORT.failures = 9
    identifier, _ = started(hooks)
    at(monkeypatch, 0)
    assert hooks.worker.run_one()
    cancel_by_row(hooks, identifier)
    at(monkeypatch, 100)
    assert hooks.worker.run_one()
    assert (row(hooks, identifier)[STATUS], len(EXPORT.seen)) == (32, 1)


def test_what_has_ended_cannot_be_canceled(hooks):
    identifier, _ = started(hooks)
    hooks.run()
    before = dump(hooks.service.database)
    text = "Canceling background operation is not allowed after it is in terminal state."
    status, told = monitor(hooks, "DELETE", identifier)
    assert (status, told["error"]["message"]) == (400, text)
    assert hooks.api.error("PATCH", f"/backgroundoperations({identifier})", CANCEL)[2] == text
    assert dump(hooks.service.database) == before


@pytest.mark.parametrize("body", [{STATE: 3, STATUS: 30}, {STATUS: 31}, {STATE: 2}, {STATUS: 99}])
def test_users_can_do_nothing_with_an_operation_but_cancel_it(hooks, body):
    identifier, _ = started(hooks)
    before = dump(hooks.service.database)
    assert hooks.api("PATCH", f"/backgroundoperations({identifier})", body).status == 400
    assert hooks.api("POST", "/backgroundoperations", {STATE: 0}).status in {400, 403, 405}
    assert dump(hooks.service.database) == before


@pytest.mark.parametrize(
    ("method", "name", "token", "status"),
    [
        ("GET", "00000000-0000-0000-0000-00000000dead", "good", 404),
        ("DELETE", "00000000-0000-0000-0000-00000000dead", "good", 404),
        ("GET", "nothing", "good", 404),
        ("GET", "", "good", 404),
        ("POST", "00000000-0000-0000-0000-00000000dead", "good", 405),
        ("GET", "00000000-0000-0000-0000-00000000dead", "bad", 401),
        ("GET", "00000000-0000-0000-0000-00000000dead", "roleless", 403),
    ],
)
def test_the_status_monitor_refuses(hooks, method, name, token, status):
    request = monitored(hooks, method, f"/api/backgroundoperation/{name}", token)
    assert background.handle(request, hooks.api.services).status == status


def test_the_end_is_told_to_a_url(hooks):
    url = f"{hooks.listener.url}/done?sig=1,2"
    identifier, answer = started(hooks, prefer=f'respond-async, odata.callback; url="{url}"')
    location = f"https://org.test:8443/api/backgroundoperation/{identifier}"
    assert json.loads(answer.body) == {"backgroundOperationId": identifier, "location": location}
    assert ("Preference-Applied", "callback") in answer.headers
    (heard,) = hooks.run()
    assert heard.path == "/done?sig=1,2"
    assert heard.json() == {
        "location": location,
        "backgroundOperationId": identifier,
        "backgroundOperationStateCode": 3,
        "backgroundOperationStatusCode": 30,
    }


def test_a_failure_is_told_with_its_error(hooks, monkeypatch):
    EXPORT.failures = 9
    started(hooks, prefer=f'respond-async, odata.callback; url="{hooks.listener.url}/done"')
    for seconds in (0, 1, 3, 7, 7):
        at(monkeypatch, seconds)
        assert hooks.worker.run_one()
    (heard,) = hooks.listener.take()
    told = heard.json()
    assert (told["backgroundOperationErrorCode"], told["backgroundOperationErrorMessage"]) == (
        -2147220891,
        "Not today.",
    )
    assert told["backgroundOperationStatusCode"] == 31


def test_a_step_hears_of_the_end(hooks):
    hooks.step("OnBackgroundOperationComplete", None)
    identifier, _ = started(hooks)
    (heard,) = hooks.run()
    told = {one["key"]: one["value"] for one in heard.json()["OutputParameters"]}
    given = {one["key"]: one["value"] for one in heard.json()["InputParameters"]}
    assert given["BackgroundOperationId"] == identifier
    assert told["OperationName"] == NAME
    assert told["BackgroundOperationStatusCode"] == 30


def test_nobody_can_call_the_event_over_http(hooks):
    assert hooks.api("POST", "/OnBackgroundOperationComplete", {}).status == 404
    assert hooks.api("POST", "/ExecuteBackgroundOperation", {}).status == 404


def request_and_refuse(hooks):
    principal = hooks.service.directory.by_id(hooks.api.json("/WhoAmI")["UserId"])
    asked = {"Request": Execute(NAME, {"Text": "x"}), "CallbackUri": None, "LocationRoot": ""}
    with hooks.service.unit_of_work() as unit:
        unit.execute(Execute("ExecuteBackgroundOperation", asked), principal)
        raise StepRejected("No.")


def test_a_change_set_that_fails_takes_the_request_back(hooks):
    before = dump(hooks.service.database)
    with pytest.raises(StepRejected):
        request_and_refuse(hooks)
    assert dump(hooks.service.database) == before


def test_a_row_goes_when_its_time_is_over(hooks, monkeypatch):
    identifier, _ = started(hooks)
    hooks.run()
    at(monkeypatch, 89 * DAY)
    hooks.run()
    assert row(hooks, identifier)[STATUS] == 30
    at(monkeypatch, 90 * DAY)
    hooks.run()
    assert hooks.api("GET", f"/backgroundoperations({identifier})").status == 404
    assert monitor(hooks, "GET", identifier)[0] == 404
