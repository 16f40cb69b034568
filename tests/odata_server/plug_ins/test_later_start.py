"""A package that is installed between two starts."""

from contoso_plugins import install
from driving import Caller, bearer, first_start

from odata_server.admin.data_directory import read_secrets
from odata_server.app import build, prepare


def test_a_later_start_registers_what_has_come_since(tmp_path, monkeypatch):
    settings, made = first_start(tmp_path, sample_data="none")
    assert not _packages(settings, made)
    site = tmp_path / "site-packages"
    install(site)
    monkeypatch.syspath_prepend(site)
    prepare(settings, read_secrets(tmp_path))
    assert _packages(settings, made) == ["contoso-plugins"]


def _packages(settings, made):
    application = build(settings)
    caller = Caller(application, bearer(application, made.tenant_id, made.admin_client_id, made.admin_client_secret))
    return [row["name"] for row in caller.rows("pluginpackages?$select=name")]
