"""What can be registered, and what is refused: endpoints, steps and images over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hooks import Hooks, with_registration
from listening import listening
from things import dump

from entities.standard.sdk_messages import filter_id, message_id
from odata_server.endpoints import web_api

SETTING = '<settings><setting name="{}" value="{}"/></settings>'


@pytest.fixture(scope="module")
def hooks(environments, services, api) -> Iterator[Hooks]:
    service = with_registration(environments[0])
    client = type(api)(replace(services, dataverse=service), web_api.handle, "/api/data/v9.2")
    with listening() as listener:
        yield Hooks(client, service, listener)


@pytest.fixture(scope="module")
def step(hooks) -> str:
    """An enabled step in asynchronous mode on the update of accounts."""
    return hooks.step("Update", "account")


def refused(hooks, method, path, body):
    before = dump(hooks.service.database)
    status, code, text = hooks.api.error(method, path, body)
    assert dump(hooks.service.database) == before
    assert text
    return status, code


ENDPOINTS = [
    ({"url": "ftp://x.test/"}, 400, "0x80040203"),
    ({"url": "/hook"}, 400, "0x80040203"),
    ({"url": "http://"}, 400, "0x80040203"),
    ({"url": "http://x.test:99999/"}, 400, "0x80040203"),
    ({"url": "http://[::1/"}, 400, "0x80040203"),
    ({"url": None}, 400, "0x80040203"),
    ({"authtype": None}, 400, "0x80040203"),
    ({"authtype": 2}, 400, "0x80040203"),
    ({"authtype": 1}, 400, "0x80050209"),
    ({"authvalue": ""}, 400, "0x80040203"),
    ({"authvalue": "a\nb"}, 400, "0x80040203"),
    ({"authtype": 5, "authvalue": "Key: Value"}, 400, "0x80050203"),
    ({"authtype": 5, "authvalue": "<settings/>"}, 400, "0x80050203"),
    ({"authtype": 5, "authvalue": SETTING.format("a b", "v")}, 400, "0x80050203"),
    ({"authtype": 5, "authvalue": SETTING.format("a", "v&#10;w: x")}, 400, "0x80050203"),
    ({"authtype": 5, "authvalue": "<!DOCTYPE x [<!ENTITY a 'b'>]>" + SETTING.format("a", "&a;")}, 400, "0x80050203"),
    ({"authtype": 6, "authvalue": "a=b"}, 400, "0x80050204"),
    ({"authtype": 6, "authvalue": SETTING.format("", "v")}, 400, "0x80050204"),
    ({"authtype": 6, "authvalue": "<other/>"}, 400, "0x80050204"),
    ({"contract": 2}, 501, "0x80040315"),
    ({"contract": 77}, 400, None),
]


@pytest.mark.parametrize(("changed", "status", "code"), ENDPOINTS, ids=range(len(ENDPOINTS)))
def test_an_endpoint_that_cannot_be_called_is_refused(hooks, changed, status, code):
    body = {"name": "x", "contract": 8, "url": "http://x.test/", "authtype": 4, "authvalue": "k", **changed}
    for method, path in (("POST", "/serviceendpoints"), ("PATCH", f"/serviceendpoints({hooks.usual})")):
        found = refused(hooks, method, path, body)
        assert found[0] == status
        assert code in {None, found[1]}


def test_an_endpoint_keeps_its_secret_when_other_columns_change(hooks):
    assert hooks.api("PATCH", f"/serviceendpoints({hooks.usual})", {"name": "Renamed"}).status == 204
    hooks.step("Create", "contact", mode=0)
    hooks.api.created("contacts", lastname="x")
    (heard,) = hooks.listener.take()
    assert heard.path == "/hook?code=secret"
    hooks.forget()


STEPS = [
    ({"stage": 30}, "0x80044184"),
    ({"stage": 45}, "0x80044184"),
    ({"stage": 20}, "0x80040203"),
    ({"stage": 10}, "0x80040203"),
    ({"mode": 0, "asyncautodelete": True}, "0x80040203"),
    ({"filteringattributes": "name,nope"}, "0x80041103"),
    ({"sdkmessageid@odata.bind": f"/sdkmessages({message_id('Create')})"}, "0x80040203"),
    ({"sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({filter_id('Create', 'account')})"}, "0x80040203"),
    ({"sdkmessageid@odata.bind": "/sdkmessages(00000000-0000-0000-0000-00000000dead)"}, None),
    ({"eventhandler_serviceendpoint@odata.bind": "/serviceendpoints(00000000-0000-0000-0000-00000000dead)"}, None),
    ({"eventhandler_serviceendpoint@odata.bind": None}, "0x80040203"),
]


@pytest.mark.parametrize(("changed", "code"), STEPS, ids=range(len(STEPS)))
def test_a_step_that_cannot_run_is_refused(hooks, step, changed, code):
    given = hooks.step_body("Update", "account", hooks.usual, **changed)
    body = {name: value for name, value in given.items() if value}
    found = refused(hooks, "POST", "/sdkmessageprocessingsteps", body)
    assert found[0] in {400, 404}
    assert code in {None, found[1]}


@pytest.mark.parametrize(
    ("message", "table"),
    [
        *(("Retrieve", "account"), ("RetrieveMultiple", "account"), ("CreateMultiple", "account")),
        *(("Retrieve", None), ("Upsert", None), ("UpdateMultiple", None)),
        *(("Create", "asyncoperation"), ("Create", "serviceendpoint"), ("Update", "backgroundoperation")),
    ],
)
def test_a_message_that_takes_no_steps_gets_none(hooks, message, table):
    body = hooks.step_body(message, table, hooks.usual)
    assert refused(hooks, "POST", "/sdkmessageprocessingsteps", body) == (400, "0x80044187")


def test_a_filter_of_columns_is_for_updates_of_one_table(hooks):
    for message, table in (("Create", "account"), ("Update", None)):
        body = hooks.step_body(message, table, hooks.usual, filteringattributes="name")
        assert refused(hooks, "POST", "/sdkmessageprocessingsteps", body) == (400, "0x80040203")


def test_the_end_of_background_operations_is_heard_asynchronously_only(hooks):
    body = hooks.step_body("OnBackgroundOperationComplete", None, hooks.usual, mode=0)
    assert refused(hooks, "POST", "/sdkmessageprocessingsteps", body) == (400, "0x80040203")


@pytest.mark.parametrize("body", [{"stage": 20}, {"filteringattributes": "nope"}, {"mode": 7}, {"stage": None}])
def test_a_step_cannot_be_changed_into_one_that_cannot_run(hooks, step, body):
    assert refused(hooks, "PATCH", f"/sdkmessageprocessingsteps({step})", body)[0] == 400


def image_body(step, **members):
    bind = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})"}
    return {**bind, "imagetype": 0, "entityalias": "a", "messagepropertyname": "Target", **members}


def test_an_image_that_cannot_be_made_is_refused(hooks, step):
    for members, code in (
        ({"messagepropertyname": "Id"}, "0x80040203"),
        ({"attributes": "nope"}, "0x80041103"),
        ({"imagetype": 9}, None),
    ):
        found = refused(hooks, "POST", "/sdkmessageprocessingstepimages", image_body(step, **members))
        assert found[0] == 400
        assert code in {None, found[1]}


@pytest.mark.parametrize(
    ("message", "table", "stage", "members", "code"),
    [
        ("Create", "account", 40, {"messagepropertyname": "Id"}, "0x8004416d"),
        ("Delete", "account", 40, {"imagetype": 1}, "0x8004416d"),
        ("Update", "account", 20, {"imagetype": 1}, "0x8004416e"),
        ("Update", "account", 20, {"imagetype": 2}, "0x8004416e"),
        ("WhoAmI", None, 40, {}, "0x80044189"),
    ],
)
def test_an_image_that_its_message_has_not_is_refused(hooks, message, table, stage, members, code):
    made = hooks.step(message, table, mode=0, stage=stage)
    found = refused(hooks, "POST", "/sdkmessageprocessingstepimages", image_body(made, **members))
    assert found == (400, code)
    hooks.api("DELETE", f"/sdkmessageprocessingsteps({made})")


def test_what_is_not_told_is_completed(hooks):
    body = hooks.step_body("Update", "account", hooks.usual)
    made = hooks.api.created("sdkmessageprocessingsteps", **{n: v for n, v in body.items() if n != "stage"})
    shown = hooks.api.json(f"/sdkmessageprocessingsteps({made})")
    assert shown["name"].endswith(": Update of account")
    assert (shown["stage"], shown["statecode"], shown["supporteddeployment"]) == (40, 0, 0)
    image = hooks.api.created("sdkmessageprocessingstepimages", **image_body(made))
    assert hooks.api.json(f"/sdkmessageprocessingstepimages({image})?$select=name")["name"] == "a"
    hooks.api("DELETE", f"/sdkmessageprocessingsteps({made})")
    assert hooks.api("GET", f"/sdkmessageprocessingstepimages({image})").status == 404


def test_messages_and_filters_are_found_through_one_another(hooks):
    query = (
        "/sdkmessagefilters?$select=primaryobjecttypecode&$expand=sdkmessageid($select=name)"
        "&$filter=(sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple')"
        " and primaryobjecttypecode eq 'account'"
    )
    found = hooks.api.json(query)["value"]
    assert {row["sdkmessageid"]["name"] for row in found} == {"CreateMultiple", "UpdateMultiple"}


@pytest.mark.parametrize("entity_set", ["sdkmessages", "sdkmessagefilters"])
def test_nobody_makes_changes_or_deletes_messages(hooks, entity_set):
    key = message_id("Create") if entity_set == "sdkmessages" else filter_id("Create", "account")
    for method, path, body in (
        ("POST", f"/{entity_set}", {}),
        ("PATCH", f"/{entity_set}({key})", {"introducedversion": "9"}),
        ("DELETE", f"/{entity_set}({key})", None),
    ):
        assert refused(hooks, method, path, body)[0] in {400, 403, 405}


def test_a_custom_api_is_a_message_that_takes_the_steps_it_allows(hooks):
    for allowed, mode, status in ((0, 1, 400), (1, 0, 400), (1, 1, 204), (2, 0, 204)):
        texts = {"uniquename": "sample_Do", "name": "Do", "displayname": "Do", "bindingtype": 0, "isfunction": False}
        custom = hooks.api.created("customapis", **texts, allowedcustomprocessingsteptype=allowed)
        body = hooks.step_body("sample_Do", None, hooks.usual, mode=mode)
        answer = hooks.api("POST", "/sdkmessageprocessingsteps", body)
        assert answer.status == status, answer.body
        if status == 400:
            assert json.loads(answer.body)["error"]["code"] == "0x80044187"
        assert hooks.api("DELETE", f"/customapis({custom})").status == 204
        assert hooks.api("GET", f"/sdkmessages({message_id('sample_Do')})").status == 404
