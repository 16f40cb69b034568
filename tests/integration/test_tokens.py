"""Tokens through MSAL from an authority over TLS, and which certificates count."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.connection import Connection
from integration.tokens import TokenClient, TokenError
from integration.transport import open_session
from integration.web_api import ServerNotTrustedError, WebApi


def self_signed(path):
    """Write a key and a certificate for 127.0.0.1 into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return str(path)


@pytest.fixture
def bundle(tmp_path):
    return self_signed(tmp_path / "server.pem")


@pytest.fixture
def authority(server, answer, bundle):
    """An authority with one application and, as token requests go, `server.token_answer`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.scheme = "https"
    tenant = f"{server.url}/t1"
    server.token_answers = []

    def route(request):
        if request.path.endswith("/.well-known/openid-configuration"):
            return answer(
                200,
                {
                    "issuer": f"{tenant}/v2.0",
                    "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                },
            )
        if server.token_answers:
            return server.token_answers.pop(0)
        number = sum(request.path.endswith("/token") for request in server.requests)
        return answer(200, {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 3600})

    server.route = route
    return tenant


@pytest.fixture
def connection(server, authority, bundle):
    return Connection(server.url, authority, "t1", "app-id", "app-secret", bundle)


def test_a_token_is_asked_once_for_the_servers_default_scope(server, connection):
    tokens = TokenClient(connection)
    assert [tokens(), tokens()] == ["token-1", "token-1"]
    (request,) = [request for request in server.requests if request.method == "POST"]
    form = parse_qs(request.body.decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == [f"{server.url}/.default"]
    assert (form["client_id"], form["client_secret"]) == (["app-id"], ["app-secret"])


def test_a_fresh_token_is_not_from_the_cache(connection):
    tokens = TokenClient(connection)
    assert [tokens(), tokens(fresh=True), tokens()] == ["token-1", "token-2", "token-2"]


def test_the_given_bundle_wins_over_the_bundle_of_the_environment(connection, tmp_path, monkeypatch):
    """Without care, requests lets REQUESTS_CA_BUNDLE override the bundle that was given."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", self_signed(tmp_path / "other.pem"))
    assert TokenClient(connection)() == "token-1"


def test_an_authority_with_another_certificate_is_not_trusted(connection, tmp_path):
    stranger = Connection(
        **{name: getattr(connection, name) for name in Connection.__slots__}
        | {"ca_bundle": self_signed(tmp_path / "other.pem")}
    )
    with pytest.raises(TokenError, match="certificate is not trusted; name the certificate bundle with --ca-bundle"):
        TokenClient(stranger)()


def test_a_refusal_is_one_line_with_the_aadsts_text(server, answer, connection):
    description = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1\r\nTimestamp: now"
    server.token_answers = [answer(401, {"error": "invalid_client", "error_description": description})]
    with pytest.raises(TokenError) as raised:
        TokenClient(connection)()
    assert str(raised.value) == "no token for application app-id: AADSTS7000215: Invalid client secret provided."


def test_trace_ids_on_the_same_line_are_left_out(server, answer, connection):
    description = "AADSTS700016: Application not found. Trace ID: 1 Correlation ID: 2 Timestamp: now"
    server.token_answers = [answer(400, {"error": "unauthorized_client", "error_description": description})]
    with pytest.raises(TokenError, match=r"AADSTS700016: Application not found\.$"):
        TokenClient(connection)()


def test_an_authority_that_fails_is_an_error(server, answer, connection):
    server.token_answers = [answer(503, b"down")]
    with pytest.raises(TokenError, match="no token for application app-id"):
        TokenClient(connection)()


def test_an_authority_without_tls_is_refused_by_msal():
    plain = Connection("http://127.0.0.1:1", "http://127.0.0.1:1/t1", "t1", "app-id", "s", None)
    with pytest.raises(TokenError, match="https"):
        TokenClient(plain)()


def test_an_authority_that_is_not_there_is_named():
    absent = Connection("https://127.0.0.1:1", "https://127.0.0.1:1/t1", "t1", "app-id", "s", None)
    with pytest.raises(TokenError, match=r"https://127\.0\.0\.1:1/t1 cannot be reached: connection refused"):
        TokenClient(absent)()


def test_a_server_with_another_certificate_gets_no_token(server, authority, tmp_path):
    other = self_signed(tmp_path / "other.pem")
    with open_session(server.url, other) as session, pytest.raises(ServerNotTrustedError, match="is not trusted"):
        WebApi(server.url, lambda *, fresh=False: "secret", session).get("sets")
    assert server.requests == []
