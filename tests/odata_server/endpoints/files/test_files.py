"""File columns over HTTP: read whole and by range (Learn: "Use file column data")."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from file_requests import (
    DATA,
    MEGABYTE,
    OCTETS,
    ROOT,
    headers_of,
    loaded,
    shown,
    stored,
)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("size", [1, len(DATA), 4 * MEGABYTE, 4 * MEGABYTE + 1, 9 * MEGABYTE])
def test_a_file_is_stored_and_read_whole(api, account, method, size):
    data = (DATA * (size // len(DATA) + 1))[:size]
    path = f"/accounts({account})/new_dossier"
    assert api(method, path, data, x_ms_file_name="letter.pdf", **OCTETS).status == 204
    answer = loaded(api, account)
    assert (answer.status, answer.body) == (200, data)
    headers = headers_of(answer)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["x-ms-file-size"] == str(size)
    assert headers["x-ms-file-name"] == "letter.pdf"
    assert headers["mimetype"] == "application/pdf"
    assert headers["Content-Disposition"] == 'attachment; filename="letter.pdf"'
    assert headers["Access-Control-Expose-Headers"] == "x-ms-file-size; x-ms-file-name; mimetype"


def test_a_row_shows_the_id_and_the_name_of_its_file(api, account):
    assert shown(api, account) == (None, None)
    before = api.json(f"/accounts({account})")["@odata.etag"]
    stored(api, account)
    file_id, name = shown(api, account)
    assert (len(file_id), name) == (36, "letter.txt")
    assert api.json(f"/accounts({account})")["@odata.etag"] != before
    assert api.json(f"/accounts({account})/new_dossier")["value"] == file_id
    assert len(api.json("/accounts?$filter=new_dossier ne null".replace(" ", "%20"))["value"]) == 1


@pytest.mark.parametrize(
    ("header", "query", "name", "plain"),
    [
        ("a.txt", "", "a.txt", "a.txt"),
        ("a.txt", "b.txt", "a.txt", "a.txt"),
        ("", "b%20c.txt", "b c.txt", "b c.txt"),
        ("", "%C3%A4.txt", "ä.txt", "%C3%A4.txt"),
        ("", "a%22b.txt", 'a"b.txt', "a%22b.txt"),
    ],
)
def test_the_name_comes_in_a_header_or_in_the_query(api, account, header, query, name, plain):
    path = f"/accounts({account})/new_dossier{f'?x-ms-file-name={query}' if query else ''}"
    headers = {"x_ms_file_name": header} if header else {}
    assert api("PATCH", path, DATA, **headers, **OCTETS).status == 204
    assert shown(api, account)[1] == name
    answer = headers_of(loaded(api, account))
    assert answer["x-ms-file-name"] == plain
    assert answer["Content-Disposition"].isascii()
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{plain}"')


RANGES = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-1023", 0, 1024),
    ("bytes=1000-", 1000, 1280),
    ("bytes=-5", 1275, 1280),
    ("bytes=-5000", 0, 1280),
    ("bytes=1270-99999", 1270, 1280),
    ("bytes=1279-1279", 1279, 1280),
]


@pytest.mark.parametrize(("asked", "begin", "end"), RANGES)
def test_a_range_of_a_file_is_read(api, account, asked, begin, end):
    stored(api, account)
    answer = loaded(api, account, range=asked)
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (206, DATA[begin:end])
    assert headers["Content-Range"] == f"bytes {begin}-{end - 1}/1280"
    assert headers["x-ms-file-size"] == "1280"
    assert headers["x-ms-chunk-size"] == "4194304"
    assert headers["Access-Control-Expose-Headers"] == "x-ms-file-size; x-ms-file-name; x-ms-chunk-size; mimetype"


def test_ranges_over_the_edges_of_blocks_are_read(api, account):
    data = bytes((number * 7 + number // 251) % 256 for number in range(65536)) * 130
    stored(api, account, data)
    edge = 4 * MEGABYTE
    for begin, end in ((edge - 3, edge + 3), (edge, edge + 1), (edge - 1, edge), (0, len(data)), (5, 2 * edge + 9)):
        assert loaded(api, account, range=f"bytes={begin}-{end - 1}").body == data[begin:end]


def test_a_range_is_read_as_the_value_of_the_property_where_json_is_asked_for(api, account):
    stored(api, account)
    path, read = f"/accounts({account})/new_dossier", b""
    for asked in ("bytes=0-1023", "bytes=1024-2047"):
        answer = api("GET", path, accept="application/json", range=asked)
        headers, part = headers_of(answer), json.loads(answer.body)
        assert answer.status == 206
        assert headers["Content-Type"].startswith("application/json")
        assert headers["x-ms-file-name"] == "letter.txt"
        assert headers["Content-Disposition"].startswith("attachment")
        assert part["@odata.context"] == f"{ROOT}/$metadata#accounts({account})/new_dossier"
        read += b64decode(part["value"])
        path = headers.get("Location", "").removeprefix(ROOT)
    assert (read, path) == (DATA, "")
    refused = api("GET", f"/accounts({account})/new_dossier", accept="application/json", range="bytes=1280-")
    assert refused.status == 416
    assert api("GET", f"/accounts({account})/new_note", accept="application/json", range="bytes=0-9").status == 404


def test_without_a_range_the_value_of_the_property_is_the_id_of_the_file(api, account):
    stored(api, account)
    found = api("GET", f"/accounts({account})/new_dossier", accept="application/json")
    assert json.loads(found.body)["value"] == shown(api, account)[0]


@pytest.mark.parametrize("asked", ["bytes=1280-", "bytes=5000-6000", "bytes=7-3", "bytes=-0"])
def test_a_range_outside_of_the_file_is_refused(api, account, asked):
    stored(api, account)
    answer = loaded(api, account, range=asked)
    assert answer.status == 416
    assert json.loads(answer.body)["error"]["code"] == "0x80090000"
    assert headers_of(answer)["Content-Range"] == "bytes */1280"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes", "bytes=-"])
def test_a_range_that_is_none_gives_the_whole_file(api, account, asked):
    stored(api, account)
    answer = loaded(api, account, range=asked)
    assert (answer.status, answer.body) == (200, DATA)
