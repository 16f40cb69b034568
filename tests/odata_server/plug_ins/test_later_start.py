"""Starts beside packages: one that has come since the last start, one that stops the start, one that it names."""

import signal

import pytest
from click.testing import CliRunner
from contoso_plugins import install, plugin
from driving import Caller, bearer, first_start

from odata_server.admin.data_directory import read_secrets
from odata_server.app import build, prepare
from odata_server.cli import _announce, main


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


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Run `talentverse serve` up to where the workers would start."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    arguments = ["serve", "--port", "0", "--in-memory", "--data", str(tmp_path / "data"), "--sample-data", "none"]
    return lambda: CliRunner().invoke(main, arguments)


def test_a_broken_package_stops_the_command_with_one_line_that_names_it(tmp_path, monkeypatch, serve):
    install(tmp_path, "broken_package:plugin", "broken-package", "0.1")
    (tmp_path / "broken_package.py").write_text("import absent_module")
    monkeypatch.syspath_prepend(tmp_path)
    answer = serve()
    assert answer.exit_code == 1
    assert answer.stderr == (
        "talentverse: The plug-in package broken-package cannot be loaded: ModuleNotFoundError: No module named"
        " 'absent_module'\n"
    )


def test_the_command_names_the_packages_that_it_has_loaded(tmp_path, monkeypatch, capsys):
    install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    _announce("https://localhost:1")
    printed = capsys.readouterr()
    assert printed.err == f"Plug-in package contoso-plugins 1.2.0 (steps: {len(plugin.steps)}, custom APIs: 8)\n"
    assert printed.out == "Talentverse is ready at https://localhost:1\n"
