"""The two environments of a server, composed: Dataverse and Human Resources over one engine.

```
prepare   once, before any worker: databases with seed and sample data, and copies of them to reset to
open      in every worker: organization services, the provider between them, the job worker
```
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from entities.generation import CATALOG_TABLE, PROVIDER, catalog_rows
from entities.human_resources import model
from entities.human_resources.demo import demo_rows as human_resources_demo
from entities.human_resources.seed import seed_rows as human_resources_seed
from entities.human_resources.steps import human_resources_steps
from entities.messages import Associate, Create
from entities.metadata.catalog import catalog
from entities.metadata.declare import derived_id
from entities.pipeline import pipeline
from entities.standard.environment import standard_catalog
from entities.standard.identifiers import role_id, root_business_unit_id
from entities.standard.rules import SECURITY_TABLES, standard_steps
from entities.standard.seed import SYSTEM_ADMINISTRATOR, NewOrganization
from entities.standard.seed import seed_rows as standard_seed
from entities.standard.user_rules import Application
from entities.values import EntityReference, Guid, Record
from odata_server.engine.baseline import keep, put_back
from odata_server.engine.database import Durability
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.environment import Blueprint, fill, open_environment, prepare_database
from odata_server.engine.jobs import JobWorker
from odata_server.engine.migration import complete, upgrade
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.engine.sqlite.database import SqliteDatabase
from odata_server.providers.finance_operations import FinanceOperationsProvider
from odata_server.providers.generation_job import JOB, generation_steps, run_generation
from odata_server.providers.hr_directory import HumanResourcesDirectory
from odata_server.sample_data.demo import demo_rows as standard_demo
from odata_server.settings import Settings
from security.authority.authority import Authority
from security.authority.built_in import ADMIN_CLIENT_ID
from security.privileges import environment_privilege_records

ORGANIZATION_ID: Final = derived_id("organization", "Contoso")
_HUMAN_RESOURCES_ID: Final = derived_id("organization", "Contoso Human Resources")
_NAMES: Final = ("dataverse", "human-resources")
_VERSION: Final = "9.2.26112.00000"
_HUMAN_RESOURCES_SECURITY: Final = frozenset({"sysaadcliententity", "systemuserentity", "securityuserroleentity"})


@dataclass(frozen=True, slots=True)
class Environments:
    """Both environments at work, the jobs between them, and the state to which they can be reset."""

    dataverse: OrganizationService
    human_resources: OrganizationService
    human_resources_directory: HumanResourcesDirectory
    jobs: JobWorker
    storage: Path

    def start_background(self) -> None:
        """Begin to run jobs and checkpoints."""
        self.dataverse.database.start_background()
        self.human_resources.database.start_background()
        self.jobs.start()

    def by_name(self) -> tuple[tuple[str, OrganizationService], ...]:
        """Return the services with the names of their databases."""
        return tuple(zip(_NAMES, (self.dataverse, self.human_resources), strict=True))

    def reset(self) -> None:
        """Put both databases back to the state after the first start."""
        for name, service in self.by_name():
            assert isinstance(service.database, SqliteDatabase)
            put_back(service.database, _baseline(self.storage, name))

    def close(self) -> None:
        """End the jobs and close the databases."""
        self.jobs.stop()
        self.dataverse.database.close()
        self.human_resources.database.close()


def open_environments(settings: Settings, authority: Authority, storage: Path | None = None) -> Environments:
    """Open both environments of a prepared data directory.

    Args:
        settings: the server's settings.
        authority: the tenant's app registrations.
        storage: where the databases lie; the settings' directory unless they are just being made.
    """
    place = storage or settings.storage_directory
    durability = Durability.FULL if settings.durability == "full" else Durability.NORMAL
    if settings.in_memory:
        durability = Durability.NONE
    human_resources = open_environment(
        _database(place, "human-resources"), _human_resources_parts(settings), durability
    )
    provider = FinanceOperationsProvider(human_resources)
    steps = standard_steps(
        _application_finder(authority),
        tenant_domain=authority.tenant.domain,
        organization_id=ORGANIZATION_ID,
        version=_VERSION,
    )
    parts = Parts(
        pipeline(*steps, *generation_steps()),
        lambda database, stamp: DataverseDirectory(database, stamp, ORGANIZATION_ID),
        SECURITY_TABLES,
        {PROVIDER: provider},
    )
    dataverse = open_environment(_database(place, "dataverse"), parts, durability)
    handlers = {JOB: lambda payload: run_generation(dataverse, lambda: human_resources.catalog, payload)}
    jobs = JobWorker(dataverse.database, handlers)
    dataverse.on_job = jobs.wake
    directory = HumanResourcesDirectory(human_resources.database)
    return Environments(dataverse, human_resources, directory, jobs, place)


def _human_resources_parts(settings: Settings) -> Parts:
    return Parts(
        pipeline(*human_resources_steps(end_of_service=settings.end_of_service)),
        lambda database, _: HumanResourcesDirectory(database),
        _HUMAN_RESOURCES_SECURITY,
        {},
    )


def _application_finder(authority: Authority) -> Callable[[Guid], Application | None]:
    def find(application_id: Guid) -> Application | None:
        found = authority.registrations.get(UUID(application_id))
        if found is None:
            return None
        return Application(application_id, Guid(str(found.object_id)), found.display_name)

    return find


def prepare_environments(settings: Settings, authority: Authority, extra: Callable[[Environments], None]) -> None:
    """Make both databases of a new data directory, whole or not at all.

    Args:
        settings: the server's settings.
        authority: the tenant's app registrations.
        extra: what else belongs to the first state (a fixture).
    """
    storage = settings.storage_directory
    if all(_database(storage, name).exists() for name in _NAMES):
        _upgrade(settings, authority)
        return
    with _workplace(storage, "first-start") as place:
        for name, blueprint in _blueprints().items():
            prepare_database(_database(place, name), blueprint)
        made = open_environments(settings, authority, place)
        _seed(settings, authority, made)
        extra(made)
        for name, service in made.by_name():
            service.database.reader().execute("ANALYZE")
            assert isinstance(service.database, SqliteDatabase)
            keep(service.database, _baseline(storage, name))
            service.database.close()
        for name in _NAMES:
            _database(place, name).replace(_database(storage, name))


def _blueprints() -> dict[str, Blueprint]:
    return {
        "dataverse": Blueprint(ORGANIZATION_ID, standard_catalog(1)),
        "human-resources": Blueprint(_HUMAN_RESOURCES_ID, catalog(1, model.TABLES, model.RELATIONSHIPS)),
    }


def _upgrade(settings: Settings, authority: Authority) -> None:
    """Bring the data of an older release up to date, and the copies that a reset puts back.

    Raises:
        EngineFault: the data belongs to a newer release.
    """
    storage = settings.storage_directory
    if not _upgraded(settings, authority, storage):
        return
    with _workplace(storage, "upgrade") as place:
        for name in _NAMES:
            _baseline(storage, name).replace(_database(place, name))
        _upgraded(settings, authority, place)
        for name in _NAMES:
            _database(place, name).replace(_baseline(storage, name))


def _upgraded(settings: Settings, authority: Authority, place: Path) -> bool:
    changed = False
    for name, blueprint in _blueprints().items():
        prepare_database(_database(place, name), blueprint)
        changed |= upgrade(_database(place, name), blueprint.catalog)
    if changed:
        made = open_environments(settings, authority, place)
        complete(made.dataverse, _standard_rows(authority, made.dataverse))
        for _, service in made.by_name():
            service.database.close()
    return changed


def _standard_rows(authority: Authority, dataverse: OrganizationService) -> Iterator[tuple[str, Record]]:
    organization = NewOrganization(ORGANIZATION_ID, authority.tenant.display_name)
    yield from standard_seed(organization, environment_privilege_records(dataverse.catalog))
    yield from ((CATALOG_TABLE, row) for row in catalog_rows())


def _seed(settings: Settings, authority: Authority, made: Environments) -> None:
    domain = authority.tenant.domain
    fill(made.dataverse, _standard_rows(authority, made.dataverse))
    _appoint_administrator(made.dataverse)
    fill(made.human_resources, human_resources_seed(admin_client_id=str(ADMIN_CLIENT_ID), domain=domain))
    if settings.sample_data == "demo":
        fill(made.dataverse, standard_demo(ORGANIZATION_ID, domain))
        fill(made.human_resources, human_resources_demo(domain=domain))


def _appoint_administrator(dataverse: OrganizationService) -> None:
    """Make the administrator's application a user with the role System Administrator."""
    root = root_business_unit_id(ORGANIZATION_ID)
    unit = EntityReference("businessunit", root)
    user = EntityReference("systemuser", derived_id(ORGANIZATION_ID, "systemuser", str(ADMIN_CLIENT_ID)))
    role = EntityReference("role", role_id(root, SYSTEM_ADMINISTRATOR))
    record: Record = {"systemuserid": user.id, "applicationid": str(ADMIN_CLIENT_ID), "businessunitid": unit}
    appoint = (Create("systemuser", record), Associate(user, "systemuserroles_association", role))
    dataverse.execute_transaction(appoint, dataverse.system)


def _database(storage: Path, name: str) -> Path:
    return storage / f"{name}.sqlite"


def _baseline(storage: Path, name: str) -> Path:
    return storage / f"{name}.baseline.sqlite"


@contextmanager
def _workplace(storage: Path, name: str) -> Iterator[Path]:
    """Give an empty directory beside the databases, and remove it when all that matters has been moved out."""
    place = storage / name
    place.mkdir(exist_ok=True)
    for leftover in place.iterdir():
        leftover.unlink()
    yield place
    shutil.rmtree(place)
