"""The local certificate authority and the server certificate it issues, so that clients which insist on TLS are served.

The authority may only vouch for the names it was made for (name constraints, RFC 5280 §4.2.1.10): whoever trusts it
does not trust its key for the rest of the Internet. Hosts outside those names therefore need a new authority.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFETIME: Final = timedelta(days=3652)
SERVER_LIFETIME: Final = timedelta(days=397)
"""The longest lifetime browsers accept from a publicly trusted authority (CA/Browser Forum baseline of 2020)."""
RENEW_BEFORE: Final = timedelta(days=30)
_CLOCK_TOLERANCE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the certificates lie: `ca_bundle` holds the public roots of certifi and the local authority."""

    ca_certificate: Path
    server_certificate: Path
    server_key: Path
    ca_bundle: Path


@dataclass(frozen=True, slots=True)
class _Identity:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def ensure_certificates(
    directory: Path, *, hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1"), now: datetime
) -> CertificateFiles:
    """Make what is missing, unreadable, about to expire or for other hosts; keep the rest.

    Args:
        directory: holds the files; made with mode 0700 if it is not there.
        hosts: DNS names and IP addresses the server is reached by.
        now: the moment, with time zone.

    Several processes may call this at once: one works, the others wait and find the result.

    Raises:
        ValueError: no hosts, or `now` without time zone.
    """
    if not hosts or now.tzinfo is None:
        raise ValueError("Certificates need at least one host and a moment with time zone.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = CertificateFiles(
        ca_certificate=directory / "ca.pem",
        server_certificate=directory / "server.pem",
        server_key=directory / "server-key.pem",
        ca_bundle=directory / "ca-bundle.pem",
    )
    names = _general_names(hosts)
    with _locked(directory):
        authority = _ensure_authority(files.ca_certificate, directory / "ca-key.pem", names, now)
        _ensure_server(files, authority, names, now)
        _ensure_bundle(files.ca_bundle, authority.certificate)
    return files


def _ensure_authority(certificate: Path, key: Path, names: Sequence[x509.GeneralName], now: datetime) -> _Identity:
    found = _load(certificate, key)
    if found is not None and _is_current(found.certificate, now) and _vouches_for(found.certificate, names):
        return found
    made = _new_authority(names, now)
    _store(made, certificate, key)
    return made


def _ensure_server(
    files: CertificateFiles, authority: _Identity, names: Sequence[x509.GeneralName], now: datetime
) -> None:
    found = _load(files.server_certificate, files.server_key)
    if (
        found is not None
        and _is_current(found.certificate, now)
        and _is_issued_by(found.certificate, authority.certificate)
        and _is_for(found.certificate, names)
    ):
        return
    _store(_new_server(authority, names, now), files.server_certificate, files.server_key)


def _ensure_bundle(bundle: Path, authority: x509.Certificate) -> None:
    content = Path(certifi.where()).read_bytes().rstrip() + b"\n\n# Talentverse local authority\n" + _pem(authority)
    if not bundle.exists() or bundle.read_bytes() != content:
        _write(bundle, content, mode=0o644)


def _new_authority(names: Sequence[x509.GeneralName], now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # The serial in the name tells two generations of the authority apart in a trust store.
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Talentverse"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Talentverse local authority {serial % 0xFFFFFF:06x}"),
        ]
    )
    certificate = (
        _builder(subject, subject, key.public_key(), now, now + CA_LIFETIME)
        .serial_number(serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([_constraint(name) for name in names], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Identity(key, certificate)


def _new_server(authority: _Identity, names: Sequence[x509.GeneralName], now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    # No common name: clients go by the alternative names, and OpenSSL would hold the constraints against it.
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Talentverse local server")])
    until = min(now + SERVER_LIFETIME, authority.certificate.not_valid_after_utc)
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), now, until)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _Identity(key, certificate)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.not_valid_before(now - _CLOCK_TOLERANCE).not_valid_after(until - _CLOCK_TOLERANCE)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in dict.fromkeys(host.lower().strip("[]") for host in hosts)]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode("ascii") if not host.startswith("*.") else host)


def _constraint(name: x509.GeneralName) -> x509.GeneralName:
    """Return the subtree that permits exactly this name (and, for a DNS name, the names below it)."""
    if isinstance(name.value, IPv4Address | IPv6Address):
        return x509.IPAddress(ip_network(name.value))
    return x509.DNSName(str(name.value).removeprefix("*."))


def _vouches_for(authority: x509.Certificate, names: Sequence[x509.GeneralName]) -> bool:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return False
    return {_constraint(name) for name in names} <= set(constraints.permitted_subtrees or ())


def _is_for(server: x509.Certificate, names: Sequence[x509.GeneralName]) -> bool:
    try:
        found = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return set(found) == set(names)


def _is_issued_by(server: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        server.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_current(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE


def _load(certificate: Path, key: Path) -> _Identity | None:
    """Return certificate and key if both are readable and belong together; a crash may have left half of them."""
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or loaded.public_key() != private.public_key():
        return None
    return _Identity(private, loaded)


def _store(identity: _Identity, certificate: Path, key: Path) -> None:
    private = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, private, mode=0o600)
    _write(certificate, _pem(identity.certificate), mode=0o644)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Replace a file as a whole: readers see the old or the new content, and a private one is never readable."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the system releases it when the process ends, however it ends."""
    descriptor = os.open(directory / ".certificates.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
