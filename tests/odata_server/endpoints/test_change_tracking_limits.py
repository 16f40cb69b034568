"""What change tracking refuses, how long it remembers, and for whom it is."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from things import dump
from tracked_changes import ROOT, TRACK, delta_link, followed, shown

REFUSED = [
    ("$filter=name eq 'A'", "$filter"),
    ("$orderby=name", "$orderby"),
    ("$expand=primarycontactid($select=fullname)", "$expand"),
    ("$top=3", "$top"),
    ("$apply=groupby((name))", "$apply"),
    ("fetchXml=<fetch/>", "fetchXml"),
]


@pytest.mark.parametrize(("option", "name"), REFUSED)
@pytest.mark.parametrize("path", ["/accounts", "delta", "count"])
def test_options_that_would_choose_rows_are_refused(moments, path, option, name):
    api = moments.api
    if path != "/accounts":
        path = delta_link(api, "/accounts")
    if path == "count":
        path = path.replace("/accounts?", "/accounts/$count?")
    url = f"{path}{'&' if '?' in path else '?'}{quote(option, safe='$=')}"
    found = api.error("GET", url, **(TRACK if "deltatoken" not in url else {}))
    text = f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    assert found == (400, "0x80060888", text)


NOT_BOTH = (
    "Changes cannot be retrieved for intersect entity {} since both related entities"
    " are not enabled for change tracking."
)


@pytest.mark.parametrize(
    ("entity_set", "code", "text"),
    [
        ("businessunits", "0x80072491", "Entity businessunit isn't enabled for change tracking."),
        ("systemusers", "0x80072491", "Entity systemuser isn't enabled for change tracking."),
        (
            "systemuserrolescollection",
            "0x80072492",
            NOT_BOTH.format("systemuserroles"),
        ),
    ],
)
def test_a_table_without_change_tracking_is_refused(moments, entity_set, code, text):
    assert moments.api.error("GET", f"/{entity_set}", **TRACK) == (400, code, text)
    link = delta_link(moments.api).partition("$deltatoken=")[2]
    assert moments.api.error("GET", f"/{entity_set}?$deltatoken={link}") == (400, code, text)
    assert moments.api("GET", f"/{entity_set}").status == 200


MALFORMED = [
    "1",
    "x!02/29/2024 12:30:15",
    "0!02/29/2024 12:30:15",
    "-5!02/29/2024 12:30:15",
    "1000001!2024-02-29T12:30:15Z",
    "1000001!02/30/2024 12:30:15",
    "1000001!02/29/2024 25:30:15",
    "1000001!02/29/2024 12:30:15 ",
    "1" * 40 + "!02/29/2024 12:30:15",
    "1000001!00/00/0000 00:00:00",
    "\u0661000001!02/29/2024 12:30:15",
]


@pytest.mark.parametrize("token", MALFORMED)
@pytest.mark.parametrize("path", ["/accounts", "/accounts/$count"])
def test_a_malformed_token_is_refused(moments, path, token):
    found = moments.api.error("GET", f"{path}?$deltatoken={quote(token, safe='')}")
    assert found == (400, "0x80060888", f"The delta token '{token}' is malformed.")


def test_a_token_of_the_future_is_none_of_this_organization(moments):
    found = moments.api.error("GET", "/accounts?$deltatoken=999999999999%2102%2f29%2f2024%2012%3a30%3a15")
    assert found == (400, "0x80040203", "The delta token does not belong to this organization.")


EXPIRED = (400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync.")


def test_a_token_older_than_90_days_or_as_many_as_the_organization_says_tells_all_records(moments):
    api = moments.api
    api.created("accounts", name="Old")
    gone = api.created("accounts", name="Gone")
    link = delta_link(api)
    api.created("accounts", name="New")
    api("DELETE", f"/accounts({gone})")
    (organization,) = api.json("/organizations?$select=name")["value"]
    path = f"/organizations({organization['organizationid']})"
    count = link.replace("/accounts?", "/accounts/$count?").replace("$select=name&", "")
    changed, whole = (["New", "deleted"], 2), (["New", "Old"], 2)

    def told():
        values, following, _ = followed(api, link)
        assert followed(api, following)[0] == []
        return sorted(shown(values)), int(api("GET", count).body.decode("utf-8-sig"))

    moments.clock.text = "2024-05-29T12:30:15"
    assert told() == changed
    moments.clock.text = "2024-05-29T12:30:16"
    assert told() == whole
    for days, expected in ((100, changed), (0, whole), (365, changed)):
        assert api("PATCH", path, {"expirechangetrackingindays": days}).status == 204
        assert told() == expected, days
    before = dump(moments.service.database)
    assert api("PATCH", path, {"expirechangetrackingindays": 366}).status == 400
    assert dump(moments.service.database) == before


def test_deletions_are_known_for_a_year(moments):
    api = moments.api
    first, second = (api.created("accounts", name=name) for name in "AB")

    def known():
        return {row[1] for row in dump(moments.service.database)["$deletion"]}

    api("DELETE", f"/accounts({first})")
    assert known() == {first}
    moments.clock.text = "2025-02-28T12:30:16"
    api("DELETE", f"/accounts({second})")
    assert known() == {second}


@pytest.mark.parametrize(
    "cookie",
    [
        '<cookie pagenumber="2" pagingcookie="" istracking="True" />',
        '<cookie pagenumber="2" pagingcookie="%3ccookie%3e" istracking="True" />',
        '<cookie pagenumber="3" pagingcookie="{inner}" istracking="True" />',
        '<cookie pagenumber="2" pagingcookie="{other}" istracking="True" />',
    ],
)
def test_a_cookie_made_by_hand_is_refused(moments, cookie):
    inner = (
        '<cookie page="1" token="1000001!02/29/2024 12:30:15"><versionnumber last="1000000" />'
        '<accountid last="{00000000-0000-0000-0000-000000000001}" /></cookie>'
    )
    other = inner.replace("accountid", "contactid")
    cookie = cookie.replace("{inner}", quote(inner)).replace("{other}", quote(other))
    found = moments.api.error("GET", f"/accounts?$skiptoken={quote(cookie)}")
    assert found == (400, "0x80040203", "Malformed XML in the Paging Cookie")


@pytest.mark.parametrize("path", ["/accounts({})?$deltatoken={}", "/accounts({})/Account_Tasks?$deltatoken={}"])
def test_a_token_is_refused_where_there_is_no_history(moments, path):
    account = moments.api.created("accounts", name="A")
    token = delta_link(moments.api).partition("$deltatoken=")[2]
    status, code, text = moments.api.error("GET", path.format(account, token))
    assert (status, code) == (400, "0x80060888")
    assert text == "The query option '$deltatoken' cannot be applied to the requested resource."


@pytest.mark.parametrize(
    ("level", "members"), [("none", {"id", "reason"}), ("full", {"@odata.context", "id", "reason"})]
)
def test_deleted_records_carry_metadata_as_asked(moments, level, members):
    api = moments.api
    account = api.created("accounts", name="A")
    link = delta_link(api)
    api("DELETE", f"/accounts({account})")
    body = api.json(link, accept=f"application/json;odata.metadata={level}")
    assert set(body["value"][0]) == members
    assert ("@odata.context" in body) == (level != "none")


def test_a_restored_environment_does_not_know_what_has_changed(moments):
    api = moments.api
    api.created("accounts", name="A")
    moments.service.database.keep("copy")
    api.created("accounts", name="B")
    link = delta_link(api)
    moments.service.database.put_back("copy")
    assert api.error("GET", link) == EXPIRED
    rows, link, _ = followed(api, "/accounts?$select=name", **TRACK)
    assert shown(rows) == ["A"]
    assert api.json(link)["value"] == []


@pytest.mark.parametrize(
    ("depth", "status"), [("Global", 200), ("Deep", 403), ("Local", 403), ("Basic", 403), (None, 403)]
)
def test_changes_are_for_who_may_read_all_rows(moments, depth, status):
    api = moments.api
    (unit,) = (row["businessunitid"] for row in api.json("/businessunits?$select=businessunitid")["value"])
    (user,) = api.json("/systemusers?$select=fullname&$filter=fullname eq '%23 Roleless'")["value"]
    role = api.created("roles", name="Reader", **{"businessunitid@odata.bind": f"/businessunits({unit})"})
    path = f"/systemusers({user['systemuserid']})/systemuserroles_association/$ref"
    assert api("POST", path, {"@odata.id": f"{ROOT}/roles({role})"}).status == 204
    known = {row["name"]: row["privilegeid"] for row in api.json("/privileges?$select=name,privilegeid")["value"]}
    depths = {"prvReadUser": "Global", **({"prvReadAccount": depth} if depth else {})}
    privileges = [
        {"PrivilegeId": known[name], "Depth": given, "BusinessUnitId": unit} for name, given in depths.items()
    ]
    path = f"/roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
    assert api("POST", path, {"Privileges": privileges}).status == 204
    api.created("accounts", name="A")
    link = delta_link(api)
    api.created("accounts", name="B")
    for url, headers in (("/accounts", TRACK), (link, {}), (link.replace("?$select=name&", "/$count?"), {})):
        answer = api("GET", url, authorization="Bearer roleless", **headers)
        assert answer.status == status, url
        if status == 403:
            error = json.loads(answer.body)["error"]
            assert error["code"] == "0x80040220"
            assert "prvReadAccount" in error["message"]
