"""The doors over real environments: a fresh Dataverse with its seed, and a Human Resources database without rows."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from databases import copy_database, open_database
from moments import MADE, NOW, Clock

from entities.errors import AccessDenied
from entities.human_resources.model import RELATIONSHIPS as FINANCE_RELATIONSHIPS
from entities.human_resources.model import TABLES as FINANCE_TABLES
from entities.human_resources.steps import human_resources_steps
from entities.messages import Associate, RetrieveMultiple
from entities.metadata.catalog import catalog
from entities.pipeline import Caller, pipeline
from entities.query import QueryExpression, equals
from entities.standard.customization.definition_steps import definition_steps
from entities.standard.environment import standard_catalog
from entities.standard.identifiers import role_id, root_business_unit_id
from entities.standard.rules import SECURITY_TABLES, standard_steps
from entities.standard.seed import SYSTEM_ADMINISTRATOR, NewOrganization, seed_rows
from entities.standard.user_rules import Application
from entities.values import EntityReference, Guid
from odata_server.admin.solution_messages import solution_file_steps
from odata_server.endpoints import human_resources, web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.services import Services
from odata_server.engine.database import Durability
from odata_server.engine.directory import DataverseDirectory
from odata_server.engine.environment import Blueprint, fill, prepare_database
from odata_server.engine.organization import OrganizationService, Parts
from security.authority.validation import ExpiredToken, InvalidToken, TokenClaims
from security.principals import Principal
from security.privileges import environment_privilege_records, privilege_records

ORGANIZATION = Guid("0a000000-0000-4000-8000-000000000001")
ADMIN = Guid("0a000000-0000-4000-8000-000000000002")
ROLELESS = Guid("0a000000-0000-4000-8000-000000000003")
STRANGER = Guid("0a000000-0000-4000-8000-000000000004")
ORIGIN = "https://org.test:8443"
AUDIENCES = frozenset({ORIGIN})
APPLICATIONS = {
    ADMIN: Application(ADMIN, Guid("0b000000-0000-4000-8000-000000000002"), "Admin"),
    ROLELESS: Application(ROLELESS, Guid("0b000000-0000-4000-8000-000000000003"), "Roleless"),
}
TOKENS = {"good": ADMIN, "roleless": ROLELESS, "stranger": STRANGER}

_SYSTEM = Principal(
    Caller(Guid("0a000000-0000-4000-8000-00000000000f"), ORGANIZATION, "SYSTEM"), 0, False, 1, {}, is_system=True
)


class FinanceUsers:
    """A directory of Human Resources that knows one application, which may do everything."""

    def application_user(self, application_id, object_id):
        if application_id != ADMIN:
            raise AccessDenied(f"The application '{application_id}' is not in the list.")
        return _SYSTEM

    def user(self, object_id, upn):
        raise AccessDenied(f"The user '{upn}' was not found.")

    def system(self):
        return _SYSTEM


class Tokens:
    """A validator that knows words instead of signatures."""

    def validate(self, token, *, audiences, now):
        if token == "expired":
            raise ExpiredToken("The token expired at 2020-01-01T00:00:00Z.")
        if token not in TOKENS:
            raise InvalidToken("The token is malformed.")
        app = UUID(TOKENS[token])
        return TokenClaims(app, app, app, True, None, None, ORIGIN, (), (), 2e9)


@dataclass
class Client:
    """Sends requests to a door and reads its answers."""

    services: Services
    door: object
    root: str

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> ODataResponse:
        bare, _, query = path.partition("?")
        sent = {"authorization": "Bearer good", **{k.replace("_", "-").lower(): v for k, v in headers.items()}}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = ODataRequest(method, "https", "org.test:8443", f"{self.root}{bare}", query, sent, raw)
        return self.door(request, self.services)

    def json(self, path: str, **headers: str) -> dict:
        answer = self("GET", path, **headers)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def error(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str, str]:
        answer = self(method, path, body, **headers)
        error = json.loads(answer.body)["error"]
        return answer.status, error["code"], error["message"]

    def created(self, entity_set: str, **members: object) -> str:
        answer = self("POST", f"/{entity_set}", members)
        assert answer.status == 204, answer.body
        return dict(answer.headers)["OData-EntityId"].rpartition("(")[2].rstrip(")")


def open_dataverse(path, clock=None):
    steps = standard_steps(
        APPLICATIONS.get, tenant_domain="contoso.test", organization_id=ORGANIZATION, version="9.2.0.0"
    )
    steps = (*steps, *definition_steps(privilege_records), *solution_file_steps())
    parts = Parts(pipeline(*steps), lambda db, stamp: DataverseDirectory(db, stamp, ORGANIZATION), SECURITY_TABLES, {})
    return OrganizationService(open_database(path, Durability.NONE), replace(parts, clock=clock or parts.clock))


def seed_dataverse(path):
    declared = standard_catalog(1)
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(ORGANIZATION, declared))
    service = open_dataverse(path)
    fill(service, seed_rows(NewOrganization(ORGANIZATION, "Contoso"), environment_privilege_records(declared)))
    root = root_business_unit_id(ORGANIZATION)
    unit = EntityReference("businessunit", root)
    fill(service, [("systemuser", {"applicationid": app, "businessunitid": unit}) for app in APPLICATIONS])
    by_id = QueryExpression("systemuser", filter=equals("applicationid", ADMIN))
    admin = service.execute(RetrieveMultiple(by_id), service.system).records[0]
    role = EntityReference("role", role_id(root, SYSTEM_ADMINISTRATOR))
    user = EntityReference("systemuser", admin["systemuserid"])
    service.execute(Associate(user, "systemuserroles_association", role), service.system)
    service.database.close()


def open_finance(path):
    steps = human_resources_steps(end_of_service=None)
    parts = Parts(pipeline(*steps), lambda db, stamp: FinanceUsers(), frozenset(), {})
    return OrganizationService(open_database(path, Durability.NONE), parts)


def seed_finance(path):
    with closing(open_database(path)) as database:
        prepare_database(database, Blueprint(ORGANIZATION, catalog(1, FINANCE_TABLES, FINANCE_RELATIONSHIPS)))


def build_services(dataverse_service, finance_service):
    numbers = itertools.count(1)
    return Services(
        dataverse=dataverse_service,
        human_resources=finance_service,
        validator=Tokens(),
        tenant_id="contoso",
        audiences=AUDIENCES,
        finance_audiences=AUDIENCES,
        hosts=frozenset({"org.test"}),
        default_company=lambda principal: "usmf",
        now=lambda: 1_000_000.0,
        new_id=lambda: f"00000000-0000-0000-0000-{next(numbers):012}",
        metadata=lambda request, segments, read: ODataResponse(200, (), "/".join(segments).encode()),
        finance_metadata=lambda request, segments, read: ODataResponse(200, (), b"finance"),
    )


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Both databases, seeded once; every module works on copies."""
    folder = tmp_path_factory.mktemp("templates")
    seed_dataverse(folder / "dataverse.db")
    seed_finance(folder / "finance.db")
    return folder


@pytest.fixture(scope="module")
def environments(templates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("environments")
    for name in ("dataverse.db", "finance.db"):
        copy_database(templates / name, folder / name)
    pair = open_dataverse(folder / "dataverse.db"), open_finance(folder / "finance.db")
    yield pair
    for service in pair:
        service.database.close()


@pytest.fixture(scope="module")
def services(environments):
    return build_services(*environments)


@pytest.fixture(scope="module")
def api(services):
    return Client(services, web_api.handle, "/api/data/v9.2")


@pytest.fixture(scope="module")
def data(services):
    return Client(services, human_resources.handle, "/data")


@pytest.fixture(scope="module")
def dated_api(templates, tmp_path_factory):
    """The Web API over accounts made at chosen moments, at a moment of their time."""
    folder = tmp_path_factory.mktemp("moments")
    copy_database(templates / "dataverse.db", folder / "dataverse.db")
    clock = Clock()
    service = open_dataverse(folder / "dataverse.db", clock)
    client = Client(build_services(service, service), web_api.handle, "/api/data/v9.2")
    for name, clock.text in MADE.items():
        client.created("accounts", name=name)
    clock.text = NOW
    yield client
    service.database.close()


@dataclass
class Moments:
    """The Web API over an environment whose clock the test sets."""

    api: Client
    clock: Clock
    path: object
    service: OrganizationService

    def another(self) -> Client:
        """Open the environment once more, as another process does; who asks for it closes it."""
        service = open_dataverse(self.path, self.clock)
        return Client(build_services(service, service), web_api.handle, "/api/data/v9.2")


@pytest.fixture
def moments(templates, tmp_path):
    copy_database(templates / "dataverse.db", tmp_path / "dataverse.db")
    clock = Clock()
    service = open_dataverse(tmp_path / "dataverse.db", clock)
    client = Client(build_services(service, service), web_api.handle, "/api/data/v9.2")
    yield Moments(client, clock, tmp_path / "dataverse.db", service)
    service.database.close()


@pytest.fixture(scope="module")
def people(api):
    """Five contacts of two accounts, and a third account without any."""
    ids = {}
    for name, revenue, description in (("Contoso", 20000.5, None), ("Fabrikam", 100, "Fabrikam"), ("Litware", 7, "x")):
        ids[name] = api.created("accounts", name=name, revenue=revenue, description=description)
    for first, last, account, children in (
        ("Ann", "O'Neil", "Contoso", 1),
        ("Bob", "Berg", "Contoso", 2),
        ("Cid", "Arger", "Contoso", 2),
        ("Dan", "50%_x", "Fabrikam", None),
        ("Eve", None, "Fabrikam", 0),
    ):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({ids[account]})"}
        ids[first] = api.created("contacts", firstname=first, lastname=last, numberofchildren=children, **bind)
    assert api("PATCH", f"/accounts({ids['Contoso']})", {"primarycontactid@odata.bind": f"contacts({ids['Ann']})"})
    return ids
