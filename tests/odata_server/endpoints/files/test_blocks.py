"""Files through the messages for blocks, and the rights that every way takes (Learn: "Use file column data")."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from file_requests import (
    DATA,
    MEGABYTE,
    MISSING,
    ROOT,
    acted,
    headers_of,
    initialized,
    loaded,
    shown,
    stored,
    target_of,
    uploaded,
)

BLOCKS = [b64encode(f"block {number}".encode()).decode() for number in range(3)]


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
