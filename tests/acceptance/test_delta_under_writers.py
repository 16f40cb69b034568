"""Several clients write over two server processes while one follows delta links: it is told of every record."""

from __future__ import annotations

import random
import threading
from uuid import UUID

import pytest
import requests
from batches import BATCH_TYPE, Asked, batch

WRITERS, WRITES, PAGE = 6, 25, 7


def opened(client) -> requests.Session:
    """Return a session of a client."""
    session = requests.Session()
    # Variables such as REQUESTS_CA_BUNDLE would override the session's own bundle.
    session.trust_env = False
    session.verify = client.server.environment["ca_bundle"]
    session.headers["Authorization"] = f"Bearer {client.token}"
    return session


class Writing(threading.Thread):
    """A client that creates accounts, alone and several at once, changes and deletes those of its own."""

    def __init__(self, client, seed: int) -> None:
        super().__init__()
        self.client = client
        self.random = random.Random(seed)
        self.made: list[str] = []
        self.gone: set[str] = set()
        self.refused: list[str] = []

    def run(self) -> None:
        with opened(self.client) as session:
            for number in range(WRITES):
                self.write(session, number)

    def write(self, session: requests.Session, number: int) -> None:
        left = [one for one in self.made if one not in self.gone]
        chosen = self.random.choice(left) if left else None
        match self.random.randrange(5):
            case 0 if chosen:
                self.send(session, "DELETE", f"accounts({chosen})")
                self.gone.add(chosen)
            case 1 if chosen:
                self.send(session, "PATCH", f"accounts({chosen})", json={"name": f"changed {number}"})
            case 2:
                made = [self.new_id() for _ in range(3)]
                body = batch([Asked("POST", "accounts", {"accountid": one, "name": "batch"}, one) for one in made])
                self.send(session, "POST", "$batch", data=body, headers={"Content-Type": BATCH_TYPE})
            case 3:
                kind = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
                body = {"Targets": [{**kind, "accountid": self.new_id(), "name": "many"} for _ in range(3)]}
                self.send(session, "POST", "accounts/Microsoft.Dynamics.CRM.CreateMultiple", json=body)
            case _:
                self.send(session, "POST", "accounts", json={"accountid": self.new_id(), "name": f"made {number}"})

    def new_id(self) -> str:
        self.made.append(str(UUID(int=self.random.getrandbits(128), version=4)))
        return self.made[-1]

    def send(self, session: requests.Session, method: str, path: str, **body: object) -> None:
        answer = session.request(method, f"{self.client.server.url}/api/data/v9.2/{path}", timeout=60, **body)
        if answer.status_code >= 300:
            self.refused.append(f"{answer.status_code} {answer.text}")


class Copying:
    """A client that keeps a copy of the accounts by following delta links, and notes every id that it is told."""

    def __init__(self, client) -> None:
        self.session = opened(client)
        self.session.headers["Prefer"] = f"odata.track-changes,odata.maxpagesize={PAGE}"
        self.link = f"{client.server.url}/api/data/v9.2/accounts?$select=name"
        self.copy: dict[str, tuple[str, str]] = {}
        self.told: set[str] = set()

    def follow(self) -> None:
        """Read what is new, page by page."""
        link = self.link
        while True:
            answer = self.session.get(link, timeout=60)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for row in page["value"]:
                self.take(row)
            if "@odata.deltaLink" in page:
                self.link = page["@odata.deltaLink"]
                return
            link = page["@odata.nextLink"]

    def take(self, row: dict) -> None:
        if row.get("reason") == "deleted":
            self.told.add(row["id"])
            self.copy.pop(row["id"], None)
        else:
            self.told.add(row["accountid"])
            self.copy[row["accountid"]] = row["@odata.etag"], row["name"]


@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_a_copy_kept_by_delta_links_misses_nothing(request, start_server, tmp_path, database):
    where = () if database == "SQLite" else ("--database-url", request.getfixturevalue("postgres_url"))
    server = start_server(tmp_path / "data", "--workers", "2", "--sample-data", "none", *where)
    client = server.client("admin")
    copying = Copying(client)
    copying.follow()
    writers = [Writing(client, seed) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    links = 0
    while any(writer.is_alive() for writer in writers):
        copying.follow()
        links += 1
    copying.follow()
    copying.session.close()
    assert [writer.refused for writer in writers] == [[]] * WRITERS
    assert links > 1
    stored = client.rows("accounts?$select=name")
    assert copying.copy == {row["accountid"]: (row["@odata.etag"], row["name"]) for row in stored}
    made, gone = (
        {one for writer in writers for one in found(writer)} for found in (lambda w: w.made, lambda w: w.gone)
    )
    assert made <= copying.told
    assert copying.copy.keys() == made - gone
