"""The name by which Entra, portals and clients know a certificate."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes


def thumbprint(certificate: x509.Certificate) -> bytes:
    """Return the thumbprint that `x5t` carries (RFC 7515 §4.1.7); it names a certificate, and protects nothing."""
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303 - x5t is a SHA-1 thumbprint by definition
