"""Images and large files over HTTP: thumbnails, full images, parts (Learn: "Use image column data")."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode

import pytest
from file_requests import MEGABYTE, OCTETS, ROOT, acted, headers_of, target_of
from pictures import WAYS, beside, opened, picture, row_of, text_of, uploaded_in_blocks


def loaded(api, account, column, query="", **headers):
    return api("GET", f"/accounts({account})/{column}/$value{query}", **headers)


def rest_of(answer):
    """Return where the next part of a download is, as a path behind the root; None where there is none."""
    location = headers_of(answer).get("Location")
    return None if location is None else location.removeprefix(ROOT)


@pytest.mark.parametrize("way", WAYS)
def test_a_full_image_is_given_back_as_it_came(api, account, way):
    data = picture((640, 480))
    WAYS[way](api, account, "new_photo", data)
    full = loaded(api, account, "new_photo", "?size=full")
    headers = headers_of(full)
    assert (full.status, full.body) == (200, data)
    assert headers["x-ms-file-size"] == str(len(data))
    assert headers["Content-Type"] == "application/octet-stream"
    name = "a.png" if way in {"a file", "chunks", "blocks"} else "new_photo.png"
    assert (headers["x-ms-file-name"], headers["mimetype"]) == (name, "image/png")
    small = loaded(api, account, "new_photo")
    assert opened(small.body).size == (144, 144)
    assert headers_of(small)["mimetype"] == "image/jpeg"
    assert text_of(small.body) == row_of(api, account, "new_photo")["new_photo"]


def test_a_column_that_keeps_no_full_images_has_none(api, account):
    WAYS["a file"](api, account, "entityimage", picture())
    assert opened(loaded(api, account, "entityimage").body).size == (144, 144)
    for query in ("?size=full", "?size=FULL"):
        answer = loaded(api, account, "entityimage", query)
        assert (answer.status, answer.body) == (204, b"")
    image_id, _, _ = beside(api, account, "entityimage")
    place = {"Target": target_of(account), "FileAttributeName": "entityimage"}
    found = api.error("POST", "/InitializeFileBlocksDownload", place)
    what = f"imagedescriptorId: {image_id} for image attribute: entityimage of account record with id {account}"
    assert found == (404, "0x80040217", f"No FileAttachment records found for {what}")


def test_a_column_without_image_has_nothing_to_give(api, account):
    for column in ("entityimage", "new_photo"):
        for query in ("", "?size=full"):
            assert loaded(api, account, column, query).status == 204
        assert api("GET", f"/accounts({account})/{column}").status == 204
        place = {"Target": target_of(account), "FileAttributeName": column}
        assert api.error("POST", "/InitializeFileBlocksDownload", place)[:2] == (404, "0x80040217")
    missing = "00000000-0000-0000-0000-000000000001"
    assert api.error("GET", f"/accounts({missing})/entityimage/$value")[:2] == (404, "0x80040217")


def test_a_full_image_is_read_in_blocks(api, account):
    data = picture((640, 480))
    done = uploaded_in_blocks(api, account, "new_photo", data[:100], data[100:])
    found = json.loads(done.body)
    assert (found["FileId"], found["FileSizeInBytes"]) == (beside(api, account, "new_photo")[0], len(data))
    begun = acted(api, "InitializeFileBlocksDownload", Target=target_of(account), FileAttributeName="new_photo")
    assert (begun["FileSizeInBytes"], begun["FileName"]) == (len(data), "a.png")
    asked = {"BlockLength": 1000, "FileContinuationToken": begun["FileContinuationToken"]}
    parts = [acted(api, "DownloadBlock", Offset=begin, **asked)["Data"] for begin in range(0, len(data), 1000)]
    assert b"".join(map(b64decode, parts)) == data


@pytest.mark.parametrize("query", ["", "?size=full"])
def test_an_image_is_read_by_ranges(api, account, query):
    WAYS["the row"](api, account, "new_photo", picture((640, 480)))
    whole = loaded(api, account, "new_photo", query).body
    first = loaded(api, account, "new_photo", query, range="bytes=0-99")
    assert (first.status, first.body) == (206, whole[:100])
    assert headers_of(first)["Content-Range"] == f"bytes 0-99/{len(whole)}"
    rest, path = first.body, rest_of(first)
    assert path.startswith(f"/accounts({account})/new_photo?FileContinuationToken=")
    while path is not None:
        part = api("GET", path)
        assert part.status == 206
        rest, path = rest + part.body, rest_of(part)
    assert rest == whole
    assert loaded(api, account, "new_photo", query, range=f"bytes={len(whole)}-").status == 416


@pytest.fixture(scope="module")
def film(api):
    """An account with a file that no answer holds whole."""
    account = api.created("accounts", name="F")
    data = bytes(range(256)) * (17 * 4096) + b"the end"
    answer = api("PATCH", f"/accounts({account})/new_film", data, x_ms_file_name="film.mp4", **OCTETS)
    assert answer.status == 204
    return account, data


def test_an_answer_holds_16_megabytes_and_says_where_the_rest_is(api, film):
    account, data = film
    answer = loaded(api, account, "new_film")
    headers = headers_of(answer)
    assert (answer.status, len(answer.body)) == (206, 16 * MEGABYTE)
    assert headers["x-ms-file-size"] == str(len(data))
    assert headers["Content-Range"] == f"bytes 0-{16 * MEGABYTE - 1}/{len(data)}"
    rest = api("GET", rest_of(answer))
    assert (rest.status, answer.body + rest.body) == (206, data)
    assert rest_of(rest) is None


def test_a_range_over_more_than_16_megabytes_is_cut(api, film):
    account, data = film
    answer = loaded(api, account, "new_film", range="bytes=5-")
    assert (answer.status, answer.body) == (206, data[5 : 5 + 16 * MEGABYTE])
    assert headers_of(answer)["Content-Range"] == f"bytes 5-{16 * MEGABYTE + 4}/{len(data)}"


def test_the_range_may_tell_the_size_as_old_samples_do(api, film):
    account, data = film
    answer = loaded(api, account, "new_film", range=f"bytes=0-1023/{len(data)}")
    assert (answer.status, answer.body) == (206, data[:1024])
    next_one = api("GET", rest_of(answer))
    assert next_one.body == data[1024:2048]
    other = api("GET", rest_of(answer), range="bytes=7-9")
    assert (other.status, other.body) == (206, data[7:10])


def test_a_token_is_good_for_one_file(api, film, account):
    path = rest_of(loaded(api, film[0], "new_film", range="bytes=0-9"))
    WAYS["a file"](api, account, "new_photo", picture())
    token = path.partition("FileContinuationToken=")[2]
    other = api.created("accounts", name="B")
    part = rest_of(loaded(api, account, "new_photo", range="bytes=0-9"))
    api("PATCH", f"/accounts({other})/new_film", b"other", x_ms_file_name="a.txt")
    refused = [
        path.replace(film[0], other),
        path.replace(film[0], account).replace("new_film", "new_photo"),
        path.replace(token, "x"),
        path.replace(token, urlsafe_b64encode(b'["account", 1, 2]').decode()),
        path.replace(token, urlsafe_b64encode(b"[]").decode()),
    ]
    for one in refused:
        assert api.error("GET", one)[:2] == (400, "0x80090003"), one
    WAYS["a file"](api, account, "new_photo", picture((9, 9)))
    assert api.error("GET", part)[:2] == (400, "0x80090003")


def test_a_token_is_good_for_nothing_without_the_right_to_read(api, film):
    path = rest_of(loaded(api, film[0], "new_film", range="bytes=0-9"))
    assert api("GET", path, authorization="Bearer roleless").status == 403
