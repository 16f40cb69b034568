"""Certificates instead of secrets: MSAL and azure-identity for Python, unmodified, sign in with a private key."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientAssertionCredential
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.jwk import RSAKey
from live_servers import Client, Server

from odata_server.cli import main


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate, as PEM texts and as one file."""

    private_pem: str
    certificate: x509.Certificate
    path: Path

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def thumbprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA1()).hex()


def new_pair(directory: Path, name: str) -> KeyPair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    pair = KeyPair(private, certificate, directory / f"{name}.pem")
    pair.path.write_text(private + pair.certificate_pem)
    return pair


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """A certificate that nobody has registered."""
    return new_pair(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def pair(server: Server, admin: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyPair]:
    """A certificate of the administrator's application, which keeps its secret beside it."""
    made = new_pair(tmp_path_factory.mktemp("pair"), "administrator")
    answer = requests.post(
        f"{server.environment['authority']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": admin["client_id"],
            "client_secret": admin["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        },
        timeout=10,
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    path = f"{server.url}/v1.0/applications(appId='{admin['client_id']}')"
    key = base64.b64encode(made.certificate.public_bytes(serialization.Encoding.DER)).decode()
    credential = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": key}
    put = requests.patch(path, json={"keyCredentials": [credential]}, headers=headers, timeout=10)
    assert put.status_code == 204, put.text
    yield made
    requests.patch(path, json={"keyCredentials": []}, headers=headers, timeout=10)


def by_thumbprint(pair: KeyPair) -> dict[str, object]:
    """What makes MSAL sign with RS256 and name the certificate by `x5t`, padded."""
    return {"private_key": pair.private_pem, "thumbprint": pair.thumbprint}


def by_certificate(pair: KeyPair) -> dict[str, object]:
    """What makes MSAL sign with PS256 and send `x5t#S256` and the chain."""
    return {"private_key": pair.private_pem, "public_certificate": pair.certificate_pem}


def both(pair: KeyPair) -> dict[str, object]:
    return by_thumbprint(pair) | by_certificate(pair)


def application(server: Server, admin: dict[str, str], credential: object) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        admin["client_id"],
        client_credential=credential,
        authority=server.environment["authority"],
        instance_discovery=False,
    )


def who_am_i(server: Server, token: str) -> int:
    return Client(server, token).send("GET", "WhoAmI").status_code


@pytest.mark.parametrize("credential", [by_thumbprint, by_certificate, both])
def test_msal_signs_in_with_a_certificate(server: Server, admin: dict[str, str], pair: KeyPair, credential):
    answer = application(server, admin, credential(pair)).acquire_token_for_client([f"{server.url}/.default"])
    assert who_am_i(server, answer["access_token"]) == 200


def test_msal_sends_one_assertion_for_several_resources(server: Server, admin: dict[str, str], pair: KeyPair):
    client = application(server, admin, by_thumbprint(pair))
    scopes = [f"{server.url}/.default", f"{server.url}//.default", "https://graph.microsoft.com/.default"]
    answers = [client.acquire_token_for_client([scope]) for scope in scopes]
    assert [answer["token_source"] for answer in answers] == ["identity_provider"] * 3


@pytest.mark.parametrize("credential", [by_thumbprint, by_certificate])
def test_msal_is_told_of_a_certificate_that_nobody_registered(
    server: Server, admin: dict[str, str], stranger: KeyPair, credential
):
    answer = application(server, admin, credential(stranger)).acquire_token_for_client([f"{server.url}/.default"])
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [700027])
    assert "The key was not found." in answer["error_description"]


def options(server: Server) -> dict[str, object]:
    return {"authority": server.url, "disable_instance_discovery": True}


@pytest.mark.parametrize("chain", [False, True])
def test_azure_identity_signs_in_with_a_file(server: Server, admin: dict[str, str], pair: KeyPair, *, chain: bool):
    tenant, client = server.environment["tenant_id"], admin["client_id"]
    with CertificateCredential(
        tenant, client, str(pair.path), send_certificate_chain=chain, **options(server)
    ) as credential:
        assert who_am_i(server, credential.get_token(f"{server.url}/.default").token) == 200


def test_azure_identity_shows_the_refusal(server: Server, admin: dict[str, str], stranger: KeyPair):
    tenant, client = server.environment["tenant_id"], admin["client_id"]
    with (
        CertificateCredential(tenant, client, str(stranger.path), **options(server)) as credential,
        pytest.raises(ClientAuthenticationError, match=r"AADSTS700027: .* The key was not found"),
    ):
        credential.get_token(f"{server.url}/.default")


def assertion(server: Server, issuer: str, pair: KeyPair) -> str:
    claims = {
        "aud": f"{server.environment['authority']}/oauth2/v2.0/token",
        "iss": issuer,
        "sub": issuer,
        "exp": datetime.now(UTC).timestamp() + 60,
    }
    header = {"alg": "RS256", "x5t": base64.urlsafe_b64encode(bytes.fromhex(pair.thumbprint)).decode()}
    key = RSAKey.import_key(pair.private_pem)
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["RS256"])


def test_azure_identity_sends_an_assertion_of_ones_own(server: Server, admin: dict[str, str], pair: KeyPair):
    tenant, client = server.environment["tenant_id"], admin["client_id"]
    made = assertion(server, client, pair)
    with ClientAssertionCredential(tenant, client, lambda: made, **options(server)) as credential:
        assert who_am_i(server, credential.get_token(f"{server.url}/.default").token) == 200


@pytest.mark.parametrize(
    ("issuer", "text"),
    [
        ("https://token.actions.test", "Federated identity credentials .* not available in this simulator"),
        ("00000000-0000-4000-8000-0000000000aa", "AADSTS700021: Client assertion application identifier"),
    ],
)
def test_azure_identity_shows_what_is_wrong_with_an_assertion(
    server: Server, admin: dict[str, str], pair: KeyPair, issuer: str, text: str
):
    made = assertion(server, issuer, pair)
    tenant, client = server.environment["tenant_id"], admin["client_id"]
    with (
        ClientAssertionCredential(tenant, client, lambda: made, **options(server)) as credential,
        pytest.raises(ClientAuthenticationError, match=text),
    ):
        credential.get_token(f"{server.url}/.default")


def test_the_command_registers_an_application_with_a_certificate(server: Server, stranger: KeyPair):
    create = ["app-registration", "create", "--name", "Nightly", "--json", "--data", str(server.data)]
    done = CliRunner().invoke(main, [*create, "--certificate", str(stranger.path)])
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert set(made) == {"client_id", "object_id", "display_name", "certificate_thumbprint"}
    assert made["certificate_thumbprint"].lower() == stranger.thumbprint
    client = application(server, made, by_thumbprint(stranger))
    assert "access_token" in client.acquire_token_for_client([f"{server.url}/.default"])
