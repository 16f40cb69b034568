"""azure-identity for Python, unmodified: credentials whose tokens open the Web API, and its way with refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ChainedTokenCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    EnvironmentCredential,
)
from live_servers import Client, Server

UNKNOWN = "00000000-0000-4000-8000-0000000000aa"
Make = Callable[..., ClientSecretCredential]


@pytest.fixture
def credential(server: Server, admin: dict[str, str]) -> Iterator[Make]:
    """What makes credentials of the administrator's application, or others, and closes them."""
    made: list[ClientSecretCredential] = []

    def make(tenant_id: str | None = None, client_id: str | None = None, client_secret: str | None = None, **options):
        made.append(
            ClientSecretCredential(
                tenant_id or server.environment["tenant_id"],
                client_id or admin["client_id"],
                client_secret or admin["client_secret"],
                **({"authority": server.url, "disable_instance_discovery": True} | options),
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


def who_am_i(server: Server, token: str) -> int:
    return Client(server, token).send("GET", "WhoAmI").status_code


def test_a_secret_gets_a_token_that_opens_the_web_api(server: Server, credential: Make):
    ours = credential()
    first = ours.get_token(f"{server.url}/.default")
    assert who_am_i(server, first.token) == 200
    assert ours.get_token(f"{server.url}/.default").token == first.token


def test_a_tenant_has_a_domain_too(server: Server, credential: Make):
    assert who_am_i(server, credential("contoso.onmicrosoft.com").get_token(f"{server.url}/.default").token) == 200


def test_the_bundle_can_be_given_in_code(server: Server, credential: Make, monkeypatch: pytest.MonkeyPatch):
    bundle = server.environment["ca_bundle"]
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    assert credential(connection_verify=bundle).get_token(f"{server.url}/.default").token
    with pytest.raises(ClientAuthenticationError, match="CERTIFICATE_VERIFY_FAILED"):
        credential(retry_total=0).get_token(f"{server.url}/.default")


def test_the_environment_names_authority_and_application(
    server: Server, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.url)
    monkeypatch.setenv("AZURE_TENANT_ID", server.environment["tenant_id"])
    monkeypatch.setenv("AZURE_CLIENT_ID", admin["client_id"])
    monkeypatch.setenv("AZURE_CLIENT_SECRET", admin["client_secret"])
    with EnvironmentCredential(disable_instance_discovery=True) as from_environment:
        assert who_am_i(server, from_environment.get_token(f"{server.url}/.default").token) == 200


def test_a_chain_goes_on_behind_what_is_not_configured(
    server: Server, credential: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    with ChainedTokenCredential(EnvironmentCredential(), credential()) as chain:
        assert who_am_i(server, chain.get_token_info(f"{server.url}/.default").token) == 200


@pytest.mark.parametrize(
    ("given", "scope", "text"),
    [
        ({"client_secret": "wrong"}, "{url}/.default", "AADSTS7000215: Invalid client secret provided"),
        ({"client_id": UNKNOWN}, "{url}/.default", f"AADSTS700016: Application with identifier '{UNKNOWN}'"),
        ({}, "https://elsewhere.test/.default", "AADSTS500011: The resource principal named https://elsewhere.test"),
        ({"tenant_id": "fabrikam.example"}, "{url}/.default", "Unable to get authority configuration"),
    ],
    ids=["wrong secret", "unknown application", "unknown resource", "unknown tenant"],
)
def test_refusals_are_shown_word_for_word(server: Server, credential: Make, given, scope, text):
    with pytest.raises(ClientAuthenticationError) as refused:
        credential(**given).get_token(scope.format(url=server.url))
    assert text in str(refused.value)


def test_what_is_no_assertion_is_refused(server: Server, admin: dict[str, str]):
    with (
        ClientAssertionCredential(
            server.environment["tenant_id"],
            admin["client_id"],
            lambda: "an assertion",
            authority=server.url,
            disable_instance_discovery=True,
        ) as assertion,
        pytest.raises(ClientAuthenticationError, match="AADSTS50027: JWT token is invalid or malformed"),
    ):
        assertion.get_token(f"{server.url}/.default")
