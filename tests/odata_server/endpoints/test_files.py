"""File columns over HTTP and through the messages for blocks (Learn: "Use file column data")."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from things import dump

from entities.metadata import declare
from odata_server.engine.catalog_store import CatalogChange

ROOT = "https://org.test:8443/api/data/v9.2"
MEGABYTE = 1024 * 1024
DATA = bytes(range(256)) * 5
OCTETS = {"content_type": "application/octet-stream"}
MISSING = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def api(moments):
    """The Web API over accounts that have a file of 9 MB at most, and another one of 1 KB."""
    with moments.service.changing() as transaction:
        account = transaction.catalog.tables["account"]
        files = (*declare.file("new_Dossier", max_size_kb=9 * 1024), *declare.file("new_Note", max_size_kb=1))
        transaction.change_catalog(CatalogChange((replace(account, columns=(*account.columns, *files)),)))
    return moments.api


@pytest.fixture
def account(api):
    return api.created("accounts", name="A")


@pytest.fixture
def content(moments):
    """The whole database, to tell that a refusal has left it as it was."""
    return lambda: dump(moments.service.database)


def headers_of(answer):
    return dict(answer.headers)


def stored(api, account, data=DATA, name="letter.txt", column="new_dossier"):
    answer = api("PATCH", f"/accounts({account})/{column}", data, x_ms_file_name=name, **OCTETS)
    assert (answer.status, answer.body) == (204, b""), answer.body


def loaded(api, account, column="new_dossier", **headers):
    return api("GET", f"/accounts({account})/{column}/$value", **headers)


def shown(api, account):
    row = api.json(f"/accounts({account})?$select=new_dossier,new_dossier_name")
    return row["new_dossier"], row["new_dossier_name"]


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


def began(api, account, name="big.bin"):
    path = f"/accounts({account})/new_dossier?x-ms-file-name={name}"
    answer = api("PATCH", path, x_ms_transfer_mode="chunked")
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (200, b"")
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["x-ms-chunk-size"] == "4194304"
    assert headers["Access-Control-Expose-Headers"] == "x-ms-chunk-size"
    location = headers["Location"]
    assert location.startswith(f"{ROOT}/accounts({account})/new_dossier?sessiontoken=")
    return location.removeprefix(ROOT)


def chunk(api, location, data, begin, total, last=None):
    last = begin + len(data) - 1 if last is None else last
    return api("PATCH", location, data, content_range=f"bytes {begin}-{last}/{total}", x_ms_file_name="x", **OCTETS)


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


BLOCKS = [b64encode(f"block {number}".encode()).decode() for number in range(3)]


def acted(api, name, **parameters):
    answer = api("POST", f"/{name}", parameters)
    assert answer.status in {200, 204}, answer.body
    return json.loads(answer.body) if answer.body else None


def target_of(account):
    return {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}


def initialized(api, account, name="blocks.txt"):
    found = acted(
        api, "InitializeFileBlocksUpload", Target=target_of(account), FileName=name, FileAttributeName="new_dossier"
    )
    assert found["@odata.context"] == f"{ROOT}/$metadata#Microsoft.Dynamics.CRM.InitializeFileBlocksUploadResponse"
    return found["FileContinuationToken"]


def uploaded(api, token, name, data):
    acted(api, "UploadBlock", BlockId=name, BlockData=b64encode(data).decode(), FileContinuationToken=token)


def committed(token, blocks, **more):
    return {"FileName": "a.txt", "MimeType": "text/plain", "BlockList": blocks, "FileContinuationToken": token, **more}


def test_a_file_is_made_of_blocks_in_the_order_of_their_list(api, account, content):
    token = initialized(api, account)
    for name, data in zip(BLOCKS, (b"world", b"hello ", b"unused"), strict=True):
        uploaded(api, token, name, data)
    uploaded(api, token, BLOCKS[0], b"World")
    assert shown(api, account) == (None, None)
    found = acted(api, "CommitFileBlocksUpload", **committed(token, [BLOCKS[1], BLOCKS[0]], MimeType="text/x-own"))
    file_id, name = shown(api, account)
    assert (found["FileId"], found["FileSizeInBytes"], name) == (file_id, 11, "a.txt")
    answer = loaded(api, account)
    assert (answer.body, headers_of(answer)["mimetype"]) == (b"hello World", "text/x-own")
    assert len(content()["$block"]) == 2


def test_a_file_is_read_in_blocks(api, account):
    stored(api, account, name="letter.txt")
    begun = acted(api, "InitializeFileBlocksDownload", Target=target_of(account), FileAttributeName="new_dossier")
    assert (begun["FileSizeInBytes"], begun["FileName"], begun["IsChunkingSupported"]) == (1280, "letter.txt", True)
    token, data = begun["FileContinuationToken"], b""
    while len(data) < 1280:
        found = acted(api, "DownloadBlock", Offset=len(data), BlockLength=500, FileContinuationToken=token)
        data += b64decode(found["Data"])
    assert data == DATA
    stored(api, account, b"another")
    asked = {"Offset": 0, "BlockLength": 5, "FileContinuationToken": token}
    assert api.error("POST", "/DownloadBlock", asked)[:2] == (400, "0x80090003")


def test_a_file_is_deleted_by_its_id(api, account, content):
    stored(api, account)
    file_id, _ = shown(api, account)
    assert acted(api, "DeleteFile", FileId=file_id) is None
    assert shown(api, account) == (None, None)
    assert content()["$block"] == []
    assert api.error("POST", "/DeleteFile", {"FileId": file_id})[:2] == (404, "0x80040217")


REFUSED_BLOCKS = [
    ("InitializeFileBlocksUpload", {"FileAttributeName": "name"}, "0x80090007"),
    ("InitializeFileBlocksUpload", {"FileAttributeName": "new_nothing"}, "0x80090007"),
    ("InitializeFileBlocksUpload", {"FileName": ""}, "0x80090002"),
    ("UploadBlock", {"BlockId": "no base64!"}, "0x80090003"),
    ("UploadBlock", {"BlockId": ""}, "0x80090003"),
    ("UploadBlock", {"BlockId": b64encode(bytes(65)).decode()}, "0x80090003"),
    ("UploadBlock", {"BlockData": ""}, "0x80090004"),
    ("UploadBlock", {"BlockData": b64encode(bytes(4 * MEGABYTE + 1)).decode()}, "0x80090008"),
    ("UploadBlock", {"FileContinuationToken": MISSING}, "0x80090003"),
    ("UploadBlock", {"FileContinuationToken": "x"}, "0x80090003"),
    ("CommitFileBlocksUpload", {"BlockList": []}, "0x80090006"),
    ("CommitFileBlocksUpload", {"BlockList": [BLOCKS[0], BLOCKS[0]]}, "0x80090006"),
    ("CommitFileBlocksUpload", {"BlockList": [BLOCKS[1]]}, "0x80090006"),
    ("CommitFileBlocksUpload", {"FileName": " "}, "0x80090002"),
    ("CommitFileBlocksUpload", {"MimeType": "text/plain\r\nSet-Cookie: a"}, "0x80090003"),
    ("CommitFileBlocksUpload", {"MimeType": "text"}, "0x80090003"),
    ("InitializeFileBlocksDownload", {"FileAttributeName": "name"}, "0x80090007"),
    ("DownloadBlock", {"FileContinuationToken": "x"}, "0x80090003"),
    ("DownloadBlock", {"FileContinuationToken": b64encode(b'["x",1]').decode()}, "0x80090003"),
    ("DownloadBlock", {"Offset": -1}, "0x80090003"),
    ("DownloadBlock", {"Offset": 1281}, "0x80090003"),
    ("DownloadBlock", {"BlockLength": 0}, "0x80090003"),
]


@pytest.mark.parametrize(("name", "changed", "code"), REFUSED_BLOCKS)
def test_messages_about_blocks_are_refused(api, account, content, name, changed, code):
    stored(api, account)
    token = initialized(api, account)
    uploaded(api, token, BLOCKS[0], b"data")
    place = {"Target": target_of(account), "FileAttributeName": "new_dossier"}
    reading = acted(api, "InitializeFileBlocksDownload", **place)["FileContinuationToken"]
    good = {
        "InitializeFileBlocksUpload": {**place, "FileName": "a.txt"},
        "UploadBlock": {"BlockId": BLOCKS[0], "BlockData": "YQ==", "FileContinuationToken": token},
        "CommitFileBlocksUpload": committed(token, [BLOCKS[0]]),
        "InitializeFileBlocksDownload": place,
        "DownloadBlock": {"Offset": 0, "BlockLength": 10, "FileContinuationToken": reading},
    }[name]
    before = content()
    status, found, _ = api.error("POST", f"/{name}", {**good, **changed})
    assert (status, found) == (400, code)
    assert content() == before
    assert api("POST", f"/{name}", good).status in {200, 204}


@pytest.mark.parametrize(
    ("depths", "reads", "writes"),
    [
        ({}, 403, 403),
        ({"prvReadAccount": "Basic"}, 403, 403),
        ({"prvReadAccount": "Global"}, 200, 403),
        ({"prvReadAccount": "Global", "prvWriteAccount": "Basic"}, 200, 403),
        ({"prvReadAccount": "Global", "prvWriteAccount": "Global"}, 200, 204),
        ({"prvWriteAccount": "Global"}, 403, 204),
    ],
)
def test_rights_are_those_of_the_row(api, account, content, depths, reads, writes):
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    role = api.created("roles", name="Reader", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    privileges = [
        {"PrivilegeId": known[name], "Depth": given, "BusinessUnitId": unit}
        for name, given in {"prvReadUser": "Global", **depths}.items()
    ]
    path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
    assert api("POST", path, {"Privileges": privileges}).status == 204
    stored(api, account)
    file_id, _ = shown(api, account)
    place = {"Target": target_of(account), "FileAttributeName": "new_dossier"}
    token = initialized(api, account)
    reading = acted(api, "InitializeFileBlocksDownload", **place)["FileContinuationToken"]
    own, path = {"authorization": "Bearer roleless"}, f"/accounts({account})/new_dossier"
    assert loaded(api, account, **own).status == reads
    assert api("POST", "/InitializeFileBlocksDownload", place, **own).status == reads
    block = {"Offset": 0, "BlockLength": 5, "FileContinuationToken": reading}
    assert api("POST", "/DownloadBlock", block, **own).status == reads
    before = content()
    block = {"BlockId": BLOCKS[0], "BlockData": "YQ==", "FileContinuationToken": token}
    assert api("POST", "/UploadBlock", block, **own).status == 400
    assert content() == before
    starts = api("POST", "/InitializeFileBlocksUpload", {**place, "FileName": "b.txt"}, **own)
    assert starts.status == (403 if writes == 403 else 200)
    assert api("PATCH", path, b"b", x_ms_file_name="b.txt", **own).status == writes
    assert api("DELETE", path, **own).status == writes
    if writes == 403:
        assert content() == before
        assert api("POST", "/DeleteFile", {"FileId": file_id}, **own).status == 403


def test_files_are_reached_behind_other_records(api, account):
    contact = api.created("contacts", lastname="B", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    path = f"/contacts({contact})/parentcustomerid_account/new_dossier"
    assert api("PATCH", path, DATA, x_ms_file_name="a.txt").status == 204
    assert api("GET", f"{path}/$value").body == DATA
