"""The keys that sign tokens: making one, loading them, following changes of the key store, publishing them (JWKS)."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from security.authority.model import SigningKey
from security.authority.stores import KeyStore
from security.authority.thumbprints import thumbprint

KEY_BITS: Final = 2048
CERTIFICATE_LIFETIME: Final = timedelta(days=365 * 5)


def random_private_key() -> rsa.RSAPrivateKey:
    """Return a new RSA key; takes about a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def new_signing_key(private_key: rsa.RSAPrivateKey, *, now: float) -> SigningKey:
    """Return the stored form of a key that signs from now on.

    Entra names a key by the SHA-1 thumbprint of its certificate: `kid` and `x5t` are the same (RFC 7515 §4.1.7).
    """
    certificate = _certificate(private_key, datetime.fromtimestamp(now, UTC))
    private_pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey(
        kid=base64.urlsafe_b64encode(thumbprint(certificate)).rstrip(b"=").decode("ascii"),
        private_pem=private_pem.decode("ascii"),
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        created=now,
        not_before=now,
    )


def _certificate(private_key: rsa.RSAPrivateKey, start: datetime) -> x509.Certificate:
    public_key = private_key.public_key()
    public_der = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "accounts.accesscontrol.windows.net")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(int.from_bytes(hashlib.sha256(public_der).digest()[:16]) >> 1 or 1)
        .not_valid_before(start)
        .not_valid_after(start + CERTIFICATE_LIFETIME)
        .sign(private_key, hashes.SHA256())
    )


@dataclass(frozen=True, slots=True)
class LoadedKeys:
    """The keys of one state of the key store, ready for use."""

    keys: tuple[SigningKey, ...]
    by_kid: Mapping[str, RSAKey]

    def signing(self, now: float) -> SigningKey | None:
        """Return the key that signs at this moment: the newest that has begun, else the one that begins first."""
        begun = [key for key in self.keys if key.not_before <= now]
        if begun:
            return max(begun, key=lambda key: key.not_before)
        return min(self.keys, key=lambda key: key.not_before, default=None)


class KeyRing:
    """The loaded keys of a key store, loaded again as soon as the store's keys have changed."""

    def __init__(self, store: KeyStore) -> None:
        """Look at the store when the first key is asked for, not before."""
        self._store = store
        self._lock = Lock()
        self._version: int | None = None
        self._loaded = LoadedKeys((), MappingProxyType({}))

    def loaded(self) -> LoadedKeys:
        """Return the keys as they are in the store now; the same object as long as no key came or went."""
        if self._store.version() != self._version:
            self._reload()
        return self._loaded

    def _reload(self) -> None:
        with self._lock:
            # The version is read before the keys: a change in between costs a second look, never a missed one.
            version = self._store.version()
            keys = self._store.keys()
            if keys != self._loaded.keys:
                known = self._loaded.by_kid
                by_kid = {key.kid: known.get(key.kid) or _loaded_key(key) for key in keys}
                self._loaded = LoadedKeys(keys, MappingProxyType(by_kid))
            self._version = version


def _loaded_key(key: SigningKey) -> RSAKey:
    # The authority made this key itself; checking it again for being one would cost every process 40 ms at its start.
    private_key = serialization.load_pem_private_key(
        key.private_pem.encode("ascii"), None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise TypeError(f"The signing key {key.kid} is not an RSA key.")
    return RSAKey.import_key(private_key)


def key_set_document(loaded: LoadedKeys, issuer: str) -> dict[str, list[dict[str, object]]]:
    """Return the JSON Web Key Set (RFC 7517 §5) with Entra's extra members `x5t`, `x5c` and `issuer`."""
    return {"keys": [_public_key(key, loaded.by_kid[key.kid], issuer) for key in loaded.keys]}


def _public_key(key: SigningKey, loaded: RSAKey, issuer: str) -> dict[str, object]:
    numbers = loaded.as_dict(private=False)
    der = x509.load_pem_x509_certificate(key.certificate_pem.encode("ascii")).public_bytes(serialization.Encoding.DER)
    return {
        "kty": "RSA",
        "use": "sig",
        "kid": key.kid,
        "x5t": key.kid,
        "n": numbers["n"],
        "e": numbers["e"],
        "x5c": [base64.b64encode(der).decode("ascii")],
        "issuer": issuer,
    }
