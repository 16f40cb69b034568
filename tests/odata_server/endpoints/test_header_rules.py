"""Headers that change behavior, row by row: what each does, and that it does nothing where it is not meant."""

from __future__ import annotations

import json

import pytest
from things import dump

ACCOUNT = {"name": "A"}


@pytest.fixture
def state(environments):
    return lambda: dump(environments[0].database)


@pytest.fixture
def account(api):
    return api.created("accounts", name="Known")


def answered(answer):
    headers = dict(answer.headers)
    return answer.status, headers.get("Preference-Applied")


# --- If-None-Match: null is what Microsoft's samples send; it is as if it were not there


@pytest.mark.parametrize("value", ["null", ""])
def test_if_none_match_null_is_no_condition(api, account, value):
    path = f"/accounts({account})"
    sent = {"if_none_match": value}
    assert api("GET", path, **sent).status == 200
    assert api("GET", "/accounts", **sent).status == 200
    assert api("POST", "/accounts", ACCOUNT, **sent).status == 204
    assert api("PATCH", path, {"name": "Changed"}, **sent).status == 204
    assert api("PUT", f"{path}/name", {"value": "Put"}, **sent).status == 204
    assert api("GET", "/WhoAmI", **sent).status == 200
    assert api("DELETE", path, **sent).status == 204


def test_if_none_match_with_a_value_is_a_condition(api, account, state):
    path = f"/accounts({account})"
    before = state()
    assert api("GET", path, if_none_match=api.json(path)["@odata.etag"]).status == 304
    assert api.error("PATCH", path, ACCOUNT, if_none_match="*")[:2] == (412, "0x80040237")
    assert state() == before


# --- If-Match


@pytest.mark.parametrize("value", ["null", ""])
def test_if_match_null_is_no_condition(api, account, value):
    path = f"/accounts({account})"
    assert api("PATCH", path, {"name": "Changed"}, if_match=value).status == 204
    assert api("DELETE", path, if_match=value).status == 204


def test_if_match_with_a_value_is_a_condition(api, account, state):
    path = f"/accounts({account})"
    before = state()
    for method, body in (("PATCH", ACCOUNT), ("DELETE", None)):
        assert api.error(method, path, body, if_match='W/"1"')[:2] == (412, "0x80060882")
    assert state() == before


# --- Prefer: what was asked for and done is told, what is unknown is not

PREFERENCES = [
    ("POST", "/accounts", ACCOUNT, "return=representation", (201, "return=representation")),
    ("POST", "/accounts", ACCOUNT, "return=minimal", (204, None)),
    ("POST", "/accounts", ACCOUNT, "return=everything", (204, None)),
    ("PATCH", "/accounts({0})", ACCOUNT, "return=representation", (200, "return=representation")),
    ("GET", "/accounts", None, "odata.maxpagesize=1", (200, "odata.maxpagesize=1")),
    ("GET", "/accounts", None, "odata.maxpagesize=0", (200, None)),
    ("GET", "/accounts", None, "odata.maxpagesize=x", (200, None)),
    ("GET", "/accounts({0})", None, 'odata.include-annotations="*"', (200, 'odata.include-annotations="*"')),
    ("GET", "/accounts({0})", None, 'odata.include-annotations="*', (200, None)),
    ("GET", "/accounts({0})", None, "return=representation", (200, None)),
    ("GET", "/accounts?$select=name", None, "odata.track-changes", (200, "odata.track-changes")),
    ("GET", "/accounts({0})", None, "odata.continue-on-error", (200, None)),
    ("GET", "/WhoAmI", None, "respond-async", (200, None)),
    ("GET", "/accounts", None, "handling=lenient", (200, None)),
]


@pytest.mark.parametrize("case", PREFERENCES)
def test_a_preference_is_told_where_it_was_honored(api, account, case):
    method, path, body, preference, expected = case
    assert answered(api(method, path.format(account), body, prefer=preference)) == expected


def test_several_preferences_come_in_one_header(api, account):
    answer = api("GET", "/accounts", prefer='odata.maxpagesize=1, odata.include-annotations="*"')
    applied = [value for name, value in answer.headers if name == "Preference-Applied"]
    assert applied == ["odata.maxpagesize=1", 'odata.include-annotations="*"']
    assert len(json.loads(answer.body)["value"]) == 1


# --- Consistency and the session of elastic tables are accepted by every verb


@pytest.mark.parametrize(
    "header",
    [
        {"consistency": "Strong"},
        {"mscrm.sessiontoken": "207:8#142792221#7=-1"},
        {"mscrm.solutionuniquename": "Default"},
        {"mscrm.mergelabels": "true"},
        {"mscrm.languagecode": "1033"},
        {"mscrm.suppresscallbackregistrationexpanderjob": "true"},
        {"odata_version": "4.0"},
        {"odata_maxversion": "4.0"},
    ],
)
def test_headers_of_microsofts_samples_change_no_data(api, account, header):
    plain = api("GET", f"/accounts({account})")
    with_header = api("GET", f"/accounts({account})", **header)
    assert (with_header.status, with_header.body) == (plain.status, plain.body)
    assert api("PATCH", f"/accounts({account})", {"name": "Known"}, **header).status == 204


@pytest.mark.parametrize("value", ["3.0", "x"])
def test_an_older_protocol_is_refused(api, state, value):
    before = state()
    assert api.error("POST", "/accounts", ACCOUNT, odata_maxversion=value)[0] == 400
    assert state() == before
