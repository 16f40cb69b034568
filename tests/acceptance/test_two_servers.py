"""Two servers, each with a data directory of its own, on one PostgreSQL database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import psycopg
import pytest
import requests

PUBLIC = "https://dataverse.example.test"
SET = "mshr_hcmlinkedinexportedcandidateentities"
ACCOUNTS = 200


@pytest.fixture(scope="module")
def pair(fresh_postgres, running_server, tmp_path_factory) -> Iterator[SimpleNamespace]:
    """The database, and two servers on it that clients know by one public name."""
    with fresh_postgres() as url, ExitStack() as stack:
        where = ("--database-url", url, "--public-url", PUBLIC)
        one, other = (
            stack.enter_context(running_server(tmp_path_factory.mktemp(name) / "data", *where))
            for name in ("one", "other")
        )
        yield SimpleNamespace(url=url, one=one, other=other)


@pytest.fixture
def servers(pair) -> SimpleNamespace:
    """Both servers, with the database in the state of the first start."""
    pair.one.reset()
    return pair


def test_a_row_of_one_server_is_there_at_the_other_at_once(servers):
    here, there = servers.one.client("admin"), servers.other.client("admin")
    for number in range(20):
        created = here.send("POST", "accounts", {"name": f"account {number}"})
        path = created.headers["OData-EntityId"].partition("/v9.2/")[2]
        assert there.get(path)["name"] == f"account {number}"
        assert there.send("DELETE", path).status_code == 204
        assert here.send("GET", path).status_code == 404


def test_row_versions_grow_over_both_servers(servers):
    clients = servers.one.client("admin"), servers.other.client("admin")
    created = clients[0].send("POST", "accounts", {"name": "A"})
    path = created.headers["OData-EntityId"].partition("/v9.2/")[2]
    versions = []
    for number in range(6):
        assert clients[number % 2].send("PATCH", path, {"name": str(number)}).status_code == 204
        versions.append(int(clients[0].get(path)["versionnumber"]))
    assert versions == sorted(set(versions))
    stale = clients[0].get(path)["@odata.etag"]
    assert clients[1].send("PATCH", path, {"name": "B"}).status_code == 204
    assert clients[0].send("PATCH", path, {"name": "C"}, **{"If-Match": stale}).status_code == 412


def test_roles_and_metadata_of_one_server_hold_at_the_other(servers):
    admin, adapter = servers.other.client("admin"), servers.other.client("adapter")
    assert admin.send("GET", SET).status_code == 404
    assert servers.one.setup().returncode == 0
    assert admin.send("GET", SET).status_code == 200
    assert adapter.send("GET", SET).status_code == 200
    assert f'EntitySet Name="{SET}"' in admin.send("GET", "$metadata").text
    assert servers.other.setup("--undo", "role-assignment").returncode == 0
    assert servers.one.client("adapter").send("GET", SET).status_code == 403
    assert servers.other.setup("--undo", "table").returncode == 0
    assert servers.one.client("admin").send("GET", SET).status_code == 404


def test_a_reset_at_one_server_is_one_at_the_other(servers):
    here, there = servers.one.client("admin"), servers.other.client("admin")
    before = there.rows("accounts?$select=name&$orderby=accountid")
    assert servers.one.setup().returncode == 0
    assert here.send("POST", "accounts", {"name": "A"}).status_code == 204
    assert there.send("GET", SET).status_code == 200
    servers.other.reset()
    assert here.rows("accounts?$select=name&$orderby=accountid") == before
    assert here.send("GET", SET).status_code == 404
    assert servers.one.setup("--check").returncode == 1


def test_a_hired_candidate_becomes_a_worker_whichever_server_does_which_step(servers, ann):
    assert servers.one.setup().returncode == 0
    exported = servers.other.export(ann)
    assert exported.returncode == 0, exported.stderr
    here, there = servers.one.client("admin"), servers.other.client("admin")
    [candidate] = here.rows("/data/CandidatesToHire?cross-company=true")
    key = f"dataAreaId='{candidate['dataAreaId']}',CandidateId='{candidate['CandidateId']}'"
    hired = there.send(
        "POST",
        f"/data/CandidatesToHire({key})/Microsoft.Dynamics.DataEntities.Hire",
        {"LegalEntityId": "USMF", "EmploymentStartDate": "2021-07-01T12:00:00Z"},
    )
    assert hired.status_code == 200, hired.text
    [worker] = here.rows(f"/data/Workers?$filter=PersonnelNumber eq '{hired.json()['PersonnelNumber']}'")
    assert (worker["FirstName"], worker["LastName"]) == ("Ann", "Example")
    again = servers.one.export(ann)
    assert again.returncode == 0, again.stderr


def test_a_job_runs_once_though_both_servers_look_for_jobs(servers):
    assert servers.one.setup().returncode == 0
    with psycopg.connect(servers.url) as connection:
        jobs = connection.execute('SELECT state, attempts FROM dataverse."$job"').fetchall()
    assert jobs == [("succeeded", 1)]


def token(server, audience: str) -> str:
    """Return the administrator's token for an audience."""
    environment = server.environment
    form = {"grant_type": "client_credentials", "scope": f"{audience}/.default", **environment["admin"]}
    answer = requests.post(
        f"{environment['authority']}/oauth2/v2.0/token", form, verify=environment["ca_bundle"], timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def status_with(server, bearer: str) -> int:
    """Return the status of a request to a server with a token."""
    return requests.get(
        f"{server.url}/api/data/v9.2/WhoAmI",
        headers={"Authorization": f"Bearer {bearer}"},
        verify=server.environment["ca_bundle"],
        timeout=30,
    ).status_code


def test_a_token_for_the_public_name_is_good_at_both_servers_and_one_for_a_server_at_that_one(servers):
    assert [status_with(server, token(servers.one, PUBLIC)) for server in (servers.one, servers.other)] == [200, 200]
    own = token(servers.one, servers.one.url)
    assert [status_with(server, own) for server in (servers.one, servers.other)] == [200, 401]


def test_each_server_has_secrets_of_its_own_and_takes_those_of_the_other(servers):
    names, others = servers.one.environment["admin"], servers.other.environment["admin"]
    assert names["client_id"] == others["client_id"]
    assert names["client_secret"] != others["client_secret"]
    assert servers.other.token(names["client_id"], names["client_secret"])


def test_an_application_that_is_registered_at_one_server_gets_tokens_at_the_other(servers):
    made = servers.one.run("talentverse", "app-registration", "create", "--name", "Shared", "--json")
    assert made.returncode == 0, made.stderr
    application = json.loads(made.stdout)
    names = application["client_id"], application["client_secret"]
    assert servers.other.token(*names)
    assert servers.other.run("talentverse", "app-registration", "delete", names[0]).returncode == 0
    with pytest.raises(KeyError, match="access_token"):
        servers.one.token(*names)


class Creating(threading.Thread):
    """A client that creates accounts until its server is gone, and notes what was acknowledged."""

    def __init__(self, client) -> None:
        super().__init__()
        self.client = client
        self.acknowledged: list[str] = []

    def run(self) -> None:
        for number in range(ACCOUNTS):
            name = f"{self.name} {number}"
            try:
                answer = self.client.send("POST", "accounts", {"name": name})
            except requests.RequestException:
                return
            if answer.status_code == 204:
                self.acknowledged.append(name)


def kill(server) -> None:
    """Kill the serving process and its workers at once, as a crash does."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    for pid in (server.process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    server.process.communicate()


def test_a_killed_server_loses_nothing_acknowledged_and_the_other_goes_on(servers, start_server, tmp_path, wait_for):
    third = start_server(tmp_path / "data", "--database-url", servers.url)
    client = third.client("admin")
    creators = [Creating(client) for _ in range(4)]
    for creator in creators:
        creator.start()
    wait_for(lambda: sum(len(creator.acknowledged) for creator in creators) >= 40)
    kill(third)
    for creator in creators:
        creator.join()
    acknowledged = {name for creator in creators for name in creator.acknowledged}
    assert 40 <= len(acknowledged) < 4 * ACCOUNTS
    survivor = servers.one.client("admin")
    stored = [row["name"] for row in survivor.rows("accounts?$select=name")]
    assert acknowledged <= set(stored)
    assert survivor.send("POST", "accounts", {"name": "afterwards"}).status_code == 204
    again = start_server(tmp_path / "data", "--database-url", servers.url)
    assert len(again.client("admin").rows("accounts?$filter=name eq 'afterwards'")) == 1


def schemas(url: str) -> set[str]:
    """Return the schemas of a database that belong to servers."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'")
        return {name for (name,) in found} - {"public"}


def test_a_first_start_that_is_killed_is_begun_anew_by_the_next_server(
    postgres_url, begin_server, start_server, tmp_path, wait_for
):
    process = begin_server(tmp_path / "one", "--database-url", postgres_url)
    wait_for(lambda: "dataverse$first-start" in schemas(postgres_url))
    process.kill()
    process.communicate()
    server = start_server(tmp_path / "two", "--database-url", postgres_url)
    assert {name.partition("$")[0] for name in schemas(postgres_url)} == {"authority", "dataverse", "human-resources"}
    assert not any("first-start" in name for name in schemas(postgres_url))
    assert len(server.client("admin").rows("accounts")) == 50


def test_a_database_that_is_not_there_ends_the_start_in_one_line(tmp_path, begin_server):
    process = begin_server(tmp_path / "data", "--database-url", "postgresql://sam:the-password@127.0.0.1:1/none")
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed) == (1, "")
    [line] = errors.splitlines()
    assert line.startswith("talentverse: the database cannot be reached: check --database-url (")
    assert "the-password" not in line
