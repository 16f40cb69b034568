"""The rows that tell of files (Learn: "Use file column data", relationship to the FileAttachment table)."""

from __future__ import annotations

import json

import pytest
from file_requests import acted
from pictures import WAYS, beside, picture, text_of

ROOT = "https://org.test:8443/api/data/v9.2"


def attached(api, account, table="accounts", name="account"):
    chosen = "filename,mimetype,filesizeinbytes,regardingfieldname,objecttypecode,createdon,_objectid_value"
    path = f"/{table}({account})?$select={name}id&$expand={name}_FileAttachments($select={chosen})"
    return sorted(api.json(path)[f"{name}_FileAttachments"], key=lambda row: row["regardingfieldname"])


def test_every_file_and_full_image_has_a_row(api, account):
    data = picture((300, 200))
    WAYS["a file"](api, account, "new_photo", data)
    WAYS["a file"](api, account, "entityimage", data)
    api("PATCH", f"/accounts({account})/new_film", b"film", x_ms_file_name="film.mp4")
    film, photo = attached(api, account)
    assert (film["filename"], film["mimetype"], film["filesizeinbytes"]) == ("film.mp4", "video/mp4", 4)
    assert (photo["filename"], photo["mimetype"], photo["filesizeinbytes"]) == ("a.png", "image/png", len(data))
    assert photo["fileattachmentid"] == beside(api, account, "new_photo")[0]
    for row, column in ((film, "new_film"), (photo, "new_photo")):
        assert (row["regardingfieldname"], row["objecttypecode"], row["_objectid_value"]) == (
            column,
            "account",
            account,
        )
        assert row["createdon"].endswith("Z")
    found = api.json(f"/fileattachments?$filter=_objectid_value%20eq%20{account}&$orderby=filename&$select=filename")
    assert [row["filename"] for row in found["value"]] == ["a.png", "film.mp4"]
    owner = api.json(f"/fileattachments({film['fileattachmentid']})?$expand=objectid_account($select=name)")
    assert owner["objectid_account"]["name"] == "A"


def test_a_row_goes_with_its_file(api, account, content):
    before = content()["fileattachment"]
    WAYS["a file"](api, account, "new_photo", picture())
    api("PATCH", f"/accounts({account})/new_film", b"one", x_ms_file_name="one.mp4")
    api("PATCH", f"/accounts({account})/new_film", b"two", x_ms_file_name="two.mp4")
    WAYS["the row"](api, account, "new_photo", picture((9, 9), "GIF"))
    assert [row["filename"] for row in attached(api, account)] == ["two.mp4", "new_photo.gif"]
    film, photo = (row["fileattachmentid"] for row in attached(api, account))
    acted(api, "DeleteFile", FileId=film)
    assert [row["fileattachmentid"] for row in attached(api, account)] == [photo]
    acted(api, "DeleteFile", FileId=photo)
    assert beside(api, account, "new_photo") == (None, None, None)
    assert content()["fileattachment"] == before


def test_rows_go_with_the_record_that_had_the_files(api, account, content):
    before = content()
    made = api.created("accounts", name="B")
    WAYS["a file"](api, made, "new_photo", picture())
    api("PATCH", f"/accounts({made})/new_film", b"film", x_ms_file_name="film.mp4")
    assert len(content()["fileattachment"]) == len(before["fileattachment"]) + 2
    assert api("DELETE", f"/accounts({made})").status == 204
    after = content()
    for table in ("fileattachment", "$file", "$block"):
        assert after[table] == before[table]


def test_a_table_gets_the_relationship_with_its_first_image(api):
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    user = api.json("/WhoAmI()")["UserId"]
    bind = {
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({user})",
    }
    team = api.created("teams", name="Crew", new_crest=text_of(picture((20, 20))), **bind)
    (crest,) = attached(api, team, "teams", "team")
    assert (crest["filename"], crest["regardingfieldname"]) == ("new_crest.png", "new_crest")
    assert api("DELETE", f"/teams({team})").status == 204
    assert api.error("GET", f"/fileattachments({crest['fileattachmentid']})")[0] == 404


def test_nobody_writes_these_rows(api, account, content):
    WAYS["a file"](api, account, "new_photo", picture())
    (row,) = attached(api, account)
    path, before = f"/fileattachments({row['fileattachmentid']})", content()
    bind = {"objectid_account@odata.bind": f"/accounts({account})"}
    for method, place, body in (
        ("POST", "/fileattachments", {"filename": "a.txt", **bind}),
        ("PATCH", path, {"filename": "b.txt"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/filename", {"value": "b.txt"}),
        ("DELETE", f"/accounts({account})/account_FileAttachments({row['fileattachmentid']})/$ref", None),
    ):
        status, code, _ = api.error(method, place, body)
        assert (status, code) == (405, "0x80040800"), (method, place, status, code)
    assert content() == before


@pytest.mark.parametrize(
    ("depth", "sees"), [(None, False), ("Basic", False), ("Global", True)], ids=["none", "own", "all"]
)
def test_these_rows_are_read_as_far_as_those_of_the_files(api, account, depth, sees):
    WAYS["a file"](api, account, "new_photo", picture())
    (row,) = attached(api, account)
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    role = api.created("roles", name=f"Reader {depth}", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association"
    assert api("POST", f"{path}/$ref", {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    names = {"prvReadUser": "Basic", **({"prvReadAccount": depth} if depth else {})}
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    privileges = [{"PrivilegeId": known[name], "Depth": given, "BusinessUnitId": unit} for name, given in names.items()]
    replaced = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
    assert api("POST", replaced, {"Privileges": privileges}).status == 204
    own = {"authorization": "Bearer roleless"}
    shown = api.json("/fileattachments?$select=filename", **own)["value"]
    assert (row["fileattachmentid"] in {found["fileattachmentid"] for found in shown}) is sees
    one = api("GET", f"/fileattachments({row['fileattachmentid']})", **own)
    assert one.status == (200 if sees else 403)
    if sees:
        expanded = api.json(f"/accounts({account})?$expand=account_FileAttachments($select=filename)", **own)
        assert len(expanded["account_FileAttachments"]) == 1
    assert api("DELETE", f"{path}({role})/$ref").status == 204


def test_images_of_a_change_set_have_their_rows(api):
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    user, names = api.json("/WhoAmI()")["UserId"], ("Red", "Blue")
    bind = {
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({user})",
    }
    parts = []
    for number, name in enumerate(names, 1):
        body = json.dumps({"name": name, "new_crest": text_of(picture((20, 20), color=name.lower())), **bind})
        head = f"--set\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {number}"
        line = "POST /api/data/v9.2/teams HTTP/1.1\r\nContent-Type: application/json"
        parts.append(f"{head}\r\n\r\n{line}\r\n\r\n{body}\r\n")
    whole = f"--all\r\nContent-Type: multipart/mixed;boundary=set\r\n\r\n{''.join(parts)}--set--\r\n--all--\r\n"
    answer = api("POST", "/$batch", whole.encode(), content_type="multipart/mixed;boundary=all")
    assert answer.body.count(b"204 No Content") == 2, answer.body
    for name in names:
        (team,) = api.json(f"/teams?$select=teamid&$filter=name%20eq%20%27{name}%27")["value"]
        (crest,) = attached(api, team["teamid"], "teams", "team")
        full = api("GET", f"/teams({team['teamid']})/new_crest/$value?size=full").body
        assert (full, crest["filesizeinbytes"]) == (picture((20, 20), color=name.lower()), len(full))
