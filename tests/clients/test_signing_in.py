"""MSAL and azure-identity, unmodified, let a person sign in with a browser, which is one without scripts here."""

from __future__ import annotations

import threading
import webbrowser
from urllib.parse import parse_qs, urljoin, urlsplit

import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AuthorizationCodeCredential, InteractiveBrowserCredential
from live_servers import Client, Server
from sign_in_forms import Form

# MSAL recommends `form_post` wherever another mode is asked for.
pytestmark = pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended:UserWarning")

PUBLIC = "51f81489-12ee-4a9e-aaae-a2591f45987d"
NAME, PASSWORD = "rita@contoso.onmicrosoft.com", "Talentverse-Rita-1"
REDIRECT = "http://localhost:51234"


def signed_in(url: str, password: str = PASSWORD) -> requests.Response:
    """Open the page, fill in the form, and return what comes: the way to the application, or the page again."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=10)
        assert page.status_code == 200, page.text
        form = Form(page.text)
        body = form.values | {"username": NAME, "password": password, "answer": "sign-in"}
        return browser.post(urljoin(url, form.action), data=body, timeout=10, allow_redirects=False)


def public(server: Server) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(PUBLIC, authority=server.environment["authority"], instance_discovery=False)


def who_am_i(server: Server, token: str) -> int:
    return Client(server, token).send("GET", "WhoAmI").status_code


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_msal_gets_tokens_for_a_code(server: Server, mode: str):
    client, scopes = public(server), [f"{server.url}/user_impersonation"]
    flow = client.initiate_auth_code_flow(scopes, redirect_uri=REDIRECT, response_mode=mode)
    answer = signed_in(flow["auth_uri"])
    if mode == "form_post":
        given = Form(answer.text).values
    else:
        text = getattr(urlsplit(answer.headers["Location"]), mode)
        given = {name: value for name, (value,) in parse_qs(text).items()}
    tokens = client.acquire_token_by_auth_code_flow(flow, given)
    assert tokens["id_token_claims"]["preferred_username"] == NAME
    assert who_am_i(server, tokens["access_token"]) == 200
    (account,) = client.get_accounts()
    silent = client.acquire_token_silent(scopes, account)
    assert silent["access_token"] == tokens["access_token"]
    fresh = client.acquire_token_silent(scopes, account, force_refresh=True)
    assert who_am_i(server, fresh["access_token"]) == 200


def test_msal_is_told_that_a_code_was_used(server: Server):
    client = public(server)
    flow = client.initiate_auth_code_flow([f"{server.url}/.default"], redirect_uri=REDIRECT)
    query = urlsplit(signed_in(flow["auth_uri"]).headers["Location"]).query
    given = {name: value for name, (value,) in parse_qs(query).items()}
    assert "access_token" in client.acquire_token_by_auth_code_flow(flow, given)
    again = public(server).acquire_token_by_auth_code_flow(flow, given)
    assert (again["error"], again["error_codes"]) == ("invalid_grant", [54005])


def test_a_wrong_password_leads_nowhere(server: Server):
    flow = public(server).initiate_auth_code_flow([f"{server.url}/.default"], redirect_uri=REDIRECT)
    answer = signed_in(flow["auth_uri"], "wrong")
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert "AADSTS50126" in answer.text


def test_azure_identity_redeems_a_code(server: Server):
    tenant, scope = server.environment["tenant_id"], f"{server.url}/.default"
    url = (
        f"{server.environment['authority']}/oauth2/v2.0/authorize?client_id={PUBLIC}&response_type=code"
        f"&redirect_uri={REDIRECT}&scope={scope}%20offline_access"
    )
    (code,) = parse_qs(urlsplit(signed_in(url).headers["Location"]).query)["code"]
    with AuthorizationCodeCredential(
        tenant, PUBLIC, code, REDIRECT, authority=server.url, disable_instance_discovery=True
    ) as credential:
        assert who_am_i(server, credential.get_token(scope).token) == 200


def test_azure_identity_opens_the_browser(server: Server, monkeypatch: pytest.MonkeyPatch):
    def open_page(url: str, *_args: object, **_options: object) -> bool:
        def browse() -> None:
            answer = signed_in(url)
            if "Location" in answer.headers:
                requests.get(answer.headers["Location"], timeout=10)
            else:
                form = Form(answer.text)
                requests.post(form.action, data=form.values, timeout=10)

        threading.Thread(target=browse).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    monkeypatch.setattr(webbrowser, "get", lambda *_: pytest.fail("another way to open a browser"))
    with InteractiveBrowserCredential(
        tenant_id=server.environment["tenant_id"],
        client_id=PUBLIC,
        authority=server.url,
        disable_instance_discovery=True,
        timeout=20,
    ) as credential:
        try:
            token = credential.get_token(f"{server.url}/.default").token
        except ClientAuthenticationError as error:
            pytest.fail(str(error))
        assert who_am_i(server, token) == 200
