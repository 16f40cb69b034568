"""MSAL for Python, unmodified: its discovery, its tokens, which open the Web API, and its way with refusals."""

from __future__ import annotations

from collections.abc import Callable

import msal
import pytest
import requests
from live_servers import Client, Server

Make = Callable[..., msal.ConfidentialClientApplication]
UNKNOWN = "00000000-0000-4000-8000-0000000000aa"


class Wire(requests.Session):
    """What MSAL uses anyway, with a memory of what it answered."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, int]] = []

    def request(self, method, url, *args, **kwargs):
        answer = super().request(method, url, *args, **kwargs)
        self.seen.append((method.upper(), url, answer.status_code))
        return answer

    def statuses(self, method: str) -> list[int]:
        return [status for sent, _, status in self.seen if sent == method]


@pytest.fixture
def wire():
    with Wire() as session:
        yield session


@pytest.fixture
def application(server: Server, admin: dict[str, str]) -> Make:
    """What makes MSAL's application for the administrator's registration, or as the arguments say."""

    def make(client_id: str | None = None, **options: object) -> msal.ConfidentialClientApplication:
        defaults = {
            "client_credential": admin["client_secret"],
            "authority": server.environment["authority"],
            "instance_discovery": False,
        }
        return msal.ConfidentialClientApplication(client_id or admin["client_id"], **(defaults | options))

    return make


def who_am_i(server: Server, token: str) -> int:
    return Client(server, token).send("GET", "WhoAmI").status_code


@pytest.mark.parametrize(
    "options",
    [
        lambda url, tenant: {},
        lambda url, tenant: {"validate_authority": False, "instance_discovery": None},
        lambda url, tenant: {"authority": f"{url}/contoso.onmicrosoft.com"},
        lambda url, tenant: {"instance_discovery": f"{url}/common/discovery/instance"},
        lambda url, tenant: {"authority": None, "oidc_authority": f"{url}/{tenant}/v2.0"},
    ],
    ids=["instance_discovery=False", "validate_authority=False", "domain", "own", "oidc"],
)
def test_a_token_opens_the_web_api(server: Server, application: Make, options):
    given = options(server.url, server.environment["tenant_id"])
    client = application(**given)
    answer = client.acquire_token_for_client([f"{server.url}/.default"])
    assert answer["token_source"] == "identity_provider"
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    assert who_am_i(server, answer["access_token"]) == 200


def test_a_token_that_was_tampered_with_opens_nothing(server: Server, application: Make):
    client = application()
    head, _, rest = client.acquire_token_for_client([f"{server.url}/.default"])["access_token"].partition(".")
    assert who_am_i(server, f"{head}.e30.{rest.rpartition('.')[2]}") == 401


def test_two_requests_are_sent_for_many_tokens(server: Server, application: Make, wire: Wire):
    client = application(http_client=wire)
    answers = [client.acquire_token_for_client([f"{server.url}/.default"]) for _ in range(3)]
    assert {answer["access_token"] for answer in answers} == {answers[0]["access_token"]}
    assert [answer["token_source"] for answer in answers] == ["identity_provider", "cache", "cache"]
    base = server.environment["authority"]
    assert wire.seen == [
        ("GET", f"{base}/v2.0/.well-known/openid-configuration", 200),
        ("POST", f"{base}/oauth2/v2.0/token", 200),
    ]


def test_a_token_that_was_removed_is_asked_for_again(server: Server, application: Make, wire: Wire):
    client = application(http_client=wire)
    client.acquire_token_for_client([f"{server.url}/.default"])
    client.remove_tokens_for_client()
    assert client.acquire_token_for_client([f"{server.url}/.default"])["token_source"] == "identity_provider"
    assert wire.statuses("POST") == [200, 200]


def test_a_cache_that_was_written_down_serves_another_program(server: Server, application: Make, wire: Wire):
    cache = msal.SerializableTokenCache()
    client = application(token_cache=cache)
    first = client.acquire_token_for_client([f"{server.url}/.default"])
    read = msal.SerializableTokenCache()
    read.deserialize(cache.serialize())
    later = application(token_cache=read, http_client=wire)
    assert later.acquire_token_for_client([f"{server.url}/.default"])["access_token"] == first["access_token"]
    assert wire.statuses("POST") == []


@pytest.mark.parametrize(
    ("given", "scope", "refusal"),
    [
        # MSAL keeps answers with status 400 for a minute; a wrong secret is not among them, so a right one helps.
        ({"client_credential": "wrong"}, "{url}/.default", ([401, 401], "invalid_client", 7000215)),
        ({"client_id": UNKNOWN}, "{url}/.default", ([400], "unauthorized_client", 700016)),
        ({}, "https://elsewhere.test/.default", ([400], "invalid_resource", 500011)),
        ({}, "{url}/user_impersonation", ([400], "invalid_scope", 1002012)),
    ],
    ids=["wrong secret", "unknown application", "unknown resource", "scope of a person"],
)
def test_refusals_are_told_as_entra_tells_them(server: Server, application: Make, wire: Wire, given, scope, refusal):
    statuses, error, code = refusal
    client = application(http_client=wire, **given)
    for _ in range(2):
        answer = client.acquire_token_for_client([scope.format(url=server.url)])
        assert (answer["error"], answer["error_codes"]) == (error, [code])
        assert answer["error_description"].startswith(f"AADSTS{code}: ")
        assert answer["correlation_id"] in answer["error_description"]
    assert wire.statuses("POST") == statuses


def test_a_right_secret_helps_after_a_wrong_one(server: Server, application: Make, wire: Wire):
    wrong = application(client_credential="wrong", http_client=wire)
    assert wrong.acquire_token_for_client([f"{server.url}/.default"])["error"] == "invalid_client"
    right = application(http_client=wire)
    assert "access_token" in right.acquire_token_for_client([f"{server.url}/.default"])


def test_an_unknown_tenant_has_no_configuration(server: Server, application: Make):
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        application(authority=f"{server.url}/fabrikam.example").acquire_token_for_client([f"{server.url}/.default"])


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"])
def test_every_url_of_the_configuration_is_of_this_server(server: Server, path: str):
    document = requests.get(f"{server.environment['authority']}/{path}", timeout=10).json()
    ours = {name for name, value in document.items() if str(value).startswith(server.url)}
    assert {"token_endpoint", "authorization_endpoint", "jwks_uri", "device_authorization_endpoint"} <= ours
    assert not any(str(value).startswith("http:") for value in document.values())
    keys = requests.get(document["jwks_uri"], timeout=10).json()["keys"]
    assert {key["kty"] for key in keys} == {"RSA"}


class WithoutPort(requests.Session):
    """Sends what MSAL asks of the host's port 443 to the server's own: it drops the port of the user realm's URL."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://localhost/", f"{self._server.url}/"), *args, **kwargs)


@pytest.fixture
def person(server: Server, application: Make) -> tuple[msal.ConfidentialClientApplication, dict[str, object]]:
    """An application and what it got with a person's password; for public ones MSAL warns of that way."""
    client = application(http_client=WithoutPort(server))
    name, password = "rita@contoso.onmicrosoft.com", "Talentverse-Rita-1"
    scopes = [f"{server.url}/user_impersonation"]
    return client, client.acquire_token_by_username_password(name, password, scopes=scopes)


def test_a_person_signs_in_with_a_password(server: Server, person):
    client, answer = person
    assert answer["id_token_claims"]["preferred_username"] == "rita@contoso.onmicrosoft.com"
    assert who_am_i(server, answer["access_token"]) == 200
    (account,) = client.get_accounts()
    assert account["username"] == "rita@contoso.onmicrosoft.com"


def test_msal_refreshes_the_tokens_of_a_person_silently(server: Server, person):
    client, answer = person
    scopes = [f"{server.url}/user_impersonation"]
    (account,) = client.get_accounts()
    cached = client.acquire_token_silent(scopes, account)
    assert cached["access_token"] == answer["access_token"]
    for _ in range(2):
        fresh = client.acquire_token_silent(scopes, account, force_refresh=True)
        assert fresh["token_source"] == "identity_provider"
        assert who_am_i(server, fresh["access_token"]) == 200


def test_a_wrong_password_is_told(server: Server, person):
    client, _ = person
    name = "rita@contoso.onmicrosoft.com"
    refused = client.acquire_token_by_username_password(name, "wrong", scopes=[f"{server.url}/user_impersonation"])
    assert (refused["error"], refused["error_codes"]) == ("invalid_grant", [50126])
