"""The local authority and server certificate are made once, kept, renewed in time, and satisfy strict clients."""

import ssl
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from odata_server.admin.certificates import CertificateFiles, ensure_certificates


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def contents(files: CertificateFiles) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(files.ca_certificate.parent.glob("*.pem"))}


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def shake_hands(files: CertificateFiles, host: str, trusted: Path) -> dict[str, object]:
    """Run a TLS handshake in memory with the strict checks Python 3.13 switched on."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.server_certificate, files.server_key)
    client_context = ssl.create_default_context(cafile=trusted)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    done = set()
    for _ in range(6):
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    assert done == {client, server}
    return client.getpeercert()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
@pytest.mark.parametrize("trusted", ["ca_certificate", "ca_bundle"])
def test_a_strict_client_that_trusts_the_authority_is_served(tmp_path, now, host, trusted):
    files = ensure_certificates(tmp_path / "tls", now=now)
    assert shake_hands(files, host, getattr(files, trusted))


@pytest.mark.parametrize("host", ["example.org", "127.0.0.2"])
def test_another_host_name_is_refused(tmp_path, now, host):
    files = ensure_certificates(tmp_path, now=now)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(files, host, files.ca_certificate)


def test_a_client_without_the_authority_refuses(tmp_path, now):
    files = ensure_certificates(tmp_path, now=now)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(files, "localhost", Path(certifi.where()))


def test_the_key_of_the_authority_cannot_vouch_for_other_names(tmp_path, now):
    local = ensure_certificates(tmp_path / "local", now=now)
    authority_key = (tmp_path / "local" / "ca-key.pem").read_bytes()
    authority = certificate(local.ca_certificate)
    other = ensure_certificates(tmp_path / "other", hosts=("bank.test",), now=now)
    stolen = serialization.load_pem_private_key(authority_key, None)
    template = certificate(other.server_certificate)
    builder = x509.CertificateBuilder().subject_name(template.subject).issuer_name(authority.subject)
    builder = builder.public_key(template.public_key()).serial_number(7)
    builder = builder.not_valid_before(template.not_valid_before_utc).not_valid_after(template.not_valid_after_utc)
    for extension in template.extensions:
        if not isinstance(extension.value, x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
    forged = builder.sign(stolen, template.signature_hash_algorithm)
    other.server_certificate.write_bytes(forged.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        shake_hands(other, "bank.test", local.ca_certificate)


def test_private_files_are_for_the_owner_alone(tmp_path, now):
    files = ensure_certificates(tmp_path / "tls", now=now)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").glob("*.pem")}
    assert modes == {
        "ca.pem": 0o644,
        "ca-key.pem": 0o600,
        "server.pem": 0o644,
        "server-key.pem": 0o600,
        "ca-bundle.pem": 0o644,
    }
    assert stat.S_IMODE(files.ca_certificate.parent.stat().st_mode) == 0o700


def test_the_bundle_holds_the_public_roots_and_the_local_authority(tmp_path, now):
    files = ensure_certificates(tmp_path, now=now)
    bundle = files.ca_bundle.read_bytes()
    assert Path(certifi.where()).read_bytes().rstrip() in bundle
    assert files.ca_certificate.read_bytes() in bundle


def test_lifetimes_are_ten_years_and_397_days(tmp_path, now):
    files = ensure_certificates(tmp_path, now=now)
    authority, server = certificate(files.ca_certificate), certificate(files.server_certificate)
    assert authority.not_valid_after_utc - authority.not_valid_before_utc == timedelta(days=3652)
    assert server.not_valid_after_utc - server.not_valid_before_utc == timedelta(days=397)


@pytest.mark.parametrize("days", [0, 366])
def test_certificates_that_are_good_are_kept(tmp_path, now, days):
    before = contents(ensure_certificates(tmp_path, now=now))
    assert contents(ensure_certificates(tmp_path, now=now + timedelta(days=days))) == before


@pytest.mark.parametrize(
    ("days", "replaced"),
    [
        (367, {"server.pem", "server-key.pem"}),
        (3622, {"server.pem", "server-key.pem", "ca.pem", "ca-key.pem", "ca-bundle.pem"}),
    ],
)
def test_certificates_are_renewed_a_month_before_they_expire(tmp_path, now, days, replaced):
    before = contents(ensure_certificates(tmp_path, now=now))
    after = contents(ensure_certificates(tmp_path, now=now + timedelta(days=days)))
    assert {path.name for path in before if before[path] != after[path]} == replaced


@pytest.mark.parametrize(
    ("hosts", "keeps_authority"),
    [(("localhost",), True), (("127.0.0.1", "localhost"), True), (("localhost", "dev.contoso.test"), False)],
)
def test_other_hosts_get_another_certificate(tmp_path, now, hosts, keeps_authority):
    before = contents(ensure_certificates(tmp_path, now=now))
    files = ensure_certificates(tmp_path, hosts=hosts, now=now)
    assert files.server_certificate.read_bytes() != before[files.server_certificate]
    assert (files.ca_certificate.read_bytes() == before[files.ca_certificate]) is keeps_authority
    for host in hosts:
        assert shake_hands(files, host, files.ca_bundle)


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem", "server.pem", "server-key.pem", "ca-bundle.pem"])
@pytest.mark.parametrize("damage", [None, b"", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_missing_or_damaged_file_is_made_again(tmp_path, now, name, damage):
    files = ensure_certificates(tmp_path, now=now)
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(damage)
    assert shake_hands(ensure_certificates(tmp_path, now=now), "localhost", files.ca_bundle)


def test_a_key_that_is_not_the_certificates_is_replaced(tmp_path, now):
    files = ensure_certificates(tmp_path / "one", now=now)
    other = ensure_certificates(tmp_path / "two", now=now)
    files.server_key.write_bytes(other.server_key.read_bytes())
    assert shake_hands(ensure_certificates(tmp_path / "one", now=now), "localhost", files.ca_bundle)


def test_those_who_start_together_agree(tmp_path, now):
    start = threading.Barrier(8)

    def ensure(_number):
        start.wait()
        return contents(ensure_certificates(tmp_path, now=now))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ensure, range(8)))
    assert all(result == results[0] for result in results)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in results[0]} | {".certificates.lock"}


@pytest.mark.parametrize(
    ("hosts", "moment"),
    [((), datetime(2026, 1, 1, tzinfo=UTC)), (("localhost",), datetime(2026, 1, 1))],  # noqa: DTZ001 - the refused case
)
def test_no_hosts_or_no_time_zone_is_refused(tmp_path, hosts, moment):
    with pytest.raises(ValueError, match="at least one host"):
        ensure_certificates(tmp_path, hosts=hosts, now=moment)


@pytest.mark.parametrize(
    ("hosts", "reached"),
    [(("*.dev.contoso.test",), "org.dev.contoso.test"), (("LocalHost", "[::1]"), "::1"), (("zoë.test",), "zoë.test")],
)
def test_wildcards_brackets_and_international_names_are_served(tmp_path, now, hosts, reached):
    files = ensure_certificates(tmp_path, hosts=hosts, now=now)
    assert shake_hands(files, reached, files.ca_certificate)
