"""The composition root: settings become a WSGI application.

```
prepare   once, in the serving process: authority, databases, secrets; leaves nothing open
build     in every worker: opens the stores, wires services, doors and authority into one Flask application
```
"""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from flask import Flask

from entities.human_resources.actions import ACTIONS
from entities.standard.identifiers import root_business_unit_id
from odata_server.admin.data_directory import Secrets, read_secrets
from odata_server.admin.first_start import Prepared, open_server_authority, prepare_authority, system_sources
from odata_server.admin.fixture import Target, apply_fixture
from odata_server.admin.fixture_file import Fixture, read_fixture
from odata_server.admin.schema.applying import import_schema
from odata_server.endpoints.control import Control, control_routes
from odata_server.endpoints.explain_route import explain_routes
from odata_server.endpoints.metadata import FinanceMetadata, WebApiMetadata
from odata_server.endpoints.protection.gate import Gates, open_gates
from odata_server.endpoints.protection.ledger import FILE_NAME, remove_ledger
from odata_server.endpoints.protection.sources import MeteredSource
from odata_server.endpoints.routes import data_routes
from odata_server.endpoints.services import Services
from odata_server.endpoints.v2_state import OrganizationData
from odata_server.engine.authority_store import AuthorityDatabase, open_authority_database
from odata_server.engine.places import storage_place
from odata_server.environments import ORGANIZATION_ID, Environments, open_environments, prepare_environments
from odata_server.render.definitions import KeptDefinitions
from odata_server.settings import Settings
from security.authority.authority import Authority
from security.authority.routes import authority_blueprint

FINANCE_RESOURCE = "00000015-0000-0000-c000-000000000000"
"""The application id by which a token may name `/data`, as in a real tenant."""


def prepare(settings: Settings, known: Secrets) -> Prepared:
    """Make whatever the workers need and is not there yet.

    Args:
        settings: the server's settings.
        known: the secrets of earlier starts.
    """
    remove_ledger(_ledger(settings))
    place = storage_place(settings)
    with place.turn(), closing(open_authority_database(place.authority())) as database:
        authority, prepared = prepare_authority(settings, database, known, ORGANIZATION_ID)
        fixture = read_fixture(settings.fixture) if settings.fixture else Fixture()

        def add_fixture(made: Environments) -> None:
            target = Target(made.dataverse, made.human_resources, authority, root_business_unit_id(ORGANIZATION_ID))
            apply_fixture(fixture, target)

        prepare_environments(settings, place, authority, add_fixture)
    return prepared


def build(settings: Settings) -> Flask:
    """Return the application of one worker process, with its background work started."""
    place = storage_place(settings)
    database = open_authority_database(place.authority())
    authority = _authority(settings, database)
    gates = open_gates(None if settings.in_memory else _ledger(settings), settings.service_protection)
    metered = partial(MeteredSource, gate=gates.finance, now=time.time)
    environments = open_environments(settings, place, authority, None, metered)
    environments.start_background()
    application = Flask("talentverse", static_folder=None)
    control_key = read_secrets(settings.data_directory).control_key
    control = Control(
        control_key,
        version("talentverse"),
        environments.reset,
        lambda data, dry_run: import_schema(environments.dataverse, data, dry_run=dry_run),
    )
    application.register_blueprint(control_routes(control))
    doors = services(settings, authority, environments, gates)
    application.register_blueprint(explain_routes(control_key, doors))
    application.register_blueprint(data_routes(doors))
    application.register_blueprint(authority_blueprint(authority))
    return application


def services(
    settings: Settings, authority: Authority, environments: Environments, gates: Gates | None = None
) -> Services:
    """Return what the doors need; without gates, requests are counted for these doors alone."""
    origins = frozenset(f"{settings.scheme}://{_bracketed(host)}:{settings.port}" for host in settings.host_names)
    public = frozenset({settings.public_url.rstrip("/")} if settings.public_url else ())
    definitions = KeptDefinitions()
    return Services(
        dataverse=environments.dataverse,
        human_resources=environments.human_resources,
        validator=authority.validator,
        tenant_id=str(authority.tenant.tenant_id),
        audiences=origins | public,
        finance_audiences=origins | public | {FINANCE_RESOURCE},
        hosts=frozenset(settings.host_names),
        default_company=environments.human_resources_directory.company_of,
        now=time.time,
        new_id=lambda: str(uuid4()),
        metadata=WebApiMetadata(definitions),
        finance_metadata=FinanceMetadata(ACTIONS),
        organization_data=OrganizationData(is_faithful=settings.v2_mode == "faithful"),
        definitions=definitions,
        gates=gates or open_gates(),
    )


def _ledger(settings: Settings) -> Path:
    return settings.data_directory / FILE_NAME


def _authority(settings: Settings, database: AuthorityDatabase) -> Authority:
    stores = database.stores
    return open_server_authority(settings, stores, system_sources())


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
