"""Image columns over HTTP (Learn: "Use image column data")."""

from __future__ import annotations

from base64 import b64decode, b64encode
from io import BytesIO

from file_requests import headers_of
from PIL import Image


def picture(size, form="PNG", mode="RGB", color="red"):
    target = BytesIO()
    Image.new(mode, size, color).save(target, form)
    return target.getvalue()


def text_of(data):
    return b64encode(data).decode()


def test_smoke(api):
    data = picture((300, 428))
    account = api.created("accounts", name="B", entityimage=text_of(data))
    row = api.json(f"/accounts({account})?$select=entityimage,entityimageid,entityimage_timestamp,entityimage_url")
    print(row)
    assert Image.open(BytesIO(b64decode(row["entityimage"]))).size == (144, 144)
    assert "entityimage" not in api.json(f"/accounts({account})")
    answer = api("GET", f"/accounts({account})/entityimage/$value")
    assert answer.status == 200
    print(headers_of(answer))
    assert api("GET", f"/accounts({account})/entityimage/$value?size=full").status == 204
    photo = api("PATCH", f"/accounts({account})/new_photo", data, x_ms_file_name="a.png")
    assert photo.status == 204, photo.body
    assert api("GET", f"/accounts({account})/new_photo/$value?size=full").body == data
    print(api.json("/fileattachments"))
    print(api.json(f"/accounts({account})?$select=name&$expand=account_FileAttachments"))
    assert api("DELETE", f"/accounts({account})").status == 204
    assert api.json("/fileattachments")["value"] == []
