"""File columns over HTTP: uploads in chunks, limits, deletion (Learn: "Use file column data")."""

from __future__ import annotations

import json

import pytest
from file_requests import (
    DATA,
    MEGABYTE,
    MISSING,
    began,
    chunk,
    loaded,
    shown,
    stored,
)


@pytest.mark.parametrize("size", [1, 100, 999, 1279, 1280])
def test_a_file_is_stored_in_chunks_and_nobody_sees_it_before_the_last_one(api, account, size):
    stored(api, account, b"before", "old.txt")
    location = began(api, account)
    for begin in range(0, len(DATA), size):
        assert loaded(api, account).body == b"before"
        answer = chunk(api, location, DATA[begin : begin + size], begin, len(DATA))
        assert answer.status == (206 if begin + size < len(DATA) else 204)
    assert loaded(api, account).body == DATA
    assert shown(api, account)[1] == "big.bin"


@pytest.mark.parametrize(
    ("content_range", "size"),
    [
        ("", 10),
        ("bytes 0-9", 10),
        ("bytes 0-9/*", 10),
        ("bytes 0-8/100", 10),
        ("bytes 0-10/100", 10),
        ("bytes 5-14/100", 10),
        ("bytes 95-104/100", 10),
        ("bytes 9-0/100", 0),
        ("items 0-9/100", 10),
        ("bytes 0-9/99999999999999999999", 10),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused(api, account, content, content_range, size):
    location = began(api, account)
    before = content()
    status, code, _ = api.error("PATCH", location, DATA[:size], content_range=content_range)
    assert (status, code) == (400, "0x80090005")
    assert content() == before


def test_chunks_come_in_their_order_and_tell_one_size(api, account, content):
    location = began(api, account)
    assert chunk(api, location, DATA[:100], 0, 1280).status == 206
    before = content()
    for begin, total in ((0, 1280), (200, 1280), (100, 1281)):
        answer = chunk(api, location, DATA[:10], begin, total)
        assert json.loads(answer.body)["error"]["code"] == "0x80090005"
    assert content() == before
    assert chunk(api, location, DATA[100:], 100, 1280).status == 204
    assert loaded(api, account).body == DATA
    assert api.error("PATCH", location, DATA[:10], content_range="bytes 0-9/10")[1] == "0x80090003"


def test_a_session_belongs_to_one_row_and_one_user(api, account, content):
    location = began(api, account)
    other = api.created("accounts", name="B")
    before = content()
    token = location.partition("sessiontoken=")[2]
    for path in (
        location.replace(account, other),
        location.replace("new_dossier", "new_note"),
        location.replace(token, MISSING),
        location.replace(token, "x"),
        location.replace(token, ""),
    ):
        status, code, _ = api.error("PATCH", path, DATA[:10], content_range="bytes 0-9/10")
        assert (status, code) == (400, "0x80090003"), path
    assert content() == before


def test_files_are_as_large_as_their_column_allows(api, account, content):
    before = content()
    for column, size in (("new_note", 1025), ("new_dossier", 9 * MEGABYTE + 1)):
        found = api.error("PATCH", f"/accounts({account})/{column}", bytes(size), x_ms_file_name="a.bin")
        assert found == (400, "0x80044a02", "Attachment file size is too big.")
    assert content() == before
    stored(api, account, bytes(1024), column="new_note")
    location = began(api, account)
    assert chunk(api, location, DATA[:1], 0, 9 * MEGABYTE + 1).status == 400


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, DATA, "0x80090002"),
        ({"x_ms_file_name": "   "}, DATA, "0x80090002"),
        ({"x_ms_file_name": "a" * 256}, DATA, "0x80090002"),
        ({"x_ms_file_name": "a\r\nSet-Cookie: b"}, DATA, "0x80090002"),
        ({"x_ms_file_name": "a\x00b"}, DATA, "0x80090002"),
        ({"x_ms_file_name": "a.txt"}, b"", "0x80090004"),
    ],
)
def test_an_upload_needs_a_name_and_content(api, account, content, headers, body, code):
    before = content()
    status, found, _ = api.error("PATCH", f"/accounts({account})/new_dossier", body, **headers)
    assert (status, found) == (400, code)
    assert content() == before


def test_endings_that_the_organization_blocks_are_refused(api, account):
    (organization,) = api.json("/organizations?$select=name")["value"]
    path = f"/organizations({organization['organizationid']})"
    assert api("PATCH", path, {"blockedattachments": "exe;Bat"}).status == 204
    for name in ("a.exe", "a.BAT", "a.b.ExE"):
        found = api.error("PATCH", f"/accounts({account})/new_dossier", DATA, x_ms_file_name=name)
        assert found[:2] == (400, "0x80043e09")
    stored(api, account, name="a.exe.txt")


def test_a_file_is_deleted_and_its_bytes_with_it(api, account, content):
    stored(api, account)
    assert content()["$block"] != []
    assert api("DELETE", f"/accounts({account})/new_dossier").status == 204
    assert shown(api, account) == (None, None)
    assert content()["$block"] == content()["$file"] == []
    status, code, text = api.error("GET", f"/accounts({account})/new_dossier/$value")
    assert (status, code) == (404, "0x80040217")
    assert text == f"No file attachment found for attribute: new_dossier EntityId: {account}."
    assert api("DELETE", f"/accounts({account})/new_dossier").status == 204


def test_a_file_that_is_replaced_leaves_nothing(api, account, content):
    stored(api, account)
    stored(api, account, b"new", "new.txt")
    stored(api, account, b"note", "note.txt", column="new_note")
    assert loaded(api, account).body == b"new"
    assert loaded(api, account, column="new_note").body == b"note"
    assert len(content()["$file"]) == len(content()["$block"]) == 2


def test_deleting_the_row_deletes_its_files_and_uploads(api, account, content):
    stored(api, account)
    location = began(api, account)
    chunk(api, location, DATA[:10], 0, 100)
    other = api.created("accounts", name="B", **{"parentaccountid@odata.bind": f"/accounts({account})"})
    stored(api, other)
    assert api("DELETE", f"/accounts({account})").status == 204
    left = {row[2] for row in content()["$file"]}
    exists = {row["accountid"] for row in api.json("/accounts?$select=name")["value"]}
    assert left <= exists
    assert account not in left
    assert api.error("PATCH", location, DATA[:10], content_range="bytes 10-19/100")[0] in {400, 404}


def test_an_upload_that_nobody_completes_is_forgotten_after_a_day(moments, api, account, content):
    location = began(api, account)
    chunk(api, location, DATA[:10], 0, 100)
    moments.clock.text = "2024-03-01T12:30:16"
    began(api, account, "other.bin")
    assert [row[5] for row in content()["$file"]] == ["other.bin"]
    assert content()["$block"] == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_if_match_protects_a_file(api, account, content, method):
    stored(api, account)
    before = content()
    path, headers = f"/accounts({account})/new_dossier", {"x_ms_file_name": "b.txt"}
    assert api.error(method, path, b"b", if_match='W/"1"', **headers)[:2] == (412, "0x80060882")
    assert content() == before
    etag = api.json(f"/accounts({account})")["@odata.etag"]
    assert api(method, path, b"b", if_match=etag, if_none_match="null", **headers).status == 204


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("PATCH", f"/accounts({MISSING})/new_dossier", (404, "0x80040217")),
        ("DELETE", f"/accounts({MISSING})/new_dossier", (404, "0x80040217")),
        ("GET", f"/accounts({MISSING})/new_dossier/$value", (404, "0x80040217")),
        ("PATCH", "/accounts({})/name", (405, "0x80060888")),
        ("POST", "/accounts({})/new_dossier", (405, "0x80060888")),
        ("PATCH", "/accounts({})/new_dossier/$value", (405, "0x80060888")),
        ("PATCH", "/accounts({})/new_dossier_name", (405, "0x80060888")),
        ("PATCH", "/accounts({})/new_nothing", (404, "0x80060888")),
    ],
)
def test_there_is_no_file_elsewhere(api, account, content, method, path, refusal):
    before = content()
    assert api.error(method, path.format(account), DATA, x_ms_file_name="a.txt")[:2] == refusal
    assert content() == before


@pytest.mark.parametrize("value", [MISSING, None])
@pytest.mark.parametrize("column", ["new_dossier", "new_dossier_name"])
def test_a_row_cannot_be_given_a_file_by_its_id(api, account, column, value):
    stored(api, account)
    before = shown(api, account)
    api("PATCH", f"/accounts({account})", {column: value})
    assert shown(api, account) == before
