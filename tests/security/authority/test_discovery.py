"""Discovery documents have Entra's shape, and every URL in them is the one the client came by."""

import base64
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc import jws
from joserfc.jwk import KeySet

TENANT_ID = "11111111-2222-4333-8444-555555555555"
ORIGIN = "https://localhost:8443"


def get(house, path, origin=ORIGIN):
    response = house.client.get(path, base_url=origin)
    assert response.status_code == 200, response.json
    return response.json


@pytest.mark.parametrize(
    ("segment", "shown", "issuer"),
    [
        (TENANT_ID, TENANT_ID, TENANT_ID),
        ("contoso.onmicrosoft.com", TENANT_ID, TENANT_ID),
        ("common", "common", "{tenantid}"),
        ("organizations", "organizations", "{tenantid}"),
    ],
)
def test_the_v2_document_names_the_endpoints_of_its_tenant(house, segment, shown, issuer):
    document = get(house, f"/{segment}/v2.0/.well-known/openid-configuration")
    assert document["issuer"] == f"{ORIGIN}/{issuer}/v2.0"
    assert document["token_endpoint"] == f"{ORIGIN}/{shown}/oauth2/v2.0/token"
    assert document["authorization_endpoint"] == f"{ORIGIN}/{shown}/oauth2/v2.0/authorize"
    assert document["device_authorization_endpoint"] == f"{ORIGIN}/{shown}/oauth2/v2.0/devicecode"
    assert document["jwks_uri"] == f"{ORIGIN}/{shown}/discovery/v2.0/keys"
    assert document["userinfo_endpoint"] == f"{ORIGIN}/oidc/userinfo"


def test_the_v2_document_is_complete(house):
    document = get(house, f"/{TENANT_ID}/v2.0/.well-known/openid-configuration")
    assert document.keys() == {
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "jwks_uri",
        "response_modes_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "response_types_supported",
        "scopes_supported",
        "issuer",
        "request_uri_parameter_supported",
        "userinfo_endpoint",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "http_logout_supported",
        "frontchannel_logout_supported",
        "end_session_endpoint",
        "claims_supported",
        "kerberos_endpoint",
        "tenant_region_scope",
        "cloud_instance_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "rbac_url",
    }
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["request_uri_parameter_supported"] is False


def test_the_v1_document_names_the_v1_endpoints(house):
    document = get(house, f"/{TENANT_ID}/.well-known/openid-configuration")
    assert document["issuer"] == f"https://sts.windows.net/{TENANT_ID}/"
    assert document["token_endpoint"] == f"{ORIGIN}/{TENANT_ID}/oauth2/token"
    assert document["jwks_uri"] == f"{ORIGIN}/common/discovery/keys"


@pytest.mark.parametrize("origin", ["https://127.0.0.1:9000", "https://localhost", "http://localhost:8080"])
@pytest.mark.parametrize("version", ["", "/v2.0"])
def test_urls_keep_scheme_host_and_port_of_the_request(house, origin, version):
    document = get(house, f"/common{version}/.well-known/openid-configuration", origin)
    own = [value for name, value in document.items() if name.endswith(("_endpoint", "jwks_uri"))]
    assert len(own) >= 6
    assert all(value.startswith(f"{origin}/") for value in own)


@pytest.mark.parametrize(
    "path",
    [
        "/unknown.test/v2.0/.well-known/openid-configuration",
        "/unknown.test/.well-known/openid-configuration",
        "/unknown.test/discovery/v2.0/keys",
        "/unknown.test/discovery/keys",
    ],
)
def test_an_unknown_tenant_has_no_documents(house, path):
    response = house.client.get(path, base_url=ORIGIN)
    assert (response.status_code, response.json["error_codes"]) == (400, [90002])
    assert "Tenant 'unknown.test' not found" in response.json["error_description"]


@pytest.mark.parametrize(
    ("path", "issuer"),
    [
        (f"/{TENANT_ID}/discovery/v2.0/keys", f"{ORIGIN}/{TENANT_ID}/v2.0"),
        ("/common/discovery/v2.0/keys", f"{ORIGIN}/{TENANT_ID}/v2.0"),
        (f"/{TENANT_ID}/discovery/keys", f"https://sts.windows.net/{TENANT_ID}/"),
        ("/common/discovery/keys", f"https://sts.windows.net/{TENANT_ID}/"),
    ],
)
def test_published_keys_verify_tokens_and_hold_nothing_private(house, path, issuer):
    document = get(house, path)
    (key,) = document["keys"]
    assert key.keys() == {"kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"}
    assert (key["kty"], key["use"], key["issuer"]) == ("RSA", "sig", issuer)
    certificate = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA1())).rstrip(b"=").decode()
    assert key["kid"] == key["x5t"] == thumbprint
    verified = jws.deserialize_compact(house.access_token(), KeySet.import_key_set(document), algorithms=["RS256"])
    assert verified.headers()["kid"] == key["kid"]


def instance(house, **parameters):
    return house.client.get("/common/discovery/instance", query_string=parameters, base_url=ORIGIN)


@pytest.mark.parametrize(
    ("endpoint", "configuration"),
    [
        # The port is missing: this is how MSAL for Python asks.
        (f"https://localhost/{TENANT_ID}/oauth2/v2.0/authorize", f"{TENANT_ID}/v2.0"),
        (f"{ORIGIN}/common/oauth2/v2.0/authorize", "common/v2.0"),
        (f"{ORIGIN}/common/oauth2/authorize", "common"),
        ("https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "common/v2.0"),
    ],
)
def test_instance_discovery_leads_to_the_configuration(house, endpoint, configuration):
    response = instance(house, **{"authorization_endpoint": endpoint, "api-version": "1.1"})
    assert response.status_code == 200
    assert response.json["tenant_discovery_endpoint"] == f"{ORIGIN}/{configuration}/.well-known/openid-configuration"
    assert response.json["metadata"] == [
        {
            "preferred_network": "localhost:8443",
            "preferred_cache": "localhost:8443",
            "aliases": ["localhost:8443", "localhost"],
        }
    ]


@pytest.mark.parametrize(
    ("parameters", "error", "code"),
    [
        ({}, "invalid_request", 900144),
        ({"authorization_endpoint": "https://evil.test/common/oauth2/authorize"}, "invalid_instance", 50049),
        ({"authorization_endpoint": "https://[bad/common"}, "invalid_instance", 50049),
        ({"authorization_endpoint": ["https://localhost/a", "https://localhost/b"]}, "invalid_request", 9002313),
    ],
)
def test_instance_discovery_refuses_foreign_hosts_and_malformed_questions(house, parameters, error, code):
    response = instance(house, **parameters)
    assert (response.status_code, response.json["error"], response.json["error_codes"]) == (400, error, [code])


@pytest.mark.parametrize("path", ["/common/userrealm/", "/common/UserRealm/"])
@pytest.mark.parametrize(
    ("user", "account_type"), [("ada@Contoso.onmicrosoft.com", "Managed"), ("ada@fabrikam.test", "Unknown")]
)
def test_the_user_realm_is_managed_in_the_own_domain_only(house, path, user, account_type):
    document = get(house, f"{path}{quote(user)}?api-version=1.0")
    assert document["account_type"] == account_type
    assert document.get("domain_name") == ("contoso.onmicrosoft.com" if account_type == "Managed" else None)


@pytest.mark.parametrize(
    "path", ["/common/v2.0/.well-known/openid-configuration", "/common/discovery/keys", "/common/discovery/instance"]
)
def test_documents_are_read_only(house, path):
    response = house.client.post(path, base_url=ORIGIN)
    assert (response.status_code, response.json["error_codes"]) == (405, [900561])
    assert response.headers["Allow"] == "GET, HEAD"


def test_head_is_answered_like_get_without_a_body(house):
    response = house.client.head("/common/v2.0/.well-known/openid-configuration", base_url=ORIGIN)
    assert (response.status_code, response.data) == (200, b"")
