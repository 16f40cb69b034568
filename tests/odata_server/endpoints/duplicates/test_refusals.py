"""What is refused as a duplicate, by each way of writing."""

from __future__ import annotations

import json

import pytest
from duplicates import DUPLICATE, NO_ONE, ON, TYPED


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
