"""Client certificates: reading them, their thumbprints, and which ones an application may have."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from security.authority.model import ClientCertificate
from security.authority.thumbprints import thumbprint

SMALLEST_KEY: Final = 2048


class UnfitCertificateError(Exception):
    """A certificate that no application can have; the text says why."""


@dataclass(frozen=True, slots=True)
class LoadedCertificate:
    """A certificate ready for use."""

    der: bytes
    public_key: rsa.RSAPublicKey
    parsed: x509.Certificate

    @property
    def sha1(self) -> bytes:
        """The thumbprint by which portals and `x5t` name the certificate (RFC 7515 §4.1.7)."""
        return thumbprint(self.parsed)

    @property
    def sha256(self) -> bytes:
        """The thumbprint of `x5t#S256` (RFC 7515 §4.1.8)."""
        return self.parsed.fingerprint(hashes.SHA256())


def loaded_certificate(pem: str) -> LoadedCertificate:
    """Read a certificate.

    Raises:
        UnfitCertificateError: it is none, or its key is not an RSA key of 2048 bits or more.
    """
    try:
        return _loaded(x509.load_pem_x509_certificate(pem.encode("utf-8")))
    except ValueError as error:
        raise UnfitCertificateError("it is not an X.509 certificate") from error


def new_certificate(
    der: bytes, *, key_id: UUID, display_name: str | None = None, expires: float | None = None
) -> ClientCertificate:
    """Return the stored form of a certificate; it counts from its own beginning to its end, or to an earlier one.

    Raises:
        UnfitCertificateError: it is none, or its key is not an RSA key of 2048 bits or more.
    """
    try:
        loaded = _loaded(x509.load_der_x509_certificate(der))
    except ValueError as error:
        raise UnfitCertificateError("it is not an X.509 certificate") from error
    own_end = loaded.parsed.not_valid_after_utc.timestamp()
    return ClientCertificate(
        key_id=key_id,
        certificate_pem=loaded.parsed.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        starts=loaded.parsed.not_valid_before_utc.timestamp(),
        expires=own_end if expires is None else min(expires, own_end),
        display_name=display_name or loaded.parsed.subject.rfc4514_string(),
    )


def _loaded(certificate: x509.Certificate) -> LoadedCertificate:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise UnfitCertificateError(f"its key must be an RSA key of at least {SMALLEST_KEY} bits")
    return LoadedCertificate(certificate.public_bytes(serialization.Encoding.DER), key, certificate)
