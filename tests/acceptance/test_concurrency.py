"""Several clients at the same time, over two server processes on one database: no lost update, no refused request."""

from __future__ import annotations

import os
import random
import sys
import threading

import pytest
import requests

from benchmarks.mixed import measured
from benchmarks.postgres import missing

CLIENTS, INCREMENTS, ROWS = 8, 12, 3
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SECONDS = float(os.environ.get("TALENTVERSE_LOAD_SECONDS", "60" if NIGHTLY else "5"))
"""How long the mixed load lasts: five seconds in a run of all tests, a minute at night."""


class Counting(threading.Thread):
    """A client that adds one to numbers: it reads, writes on condition, and reads again where somebody was faster."""

    def __init__(self, client, urls: list[str], seed: int) -> None:
        super().__init__()
        self.client = client
        self.urls = urls
        self.chosen = random.Random(seed)
        self.retries = 0
        self.unexpected: list[str] = []

    def run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.client.server.environment["ca_bundle"]
            session.headers["Authorization"] = f"Bearer {self.client.token}"
            for _ in range(INCREMENTS):
                while not self.increment(session, self.chosen.choice(self.urls)):
                    self.retries += 1

    def increment(self, session: requests.Session, url: str) -> bool:
        """Add one; say whether that was done, or refused for good."""
        row = session.get(f"{url}?$select=numberofemployees", timeout=30).json()
        changed = session.patch(
            url,
            json={"numberofemployees": row["numberofemployees"] + 1},
            headers={"If-Match": row["@odata.etag"]},
            timeout=30,
        )
        if changed.status_code not in {204, 412}:
            self.unexpected.append(f"{changed.status_code} {changed.text}")
        return changed.status_code != 412


@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_no_update_is_lost_where_each_is_conditional_on_what_was_read(request, start_server, tmp_path, database):
    where = () if database == "SQLite" else ("--database-url", request.getfixturevalue("postgres_url"))
    server = start_server(tmp_path / "data", "--workers", "2", "--sample-data", "none", *where)
    client = server.client("admin")
    made = [client.send("POST", "accounts", {"name": str(n), "numberofemployees": 0}) for n in range(ROWS)]
    urls = [answer.headers["OData-EntityId"] for answer in made]
    counting = [Counting(client, urls, seed) for seed in range(CLIENTS)]
    for one in counting:
        one.start()
    for one in counting:
        one.join()
    assert [one.unexpected for one in counting] == [[]] * CLIENTS
    assert sum(client.get(url)["numberofemployees"] for url in urls) == CLIENTS * INCREMENTS
    # Without a single conflict nothing would have been tested.
    assert sum(one.retries for one in counting) > 0


ON_POSTGRES = pytest.param(True, id="PostgreSQL", marks=pytest.mark.skipif(SECONDS < 60, reason="at night only"))


@pytest.mark.parametrize("on_postgres", [pytest.param(False, id="SQLite"), ON_POSTGRES])
def test_two_processes_sustain_reads_and_writes_and_refuse_none(
    monkeypatch, tmp_path, record_property, capsys, on_postgres
):
    if on_postgres and missing():
        pytest.skip(missing())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = measured(rows=500, seconds=SECONDS, connections=4, workers=2, on_postgres=on_postgres)
    record_property("mixed load", found.text())
    with capsys.disabled():
        sys.stdout.write(f"\n{found.text()}\n")
    assert (found.reads.refused, found.writes.refused) == (0, 0)
    assert found.reads.per_second > 1
    assert found.writes.per_second > 1
    assert found.writes.p99_ms < 5_000
