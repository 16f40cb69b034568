"""People sign in with their passwords; refresh tokens are used once, and a second use ends the sign-in."""

import base64
import json
from uuid import UUID

import pytest

from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID, PUBLIC_CLIENT_ID
from security.authority.model import User
from security.authority.people import LOCK_AFTER, LOCK_SECONDS, NewUser, ensure_user

TENANT_ID = "11111111-2222-4333-8444-555555555555"
ORIGIN = "https://localhost:8443"
START = 1_800_000_000
RITA = UUID("0a0b0c0d-0000-4000-8000-000000000001")
SCOPE = f"{ORIGIN}/.default openid profile offline_access"


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.fixture
def people(own_house):
    ensure_user(own_house.authority, NewUser(RITA, "Rita@contoso.onmicrosoft.com", "Rita Example", "right"))
    return own_house


def ask(house, *, tenant="common", version="/v2.0", **form):
    body = {
        "grant_type": "password",
        "client_id": str(PUBLIC_CLIENT_ID),
        "client_secret": None,
        "username": "rita@contoso.onmicrosoft.com",
        "password": "right",
        "scope": SCOPE,
    }
    return house.token(tenant, version, **(body | form))


def refresh(house, token, **form):
    return ask(house, grant_type="refresh_token", refresh_token=token, username=None, password=None, **form)


def test_a_password_gives_the_tokens_of_a_person(people):
    response = ask(people, client_info="1")
    body = response.json
    assert response.status_code == 200, body
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3599)
    assert body["scope"] == f"{ORIGIN}/user_impersonation {ORIGIN}/.default"
    assert json.loads(base64.urlsafe_b64decode(body["client_info"] + "==")) == {"uid": str(RITA), "utid": TENANT_ID}
    access, identity = claims_of(body["access_token"]), claims_of(body["id_token"])
    assert access.pop("sub") == identity.pop("sub")
    assert access.pop("uti") != identity.pop("uti")
    times = {"iat": START, "nbf": START, "exp": START + 3599}
    assert access == times | {
        "aud": ORIGIN,
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "acr": "1",
        "amr": ["pwd"],
        "appid": str(PUBLIC_CLIENT_ID),
        "appidacr": "0",
        "name": "Rita Example",
        "oid": str(RITA),
        "scp": "user_impersonation",
        "tid": TENANT_ID,
        "unique_name": "Rita@contoso.onmicrosoft.com",
        "upn": "Rita@contoso.onmicrosoft.com",
        "ver": "1.0",
    }
    assert identity == times | {
        "aud": str(PUBLIC_CLIENT_ID),
        "iss": f"{ORIGIN}/{TENANT_ID}/v2.0",
        "name": "Rita Example",
        "oid": str(RITA),
        "preferred_username": "Rita@contoso.onmicrosoft.com",
        "tid": TENANT_ID,
        "ver": "2.0",
    }


def test_an_access_token_of_a_person_is_valid_and_an_id_token_is_none(people):
    body = ask(people).json
    validate = people.authority.validator.validate
    claims = validate(body["access_token"], audiences=frozenset({ORIGIN}), now=START)
    assert (claims.is_app, claims.object_id, claims.scopes) == (False, RITA, ("user_impersonation",))
    assert claims.user_principal_name == "Rita@contoso.onmicrosoft.com"
    with pytest.raises(Exception, match="audience"):
        validate(body["id_token"], audiences=frozenset({ORIGIN}), now=START)


def test_a_person_is_somebody_else_towards_each_application(people):
    public = claims_of(ask(people).json["access_token"])
    confidential = {"client_id": str(ADAPTER_CLIENT_ID), "client_secret": people.secrets[ADAPTER_CLIENT_ID]}
    other = claims_of(ask(people, **confidential).json["access_token"])
    assert public["sub"] != other["sub"]
    assert (public["oid"], other["appidacr"]) == (other["oid"], "1")


@pytest.mark.parametrize(
    ("scope", "granted", "permissions", "members"),
    [
        (f"{ORIGIN}/user_impersonation", f"{ORIGIN}/user_impersonation", "user_impersonation", set()),
        (f"{ORIGIN}//.default", f"{ORIGIN}//user_impersonation {ORIGIN}//.default", "user_impersonation", set()),
        ("User.Read openid", "https://graph.microsoft.com/User.Read", "User.Read", {"id_token"}),
        ("openid offline_access", "openid offline_access", "openid profile", {"id_token", "refresh_token"}),
    ],
)
def test_the_scope_says_what_is_granted(people, scope, granted, permissions, members):
    body = ask(people, scope=scope).json
    assert (body["scope"], claims_of(body["access_token"])["scp"]) == (granted, permissions)
    assert body.keys() - {"token_type", "expires_in", "ext_expires_in", "access_token", "scope"} == members


def test_the_v1_endpoint_has_a_resource(people):
    body = ask(people, version="", scope=None, resource=f"{ORIGIN}/").json
    assert (body["scope"], body["resource"]) == ("user_impersonation", f"{ORIGIN}/")
    assert claims_of(body["id_token"])["upn"] == "Rita@contoso.onmicrosoft.com"
    again = refresh(people, body["refresh_token"], version="", scope=None).json
    assert again["resource"] == f"{ORIGIN}/"


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"password": "wrong"}, 400, "invalid_grant", 50126),
        ({"password": "x" * 600}, 400, "invalid_grant", 50126),
        ({"username": "nobody@contoso.onmicrosoft.com"}, 400, "invalid_grant", 50034),
        ({"username": None}, 400, "invalid_request", 900144),
        ({"password": None}, 400, "invalid_request", 900144),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"scope": f"{ORIGIN}/.default User.Read"}, 400, "invalid_request", 28000),
        ({"scope": f"{ORIGIN}/Everything"}, 400, "invalid_scope", 70011),
        ({"scope": "/x"}, 400, "invalid_scope", 70011),
        ({"scope": "https://elsewhere.test/.default"}, 400, "invalid_resource", 500011),
        ({"client_secret": "x"}, 401, "invalid_client", 700025),
        ({"client_id": str(ADMIN_CLIENT_ID)}, 401, "invalid_client", 7000218),
        ({"client_id": str(RITA)}, 400, "unauthorized_client", 700016),
    ],
)
def test_a_refusal_of_a_person_has_entras_code(people, changes, status, error, code):
    response = ask(people, **changes)
    assert (response.status_code, response.json["error"], response.json["error_codes"]) == (status, error, [code])


def test_ten_wrong_passwords_lock_for_a_minute(people):
    for _ in range(LOCK_AFTER):
        assert ask(people, password="wrong").json["error_codes"] == [50126]
    assert ask(people).json["error_codes"] == [50053]
    people.clock.now += LOCK_SECONDS
    assert ask(people).status_code == 200


def test_a_right_password_forgets_the_wrong_ones(people):
    for _ in range(2):
        for _ in range(LOCK_AFTER - 1):
            ask(people, password="wrong")
        assert ask(people).status_code == 200


def test_a_disabled_person_gets_nothing(people):
    hashed = people.database.users.get(RITA).password_hash
    people.database.users.add(User(UUID(int=9), "off@contoso.onmicrosoft.com", "Off", hashed, is_enabled=False))
    off = "off@contoso.onmicrosoft.com"
    assert ask(people, username=off).json["error_codes"] == [50057]
    assert ask(people, username=off, password="wrong").json["error_codes"] == [50126]


def test_a_refresh_token_is_replaced_by_another(people):
    first = ask(people).json
    second = refresh(people, first["refresh_token"]).json
    assert claims_of(second["access_token"])["oid"] == str(RITA)
    assert second["refresh_token"] != first["refresh_token"]
    third = refresh(people, second["refresh_token"], scope=None)
    assert (third.status_code, third.json["scope"]) == (200, first["scope"])
    graph = refresh(people, third.json["refresh_token"], scope="https://graph.microsoft.com/User.Read")
    assert claims_of(graph.json["access_token"])["aud"] == "https://graph.microsoft.com"


def test_a_refresh_token_that_comes_again_ends_the_sign_in(people):
    first = ask(people).json["refresh_token"]
    other = ask(people).json["refresh_token"]
    second = refresh(people, first).json["refresh_token"]
    reused = refresh(people, first)
    assert (reused.status_code, reused.json["error"], reused.json["error_codes"]) == (400, "invalid_grant", [70000])
    assert "used before" in reused.json["error_description"]
    assert refresh(people, second).json["error_codes"] == [70000]
    assert refresh(people, other).status_code == 200


def test_a_refused_request_does_not_use_the_token_up(people):
    token = ask(people).json["refresh_token"]
    assert refresh(people, token, scope="https://elsewhere.test/.default").json["error_codes"] == [500011]
    stranger = {"client_id": str(ADAPTER_CLIENT_ID), "client_secret": people.secrets[ADAPTER_CLIENT_ID]}
    assert refresh(people, token, **stranger).json["error_codes"] == [70000]
    assert refresh(people, token).status_code == 200


@pytest.mark.parametrize(("token", "code"), [(None, 900144), ("x", 70000), ("\udcff", 9002313)])
def test_what_is_no_refresh_token_opens_nothing(people, token, code):
    if token == "\udcff":
        body = f"grant_type=refresh_token&client_id={PUBLIC_CLIENT_ID}&refresh_token=%FF"
        form = "application/x-www-form-urlencoded"
        response = people.client.post("/common/oauth2/v2.0/token", data=body, content_type=form, base_url=ORIGIN)
    else:
        response = refresh(people, token)
    assert (response.status_code, response.json["error_codes"]) == (400, [code])


def test_a_refresh_token_expires_when_nobody_uses_it(people):
    token = ask(people).json["refresh_token"]
    people.clock.now += 90 * 86_400
    assert refresh(people, token).json["error_codes"] == [700082]
    people.clock.now += 8 * 86_400
    ask(people)
    assert refresh(people, token).json["error_codes"] == [70000]


def test_neither_passwords_nor_refresh_tokens_are_stored_in_clear(people):
    token = ask(people).json["refresh_token"]
    people.database.close()
    stored = b"".join(path.read_bytes() for path in people.path.parent.iterdir())
    assert b"$argon2id$" in stored
    assert token.encode() not in stored
    assert token.removeprefix("1.").encode() not in stored


def test_a_deleted_application_refreshes_nothing(people):
    confidential = {"client_id": str(ADAPTER_CLIENT_ID), "client_secret": people.secrets[ADAPTER_CLIENT_ID]}
    token = ask(people, **confidential).json["refresh_token"]
    people.database.registrations.delete(ADAPTER_CLIENT_ID)
    assert refresh(people, token, **confidential).json["error_codes"] == [700016]


def test_people_stay_and_keep_their_passwords(people, reopen):
    ensure_user(people.authority, NewUser(RITA, "rita@contoso.onmicrosoft.com", "Again", "another"))
    token = ask(people).json["refresh_token"]
    people.database.close()
    with reopen(people) as again:
        assert refresh(again, token).status_code == 200
        assert ask(again, password="another").json["error_codes"] == [50126]
