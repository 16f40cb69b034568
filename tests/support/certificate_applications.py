"""Applications that sign in with a certificate: what they register and the assertions they sign."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

TENANT_ID = "11111111-2222-4333-8444-555555555555"
ORIGIN = "https://localhost:8443"
START = 1_800_000_000.0
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def certificate_for(key, days=(-1, 365)):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nightly.contoso.test")])
    start = datetime.fromtimestamp(START, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start + timedelta(days=days[0]))
        .not_valid_after(start + timedelta(days=days[1]))
        .sign(key, hashes.SHA256())
    )


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def padded(digest):
    return base64.urlsafe_b64encode(digest).decode()


def thumbprints(certificate):
    return {
        "x5t": padded(hashlib.sha1(der(certificate), usedforsecurity=False).digest()),
        "x5t#S256": padded(hashlib.sha256(der(certificate)).digest()),
    }


def key_credential(certificate, **more):
    key = base64.b64encode(der(certificate)).decode()
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": key} | more


class CertificateApplication:
    """An application of the house with one certificate, and what signs in its name."""

    def __init__(self, house, key, certificate):
        self.house, self.key, self.certificate = house, key, certificate
        body = {"displayName": "Nightly", "keyCredentials": [key_credential(certificate)]}
        made = house.graph("POST", "/applications", json=body)
        assert made.status_code == 201, made.json
        self.document = made.json
        self.client_id = made.json["appId"]

    def assertion(self, *, header=None, key=None, **changes):
        now = self.house.clock.now
        claims = {
            "aud": f"{ORIGIN}/{TENANT_ID}/oauth2/v2.0/token",
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": "00000000-0000-4000-8000-000000000001",
            "exp": now + 600.5,
            "iat": now + 0.25,
        } | changes
        headers = {"typ": "JWT", "alg": "RS256", "x5t": thumbprints(self.certificate)["x5t"]} | (header or {})
        headers = {name: value for name, value in headers.items() if value is not None}
        payload = json.dumps({name: value for name, value in claims.items() if value is not None})
        registry = jws.JWSRegistry(algorithms=[headers["alg"]], strict_check_header=False)
        signing = RSAKey.import_key(key or self.key) if not isinstance(key, OctKey) else key
        return jws.serialize_compact(headers, payload, signing, registry=registry)

    def ask(self, assertion, **form):
        body = {
            "client_id": self.client_id,
            "client_secret": None,
            "client_assertion": assertion,
            "client_assertion_type": ASSERTION_TYPE,
        }
        return self.house.token(**(body | form))
