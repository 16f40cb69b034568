"""The token endpoint gives tokens for good requests and Entra's refusals for all others."""

import base64
import json
import re

import pytest

from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID, PUBLIC_CLIENT_ID

TENANT_ID = "11111111-2222-4333-8444-555555555555"
ORIGIN = "https://localhost:8443"
START = 1_800_000_000


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize("tenant", [TENANT_ID, TENANT_ID.upper(), "contoso.onmicrosoft.com", "common", "Organizations"])
def test_every_spelling_of_the_tenant_gives_a_token(house, tenant):
    response = house.token(tenant)
    assert response.status_code == 200
    assert response.json.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert (response.json["token_type"], response.json["expires_in"]) == ("Bearer", 3599)
    assert "no-store" in response.headers["Cache-Control"]


def test_an_application_token_has_the_claims_of_the_v1_format(house):
    registration = house.database.registrations.get(ADMIN_CLIENT_ID)
    claims = claims_of(house.access_token())
    assert {name: claims[name] for name in claims.keys() - {"uti"}} == {
        "aud": ORIGIN,
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "idp": f"https://sts.windows.net/{TENANT_ID}/",
        "iat": START,
        "nbf": START,
        "exp": START + 3599,
        "appid": str(ADMIN_CLIENT_ID),
        "appidacr": "1",
        "idtyp": "app",
        "oid": str(registration.object_id),
        "sub": str(registration.object_id),
        "tid": TENANT_ID,
        "ver": "1.0",
    }


def test_two_tokens_of_one_moment_differ(house):
    assert house.access_token() != house.access_token()


@pytest.mark.parametrize(
    ("scope", "audience", "roles"),
    [
        (f"{ORIGIN}/.default", ORIGIN, None),
        (f"{ORIGIN}//.default", f"{ORIGIN}/", None),
        ("https://LocalHost:8443/.default", "https://LocalHost:8443", None),
        ("https://127.0.0.1:8443/.default", "https://127.0.0.1:8443", None),
        ("https://[::1]:8443/.default", "https://[::1]:8443", None),
        ("https://dev.contoso.test/.default", "https://dev.contoso.test", None),
        ("00000015-0000-0000-c000-000000000000/.default", "00000015-0000-0000-c000-000000000000", None),
        ("https://graph.microsoft.com/.default", "https://graph.microsoft.com", ["Application.ReadWrite.All"]),
    ],
)
def test_the_audience_is_the_resource_as_it_was_asked_for(house, scope, audience, roles):
    claims = claims_of(house.access_token(scope=scope))
    assert (claims["aud"], claims.get("roles")) == (audience, roles)


def test_an_application_without_permissions_gets_no_roles_in_graph(house):
    token = house.access_token(
        client_id=str(ADAPTER_CLIENT_ID),
        client_secret=house.secrets[ADAPTER_CLIENT_ID],
        scope="https://graph.microsoft.com/.default",
    )
    assert "roles" not in claims_of(token)


def test_the_v1_endpoint_takes_a_resource_and_answers_texts(house):
    response = house.token(TENANT_ID, "", scope=None, resource=f"{ORIGIN}/")
    assert response.status_code == 200
    assert {name: value for name, value in response.json.items() if name != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": "3599",
        "ext_expires_in": "3599",
        "expires_on": str(START + 3599),
        "not_before": str(START),
        "resource": f"{ORIGIN}/",
    }
    assert claims_of(response.json["access_token"])["aud"] == f"{ORIGIN}/"


@pytest.mark.parametrize(
    ("changes", "status", "error", "code", "text"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215, f"added to app '{ADMIN_CLIENT_ID}'"),
        ({"client_secret": "x" * 5000}, 401, "invalid_client", 7000215, "Invalid client secret"),
        ({"client_secret": None}, 401, "invalid_client", 7000218, "'client_assertion' or 'client_secret'"),
        ({"client_secret": ""}, 401, "invalid_client", 7000218, "'client_assertion' or 'client_secret'"),
        ({"client_id": str(PUBLIC_CLIENT_ID)}, 401, "invalid_client", 700025, "Client is public"),
        (
            {"client_id": "00000000-0000-4000-8000-000000000000"},
            400,
            "unauthorized_client",
            700016,
            "identifier '00000000-0000-4000-8000-000000000000' was not found in the directory 'Contoso'",
        ),
        ({"client_id": "not-a-guid"}, 400, "unauthorized_client", 700016, "'not-a-guid'"),
        ({"client_id": None}, 400, "invalid_request", 900144, "'client_id'"),
        ({"scope": None}, 400, "invalid_request", 900144, "'scope'"),
        ({"grant_type": None}, 400, "invalid_request", 900144, "'grant_type'"),
        ({"scope": f"{ORIGIN}/user_impersonation"}, 400, "invalid_scope", 1002012, "/.default suffixed"),
        ({"scope": ".default"}, 400, "invalid_scope", 1002012, "/.default suffixed"),
        ({"scope": "/.default"}, 400, "invalid_scope", 1002012, "/.default suffixed"),
        ({"scope": f"{ORIGIN}/.default {ORIGIN}/.default"}, 400, "invalid_scope", 1002012, "is not valid"),
        ({"scope": "https://elsewhere.test/.default"}, 400, "invalid_resource", 500011, "https://elsewhere.test was"),
        ({"scope": "https://localhost:9999/.default"}, 400, "invalid_resource", 500011, "not found"),
        ({"scope": "http://localhost:8443/.default"}, 400, "invalid_resource", 500011, "not found"),
        ({"scope": f"{ORIGIN}/api/data/.default"}, 400, "invalid_resource", 500011, "not found"),
        ({"scope": "https://u@localhost:8443/.default"}, 400, "invalid_resource", 500011, "not found"),
        ({"scope": "https://localhost:x/.default"}, 400, "invalid_resource", 500011, "not found"),
        ({"scope": "https://[::1/.default"}, 400, "invalid_resource", 500011, "not found"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", 70003, "'magic'"),
        ({"grant_type": "device_code"}, 501, "unsupported_grant_type", 70003, "'device_code'"),
        (
            {"grant_type": "device_code"},
            501,
            "unsupported_grant_type",
            70003,
            "Use one of those that are: authorization_code, client_cr",
        ),
        ({"client_secret": None, "client_assertion": "a.b.c"}, 400, "invalid_request", 900144, "client_assertion_type"),
    ],
)
def test_a_refusal_has_entras_code_and_status(house, changes, status, error, code, text):
    response = house.token(**changes)
    body = response.json
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert text in body["error_description"]


def test_an_error_document_names_trace_correlation_and_time(house):
    correlation = "0f0e0d0c-0b0a-4908-8706-050403020100"
    response = house.client.post(
        "/common/oauth2/v2.0/token", data={}, base_url=ORIGIN, headers={"client-request-id": correlation}
    )
    body = response.json
    assert body["correlation_id"] == correlation == response.headers["client-request-id"]
    assert body["timestamp"] == "2027-01-15 08:00:00Z"
    assert body["error_uri"].endswith("?code=900144")
    assert re.search(
        rf"Trace ID: {body['trace_id']} Correlation ID: {correlation} Timestamp: 2027-01-15 08:00:00Z$",
        body["error_description"],
    )
    assert response.headers["x-ms-request-id"] == body["trace_id"]


@pytest.mark.parametrize("tenant", ["fabrikam.onmicrosoft.com", "99999999-2222-4333-8444-555555555555", "consumers"])
@pytest.mark.parametrize("version", ["/v2.0", ""])
def test_an_unknown_tenant_is_refused_before_anything_is_read(house, tenant, version):
    response = house.token(tenant, version, client_id=None)
    assert (response.status_code, response.json["error"], response.json["error_codes"]) == (
        400,
        "invalid_request",
        [90002],
    )


def test_an_expired_secret_is_told_from_a_wrong_one(own_house):
    own_house.clock.now += 101 * 366 * 86400
    response = own_house.token()
    assert (response.status_code, response.json["error_codes"]) == (401, [7000222])


def basic(client_id, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_client_credentials_may_come_as_http_basic(house):
    form = {"grant_type": "client_credentials", "scope": f"{ORIGIN}/.default"}
    good = basic(ADMIN_CLIENT_ID, house.secrets[ADMIN_CLIENT_ID])
    response = house.client.post("/common/oauth2/v2.0/token", data=form, headers=good, base_url=ORIGIN)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "extra", "status", "code"),
    [
        (basic(ADMIN_CLIENT_ID, "wrong"), {}, 401, 7000215),
        (basic(ADMIN_CLIENT_ID, ""), {}, 401, 7000218),
        (basic(ADMIN_CLIENT_ID, "x"), {"client_secret": "x"}, 400, 9002313),
        (basic(ADMIN_CLIENT_ID, "x"), {"client_id": str(ADAPTER_CLIENT_ID)}, 400, 9002313),
        ({"Authorization": "Basic !!!"}, {}, 400, 9002313),
        ({"Authorization": "Basic " + base64.b64encode(b"no-colon").decode()}, {}, 400, 9002313),
        ({"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, {}, 400, 9002313),
    ],
)
def test_bad_http_basic_is_refused(house, headers, extra, status, code):
    form = {"grant_type": "client_credentials", "scope": f"{ORIGIN}/.default"} | extra
    response = house.client.post("/common/oauth2/v2.0/token", data=form, headers=headers, base_url=ORIGIN)
    assert (response.status_code, response.json["error_codes"]) == (status, [code])
    assert ("WWW-Authenticate" in response.headers) is (status == 401)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"grant_type=client_credentials&grant_type=password", FORM, "'grant_type' is given more than once"),
        (b"grant_type=%ff", FORM, "cannot be decoded"),
        (b"grant_type=\xff", FORM, "not UTF-8"),
        (b"&".join(b"p%d=1" % number for number in range(200)), FORM, "too many"),
        (b"grant_type=" + b"x" * 70_000, FORM, "larger than"),
        (b'{"grant_type": "client_credentials"}', "application/json", "must be application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials", "", "must be application/x-www-form-urlencoded"),
    ],
)
def test_a_malformed_body_is_refused_with_its_reason(house, body, content_type, detail):
    response = house.client.post(
        "/common/oauth2/v2.0/token", data=body, content_type=content_type or None, base_url=ORIGIN
    )
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")
    assert response.json["error_codes"] == [9002313]
    assert detail in response.json["error_description"]


def test_an_empty_body_misses_its_first_parameter(house):
    response = house.client.post("/common/oauth2/v2.0/token", base_url=ORIGIN)
    assert (response.status_code, response.json["error_codes"]) == (400, [900144])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_reaches_the_token_endpoint(house, method):
    response = house.client.open("/common/oauth2/v2.0/token", method=method, base_url=ORIGIN)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    if method != "HEAD":
        assert response.json["error_codes"] == [900561]


def test_a_deleted_registration_gets_no_more_tokens(own_house):
    assert own_house.token().status_code == 200
    own_house.database.registrations.delete(ADMIN_CLIENT_ID)
    response = own_house.token()
    assert (response.status_code, response.json["error_codes"]) == (400, [700016])
