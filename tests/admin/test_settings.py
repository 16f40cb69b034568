"""What follows from the settings: URL, names, loopback."""

from pathlib import Path

import pytest

from odata_server.settings import Settings


@pytest.mark.parametrize(
    ("host", "url", "names"),
    [
        ("127.0.0.1", "https://localhost:8443", {"localhost", "127.0.0.1", "::1"}),
        ("localhost", "https://localhost:8443", {"localhost", "127.0.0.1", "::1"}),
        ("::1", "https://localhost:8443", {"localhost", "127.0.0.1", "::1"}),
        ("0.0.0.0", "https://localhost:8443", {"localhost", "127.0.0.1", "::1"}),
        ("192.0.2.7", "https://192.0.2.7:8443", {"localhost", "127.0.0.1", "::1", "192.0.2.7"}),
        ("2001:db8::7", "https://[2001:db8::7]:8443", {"localhost", "127.0.0.1", "::1", "2001:db8::7"}),
    ],
)
def test_the_url_and_the_certificate_names_follow_from_the_address(host, url, names):
    settings = Settings(Path(), Path(), host=host)
    assert settings.url == url
    assert set(settings.host_names) == names


def test_a_public_url_is_a_further_name():
    settings = Settings(Path(), Path(), public_url="https://dataverse.example.com/")
    assert "dataverse.example.com" in settings.host_names


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("0.0.0.0", False), ("example.com", False)],
)
def test_only_this_machine_is_loopback(host, expected):
    assert Settings(Path(), Path(), host=host).is_loopback is expected
