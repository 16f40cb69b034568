"""What was acknowledged survives a killed server; two worker processes serve one data directory."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import threading

import pytest
import requests
from databases import KIND

CREATES = 500
CLIENTS = 8
SET = "mshr_hcmlinkedinexportedcandidateentities"


class Creating(threading.Thread):
    """A client that creates accounts one after another and notes what was acknowledged."""

    def __init__(self, client, names: list[str]) -> None:
        super().__init__()
        self.client = client
        self.names = names
        self.acknowledged: list[str] = []

    def run(self) -> None:
        with requests.Session() as session:
            # Variables such as REQUESTS_CA_BUNDLE would override the session's own bundle.
            session.trust_env = False
            session.verify = self.client.server.environment["ca_bundle"]
            session.headers["Authorization"] = f"Bearer {self.client.token}"
            url = f"{self.client.server.url}/api/data/v9.2/accounts"
            for name in self.names:
                try:
                    answer = session.post(url, json={"name": name}, timeout=30)
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


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_server_loses_no_acknowledged_row_and_opens_again(start_server, tmp_path, wait_for, seed):
    moment = random.Random(seed)
    data = tmp_path / "data"
    server = start_server(data, "--sample-data", "none")
    client = server.client("admin")
    names = [f"account {number}" for number in range(CREATES)]
    creators = [Creating(client, names[start::CLIENTS]) for start in range(CLIENTS)]
    for creator in creators:
        creator.start()
    wanted = moment.randint(20, 120)
    wait_for(lambda: sum(len(creator.acknowledged) for creator in creators) >= wanted)
    kill(server)
    for creator in creators:
        creator.join()
    acknowledged = {name for creator in creators for name in creator.acknowledged}
    assert 0 < len(acknowledged) < CREATES
    again = start_server(data)
    stored = [row["name"] for row in again.client("admin").rows("accounts?$select=name")]
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(stored)
    again.process.send_signal(signal.SIGTERM)
    again.process.communicate(timeout=60)
    if KIND == "SQLite":
        with sqlite3.connect(data / "dataverse.sqlite") as database:
            assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)


def ask_both_workers(client, path: str, times: int = 24) -> set[int]:
    """Ask over many connections, so that both workers answer, and return the statuses seen."""
    statuses = set()
    for _ in range(times):
        statuses.add(client.send("GET", path).status_code)
    return statuses


def test_two_workers_see_each_other_s_rows_metadata_and_roles(start_server, tmp_path):
    server = start_server(tmp_path / "data", "--workers", "2")
    admin = server.client("admin")
    assert ask_both_workers(admin, SET) == {404}
    assert server.setup().returncode == 0
    assert ask_both_workers(admin, SET) == {200}
    adapter = server.client("adapter")
    assert ask_both_workers(adapter, SET) == {200}
    assert server.setup("--undo", "role-assignment").returncode == 0
    assert ask_both_workers(adapter, SET) == {403}
    assert server.setup("--undo", "table").returncode == 0
    assert ask_both_workers(admin, SET) == {404}
    for number in range(20):
        created = admin.send("POST", "accounts", {"name": f"account {number}"})
        assert admin.send("GET", created.headers["OData-EntityId"]).status_code == 200


def test_two_workers_share_concurrent_writes_without_an_error(start_server, tmp_path):
    server = start_server(tmp_path / "data", "--workers", "2", "--sample-data", "none")
    client = server.client("admin")
    creators = [Creating(client, [f"account {start} {n}" for n in range(40)]) for start in range(CLIENTS)]
    for creator in creators:
        creator.start()
    for creator in creators:
        creator.join()
    assert [len(creator.acknowledged) for creator in creators] == [40] * CLIENTS
    assert client.send("GET", "accounts/$count").content.decode("utf-8-sig") == str(40 * CLIENTS)


def test_secrets_rows_and_generated_tables_survive_a_restart(start_server, tmp_path):
    data = tmp_path / "data"
    server = start_server(data)
    assert server.setup().returncode == 0
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=60)
    assert server.process.returncode == 0
    again = start_server(data)
    assert again.environment["admin"] == server.environment["admin"]
    assert again.setup("--check").returncode == 0


def test_an_in_memory_server_keeps_no_database(start_server, tmp_path):
    data = tmp_path / "data"
    server = start_server(data, "--in-memory")
    assert server.client("admin").get("WhoAmI")["UserId"]
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=60)
    assert not list(data.glob("*.sqlite*"))
