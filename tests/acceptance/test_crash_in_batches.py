"""A server that is killed while it writes change sets and files: each is wholly there or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from uuid import UUID

import pytest
import requests
from batches import BATCH_TYPE, Asked, batch
from file_columns import with_file_columns

from odata_server.engine.places import storage_place
from odata_server.settings import Settings

BATCHERS, UPLOADERS, CONTACTS = 3, 2, 4
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
KILLS = dict.fromkeys(("SQLite", "PostgreSQL"), 20) if NIGHTLY else {"SQLite": 2, "PostgreSQL": 1}
CHUNK = 64 * 1024
FILE_NAME = "x-ms-file-name"


class Client(threading.Thread, ABC):
    """A client that works until its server is gone."""

    def __init__(self, client, seed: int) -> None:
        super().__init__()
        self.root = f"{client.server.url}/api/data/v9.2"
        self.random = random.Random(seed)
        self.session = requests.Session()
        # Variables such as REQUESTS_CA_BUNDLE would override the session's own bundle.
        self.session.trust_env = False
        self.session.verify = client.server.environment["ca_bundle"]
        self.session.headers["Authorization"] = f"Bearer {client.token}"
        self.acknowledged: list[str] = []

    def run(self) -> None:
        with self.session, contextlib.suppress(requests.RequestException):
            while True:
                self.work()

    @abstractmethod
    def work(self) -> None:
        """Send one request, and take note of what was acknowledged."""

    def send(self, method: str, path: str, body: bytes, status: int, **headers: str) -> requests.Response:
        url = path if path.startswith("https:") else f"{self.root}/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.session.request(method, url, data=body, headers=named, timeout=30)
        assert answer.status_code == status, answer.text
        return answer

    def name(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))


class Batching(Client):
    """Sends change sets over two tables: an account and its contacts, all of one name."""

    def work(self) -> None:
        name = self.name()
        account = Asked("POST", "accounts", {"accountid": name, "name": "batch"}, "1")
        bind = {"parentcustomerid_account@odata.bind": "$1"}
        contacts = [Asked("POST", "contacts", {"lastname": name, **bind}, str(n)) for n in range(2, CONTACTS + 2)]
        change = Asked("PATCH", "$1", {"numberofemployees": CONTACTS}, "last")
        self.send("POST", "$batch", batch([account, *contacts, change]), 200, Content_Type=BATCH_TYPE)
        self.acknowledged.append(name)


class Uploading(Client):
    """Stores one file after another in the same row, at once or in chunks; each is named by its own hash."""

    def __init__(self, client, seed: int) -> None:
        super().__init__(client, seed)
        answer = client.send("POST", "accounts", {"name": "files"})
        self.row = answer.headers["OData-EntityId"].rpartition("/")[2]
        self.names: list[str] = []

    def work(self) -> None:
        content = self.random.randbytes(self.random.randrange(1, 6 * CHUNK))
        name = hashlib.sha256(content).hexdigest()
        self.names.append(name)
        octets = {"Content_Type": "application/octet-stream", FILE_NAME: name}
        if self.random.random() < 0.5:
            self.send("PATCH", f"{self.row}/new_dossier", content, 204, **octets)
        else:
            begun = self.send("PATCH", f"{self.row}/new_dossier", b"", 200, x_ms_transfer_mode="chunked", **octets)
            self.upload(begun.headers["Location"], content, octets)
        self.acknowledged.append(name)

    def upload(self, location: str, content: bytes, octets: dict[str, str]) -> None:
        for begin in range(0, len(content), CHUNK):
            part = content[begin : begin + CHUNK]
            end = begin + len(part)
            told = f"bytes {begin}-{end - 1}/{len(content)}"
            self.send("PATCH", location, part, 204 if end == len(content) else 206, Content_Range=told, **octets)


def kill(server) -> None:
    """Kill the serving process and its workers at once, as a crash does."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    for pid in (server.process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    server.process.communicate()


def check_change_sets(client, batchers: list[Batching]) -> None:
    """Check that each change set is there with all its records or without any, those acknowledged with all."""
    rows = client.rows("accounts?$select=numberofemployees&$filter=name eq 'batch'")
    contacts = client.rows("contacts?$select=lastname,_parentcustomerid_value")
    of: dict[str, list[str]] = {}
    for contact in contacts:
        of.setdefault(contact["lastname"], []).append(contact["_parentcustomerid_value"])
    assert of == {row["accountid"]: [row["accountid"]] * CONTACTS for row in rows}
    assert {row["numberofemployees"] for row in rows} <= {CONTACTS}
    assert {name for batcher in batchers for name in batcher.acknowledged} <= of.keys()


def check_file(client, uploader: Uploading) -> None:
    """Check that the row has the file acknowledged last, or the whole of the one behind it, whose answer was lost."""
    row = client.get(f"{uploader.row}?$select=new_dossier,new_dossier_name")
    content = client.send("GET", f"{uploader.row}/new_dossier/$value")
    done = len(uploader.acknowledged)
    known = [*uploader.acknowledged[-1:], *uploader.names[done : done + 1]]
    if row["new_dossier"] is None:
        assert (done, row["new_dossier_name"], content.status_code) == (0, None, 404)
        return
    assert row["new_dossier_name"] in known
    assert hashlib.sha256(content.content).hexdigest() == row["new_dossier_name"]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request, start_server, tmp_path):
    """Where a server finds its data, whose accounts have a file column, and how often it is killed."""
    url = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    where = ("--sample-data", "none", *(("--database-url", url) if url else ()))
    data = tmp_path / "data"
    server = start_server(data, *where)
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=60)
    opened = storage_place(Settings(data, data, database_url=url))
    with contextlib.closing(opened.open("dataverse")) as database:
        with_file_columns(database, {"new_Dossier": 1024})
    return data, where, KILLS[request.param]


def test_change_sets_and_files_are_whole_after_a_kill(start_server, place, wait_for):
    data, where, kills = place
    moment = random.Random(7)
    server = start_server(data, *where)
    batchers: list[Batching] = []
    for attempt in range(kills):
        client = server.client("admin")
        new = [Batching(client, 100 * attempt + n) for n in range(BATCHERS)]
        uploaders = [Uploading(client, 100 * attempt + 50 + n) for n in range(UPLOADERS)]
        batchers += new
        for one in (*new, *uploaders):
            one.start()
        wanted = moment.randint(3, 12)
        wait_for(lambda new=new, wanted=wanted: sum(len(one.acknowledged) for one in new) >= wanted)
        wait_for(lambda uploaders=uploaders: any(one.acknowledged for one in uploaders))
        time.sleep(moment.uniform(0, 0.05))
        kill(server)
        for one in (*new, *uploaders):
            one.join()
        server = start_server(data, *where)
        client = server.client("admin")
        check_change_sets(client, batchers)
        for uploader in uploaders:
            check_file(client, uploader)
