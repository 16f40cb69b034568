"""The command line without a server: what it refuses, in one line, and how."""

import json
import os
import shlex

import pytest
from click.testing import CliRunner

from odata_server.admin.protection_figures import read_limits
from odata_server.cli import main
from odata_server.settings import Limits, ServiceProtection

ENVIRONMENT = {
    "url": "https://localhost:8443",
    "authority": "https://localhost:8443/t",
    "tenant_id": "t",
    "organization_id": "o",
    "ca_bundle": "/data/it's here/ca-bundle.pem",
    "admin": {"client_id": "a", "client_secret": "s$cret"},
    "adapter": {"client_id": "b", "client_secret": "t"},
    "control_key": "k",
}


@pytest.fixture
def run(clean):
    """Run the command in an empty directory, without variables."""

    def invoke(*arguments, **options):
        return CliRunner().invoke(main, list(arguments), **options)

    return invoke


def _commands(group, path=()):
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))


@pytest.mark.parametrize("path", [" ".join(path) for path, command in _commands(main) if not command.hidden])
def test_every_command_explains_itself_with_an_example(run, path):
    answer = run(*path.split(), "--help")
    assert answer.exit_code == 0
    assert "Example" in answer.stdout
    assert f"talentverse {path}" in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        "snapshot one",
        "restore one",
        "import data file.json --map name",
        "import data file.json --delimiter ab",
        "import data file.json",
        "export data file.jsonl",
        "virtual-table list",
        "trust",
        "serve --database-url mysql://localhost/x",
        "serve --in-memory --database-url postgresql://localhost/x",
        "serve --service-protection strict",
        "serve --service-protection requests=0",
        "serve --service-protection requests=1.5",
        "serve --service-protection seconds=nan",
        "serve --service-protection requests=5,requests=6",
        "serve --entra-host",
        "serve --plain-http --host 0.0.0.0",
        "serve --in-memory --workers 2",
        "serve --public-url dataverse.example.com",
        "serve --public-url https://dataverse.example.com/path",
        "token --user uma",
        "app-registration create --name X --certificate x.pem",
        "setup talent-hub --check --undo role",
        "setup talent-hub",
        "token",
        "app-registration list",
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(run, arguments):
    answer = run(*shlex.split(arguments))
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("talentverse: ")
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("off", None),
        ("on", ServiceProtection(Limits(6_000, 1_200.0, 52), Limits(500, 300.0, 25), 300)),
        ("requests=5", ServiceProtection(Limits(5, 1_200.0, 52))),
        ("seconds=0.5, window=10", ServiceProtection(Limits(6_000, 0.5, 52), window=10)),
        ("finance-requests=5,concurrency=1", ServiceProtection(Limits(6_000, 1_200.0, 1), Limits(5, 300.0, 25))),
        ("requests=1,seconds=2,concurrency=3,window=300", ServiceProtection(Limits(1, 2.0, 3))),
    ],
)
def test_service_protection_is_off_on_or_figures(text, limits):
    assert read_limits(text) == limits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ON",
        "requests",
        "requests=",
        "requests=-1",
        "seconds=0",
        "seconds=inf",
        "concurrency=two",
        "window=301",
        "requests=1;seconds=2",
        "on,requests=1",
        "bursts=1",
        "finance-window=1",
        "requests=99999999999",
    ],
)
def test_other_values_are_no_limits(text):
    with pytest.raises(ValueError, match=r".*"):
        read_limits(text)


def test_help_names_the_variable_of_every_flag_of_serve(run):
    text = run("serve", "--help", terminal_width=200).stdout
    for name in (
        "HOST",
        "PORT",
        "DATA",
        "IN_MEMORY",
        "WORKERS",
        "SAMPLE_DATA",
        "PLAIN_HTTP",
        "FIXTURE",
        "DATABASE_URL",
        "SERVICE_PROTECTION",
    ):
        assert f"TALENTVERSE_{name}" in text


def test_a_variable_stands_for_its_flag(run):
    answer = run("serve", env={"TALENTVERSE_PORT": "no-number"})
    assert answer.exit_code == 2
    assert "no-number" in answer.stderr


def test_env_prints_what_a_shell_understands(run, clean):
    (clean / ".talentverse").mkdir()
    (clean / ".talentverse" / "environment.json").write_text(json.dumps(ENVIRONMENT))
    lines = run("env").stdout.splitlines()
    variables = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert all(line.startswith("export ") for line in lines)
    assert variables == {
        "TALENTVERSE_URL": ENVIRONMENT["url"],
        "TALENTVERSE_AUTHORITY": ENVIRONMENT["authority"],
        "TALENTVERSE_TENANT_ID": "t",
        "TALENTVERSE_CLIENT_ID": "a",
        "TALENTVERSE_CLIENT_SECRET": "s$cret",
        "TALENTVERSE_CA_BUNDLE": ENVIRONMENT["ca_bundle"],
        "REQUESTS_CA_BUNDLE": ENVIRONMENT["ca_bundle"],
        "SSL_CERT_FILE": ENVIRONMENT["ca_bundle"],
        "NODE_EXTRA_CA_CERTS": ENVIRONMENT["ca_bundle"],
    }


def test_env_as_json_holds_everything_but_the_control_key(run, clean):
    (clean / "environment.json").write_text(json.dumps(ENVIRONMENT))
    printed = json.loads(run("env", "--format", "json", "--data", str(clean)).stdout)
    assert printed == {name: value for name, value in ENVIRONMENT.items() if name != "control_key"}


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
@pytest.mark.parametrize("command", ["env", "reset", "explain 'GET /api/data/v9.2/accounts'"])
def test_without_a_good_environment_file_the_way_out_is_named(run, clean, content, command):
    if content is not None:
        (clean / "environment.json").write_text(content)
    answer = run(*shlex.split(command), "--data", str(clean))
    assert answer.exit_code == 1
    assert len(answer.stderr.splitlines()) == 1
    assert "start" in answer.stderr


def test_a_server_that_is_gone_is_named_in_one_line(run, clean):
    bundle = os.environ.get("SSL_CERT_FILE") or __file__
    gone = ENVIRONMENT | {"url": "http://127.0.0.1:9", "authority": "http://127.0.0.1:9/t", "ca_bundle": bundle}
    (clean / "environment.json").write_text(json.dumps(gone))
    for arguments in (["token"], ["setup", "talent-hub", "--check"], ["app-registration", "list"]):
        answer = run(*arguments, "--data", str(clean))
        assert answer.exit_code == 1
        assert len(answer.stderr.splitlines()) == 1
