"""Images in queries, in definitions and in batches (Learn: "Use image column data")."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from pictures import WAYS, opened, picture, row_of, text_of


@pytest.fixture(scope="module")
def shown(api):
    """An account with both images, and a contact of it with one."""
    account = api.created("accounts", name="Shown", entityimage=text_of(picture((20, 30))))
    WAYS["the row"](api, account, "new_photo", picture((50, 40)))
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    contact = api.created("contacts", lastname="Shown", entityimage=text_of(picture((70, 80))), **bind)
    return account, contact


def test_a_row_shows_images_that_are_asked_for_only(api, shown):
    account, contact = shown
    for path in (
        f"/accounts({account})",
        f"/contacts({contact})",
        f"/accounts({account})?$select=*",
        f"/contacts({contact})?$expand=parentcustomerid_account",
        f"/accounts({account})?$expand=contact_customer_accounts",
    ):
        text = api("GET", path).body.decode()
        assert '"entityimageid":"' in text
        assert '"entityimage":' not in text
        assert '"new_photo":' not in text
    row = row_of(api, account, "entityimage", "new_photo")
    assert opened(row["entityimage"]).size == (20, 20)
    assert opened(row["new_photo"]).size == (40, 40)


@pytest.mark.parametrize("preference", ["", 'odata.include-annotations="*"'])
def test_images_come_with_rows_of_every_kind(api, shown, preference):
    account, contact = shown
    headers = {"prefer": preference} if preference else {}
    expand = "$select=name&$expand=contact_customer_accounts($select=entityimage)"
    (row,) = api.json(f"/accounts({account})?{expand}", **headers)["contact_customer_accounts"]
    assert opened(row["entityimage"]).size == (70, 70)
    back = "$select=lastname&$expand=parentcustomerid_account($select=entityimage)"
    row = api.json(f"/contacts({contact})?{back}", **headers)["parentcustomerid_account"]
    assert opened(row["entityimage"]).size == (20, 20)
    (row,) = api.json("/accounts?$select=new_photo&$filter=new_photo%20ne%20null&$top=1", **headers)["value"]
    assert opened(row["new_photo"]).format == "JPEG"
    value = api.json(f"/accounts({account})/entityimage", **headers)["value"]
    assert opened(value).size == (20, 20)


def fetched(api, attributes, link=""):
    where = "<filter><condition attribute='name' operator='eq' value='Shown'/></filter>"
    fetch = f"<fetch><entity name='account'>{attributes}{where}{link}</entity></fetch>"
    (row,) = api.json(f"/accounts?fetchXml={quote(fetch)}")["value"]
    return row


def test_fetchxml_shows_images_that_are_asked_for_only(api, shown):
    row = fetched(api, "<attribute name='entityimage'/>")
    assert opened(row["entityimage"]).size == (20, 20)
    assert "entityimage" not in fetched(api, "<all-attributes/>")
    link = "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'>{}</link-entity>"
    row = fetched(api, "<attribute name='name'/>", link.format("<attribute name='entityimage'/>"))
    assert opened(row["c_x002e_entityimage"]).size == (70, 70)
    assert "c_x002e_entityimage" not in fetched(api, "<attribute name='name'/>", link.format("<all-attributes/>"))


FETCH = "fetchXml=<fetch {}><entity name='account'>{}</entity></fetch>"
AGGREGATE = FETCH.format("aggregate='true'", "<attribute name='entityimage' alias='a' aggregate='{}'/>")


@pytest.mark.parametrize(
    "query",
    [
        "$orderby=entityimage",
        "$select=name&$orderby=entityimage desc&$top=1",
        "$filter=entityimage eq null",
        "$filter=entityimage eq 'AAAA'",
        "$filter=entityimage eq binary'AAAA'",
        "$filter=contains(entityimage,'A')",
        "$filter=entityimage gt 5",
        "$filter=entityimage eq entityimage",
        "$apply=groupby((entityimage))",
        "$apply=aggregate(entityimage with max as m)",
        "$apply=aggregate(entityimage with countdistinct as m)",
        "$select=entityimage/x",
        "$expand=entityimage",
        AGGREGATE.format("countcolumn"),
        AGGREGATE.format("max"),
        FETCH.format("distinct='true'", "<attribute name='entityimage'/>"),
        FETCH.format("", "<filter><condition attribute='entityimage' operator='eq' value='A'/></filter>"),
        FETCH.format("", "<filter><condition attribute='entityimage' operator='like' value='A%25'/></filter>"),
        FETCH.format("count='1'", "<attribute name='name'/><order attribute='entityimage'/>"),
        "sql=select entityimage from account",
        "sql=select name from account where entityimage is not null",
    ],
)
def test_no_query_over_images_is_a_fault(api, shown, query):
    name, _, value = query.partition("=")
    answer = api("GET", f"/accounts?{name}={quote(value, safe='=&$(),/%')}", prefer="odata.maxpagesize=1")
    assert answer.status in {200, 400, 501}, answer.body


def test_definitions_tell_what_images_a_table_has(api, services):
    account = services.dataverse.catalog.tables["account"]
    types = {name: account.by_name[name].type for name in ("entityimage", "new_photo")}
    assert (types["entityimage"].is_primary, types["entityimage"].stores_full_image) == (True, False)
    assert (types["new_photo"].is_primary, types["new_photo"].stores_full_image) == (False, True)
    kinds = {name: type(account.by_name[f"entityimage{name}"].type).__name__ for name in ("id", "_timestamp", "_url")}
    assert kinds == {"id": "UniqueIdentifierType", "_timestamp": "BigIntType", "_url": "StringType"}


def test_a_change_set_with_one_bad_image_changes_nothing(api, content):
    before = content()

    def part(number, name, image):
        body = json.dumps({"name": name, "entityimage": image})
        head = f"--set\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {number}"
        return (
            f"{head}\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
        )

    parts = part(1, "Good", text_of(picture())) + part(2, "Bad", text_of(b"none"))
    whole = f"--all\r\nContent-Type: multipart/mixed;boundary=set\r\n\r\n{parts}--set--\r\n--all--\r\n"
    answer = api("POST", "/$batch", whole.encode(), content_type="multipart/mixed;boundary=all")
    assert b"0x80072553" in answer.body
    assert content() == before
