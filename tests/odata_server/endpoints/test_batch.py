"""`$batch` outside of change sets: requests in one message, each answered as if it had come alone."""

from __future__ import annotations

import json

import pytest
from batches import BATCH_TYPE, Asked, answers, batch
from things import dump

LONG = "x" * 200


@pytest.fixture
def send(api):
    def answered(*items, line_end="\r\n", status=200, **headers):
        headers.setdefault("content_type", BATCH_TYPE)
        answer = api("POST", "/$batch", batch(*items, line_end=line_end), **headers)
        assert answer.status == status, answer.body
        return answers(dict(answer.headers)["Content-Type"], answer.body)

    return answered


@pytest.fixture
def ada(api):
    return api.created("contacts", firstname="Ada", lastname="Lovelace")


def test_each_request_is_answered_in_order(send, api, ada):
    told = send(
        Asked("GET", f"/api/data/v9.2/contacts({ada})?$select=firstname"),
        Asked("POST", "/api/data/v9.2/accounts", {"name": "Made"}),
        Asked("PATCH", f"/api/data/v9.2/contacts({ada})", {"firstname": "Augusta"}),
        Asked("GET", f"/api/data/v9.2/contacts({ada})?$select=firstname"),
        Asked("DELETE", f"/api/data/v9.2/contacts({ada})"),
    )
    assert [part.status for part in told] == [200, 204, 204, 200, 204]
    assert [told[0].json["firstname"], told[3].json["firstname"]] == ["Ada", "Augusta"]
    assert api.json(f"/accounts({told[1].id})?$select=name")["name"] == "Made"
    assert api.error("GET", f"/contacts({ada})")[0] == 404


def test_the_answers_have_the_headers_of_their_own_and_no_others(send, api, ada):
    made, read, missing = send(
        Asked("POST", "accounts", {"name": "Made"}),
        Asked("GET", f"contacts({ada})?$select=firstname"),
        Asked("GET", "nothing"),
        prefer="odata.continue-on-error",
    )
    url = f"https://org.test:8443/api/data/v9.2/accounts({made.id})"
    assert made.headers == {"OData-Version": "4.0", "Location": url, "OData-EntityId": url}
    assert set(read.headers) == {"Content-Type", "OData-Version", "ETag"}
    assert read.headers["Content-Type"].startswith("application/json")
    assert set(missing.headers) == {"Content-Type", "OData-Version", "REQ_ID"}
    assert made.body == b""


def test_the_answer_to_the_batch_has_the_headers_of_every_answer(api):
    answer = api("POST", "/$batch", batch(Asked("GET", "WhoAmI")), content_type=BATCH_TYPE)
    headers = dict(answer.headers)
    assert (answer.status, headers["OData-Version"], headers["x-ms-dop-hint"]) == (200, "4.0", "4")
    assert headers["REQ_ID"] == headers["x-ms-service-request-id"]


@pytest.mark.parametrize(
    "url",
    [
        "contacts({})?$select=firstname",
        "/api/data/v9.2/contacts({})?$select=firstname",
        "/api/data/v9.0/contacts({})?$select=firstname",
        "https://org.test:8443/api/data/v9.2/contacts({})?$select=firstname",
        "HTTPS://ORG.test/api/data/v9.2/contacts({})?$select=firstname",
        "contacts%28{}%29?%24select=firstname",
        "contacts(contactid={})?$select=firstname",
    ],
)
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_urls_are_absolute_rooted_or_relative(send, ada, url, line_end):
    (told,) = send(Asked("GET", url.format(ada)), line_end=line_end)
    assert (told.status, told.json["firstname"]) == (200, "Ada")


def test_the_version_of_a_url_is_that_of_its_answer(send, ada):
    (told,) = send(Asked("GET", f"/api/data/v9.0/contacts({ada})?$select=firstname"))
    assert told.json["@odata.context"].startswith("https://org.test:8443/api/data/v9.0/$metadata#")


def test_a_url_may_hold_blanks_and_texts_of_any_language(send, api):
    api.created("accounts", name="Ämter & Söhne")
    (told,) = send(Asked("GET", "accounts?$select=name&$filter=name eq 'Ämter %26 Söhne' and statecode eq 0"))
    assert [row["name"] for row in told.json["value"]] == ["Ämter & Söhne"]


@pytest.mark.parametrize(
    ("request_", "status", "code", "text"),
    [
        (Asked("GET", "nothing"), 404, "0x80060888", "'nothing'"),
        (Asked("GET", "/nothing"), 404, "0x80060888", "'nothing'"),
        (Asked("GET", "/data/Workers"), 404, "0x80060888", "'Workers'"),
        (Asked("GET", "accounts?$filter=name eq"), 400, "0x80060888", ""),
        (Asked("GET", "accounts%zz"), 400, "0x80060888", "percent"),
        (Asked("POST", "accounts", {"name": LONG}), 400, "0x80044331", "exceeded the maximum allowed length"),
        (Asked("POST", "accounts", '{"name":'), 400, "0x80048d19", "accounts"),
        (Asked("POST", "accounts"), 400, "0x80048d19", "no body"),
        (Asked("DELETE", "accounts"), 405, "0x80060888", "DELETE"),
        (Asked("MERGE", "accounts", {}), 405, "0x80060888", "MERGE"),
        (Asked("OPTIONS", "accounts"), 405, "0x80060888", "OPTIONS"),
        (Asked("get", "accounts"), 405, "0x80060888", "'get'"),
        (Asked("POST", "$batch", "x"), 400, "0x80060888", "other batch requests"),
        (Asked("GET", "$1"), 400, "0x80060888", "Content-ID Reference: '$1' does not exist in the batch context."),
        (Asked("GET", "https://other.test/api/data/v9.2/accounts"), 404, "0x8006088a", "'other.test' is not known"),
        (Asked("GET", "https://a@org.test/api/data/v9.2/accounts"), 404, "0x8006088a", "is not known here"),
        (Asked("GET", "accounts", headers={"Host": "other.test"}), 404, "0x8006088a", "'other.test' is not known"),
        (Asked("GET", "//org.test/api/data/v9.2/accounts"), 404, "0x80060888", ""),
        (Asked("GET", "accounts", headers={"MSCRMCallerID": "x"}), 400, "0x80060888", "mscrmcallerid"),
        (Asked("GET", "accounts", headers={"OData-MaxVersion": "3.0"}), 400, "0x80060888", ""),
    ],
)
def test_a_refused_request_ends_the_batch_and_gives_it_its_status(send, services, request_, status, code, text):
    before = dump(services.dataverse.database)
    (told,) = send(request_, Asked("POST", "accounts", {"name": "Never"}), status=status)
    assert told.error[:2] == (status, code)
    assert text in told.error[2]
    assert dump(services.dataverse.database) == before


def test_what_was_done_before_a_refusal_stays_done(send, api):
    told = send(
        Asked("POST", "accounts", {"name": "First"}),
        Asked("POST", "accounts", {"name": LONG}),
        Asked("POST", "accounts", {"name": "Never made"}),
        status=400,
    )
    assert [part.status for part in told] == [204, 400]
    assert api.json(f"/accounts({told[0].id})?$select=name")["name"] == "First"
    assert api.json("/accounts?$filter=name eq 'Never made'")["value"] == []


@pytest.mark.parametrize(
    ("preference", "goes_on"),
    [
        ("odata.continue-on-error", True),
        ("continue-on-error", True),
        ("odata.continue-on-error=true", True),
        ("return=representation, odata.continue-on-error", True),
        ("odata.continue-on-error=false", False),
        ("return=minimal", False),
    ],
)
def test_with_the_preference_a_batch_goes_on_after_refusals(send, preference, goes_on):
    told = send(
        Asked("GET", "nothing"),
        Asked("GET", "WhoAmI"),
        Asked("POST", "accounts", {"name": LONG}),
        status=200 if goes_on else 404,
        prefer=preference,
    )
    assert [part.status for part in told] == ([404, 200, 400] if goes_on else [404])


def test_the_preference_to_go_on_is_confirmed(api):
    headers = {"content_type": BATCH_TYPE, "prefer": "odata.continue-on-error"}
    answer = api("POST", "/$batch", batch(Asked("GET", "WhoAmI")), **headers)
    assert ("Preference-Applied", "odata.continue-on-error") in answer.headers


def test_the_caller_is_known_for_all_requests_or_for_none(api):
    for token, status in (("expired", 401), ("stranger", 403)):
        sent = batch(Asked("GET", "WhoAmI", headers={"Authorization": "Bearer good"}))
        answer = api("POST", "/$batch", sent, content_type=BATCH_TYPE, authorization=f"Bearer {token}")
        assert answer.status == status


def test_a_content_id_comes_back(send):
    told = send(
        Asked("GET", "WhoAmI", content_id="a-7"), Asked("GET", "WhoAmI"), Asked("GET", "WhoAmI", content_id="a-7")
    )
    assert [part.content_id for part in told] == ["a-7", None, "a-7"]


def test_preferences_hold_for_one_request_or_for_those_without_their_own(send):
    def told(part):
        return part.status, part.headers.get("Preference-Applied")

    represented, minimal = (201, "return=representation"), (204, None)
    asked = Asked("POST", "accounts?$select=name", {"name": "A"})
    own = Asked("POST", "accounts?$select=name", {"name": "B"}, headers={"Prefer": "return=representation"})
    other = Asked("POST", "accounts", {"name": "C"}, headers={"Prefer": "return=minimal"})
    assert [told(part) for part in send(asked, own)] == [minimal, represented]
    assert [told(part) for part in send(asked, other, prefer="return=representation")] == [represented, minimal]
    made = send(own)[0].json
    assert made["name"] == "B"


def test_headers_of_the_batch_hold_for_its_requests_except_those_of_the_message(send, ada):
    read = Asked("GET", f"contacts({ada})?$select=firstname")
    plain = send(read, accept="application/json;odata.metadata=none")[0]
    assert "@odata.context" not in plain.json
    for header in (
        {"if_none_match": "null"},
        {"if_none_match": "*"},
        {"if_match": '"1"'},
        {"accept": "multipart/mixed"},
    ):
        assert send(read, **header)[0].status == 200
    assert send(Asked("PATCH", f"contacts({ada})", {"firstname": "B"}), if_match='W/"1"')[0].status == 204


def test_conditions_are_those_of_the_request(send, ada):
    read = send(Asked("GET", f"contacts({ada})?$select=firstname"))[0]
    known = Asked("GET", f"contacts({ada})?$select=firstname", headers={"If-None-Match": read.headers["ETag"]})
    stale = Asked("PATCH", f"contacts({ada})", {"firstname": "B"}, headers={"If-Match": 'W/"1"'})
    current = Asked("PATCH", f"contacts({ada})", {"firstname": "B"}, headers={"If-Match": read.headers["ETag"]})
    missing = Asked("PATCH", "contacts(00000000-0000-4000-8000-0000000000ff)", {}, headers={"If-Match": "*"})
    told = send(known, stale, current, missing, prefer="odata.continue-on-error")
    assert [part.status for part in told] == [304, 412, 204, 404]
    assert told[1].error[1] == "0x80060882"


def test_urls_in_a_batch_may_be_twice_as_long_as_others(send, api):
    long = f"accounts?$top=1&$filter=name eq '{'x' * 40_000}'"
    assert api("GET", f"/{long}").status == 400
    assert send(Asked("GET", long))[0].status == 200
    assert send(Asked("GET", long.replace("xxx'", "x" * 30_000 + "'")), status=400)[0].error[1] == "0x80060888"


def test_other_kinds_of_answers_are_parts_too(send):
    send(Asked("POST", "accounts", {"name": "Counted"}))
    count, metadata, action = send(
        Asked("GET", "accounts/$count"), Asked("GET", "$metadata"), Asked("GET", "RetrieveVersion()")
    )
    assert (count.headers["Content-Type"], int(count.body.decode("utf-8-sig")) > 0) == ("text/plain", True)
    assert metadata.status == 200
    assert "Version" in action.json


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"content_type": ""}, '"Content-Type" header'),
        ({"content_type": "application/json"}, "'multipart/mixed' as the media type"),
        ({"content_type": "application/json; odata.metadata=minimal"}, "'multipart/mixed' as the media type"),
        ({"content_type": "multipart/mixed"}, "boundary specification"),
        ({"content_type": "multipart/mixed; boundary=other"}, "closing boundary '--other--'"),
    ],
)
@pytest.mark.parametrize("body", [batch(Asked("POST", "accounts", {"name": "x"})), b"", b'{"requests":[]}'])
def test_what_is_no_multipart_batch_is_refused_as_a_whole(api, services, headers, text, body):
    before = dump(services.dataverse.database)
    status, code, told = api.error("POST", "/$batch", body, **headers)
    assert (status, code) == (400, "0x80060888")
    assert text in told
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize(
    "broken",
    [
        [Asked("GET", "accounts")],
        [Asked("POST", "accounts", {}, "1"), Asked("POST", "accounts", {}, "1")],
        Asked("GET", ""),
        Asked("GET", "accounts", headers={"No Name": "x"}),
        Asked("GET", "accounts", content_id="a b"),
    ],
)
def test_one_malformed_part_is_enough_to_execute_nothing(api, services, broken):
    before = dump(services.dataverse.database)
    sent = batch(Asked("POST", "accounts", {"name": "x"}), broken)
    for preference in ("", "odata.continue-on-error"):
        assert api.error("POST", "/$batch", sent, content_type=BATCH_TYPE, prefer=preference)[:2] == (400, "0x80060888")
    assert dump(services.dataverse.database) == before


def test_a_batch_has_a_thousand_requests_at_most(send, api):
    ask = Asked("GET", "accounts?$top=0&$select=name")
    assert len(send(*[ask] * 1_000)) == 1_000
    told = api.error("POST", "/$batch", batch(*[ask] * 1_001), content_type=BATCH_TYPE)
    assert told[:2] == (400, "0x80060888")
    assert "1000" in told[2]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_batch_is_posted(api, method):
    assert api.error(method, "/$batch", batch(), content_type=BATCH_TYPE)[0] == 405


def test_an_empty_batch_has_an_empty_answer(api):
    answer = api("POST", "/$batch", batch(), content_type=BATCH_TYPE)
    boundary = dict(answer.headers)["Content-Type"].partition("=")[2]
    assert (answer.status, answer.body) == (200, f"--{boundary}--\r\n".encode())


def test_an_error_of_a_part_tells_more_where_the_part_prefers_it(send):
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    told = send(Asked("GET", "nothing", headers=prefer), status=404)[0]
    assert any(name.startswith("@Microsoft.PowerApps.CDS") for name in json.loads(told.body)["error"])
