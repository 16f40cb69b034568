"""MSAL for Python, unmodified, gets tokens from a live TLS server under the local certificate authority."""

import threading
from datetime import UTC, datetime

import flask
import msal
import pytest
import requests
from werkzeug.serving import make_server

from odata_server.admin.certificates import ensure_certificates
from security.authority.built_in import ADAPTER_CLIENT_ID
from security.authority.routes import authority_blueprint

TENANT_ID = "11111111-2222-4333-8444-555555555555"


class Wire(requests.Session):
    """A session that trusts the local authority and remembers what went over the wire."""

    def __init__(self, bundle):
        super().__init__()
        self.trust_env = False
        self.verify = str(bundle)
        self.seen = []

    def request(self, method, url, *args, **kwargs):
        response = super().request(method, url, *args, **kwargs)
        self.seen.append((method.upper(), url, response.status_code))
        return response


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return ensure_certificates(tmp_path_factory.mktemp("tls"), now=datetime.now(UTC))


@pytest.fixture(scope="module")
def url(house, files):
    app = flask.Flask("live")
    app.register_blueprint(authority_blueprint(house.authority))
    context = (str(files.server_certificate), str(files.server_key))
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def wire(files):
    with Wire(files.ca_bundle) as session:
        yield session


def client(house, wire, **options):
    defaults = {"client_credential": house.secrets[ADAPTER_CLIENT_ID], "http_client": wire}
    return msal.ConfidentialClientApplication(str(ADAPTER_CLIENT_ID), **(defaults | options))


@pytest.mark.parametrize(
    "options",
    [
        lambda url: {"authority": f"{url}/{TENANT_ID}", "instance_discovery": False},
        lambda url: {"authority": f"{url}/{TENANT_ID}", "validate_authority": False},
        lambda url: {"authority": f"{url}/contoso.onmicrosoft.com", "instance_discovery": False},
        lambda url: {"authority": f"{url}/{TENANT_ID}", "instance_discovery": f"{url}/common/discovery/instance"},
        lambda url: {"oidc_authority": f"{url}/{TENANT_ID}/v2.0"},
    ],
    ids=["guid", "unvalidated", "domain", "own instance discovery", "oidc"],
)
def test_msal_gets_a_token_and_then_serves_it_from_its_cache(house, wire, url, options):
    application = client(house, wire, **options(url))
    first = application.acquire_token_for_client([f"{url}/.default"])
    assert first.get("token_source") == "identity_provider", first
    assert first["expires_in"] == 3599
    claims = house.authority.validator.validate(
        first["access_token"], audiences=frozenset({url}), now=house.authority.sources.clock()
    )
    assert claims.app_id == ADAPTER_CLIENT_ID
    requests_sent = len(wire.seen)
    second = application.acquire_token_for_client([f"{url}/.default"])
    assert second["access_token"] == first["access_token"]
    assert len(wire.seen) == requests_sent


def test_a_wrong_secret_is_told_and_asked_again(house, wire, url):
    application = client(
        house, wire, authority=f"{url}/{TENANT_ID}", instance_discovery=False, client_credential="wrong"
    )
    for _ in range(2):
        result = application.acquire_token_for_client([f"{url}/.default"])
        assert (result["error"], result["error_codes"]) == ("invalid_client", [7000215])
        assert "AADSTS7000215" in result["error_description"]
    posts = [status for method, _, status in wire.seen if method == "POST"]
    assert posts == [401, 401]


def test_an_unknown_resource_is_told_once_and_then_from_msals_cache(house, wire, url):
    application = client(house, wire, authority=f"{url}/{TENANT_ID}", instance_discovery=False)
    for _ in range(2):
        result = application.acquire_token_for_client(["https://elsewhere.test/.default"])
        assert (result["error"], result["error_codes"]) == ("invalid_resource", [500011])
    assert [status for method, _, status in wire.seen if method == "POST"] == [400]


def test_an_unknown_tenant_has_no_configuration(house, wire, url):
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        client(house, wire, authority=f"{url}/fabrikam.test", instance_discovery=False).acquire_token_for_client(
            [f"{url}/.default"]
        )


def test_a_foreign_instance_is_refused(house, wire, url):
    with pytest.raises(ValueError, match="invalid_instance"):
        client(
            house,
            wire,
            authority=f"https://elsewhere.test/{TENANT_ID}",
            instance_discovery=f"{url}/common/discovery/instance",
        ).acquire_token_for_client([f"{url}/.default"])


def test_every_url_of_the_live_server_carries_its_port(wire, url):
    document = wire.get(f"{url}/{TENANT_ID}/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == f"{url}/{TENANT_ID}/oauth2/v2.0/token"
    assert wire.get(document["jwks_uri"]).status_code == 200
