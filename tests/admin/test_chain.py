"""The administrator's commands against a real server: set-up, tokens, app registrations, reset (ACC-63 to ACC-67)."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from integration.connection import ConnectionFlags, resolve_connection
from odata_server.admin.services import open_services, rows
from odata_server.admin.talent_hub_setup import PIECES
from odata_server.cli import main


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data directory of a running server with sample data."""
    directory = tmp_path_factory.mktemp("chain") / "data"
    command = [
        sys.executable,
        "-m",
        "odata_server.cli",
        "serve",
        "--port",
        "0",
        "--in-memory",
        "--data",
        str(directory),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline().startswith("Talentverse is ready at https://localhost:")
    yield directory
    server.terminate()
    rest, _ = server.communicate(timeout=20)
    assert (server.returncode, rest) == (0, "")


@pytest.fixture
def run(data, clean):
    """Run a command against the server; it must succeed unless another status is named."""

    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, [*arguments, "--data", str(data)])
        assert answer.exit_code == status, answer.output
        return answer.stdout

    return invoke


@pytest.fixture
def fresh(run):
    """The server's data as on the first start."""
    assert run("reset") == "reset\n"


@pytest.fixture
def services(data, clean):
    """Sessions of the administrator."""
    with open_services(resolve_connection(ConnectionFlags(data=str(data)), "admin", {})) as opened:
        yield opened


def _lines(state):
    return "".join(f"{state}  {name}\n" for name in PIECES)


@pytest.mark.usefixtures("fresh")
def test_the_set_up_is_made_once_checked_and_undone(run):
    assert run("setup", "talent-hub", "--check", status=1) == _lines("missing")
    assert run("setup", "talent-hub") == _lines("made   ")
    assert run("setup", "talent-hub") == _lines("present")
    assert run("setup", "talent-hub", "--check") == _lines("present")
    undone = run("setup", "talent-hub", "--undo").splitlines()
    assert undone == [f"removed  {name}" for name in reversed(PIECES)]
    assert run("setup", "talent-hub", "--check", status=1) == _lines("missing")


@pytest.mark.usefixtures("fresh")
def test_each_piece_can_be_taken_away_alone_and_is_put_back(run):
    run("setup", "talent-hub")
    for name in PIECES:
        assert run("setup", "talent-hub", "--undo", name) == f"removed  {name}\n"
        assert f"missing  {name}" in run("setup", "talent-hub", "--check", status=1)
        run("setup", "talent-hub")
    assert run("setup", "talent-hub", "--check") == _lines("present")


@pytest.mark.usefixtures("fresh")
def test_the_set_up_is_what_the_page_asks_for(run, services):
    run("setup", "talent-hub")
    user = rows(services.dataverse, "systemusers", {"$filter": "applicationid eq 3a225c96-d62a-44ce-b3ec-bd4e8e9befef"})
    assert [f"{row['firstname']} {row['lastname']}" for row in user] == ["Dynamics365 HR LinkedIn HRIS Integration"]
    records = rows(services.human_resources, "EntraApplications", {"$filter": "UserId eq 'Uma'"})
    assert [record["Name"] for record in records] == ["LinkedIn Talent Hub HRIS Integration"]


@pytest.mark.usefixtures("fresh")
def test_the_adapter_runs_as_the_named_user_and_an_unknown_one_is_refused(run, services):
    run("setup", "talent-hub", "--hr-user", "Rex")
    assert len(rows(services.human_resources, "EntraApplications", {"$filter": "UserId eq 'Rex'"})) == 1
    run("setup", "talent-hub", "--hr-user", "Uma")
    assert rows(services.human_resources, "EntraApplications", {"$filter": "UserId eq 'Rex'"}) == []
    run("setup", "talent-hub", "--hr-user", "Nobody", status=1)


def test_an_app_registration_gets_tokens_until_it_is_deleted(run):
    made = json.loads(run("app-registration", "create", "--name", "Contoso Söder", "--json"))
    assert set(made) == {"client_id", "object_id", "display_name", "client_secret"}
    credentials = ["--client-id", made["client_id"], "--client-secret", made["client_secret"]]
    assert run("token", *credentials).count(".") == 2
    assert f"{made['client_id']}  Contoso Söder" in run("app-registration", "list")
    run("app-registration", "delete", made["client_id"])
    run("token", *credentials, status=1)
    run("app-registration", "delete", made["client_id"], status=1)


def test_a_public_app_registration_has_no_secret(run):
    arguments = ["--name", "Public", "--public", "--redirect-uri", "http://localhost", "--json"]
    assert "client_secret" not in json.loads(run("app-registration", "create", *arguments))


@pytest.mark.usefixtures("fresh")
def test_the_exact_client_secret_is_needed(run):
    run("token", "--client-secret", "wrong", status=1)
