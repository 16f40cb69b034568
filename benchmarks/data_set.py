"""The data that is read and written: contacts and their accounts in a data directory of their own, made once and kept.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import apsw

from entities.messages import Create, Written
from entities.values import EntityReference, Guid, Record
from odata_server.admin.data_directory import Secrets
from odata_server.admin.first_start import open_server_authority, system_sources
from odata_server.app import prepare
from odata_server.engine.authority_store import open_authority_database
from odata_server.engine.organization import OrganizationService
from odata_server.engine.places import storage_place
from odata_server.environments import Environments, open_environments
from odata_server.settings import Settings
from security.authority.authority import Authority

LOADER: Final = "b0000000-0000-4000-8000-000000000001"
CLIENT: Final = "b0000000-0000-4000-8000-000000000002"
CLIENT_SECRET: Final = "benchmark-client-secret"  # noqa: S105 - of an application that exists in the benchmark only
UNIT: Final = "Benchmarks"
ROLE: Final = "Benchmark reader and writer"
_BATCH: Final = 1_000
CONTACTS_OF_AN_ACCOUNT: Final = 20
_FIRST_NAMES: Final = (
    "Maria",
    "Sidney",
    "Paul",
    "Yvonne",
    "Susanne",
    "Rene",
    "Robert",
    "Jim",
    "Nancy",
    "Patrick",
    "Thomas",
)
_LAST_NAMES: Final = (
    "Campbell",
    "Higa",
    "Cannon",
    "McKay",
    "Stubberød",
    "Valdes",
    "Lyon",
    "Glynn",
    "Anderson",
    "Hines",
)
_TITLES: Final = ("Purchasing Manager", "Owner", "Purchasing Assistant", "Accountant", "Site Manager", None, "Buyer")
_CITIES: Final = ("Berlin", "Utrecht", "Malmö", "Zürich", "Oslo", "Redmond", "München", "'s-Hertogenbosch")
_REPOSITORY: Final = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data directory with `rows` contacts; `seconds` is how long it took to make (0 when it was there)."""

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
        make_data_set(Path(unfinished), rows, progress)
        Path(unfinished).rename(directory)
    return DataSet(directory, rows, time.perf_counter() - begun)


def _fingerprint() -> str:
    """Return a digest of everything that decides how the data looks: the tables, their rules and their storage."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for package in ("entities", "odata_server/engine"):
        for source in sorted((_REPOSITORY / package).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def make_data_set(directory: Path, rows: int, progress: Callable[[str], None]) -> None:
    """Make the data of `rows` contacts in an empty directory."""
    fixture = directory / "fixture.json"
    fixture.write_text(json.dumps(_fixture()), encoding="utf-8")
    settings = Settings(directory, directory, port=0, sample_data="none", plain_http=True, fixture=fixture)
    prepare(settings, Secrets("", "", ""))
    with opened_environments(settings) as (_, environments):
        _load(environments.dataverse, rows, progress)
        environments.dataverse.database.reader().execute("ANALYZE")


@contextmanager
def opened_environments(settings: Settings) -> Iterator[tuple[Authority, Environments]]:
    """Open what lies in a data directory, without background work."""
    place = storage_place(settings)
    database = open_authority_database(place.authority())
    stores = database.stores
    authority = open_server_authority(settings, stores, system_sources())
    environments = open_environments(settings, place, authority)
    try:
        yield authority, environments
    finally:
        environments.dataverse.database.close()
        environments.human_resources.database.close()
        database.close()


def _load(dataverse: OrganizationService, rows: int, progress: Callable[[str], None]) -> None:
    """Create contacts and the accounts that they belong to, as the loader's user."""
    loader = dataverse.directory.application_user(Guid(LOADER), None)
    made = []
    for numbers in _batches(rows // CONTACTS_OF_AN_ACCOUNT):
        made += dataverse.execute_transaction([Create("account", account(number)) for number in numbers], loader)
    accounts = [written.reference for written in made if isinstance(written, Written)]
    for numbers in _batches(rows):
        creations = [Create("contact", contact(number, accounts[number % len(accounts)])) for number in numbers]
        dataverse.execute_transaction(creations, loader)
        progress(f"making contacts: {numbers.stop} of {rows}")


def _batches(count: int) -> Iterator[range]:
    return (range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH))


def contact(number: int, customer: EntityReference) -> Record:
    """Return a contact of a customer; names, titles and cities repeat, each in its own rhythm."""
    first, last = _FIRST_NAMES[number % len(_FIRST_NAMES)], _LAST_NAMES[number // 7 % len(_LAST_NAMES)]
    return {
        "firstname": f"{first} {number % 97}",
        "lastname": last,
        "emailaddress1": f"contact{number}@adventure-works.example",
        "telephone1": f"+49 30 555 {number % 10_000:04d}",
        "jobtitle": _TITLES[number % len(_TITLES)],
        "address1_city": _CITIES[number % len(_CITIES)],
        "numberofchildren": number % 5,
        "parentcustomerid": customer,
    }


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
    names = ("Read", "Create", "Write", "Append", "AppendTo")
    rights = {f"prv{right}{table}": "Local" for table in ("Account", "Contact") for right in names}
    return {
        "applications": [
            {"clientId": client, "clientSecret": CLIENT_SECRET, "displayName": name}
            for client, name in ((LOADER, "Loader"), (CLIENT, "Client"))
        ],
        "businessUnits": [{"name": UNIT}],
        "roles": [{"name": ROLE, "businessUnit": UNIT, "privileges": rights}],
        "users": [{"applicationId": client, "businessUnit": UNIT, "roles": [ROLE]} for client in (LOADER, CLIENT)],
    }


def copy_data_set(data_set: DataSet, directory: Path) -> None:
    """Copy a data set to where a server may change it."""
    shutil.copytree(data_set.directory, directory)
    directory.chmod(0o700)


def sampled_ids(directory: Path, table: str, count: int, random: Random) -> list[str]:
    """Return the ids of some rows of a data directory, in any order."""
    connection = apsw.Connection(str(directory / "dataverse.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    sql = f"SELECT {table}id FROM {table} ORDER BY {table}id"  # noqa: S608 - the name of a table
    try:
        found = [str(id_) for (id_,) in connection.execute(sql)]
    finally:
        connection.close()
    return random.sample(found, min(count, len(found)))
