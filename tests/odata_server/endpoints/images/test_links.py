"""The URLs of images (Learn: "Use image column data", Download URL)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from file_requests import headers_of
from pictures import WAYS, beside, opened, picture, uploaded_in_blocks

from odata_server.endpoints import image_links


@pytest.fixture(scope="module")
def links(api):
    """The door of these URLs."""
    return replace(api, door=image_links.handle, root="")


def test_the_url_of_an_image_leads_to_its_thumbnail(api, links, account):
    for column in ("entityimage", "new_photo"):
        WAYS["a file"](api, account, column, picture((300, 200)))
        answer = links("GET", beside(api, account, column)[2])
        assert answer.status == 200
        assert opened(answer.body).size == (144, 144)
        headers = headers_of(answer)
        assert headers["Content-Type"] == "image/jpeg"
        assert "Content-Disposition" not in headers


def test_the_url_leads_to_the_full_image_where_it_is_kept(api, links, account):
    data = picture((300, 200))
    for column in ("entityimage", "new_photo"):
        WAYS["a file"](api, account, column, data)
    full = links("GET", f"{beside(api, account, 'new_photo')[2]}&Full=true")
    assert (full.status, full.body, headers_of(full)["Content-Type"]) == (200, data, "image/png")
    none = links("GET", f"{beside(api, account, 'entityimage')[2]}&Full=true")
    assert (none.status, none.body) == (204, b"")
    contact = api.created("contacts", lastname="C")
    assert api("PATCH", f"/contacts({contact})/entityimage", data, x_ms_file_name="a.png").status == 204
    url = api.json(f"/contacts({contact})?$select=entityimage_url")["entityimage_url"]
    assert opened(links("GET", url).body).size == (144, 144)


def test_no_uploader_decides_what_a_browser_runs(api, links, account):
    data = picture((300, 200))
    done = uploaded_in_blocks(api, account, "new_photo", data, mime_type="text/html")
    assert done.status == 200
    answer = links("GET", f"{beside(api, account, 'new_photo')[2]}&Full=true")
    headers = headers_of(answer)
    assert (answer.body, headers["Content-Type"]) == (data, "application/octet-stream")
    assert headers["Content-Disposition"].startswith("attachment")


def test_an_image_is_shown_to_those_who_may_read_its_row(api, links, account):
    WAYS["the row"](api, account, "entityimage", picture())
    url = beside(api, account, "entityimage")[2]
    assert links("GET", url, authorization="Bearer roleless").status == 403
    assert links("GET", url, authorization="").status == 401
    assert links("GET", url, authorization="Bearer expired").status == 401


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Entity=account", "Entity=nothing"),
        ("Entity=account", "Entity=contact"),
        ("Attribute=entityimage", "Attribute=name"),
        ("Attribute=entityimage", "Attribute=new_photo"),
        ("Attribute=entityimage", "Attribute="),
        ("Id=", "Id=x"),
        ("Id=", "Other="),
        ("?", "?%FF&&=&"),
    ],
)
def test_other_urls_lead_nowhere(api, links, account, old, new):
    WAYS["the row"](api, account, "entityimage", picture())
    url = beside(api, account, "entityimage")[2]
    answer = links("GET", url.replace(old, new))
    assert answer.status == (200 if old == "?" else 404)
    assert links("POST", url).status == 404
    assert links("GET", "/Image/download.aspx").status == 404
