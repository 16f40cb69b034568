"""Images in rows over HTTP: thumbnails, what stands beside them, clearing (Learn: "Use image column data")."""

from __future__ import annotations

import json

import pytest
from pictures import FAILURE, WAYS, beside, opened, picture, row_of, stripes, text_of

NOTHING = (None, None, None)

SIZES = [
    ((300, 428), 144),
    ((91, 130), 91),
    ((144, 144), 144),
    ((144, 400), 144),
    ((400, 144), 144),
    ((60, 80), 60),
    ((100, 144), 100),
    ((500, 10), 144),
    ((1, 1), 1),
    ((3000, 2000), 144),
]


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_a_row_shows_its_image_as_a_square_of_144_pixels_at_most(api, size, side):
    account = api.created("accounts", name="B", entityimage=text_of(picture(size)))
    found = opened(row_of(api, account, "entityimage")["entityimage"])
    assert (found.size, found.format) == ((side, side), "JPEG")


def test_the_middle_of_an_image_is_shown(api, account):
    WAYS["the row"](api, account, "entityimage", stripes(900, 300, "red", "lime", "blue"))
    found = opened(row_of(api, account, "entityimage")["entityimage"]).convert("RGB")
    for place in ((4, 4), (72, 72), (139, 139)):
        red, green, blue = found.getpixel(place)
        assert green > 200
        assert red < 60
        assert blue < 60


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *(("PNG", mode) for mode in ("RGB", "RGBA", "P", "L", "LA", "1", "I;16")),
        *(("GIF", mode) for mode in ("RGB", "P", "L")),
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("TIFF", mode) for mode in ("RGB", "RGBA", "L", "1", "CMYK", "F")),
        *(("BMP", mode) for mode in ("RGB", "P", "L", "1")),
    ],
)
def test_images_of_five_formats_are_taken(api, account, form, mode):
    assert WAYS["the row"](api, account, "entityimage", picture((200, 160), form, mode, None)).status == 204
    assert opened(row_of(api, account, "entityimage")["entityimage"]).size == (144, 144)


def test_what_is_transparent_becomes_white(api, account):
    WAYS["the row"](api, account, "entityimage", picture((200, 160), "PNG", "RGBA", (0, 0, 0, 0)))
    found = opened(row_of(api, account, "entityimage")["entityimage"])
    assert min(found.convert("L").tobytes()) > 250


def png(width, height, body=b""):
    """Return a PNG that says to be of some size."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


NO_IMAGES = {
    "nothing": b"",
    "text": b"This is no image.",
    "a part of one": picture()[:-60],
    "only its beginning": b"\x89PNG\r\n\x1a\n",
    "another format": picture((20, 20), "WEBP"),
    "an icon": picture((20, 20), "ICO"),
    "a portable map": picture((20, 20), "PPM"),
    "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a document": b"%PDF-1.7\n1 0 obj <<>> endobj",
    "nothing in it": png(0, 0),
    "less than it says": png(400, 400, b"\0" * 40),
    "large": png(20_000, 20_000, b"\0" * 1000),
    "far too large": png(2**31 - 1, 2**31 - 1, b"\0" * 1000),
}


@pytest.mark.parametrize("data", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_is_refused(api, account, content, data):
    before = content()
    reason = f"Update image properties failed for objectid: {account}, logicalName: account, attribute: entityimage"
    found = api.error("PATCH", f"/accounts({account})", {"entityimage": text_of(data)})
    assert found == (400, FAILURE, f"Error occured when processing image. Reason: {reason}")
    assert api.error("POST", "/accounts", {"name": "B", "entityimage": text_of(data)})[:2] == (400, FAILURE)
    assert content() == before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("column", ["entityimage", "new_photo"])
def test_an_image_that_is_none_is_refused_on_every_way(api, account, content, way, column):
    assert WAYS[way](api, account, column, picture()).status in {200, 204}
    before = content()
    answer = WAYS[way](api, account, column, b"This is no image, however it comes, and is long enough for two blocks.")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, FAILURE)
    after = content()
    assert [row for row in after["account"] if row[0] == account] == [r for r in before["account"] if r[0] == account]
    assert after["fileattachment"] == before["fileattachment"]


@pytest.mark.parametrize("value", ["no base64!", "AAA", 5, True, {"a": 1}, ["AAAA"]])
def test_an_image_comes_as_base64(api, account, content, value):
    before = content()
    assert api("PATCH", f"/accounts({account})", {"entityimage": value}).status == 400
    assert content() == before


def test_an_image_is_as_large_as_its_column_allows(api, account, content):
    before, data = content(), picture() + bytes(2 * 1024 * 1024)
    for way in ("the row", "the property", "bytes", "a file"):
        answer = WAYS[way](api, account, "new_photo", data)
        error = json.loads(answer.body)["error"]
        reason = "File size is too big. MaxSize: 2 MB, Uploaded filesize: 2 MB."
        assert (answer.status, error["code"]) == (400, FAILURE)
        assert error["message"] == f"Error occured when processing image. Reason: {reason}"
    assert content() == before
    assert WAYS["the row"](api, account, "new_photo", picture() + bytes(2 * 1024 * 1024 - 5000)).status == 204


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("column", ["entityimage", "new_photo"])
def test_every_way_to_set_an_image_says_which_it_is_and_since_when(api, account, way, column):
    assert beside(api, account, column) == NOTHING
    before = api.json(f"/accounts({account})")["@odata.etag"]
    assert WAYS[way](api, account, column, picture()).status in {200, 204}
    image_id, ticks, url = beside(api, account, column)
    assert ticks > 638_000_000_000_000_000
    assert url == f"/Image/download.aspx?Entity=account&Attribute={column}&Id={image_id}&Timestamp={ticks}"
    assert api.json(f"/accounts({account})")["@odata.etag"] != before
    WAYS[way](api, account, column, picture((50, 50)))
    other_id, later, _ = beside(api, account, column)
    assert other_id != image_id
    assert later > ticks
    assert opened(row_of(api, account, column)[column]).size == (50, 50)


CLEARING = {
    "the row": ("PATCH", "", {"entityimage": None, "new_photo": None}),
    "properties": ("PUT", "/{}", {"value": None}),
    "deletions": ("DELETE", "/{}", None),
}


@pytest.mark.parametrize("way", CLEARING)
def test_an_image_is_cleared_with_all_that_belongs_to_it(api, account, content, way):
    before = content()
    for column in ("entityimage", "new_photo"):
        WAYS["the row"](api, account, column, picture())
    method, path, body = CLEARING[way]
    for column in ("entityimage", "new_photo"):
        place = f"/accounts({account}){path.format(column)}"
        assert api(method, place, body, content_type="application/json").status == 204
        assert beside(api, account, column) == NOTHING
        assert row_of(api, account, column)[column] is None
        assert api("GET", f"/accounts({account})/{column}/$value").status == 204
        assert api(method, place, body, content_type="application/json").status == 204
    for table in ("$file", "$block", "fileattachment"):
        assert content()[table] == before[table]


def test_only_the_primary_image_is_set_when_a_record_is_made(api, content):
    before = content()
    found = api.error("POST", "/accounts", {"name": "B", "new_photo": text_of(picture())})
    text = "Non-primary image attribute new_photo of entity account is not allowed to upload during Create operation."
    assert found == (400, "0x80090487", text)
    assert content() == before
    assert api("POST", "/accounts", {"name": "B", "new_photo": None}).status == 204


def test_nobody_sets_what_stands_beside_an_image(api, account):
    WAYS["the row"](api, account, "entityimage", picture())
    before = beside(api, account, "entityimage")
    names = ("entityimageid", "entityimage_timestamp", "entityimage_url")
    given = dict(zip(names, ("00000000-0000-0000-0000-000000000001", 5, "/other"), strict=True))
    api("PATCH", f"/accounts({account})", given)
    assert beside(api, account, "entityimage") == before
    made = api.created("accounts", name="B", **given)
    assert beside(api, made, "entityimage") == NOTHING


def test_if_match_protects_an_image(api, account, content):
    WAYS["the row"](api, account, "entityimage", picture())
    before = content()
    body = {"entityimage": text_of(picture((9, 9)))}
    assert api.error("PATCH", f"/accounts({account})", body, if_match='W/"1"')[0] == 412
    for method in ("PUT", "DELETE"):
        found = api.error(method, f"/accounts({account})/entityimage", picture((9, 9)), if_match='W/"1"')
        assert found[:2] == (412, "0x80060882")
    assert content() == before


def test_bulk_messages_set_images(api):
    images = [text_of(picture((size, size))) for size in (20, 30, 40)]
    rows = [
        {"@odata.type": "Microsoft.Dynamics.CRM.account", "name": f"Bulk {number}", "entityimage": image}
        for number, image in enumerate(images)
    ]
    made = api("POST", "/accounts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": rows})
    assert made.status == 200, made.body
    ids = json.loads(made.body)["Ids"]
    assert [opened(row_of(api, one, "entityimage")["entityimage"]).width for one in ids] == [20, 30, 40]
    rows = [
        {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": one, "new_photo": image}
        for one, image in zip(ids, images, strict=True)
    ]
    assert api("POST", "/accounts/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": rows}).status == 204
    for one, image in zip(ids, images, strict=True):
        assert text_of(api("GET", f"/accounts({one})/new_photo/$value?size=full").body) == image


def test_bulk_messages_with_one_bad_image_change_nothing(api, content):
    before = content()
    rows = [
        {"@odata.type": "Microsoft.Dynamics.CRM.account", "name": "Bulk", "entityimage": text_of(data)}
        for data in (picture(), b"none")
    ]
    found = api.error("POST", "/accounts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": rows})
    assert found[:2] == (400, FAILURE)
    assert content() == before


def test_an_upsert_sets_an_image(api):
    account = "0d000000-0000-4000-8000-000000000001"
    for size in (30, 40):
        body = {"name": "Up", "entityimage": text_of(picture((size, size)))}
        assert api("PATCH", f"/accounts({account})", body).status == 204
        assert opened(row_of(api, account, "entityimage")["entityimage"]).size == (size, size)
