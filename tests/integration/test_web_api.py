"""The Web API session against a server that answers from a script."""

import json
import socket

import pytest
import requests

from integration.authority import AuthorityNotFoundError, discover_authority, reason_of
from integration.transport import open_session
from integration.web_api import ServerUnreachableError, WebApi, WebApiError, literal


class Tokens:
    """Hands out numbered tokens; a fresh one on demand only."""

    def __init__(self):
        self.number = 1

    def __call__(self, *, fresh=False):
        self.number += fresh
        return f"token-{self.number}"


@pytest.fixture
def web_api(server):
    with open_session(server.url, None) as session:
        yield WebApi(server.url, Tokens(), session, "test-agent")


def test_a_read_carries_token_odata_headers_and_an_encoded_query(server, answer, web_api):
    server.script = [answer(200, {"value": [1]})]
    query = {"$select": "a,b", "$filter": f"a eq {literal('O’Brien & Söhne+100%#?')}"}
    assert web_api.get("EntityDefinitions(LogicalName='x')", query) == {"value": [1]}
    (request,) = server.requests
    assert request.path == (
        "/api/data/v9.2/EntityDefinitions(LogicalName='x')?$select=a%2Cb"
        "&$filter=a%20eq%20%27O%E2%80%99Brien%20%26%20S%C3%B6hne%2B100%25%23%3F%27"
    )
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers["OData-Version"] == request.headers["OData-MaxVersion"] == "4.0"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["User-Agent"] == "test-agent"
    assert "Content-Type" not in request.headers


def test_quotes_in_a_literal_are_doubled():
    assert literal("O'Brien's") == "'O''Brien''s'"


def test_a_create_sends_utf8_json_and_returns_the_address(server, answer, web_api):
    server.script = [answer(204, b"", {"OData-EntityId": "https://x/sets(1)"})]
    created = web_api.create("sets", {"name": "Ελένη 🔬"})
    assert (created.status, created.entity_id, created.body) == (204, "https://x/sets(1)", {})
    (request,) = server.requests
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Ελένη 🔬".encode() in request.body
    assert json.loads(request.body) == {"name": "Ελένη 🔬"}


def test_an_odata_error_becomes_status_code_and_text(server, answer, web_api):
    server.script = [answer(403, {"error": {"code": "0x80072560", "message": "The user is\r\n not a member."}})]
    with pytest.raises(WebApiError) as raised:
        web_api.get("sets")
    error = raised.value
    assert (error.status, error.code, error.message) == (403, "0x80072560", "The user is not a member.")
    assert str(error) == "The user is not a member. [0x80072560]"


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b"HTTP Error 401 - Unauthorized: Access is denied\r\n", {"Content-Type": "text/html"}, "Access is denied"),
        (b"<html><body>no", {"Content-Type": "text/html"}, "the answer is no OData error"),
        (b"\x00\x01", {}, "the answer is no OData error"),
        (b"", {}, "the answer is no OData error"),
        (b'{"error": "x"}', {"Content-Type": "application/json"}, "the answer is no OData error"),
        (b'{"error": {"code": "", "message": "m"}}', {"Content-Type": "application/json"}, "m"),
        (b'{"Message": "No HTTP resource"}', {"Content-Type": "application/json"}, "No HTTP resource"),
    ],
)
def test_an_error_without_odata_shape_still_has_a_text(server, answer, web_api, body, headers, message):
    server.script = [answer(404, body, headers)]
    with pytest.raises(WebApiError) as raised:
        web_api.get("sets")
    assert raised.value.code is None
    assert message in raised.value.message
    assert "[HTTP 404]" in str(raised.value)


def test_a_refused_token_is_renewed_once(server, answer, web_api):
    server.script = [answer(401, b"denied"), answer(200, {"value": []})]
    assert web_api.get("sets") == {"value": []}
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer token-1", "Bearer token-2"]


def test_a_token_refused_twice_is_an_error(server, answer, web_api):
    server.script = [answer(401, b"denied"), answer(401, b"denied")]
    with pytest.raises(WebApiError) as raised:
        web_api.get("sets")
    assert (raised.value.status, len(server.requests)) == (401, 2)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_as_seconds(server, answer, web_api, headers, seconds):
    server.script = [answer(429, {"error": {"code": "0x80072321", "message": "slow down"}}, headers)]
    with pytest.raises(WebApiError) as raised:
        web_api.get("sets")
    assert raised.value.retry_after == seconds


def test_a_retry_after_date_is_measured_against_the_servers_clock(server, answer, web_api, monkeypatch):
    monkeypatch.setattr(server.RequestHandlerClass, "date_time_string", lambda _: "Tue, 01 Jun 2021 10:00:00 GMT")
    server.script = [answer(429, b"", {"Retry-After": "Tue, 01 Jun 2021 10:01:30 GMT"})]
    with pytest.raises(WebApiError) as raised:
        web_api.get("sets")
    assert raised.value.retry_after == 90.0


def test_a_redirect_is_an_error_and_not_followed(server, answer, web_api):
    server.script = [answer(302, b"", {"Location": "/elsewhere"})]
    with pytest.raises(WebApiError) as raised:
        web_api.create("sets", {})
    assert (raised.value.status, len(server.requests)) == (302, 1)


@pytest.mark.parametrize("body", [b"<html>", b"[1]"])
def test_a_success_that_is_no_json_object_is_an_error(server, answer, web_api, body):
    server.script = [answer(200, body)]
    with pytest.raises(WebApiError, match="is this a Web API"):
        web_api.get("sets")


def test_a_dropped_connection_is_no_answer(server, web_api):
    server.script = [None]
    with pytest.raises(ServerUnreachableError, match="gave no answer"):
        web_api.create("sets", {})


def test_a_port_where_nobody_listens_is_named_in_plain_words():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with open_session(url, None) as session, pytest.raises(ServerUnreachableError) as raised:
        WebApi(url, Tokens(), session).get("sets")
    assert "connection refused" in str(raised.value)
    assert "0x" not in str(raised.value)


def test_a_netrc_entry_never_replaces_the_token(server, answer, web_api, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.script = [answer(200, {})]
    web_api.get("sets")
    assert server.requests[0].headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    "challenge",
    [
        "Bearer authorization_uri={url}/t1/oauth2/authorize, resource_id={url}/",
        'Bearer authorization_uri="{url}/t1/oauth2/v2.0/authorize", resource_id="{url}/"',
        "Bearer error=invalid_token, authorization_uri={url}/t1/oauth2/authorize",
    ],
)
def test_the_authority_is_read_from_the_challenge(server, answer, challenge):
    server.script = [answer(401, b"", {"WWW-Authenticate": challenge.format(url="https://login.test")})]
    assert discover_authority(server.url, None) == "https://login.test/t1"
    assert "Authorization" not in server.requests[0].headers


def test_a_server_that_is_not_there_names_no_authority():
    with pytest.raises(AuthorityNotFoundError, match="connection refused"):
        discover_authority("http://127.0.0.1:1", None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.exceptions.SSLError("x"), "its certificate is not trusted"),
        (requests.exceptions.ConnectTimeout("x"), "no connection in time"),
        (requests.exceptions.ReadTimeout("x"), "no answer in time"),
        (requests.exceptions.ProxyError("x"), "the proxy refuses"),
        (requests.exceptions.ConnectionError("x"), "the connection broke"),
        (requests.exceptions.ChunkedEncodingError("x"), "ChunkedEncodingError"),
    ],
)
def test_a_missing_answer_is_explained_in_plain_words(error, words):
    assert reason_of(error).startswith(words)


def test_a_server_without_challenge_names_no_authority(server, answer):
    server.script = [answer(404, b"")]
    with pytest.raises(AuthorityNotFoundError, match="HTTP 404"):
        discover_authority(server.url, None)
