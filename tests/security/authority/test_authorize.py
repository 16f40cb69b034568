"""A person signs in on a page: the application gets a code by way of the browser, and tokens for it, once."""

import base64
import hashlib
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from sign_in_forms import Form

from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID, PUBLIC_CLIENT_ID
from security.authority.people import NewUser, ensure_user

ORIGIN = "https://localhost:8443"
RITA = UUID("0a0b0c0d-0000-4000-8000-000000000001")
NAME = "rita@contoso.onmicrosoft.com"
SCOPE = f"{ORIGIN}/user_impersonation openid profile offline_access"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-012345"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
LOOPBACK = "http://localhost:51234"


@pytest.fixture
def people(own_house):
    ensure_user(own_house.authority, NewUser(RITA, NAME, "Rita Example", "right"))
    return own_house


def question(**changes):
    parameters = {
        "client_id": str(PUBLIC_CLIENT_ID),
        "response_type": "code",
        "redirect_uri": LOOPBACK,
        "scope": SCOPE,
        "state": "s t&<>\"'é",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in parameters.items() if value is not None}


def visit(house, *, path="/common/oauth2/v2.0/authorize", **changes):
    return house.client.get(f"{path}?{urlencode(question(**changes))}", base_url=ORIGIN)


def answer(house, page, **changes):
    form = Form(page.text)
    body = form.values | {"username": NAME, "password": "right", "answer": "sign-in"} | changes
    body = {name: value for name, value in body.items() if value is not None}
    return house.client.post(form.action, data=body, base_url=ORIGIN)


def parameters_of(response, part="query"):
    parts = urlsplit(response.headers["Location"])
    return {name: value for name, (value,) in parse_qs(getattr(parts, part), strict_parsing=True).items()}


def code_for(house, **changes):
    response = answer(house, visit(house, **changes))
    assert response.status_code == 303, response.text
    return parameters_of(response)["code"]


def redeem(house, code, **form):
    body = {
        "grant_type": "authorization_code",
        "client_id": str(PUBLIC_CLIENT_ID),
        "client_secret": None,
        "scope": None,
        "code": code,
        "redirect_uri": LOOPBACK,
        "code_verifier": VERIFIER,
    }
    return house.token(**(body | form))


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_person_signs_in_and_the_application_gets_tokens(people):
    page = visit(people)
    assert page.status_code == 200
    response = answer(people, page)
    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (303, LOOPBACK)
    given = parameters_of(response)
    assert given.pop("state") == "s t&<>\"'é"
    assert given.keys() == {"code"}
    body = redeem(people, given["code"], client_info="1").json
    assert body["scope"] == f"{ORIGIN}/user_impersonation"
    assert claims_of(body["id_token"])["nonce"] == "n-1"
    assert claims_of(body["access_token"])["upn"] == NAME
    assert {"refresh_token", "client_info"} <= body.keys()


def test_the_page_is_plain_and_can_be_read_aloud(people):
    page = visit(people, login_hint='"><script>alert(1)</script>')
    form = Form(page.text)
    labels = {attributes["for"] for tag, attributes in form.tags if tag == "label"}
    shown = {attributes["id"] for tag, attributes in form.tags if tag == "input" and "id" in attributes}
    assert labels == shown == {"username", "password"}
    assert ("html", {"lang": "en"}) in form.tags
    assert form.values["username"] == '"><script>alert(1)</script>'
    assert not any(tag in ("script", "img", "link") for tag, _ in form.tags)
    assert "Dynamics 365 Example Client Application" in form.text
    assert not any("src" in attributes for _, attributes in form.tags)


def test_the_page_has_the_headers_of_a_page_that_asks_for_a_password(people):
    headers = visit(people).headers
    policy = headers["Content-Security-Policy"]
    assert re.sub(r"nonce-[^']+", "nonce-X", policy) == (
        "default-src 'none'; style-src 'nonce-X'; script-src 'nonce-X'; form-action 'self' http://localhost:51234; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    expected = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    assert {name: headers[name] for name in expected} == expected
    assert "no-store" in headers["Cache-Control"]
    cookie = headers["Set-Cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")


@pytest.mark.parametrize("tamper", ["no cookie", "other token", "no token", "get", "foreign cookie"])
def test_a_form_that_this_browser_was_not_given_is_refused(people, tamper):
    page = visit(people)
    match tamper:
        case "no cookie":
            people.client.delete_cookie("talentverse-sign-in")
            response = answer(people, page)
        case "foreign cookie":
            people.client.set_cookie("talentverse-sign-in", "x")
            response = answer(people, page, form_token="x")
        case "other token":
            response = answer(people, page, form_token="another-token-of-another-browser")
        case "no token":
            response = answer(people, page, form_token=None)
        case "get":
            form = Form(page.text)
            query = urlencode(form.values | {"username": NAME, "password": "right", "answer": "sign-in"})
            response = people.client.get(f"{form.action}?{query}", base_url=ORIGIN)
    assert (response.status_code, "Location" in response.headers) == (400, False)
    assert "AADSTS165000" in response.text


def test_forms_in_two_windows_work(people):
    first, second = visit(people), visit(people)
    assert [answer(people, page).status_code for page in (first, second)] == [303, 303]


def test_a_wrong_password_shows_the_form_again(people):
    response = answer(people, visit(people), password="<wrong>")
    assert response.status_code == 400
    form = Form(response.text)
    assert "AADSTS50126" in form.text
    assert (form.values["username"], form.values["password"]) == (NAME, "")
    assert "wrong" not in response.text
    assert answer(people, response).status_code == 303


def test_who_cancels_is_sent_back(people):
    response = answer(people, visit(people), answer="cancel", password="")
    given = parameters_of(response)
    assert (given["error"], given["state"]) == ("access_denied", "s t&<>\"'é")


def test_an_answer_comes_in_the_fragment_or_in_a_form(people):
    response = answer(people, visit(people, response_mode="fragment"))
    assert parameters_of(response, "fragment").keys() == {"code", "state"}
    page = answer(people, visit(people, response_mode="form_post"))
    form = Form(page.text)
    assert (page.status_code, form.action, form.values["state"]) == (200, LOOPBACK, "s t&<>\"'é")
    assert redeem(people, form.values["code"]).status_code == 200
    nonces = {attributes["nonce"] for tag, attributes in form.tags if tag in ("script", "style")}
    assert len(nonces) == 1
    assert f"script-src 'nonce-{nonces.pop()}'" in page.headers["Content-Security-Policy"]


def test_the_v1_endpoint_asks_for_a_resource(people):
    page = visit(people, path="/common/oauth2/authorize", scope=None, resource=f"{ORIGIN}/")
    code = parameters_of(answer(people, page))["code"]
    assert claims_of(redeem(people, code).json["access_token"])["aud"] == f"{ORIGIN}/"


@pytest.mark.parametrize(
    "uri",
    ["http://localhost", "http://localhost/", "http://localhost:1", "http://localhost:65535/", "https://callbackurl"],
)
def test_a_program_on_this_machine_may_listen_on_any_port(people, uri):
    code = code_for(people, redirect_uri=uri)
    assert redeem(people, code, redirect_uri=uri).status_code == 200


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.test",
        "http://localhost:1/elsewhere",
        "http://localhost:1?x=1",
        "http://localhost@evil.test",
        "http://user@localhost:1",
        "http://127.0.0.1:1",
        "https://localhost:1",
        "http://localhost:x",
        "http://localhost:1#x",
        "http://local\nhost:1",
        "http://localhost:1/\r\nSet-Cookie: x=1",
        "http://localhost.evil.test",
        "https://callbackurl:1",
        "https://callbackurl/x",
        "javascript:alert(1)",
        "http://[::1",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_the_applications(people, uri):
    response = visit(people, redirect_uri=uri)
    assert (response.status_code, "Location" in response.headers) == (400, False)
    assert "AADSTS50011" in response.text
    assert "<form" not in response.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": None}, 900144),
        ({"client_id": "x"}, 700016),
        ({"client_id": str(RITA)}, 700016),
        ({"redirect_uri": None}, 900144),
        ({"client_id": str(ADMIN_CLIENT_ID)}, 50011),
        ({"response_mode": "pigeon"}, 9002313),
        ({"path": "/fabrikam.test/oauth2/v2.0/authorize"}, 90002),
    ],
)
def test_without_a_good_address_the_refusal_is_a_page(people, changes, code):
    response = visit(people, **changes)
    assert (response.status_code, "Location" in response.headers) == (400, False)
    assert f"AADSTS{code}" in response.text


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "token"}, "unsupported_response_type", 70005),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": f"{ORIGIN}/Everything"}, "invalid_scope", 70011),
        ({"scope": "https://elsewhere.test/.default"}, "invalid_resource", 500011),
        ({"code_challenge_method": "S512"}, "invalid_request", 9002313),
        ({"prompt": "none"}, "login_required", 50058),
    ],
)
def test_other_refusals_are_sent_to_the_application(people, changes, error, code):
    response = visit(people, **changes)
    assert response.status_code == 303
    given = parameters_of(response)
    assert (given["error"], given["state"]) == (error, "s t&<>\"'é")
    assert given["error_description"].startswith(f"AADSTS{code}: ")


def test_a_code_is_used_once_and_a_second_use_revokes_what_the_first_gave(people):
    code = code_for(people)
    first = redeem(people, code).json
    again = redeem(people, code)
    assert (again.status_code, again.json["error"], again.json["error_codes"]) == (400, "invalid_grant", [54005])
    refreshed = redeem(people, None, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert refreshed.json["error_codes"] == [70000]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"code": "x"}, 400, 70000),
        ({"code": None}, 400, 900144),
        ({"redirect_uri": None}, 400, 900144),
        ({"redirect_uri": "http://localhost:2"}, 400, 500112),
        ({"code_verifier": None}, 400, 501481),
        ({"code_verifier": "another"}, 400, 501481),
        ({"code_verifier": CHALLENGE}, 400, 501481),
        ({"scope": "https://elsewhere.test/.default"}, 400, 500011),
        ({"client_secret": "x"}, 401, 700025),
    ],
)
def test_a_refused_redemption_does_not_use_the_code_up(people, form, status, code):
    given = code_for(people)
    response = redeem(people, **({"code": given} | form))
    assert (response.status_code, response.json["error_codes"]) == (status, [code])
    assert redeem(people, given).status_code == 200


def test_another_application_redeems_nothing(people):
    stranger = {"client_id": str(ADAPTER_CLIENT_ID), "client_secret": people.secrets[ADAPTER_CLIENT_ID]}
    assert redeem(people, code_for(people), **stranger).json["error_codes"] == [70000]


def test_a_code_expires(people):
    code = code_for(people)
    people.clock.now += 600
    assert redeem(people, code).json["error_codes"] == [70008]


def test_a_plain_challenge_and_none_at_all_are_possible(people):
    plain = code_for(people, code_challenge="plain-text", code_challenge_method=None)
    assert redeem(people, plain, code_verifier="plain-text").status_code == 200
    bare = code_for(people, code_challenge=None, code_challenge_method=None)
    assert redeem(people, bare).json["error_codes"] == [501481]
    assert redeem(people, bare, code_verifier=None).status_code == 200


def test_no_code_is_stored_in_clear(people):
    code = code_for(people)
    people.database.close()
    stored = b"".join(path.read_bytes() for path in people.path.parent.iterdir())
    assert code.encode() not in stored


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_only_get_and_post_reach_the_page(house, method):
    response = house.client.open("/common/oauth2/v2.0/authorize", method=method, base_url=ORIGIN)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST, HEAD")
