"""The data that is read and written: accounts in a data directory of their own, made once and kept for the next run.

The rows belong to one application's user; the measured client is another one of the same business unit, whose role
reaches its unit's rows (depth Local): every request is authorized, and sees everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import apsw

from entities.messages import Create
from entities.values import Guid, Record
from odata_server.admin.data_directory import Secrets
from odata_server.admin.first_start import AUTHORITY_DATABASE, open_server_authority, system_sources
from odata_server.app import prepare
from odata_server.engine.authority_store import open_authority_database
from odata_server.environments import open_environments
from odata_server.settings import Settings
from security.authority.authority import AuthorityStores

LOADER: Final = "b0000000-0000-4000-8000-000000000001"
CLIENT: Final = "b0000000-0000-4000-8000-000000000002"
CLIENT_SECRET: Final = "benchmark-client-secret"  # noqa: S105 - of an application that exists in the benchmark only
_UNIT: Final = "Benchmarks"
_ROLE: Final = "Benchmark reader and writer"
_BATCH: Final = 1_000
_CITIES: Final = ("Berlin", "Utrecht", "Malmö", "Zürich", "Oslo", "Redmond", "München", "'s-Hertogenbosch")
_REPOSITORY: Final = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data directory with `rows` accounts; `seconds` is how long it took to make (0 when it was there)."""

    directory: Path
    rows: int
    seconds: float


def cache_directory() -> Path:
    """Return where data sets are kept between runs (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "talentverse" / "benchmarks"


def open_data_set(rows: int, progress: Callable[[str], None]) -> DataSet:
    """Return the data set, made when there is none of this size for this version of the code."""
    directory = cache_directory() / f"{rows}-{_fingerprint()}"
    if directory.exists():
        return DataSet(directory, rows, 0.0)
    cache_directory().mkdir(mode=0o700, parents=True, exist_ok=True)
    for outdated in cache_directory().glob(f"{rows}-*"):
        shutil.rmtree(outdated)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=cache_directory(), ignore_cleanup_errors=True) as unfinished:
        _make(Path(unfinished), rows, progress)
        Path(unfinished).rename(directory)
    return DataSet(directory, rows, time.perf_counter() - begun)


def _fingerprint() -> str:
    """Return a digest of everything that decides how the data looks: the tables, their rules and their storage."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for package in ("entities", "odata_server/engine"):
        for source in sorted((_REPOSITORY / package).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _make(directory: Path, rows: int, progress: Callable[[str], None]) -> None:
    fixture = directory / "fixture.json"
    fixture.write_text(json.dumps(_fixture()), encoding="utf-8")
    settings = Settings(directory, directory, port=0, sample_data="none", plain_http=True, fixture=fixture)
    prepare(settings, Secrets("", "", ""))
    database = open_authority_database(directory / AUTHORITY_DATABASE)
    stores = AuthorityStores(database.tenants, database.registrations, database.keys)
    environments = open_environments(settings, open_server_authority(settings, stores, system_sources()))
    dataverse = environments.dataverse
    loader = dataverse.directory.application_user(Guid(LOADER), None)
    for start in range(0, rows, _BATCH):
        numbers = range(start, min(start + _BATCH, rows))
        dataverse.execute_transaction([Create("account", account(number)) for number in numbers], loader)
        progress(f"making accounts: {numbers.stop} of {rows}")
    dataverse.database.reader().execute("ANALYZE")
    dataverse.database.close()
    environments.human_resources.database.close()
    database.close()


def account(number: int) -> Record:
    """Return an account as a client would send it."""
    return {
        "name": f"Adventure Works {number % 977} branch {number}",
        "accountnumber": f"AW-{number:07d}",
        "telephone1": f"+49 30 555 {number % 10_000:04d}",
        "emailaddress1": f"branch{number}@adventure-works.example",
        "address1_city": _CITIES[number % len(_CITIES)],
        "numberofemployees": number % 5_000,
    }


def _fixture() -> dict[str, object]:
    rights = {f"prv{right}Account": "Local" for right in ("Read", "Create", "Write")}
    return {
        "applications": [
            {"clientId": client, "clientSecret": CLIENT_SECRET, "displayName": name}
            for client, name in ((LOADER, "Loader"), (CLIENT, "Client"))
        ],
        "businessUnits": [{"name": _UNIT}],
        "roles": [{"name": _ROLE, "businessUnit": _UNIT, "privileges": rights}],
        "users": [{"applicationId": client, "businessUnit": _UNIT, "roles": [_ROLE]} for client in (LOADER, CLIENT)],
    }


def copy_data_set(data_set: DataSet, directory: Path) -> None:
    """Copy a data set to where a server may change it."""
    shutil.copytree(data_set.directory, directory)
    directory.chmod(0o700)


def sampled_ids(directory: Path, count: int, random: Random) -> list[str]:
    """Return the ids of some accounts of a data directory that no server uses."""
    connection = apsw.Connection(str(directory / "dataverse.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = [str(id_) for (id_,) in connection.execute("SELECT accountid FROM account ORDER BY accountid")]
    finally:
        connection.close()
    return random.sample(found, min(count, len(found)))
