"""The Flask routes: requests arrive undecoded, answers leave as they are, faults become JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask, request
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder

from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.routes import data_routes, received

BASE = "https://org.test:8443"
GOOD = {"Authorization": "Bearer good"}


@pytest.fixture
def client(services):
    app = Flask("test")
    app.register_blueprint(data_routes(replace(services, max_body=100)))
    return app.test_client()


def test_the_web_api_and_human_resources_are_reached(client):
    answer = client.get("/api/data/v9.2/WhoAmI", base_url=BASE, headers=GOOD)
    assert answer.status_code == 200
    assert answer.json["@odata.context"].startswith(f"{BASE}/api/data/v9.2/$metadata#")
    assert client.get("/data/LegalEntities", base_url=BASE, headers=GOOD).status_code == 200
    assert client.get("/data", base_url=BASE, headers=GOOD).data == b"finance"


def test_a_head_request_gets_the_headers_only(client):
    answer = client.head("/api/data/v9.2/WhoAmI", base_url=BASE, headers=GOOD)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["x-ms-dop-hint"]


def test_an_empty_answer_has_no_content_type(client):
    path = "/api/data/v9.2/accounts(0c000000-0000-4000-8000-0000000000aa)"
    answer = client.patch(path, base_url=BASE, headers=GOOD, json={"name": "x"})
    assert answer.status_code == 204
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/api/data", 404, "data"),
        ("/api/data/v8.0/accounts", 404, "accounts"),
        ("/api/nope", 404, "nope"),
        ("/nope", 404, "nope"),
        ("/XRMServices/2011/Organization.svc", 501, "SOAP"),
    ],
)
def test_every_refusal_is_json(client, path, status, text):
    answer = client.get(path, base_url=BASE, headers=GOOD)
    assert answer.status_code == status
    assert answer.content_type.startswith("application/json")
    assert text in answer.json["error"]["message"]


def test_an_unknown_host_is_not_found(client):
    answer = client.get("/api/data/v9.2/WhoAmI", base_url="https://other.test:8443", headers=GOOD)
    assert answer.status_code == 404
    assert "other.test" in answer.json["error"]["message"]


def test_a_body_that_is_too_large_is_refused(client):
    answer = client.post("/api/data/v9.2/accounts", base_url=BASE, headers=GOOD, data=b"x" * 101)
    assert answer.status_code == 413
    assert "too large" in answer.json["error"]["message"]


def test_a_fault_of_ours_becomes_a_json_500_and_is_logged(services):
    def broken(request, segments, read):
        raise RuntimeError("secret detail")

    app = Flask("test")
    app.register_blueprint(data_routes(replace(services, metadata=broken)))
    with capture_logs() as logs:
        answer = app.test_client().get("/api/data/v9.2/", base_url=BASE, headers=GOOD)
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "0x80040216"
    assert b"secret" not in answer.data
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("request_failed", "error")]


def test_path_query_and_headers_arrive_as_they_were_sent():
    app = Flask("test")
    seen: list[ODataRequest] = []

    @app.get("/<path:rest>")
    def view(rest):
        seen.append(received(request.environ, 10))
        return ""

    app.test_client().get(
        "/data/Set('a%2Fb')?$filter=Name%20eq%20'%C3%A9'&x=+", base_url=BASE, headers={"If-Match": "*"}
    )
    assert seen[0].path == "/data/Set('a%2Fb')"
    assert seen[0].query == "$filter=Name%20eq%20'%C3%A9'&x=+"
    assert seen[0].header("if-match") == "*"
    assert (seen[0].scheme, seen[0].host) == ("https", "org.test:8443")


@pytest.mark.parametrize(
    ("decoded", "path"),
    [
        ("/data/Set('a/b%')/Nav", "/data/Set('a%2Fb%25')/Nav"),
        ("/data/Set(k='O''Neil/x',l=1)", "/data/Set(k='O''Neil%2Fx',l=1)"),
        ("/data/Set('\xc3\xa9')", "/data/Set('%C3%A9')"),
        ("/data/odd'/Nav", "/data/odd'/Nav"),
        ("/data/accounts(1)/$ref", "/data/accounts(1)/$ref"),
    ],
)
def test_a_server_that_decodes_the_path_leaves_keys_whole(decoded, path):
    environ = EnvironBuilder(base_url=BASE).get_environ() | {"PATH_INFO": decoded}
    for kept in ("REQUEST_URI", "RAW_URI"):
        environ.pop(kept)
    assert received(environ, 10).path == path


def test_headers_are_a_mapping_by_lower_case_names():
    environ = EnvironBuilder(base_url=BASE, headers={"If-Match": "*"}, content_type="text/plain").get_environ()
    headers = received(environ | {"CONTENT_LENGTH": ""}, 10).headers
    assert dict(headers) == {"host": "org.test:8443", "if-match": "*", "content-type": "text/plain"}
    assert "content-length" not in headers
    assert "authorization" not in headers
    assert len(headers) == 3


def test_what_no_door_takes_goes_on_to_flask(client):
    assert client.get("/database", base_url=BASE).status_code == 404
    assert client.get("/api/data", base_url=BASE, headers=GOOD).json["error"]["code"]


def test_a_body_that_breaks_off_is_refused_in_json(client):
    answer = client.post(
        "/api/data/v9.2/accounts",
        base_url=BASE,
        headers=GOOD,
        data=b"{}",
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "9"},
    )
    assert (answer.status_code, answer.content_type) == (400, "application/json; odata.metadata=minimal")


def test_an_answer_goes_out_in_one_piece(client):
    answer = client.get("/api/data/v9.2/WhoAmI", base_url=BASE, headers=GOOD, buffered=False)
    assert int(answer.headers["Content-Length"]) == len(answer.data) > 0
