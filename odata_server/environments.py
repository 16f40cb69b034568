"""The two environments of a server, composed: Dataverse and Human Resources over one engine.

```
prepare   once, before any worker: databases with seed and sample data, and copies of them to reset to
open      in every worker: organization services, the provider between them, the job worker
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from entities.generation import CATALOG_TABLE, PROVIDER, catalog_rows
from entities.human_resources import model
from entities.human_resources.demo import demo_rows as human_resources_demo
from entities.human_resources.seed import seed_rows as human_resources_seed
from entities.human_resources.steps import human_resources_steps
from entities.messages import Associate, Create, RetrieveMultiple, Rows
from entities.metadata.catalog import catalog
from entities.metadata.declare import derived_id
from entities.pipeline import pipeline
from entities.query import QueryExpression
from entities.standard.background_operations import BACKGROUND_JOB, EXPIRY_JOB
from entities.standard.bulk_deletion import BULK_DELETION
from entities.standard.customization.definition_steps import definition_steps
from entities.standard.customization.key_changes import KEY_JOB
from entities.standard.duplicate_jobs import DUPLICATE_DETECTION
from entities.standard.duplicate_rules import RULE_PUBLICATION
from entities.standard.environment import standard_catalog
from entities.standard.identifiers import role_id, root_business_unit_id, system_user_id
from entities.standard.lookups import referenced
from entities.standard.rules import SECURITY_TABLES, standard_steps
from entities.standard.sdk_messages import filter_rows, message_rows
from entities.standard.seed import SYSTEM_ADMINISTRATOR, NewOrganization
from entities.standard.seed import seed_rows as standard_seed
from entities.standard.user_rules import Application
from entities.standard.user_settings_rules import settings_row
from entities.standard.webhooks import Sender
from entities.values import EntityReference, Guid, Record
from odata_server.admin.solution_messages import solution_file_steps
from odata_server.bind.dialect import WEB_API
from odata_server.bind.fetchxml import bind_fetch
from odata_server.bind.selection import Reading
from odata_server.edm.formats import MINIMAL
from odata_server.edm.operation_list import AVAILABLE, BULK, FILES
from odata_server.edm.preferences import NO_PREFERENCES
from odata_server.engine.database import Durability
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.environment import Blueprint, fill, prepare_database
from odata_server.engine.jobs import JobHandler, JobWorker
from odata_server.engine.migration import complete, upgrade
from odata_server.engine.organization import OrganizationService, Parts
from odata_server.engine.storage_place import BASELINE, BEFORE_UPGRADE, StoragePlace
from odata_server.plug_ins.loading import Package, installed_packages
from odata_server.plug_ins.registered import step_of_type
from odata_server.plug_ins.registration import register
from odata_server.plug_ins.running import PLUG_IN_JOB, PlugIns
from odata_server.plug_ins.traces import TraceLog
from odata_server.providers.background import CALLBACK_JOB, call_back, expire, report_job, run_operation
from odata_server.providers.duplicate_jobs import detect_duplicates, publish_rule
from odata_server.providers.finance_operations import FinanceOperationsProvider, SourceEnvironment
from odata_server.providers.generation_job import JOB, generation_steps, run_generation
from odata_server.providers.hr_directory import HumanResourcesDirectory
from odata_server.providers.key_jobs import make_key_index
from odata_server.providers.rollup_job import ROLLUP_JOB, calculate_rollups, schedule_rollups
from odata_server.providers.system_jobs import delete_in_bulk
from odata_server.providers.webhooks import WEBHOOK_JOB, Handlers, registered_steps, send_letter
from odata_server.sample_data.demo import demo_rows as standard_demo
from odata_server.settings import Settings
from security.authority.authority import Authority
from security.authority.built_in import ADMIN_CLIENT_ID
from security.privileges import environment_privilege_records, privilege_records

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
    plug_ins: PlugIns
    traces: TraceLog

    def start_background(self) -> None:
        """Begin to run jobs and checkpoints."""
        self.dataverse.database.start_background()
        self.human_resources.database.start_background()
        schedule_rollups(self.dataverse)
        self.jobs.start()
        if self.plug_ins.packages:
            self.traces.start(self.dataverse)

    def by_name(self) -> tuple[tuple[str, OrganizationService], ...]:
        """Return the services with the names of their databases."""
        return tuple(zip(_NAMES, (self.dataverse, self.human_resources), strict=True))

    def reset(self) -> None:
        """Put both databases back to the state after the first start."""
        for _, service in self.by_name():
            service.database.put_back(BASELINE)
        schedule_rollups(self.dataverse)

    def close(self) -> None:
        """End the jobs and close the databases."""
        self.jobs.stop()
        self.traces.stop()
        self.dataverse.database.close()
        self.human_resources.database.close()


def open_environments(
    settings: Settings,
    place: StoragePlace,
    authority: Authority,
    packages: tuple[Package, ...] | None = None,
    metered: Callable[[SourceEnvironment], SourceEnvironment] = lambda source: source,
) -> Environments:
    """Open both environments where they have been prepared.

    Args:
        settings: the server's settings.
        place: where the databases lie.
        authority: the tenant's app registrations.
        packages: the plug-in packages, those that are installed when None.
        metered: puts a gate between virtual tables and Human Resources.

    Raises:
        PackageError: an installed package cannot be used.
    """
    traces = TraceLog()
    found = installed_packages() if packages is None else packages
    plug_ins = PlugIns(found, traces.note, system_user_id(ORGANIZATION_ID))
    durability = Durability.FULL if settings.durability == "full" else Durability.NORMAL
    if settings.in_memory:
        durability = Durability.NONE
    human_resources = OrganizationService(place.open("human-resources", durability), _human_resources_parts(settings))
    provider = FinanceOperationsProvider(metered(human_resources))
    steps = standard_steps(
        _application_finder(authority),
        tenant_domain=authority.tenant.domain,
        organization_id=ORGANIZATION_ID,
        version=_VERSION,
    )
    sender = Sender(ORGANIZATION_ID, authority.tenant.display_name, _domain(settings))
    parts = Parts(
        pipeline(
            *steps,
            *definition_steps(privilege_records),
            *solution_file_steps(),
            *generation_steps(),
            *plug_ins.steps(),
            unknown=plug_ins.main,
        ),
        lambda database, stamp: DataverseDirectory(database, stamp, ORGANIZATION_ID),
        SECURITY_TABLES,
        {PROVIDER: provider},
        registered=registered_steps(Handlers(sender, partial(step_of_type, plug_ins))),
    )
    dataverse = OrganizationService(place.open("dataverse", durability), parts)
    work = background_work(dataverse, human_resources)
    work[PLUG_IN_JOB] = partial(plug_ins.run_job, dataverse)
    jobs = JobWorker(dataverse.database, work, partial(report_job, dataverse))
    dataverse.on_job = jobs.wake
    directory = HumanResourcesDirectory(human_resources.database)
    return Environments(dataverse, human_resources, directory, jobs, plug_ins, traces)


def background_work(dataverse: OrganizationService, human_resources: OrganizationService) -> dict[str, JobHandler]:
    """Return what background jobs do, by their names."""

    def bind(table: str, fetch: str) -> QueryExpression:
        catalog = dataverse.catalog
        reading = Reading(catalog, WEB_API, NO_PREFERENCES, MINIMAL, "")
        return replace(bind_fetch(fetch, catalog.tables[table], reading).query, page=None)

    return {
        JOB: lambda payload: run_generation(dataverse, lambda: human_resources.catalog, payload),
        ROLLUP_JOB: lambda _: calculate_rollups(dataverse),
        BULK_DELETION: lambda payload: delete_in_bulk(dataverse, bind, payload),
        WEBHOOK_JOB: lambda payload: send_letter(dataverse, payload),
        BACKGROUND_JOB: lambda payload: run_operation(dataverse, payload),
        CALLBACK_JOB: call_back,
        EXPIRY_JOB: lambda payload: expire(dataverse, payload),
        DUPLICATE_DETECTION: lambda payload: detect_duplicates(dataverse, bind, payload),
        RULE_PUBLICATION: lambda payload: publish_rule(dataverse, payload),
        KEY_JOB: lambda payload: make_key_index(dataverse, payload),
    }


def _domain(settings: Settings) -> str:
    """Return the domain by which webhooks know the environment: host and port of its URL."""
    return urlsplit(settings.public_url or settings.url).netloc


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


def prepare_environments(
    settings: Settings, place: StoragePlace, authority: Authority, extra: Callable[[Environments], None]
) -> None:
    """Make both databases of a new place, whole or not at all; the caller has its turn there.

    Args:
        settings: the server's settings.
        place: where the databases are to lie.
        authority: the tenant's app registrations.
        extra: what else belongs to the first state (a fixture).
    """
    if all(map(place.holds, _NAMES)):
        _upgrade(settings, place, authority)
        _register_plug_ins(settings, place, authority)
        return
    with place.workplace("first-start") as workplace:
        for name, blueprint in _blueprints().items():
            with closing(workplace.open(name)) as database:
                prepare_database(database, blueprint)
        made = open_environments(settings, workplace, authority)
        _seed(settings, authority, made)
        register(made.dataverse, made.plug_ins.packages)
        extra(made)
        for _, service in made.by_name():
            service.database.reader().execute("ANALYZE")
            service.database.keep(BASELINE)
            service.database.close()


def _blueprints() -> dict[str, Blueprint]:
    return {
        "dataverse": Blueprint(ORGANIZATION_ID, standard_catalog(1)),
        "human-resources": Blueprint(_HUMAN_RESOURCES_ID, catalog(1, model.TABLES, model.RELATIONSHIPS)),
    }


def _upgrade(settings: Settings, place: StoragePlace, authority: Authority) -> None:
    """Bring the data of an older release up to date, and the copies that a reset puts back.

    Raises:
        EngineFault: the data belongs to a newer release.
    """
    _upgrade_databases(settings, place, authority, BEFORE_UPGRADE)
    copies = place.copies(BASELINE)
    if all(map(copies.holds, _NAMES)):
        _upgrade_databases(settings, copies, authority, None)


def _register_plug_ins(settings: Settings, place: StoragePlace, authority: Authority) -> None:
    """Make the rows of plug-in packages those of the installed ones, in the data and in what a reset puts back.

    Raises:
        PackageError: an installed package cannot be used.
    """
    copies = place.copies(BASELINE)
    for where in (place, copies) if all(map(copies.holds, _NAMES)) else (place,):
        made = open_environments(settings, where, authority)
        register(made.dataverse, made.plug_ins.packages)
        for _, service in made.by_name():
            service.database.close()


def _upgrade_databases(settings: Settings, place: StoragePlace, authority: Authority, keep_as: str | None) -> None:
    changed = False
    for name, blueprint in _blueprints().items():
        with closing(place.open(name)) as database:
            prepare_database(database, blueprint)
            changed |= upgrade(database, blueprint.catalog, keep_as)
    if changed:
        made = open_environments(settings, place, authority)
        complete(made.dataverse, _standard_rows(authority, made.dataverse))
        complete(made.dataverse, _settings_of_users(made.dataverse))
        for _, service in made.by_name():
            service.database.close()


def _standard_rows(authority: Authority, dataverse: OrganizationService) -> Iterator[tuple[str, Record]]:
    organization = NewOrganization(ORGANIZATION_ID, authority.tenant.display_name)
    yield from standard_seed(organization, environment_privilege_records(dataverse.catalog))
    yield from ((CATALOG_TABLE, row) for row in catalog_rows())
    yield from message_rows(sorted(AVAILABLE - BULK - FILES))
    yield from filter_rows(dataverse.catalog.tables.values())


def _settings_of_users(dataverse: OrganizationService) -> Iterator[tuple[str, Record]]:
    """Yield the settings that new users get, for users whom an older release has made without any."""
    users, organizations = (
        dataverse.execute(RetrieveMultiple(QueryExpression(table)), dataverse.system)
        for table in ("systemuser", "organization")
    )
    assert isinstance(users, Rows)
    assert isinstance(organizations, Rows)
    for user in users.records:
        unit = referenced(user["businessunitid"])
        yield "usersettings", settings_row(Guid(str(user["systemuserid"])), unit, organizations.records[0])


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
