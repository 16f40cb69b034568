"""Puts a fixture into new environments: through the same messages and rules that a request would meet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from entities.errors import DataverseError, RecordNotFound
from entities.formulas.checking import check_formulas
from entities.messages import Associate, Create, Execute, Response, RetrieveMultiple, Rows, Written
from entities.metadata.catalog import CatalogChange
from entities.metadata.tables import Table
from entities.query import And, Filter, QueryExpression, equals
from entities.rollups import check_rollups
from entities.standard.customization.new_tables import add_tables, next_object_type_code
from entities.standard.identifiers import privilege_id
from entities.values import EntityReference, Guid, Record, Value
from odata_server.admin.fixture_file import (
    ApplicationFixture,
    ColumnFixture,
    Fixture,
    FixtureError,
    RoleFixture,
    TableFixture,
    UnitFixture,
    UserFixture,
)
from odata_server.admin.fixture_tables import declared_relationships, declared_table, with_columns
from odata_server.bind.dialect import FINANCE, WEB_API, Dialect
from odata_server.bind.json_body import read_object
from odata_server.bind.payload import Payload, bind_new
from odata_server.bind.target import RecordUrls
from odata_server.engine.organization import OrganizationService
from security.authority.authority import Authority
from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID
from security.authority.client_secrets import hashed_secret
from security.authority.model import AppRegistration
from security.authority.stores import RegistrationExistsError
from security.privileges import privilege_records

_LIFETIME = 100 * 31_556_952.0


@dataclass(frozen=True, slots=True)
class Target:
    """What a fixture is put into."""

    dataverse: OrganizationService
    human_resources: OrganizationService
    authority: Authority
    root_unit: Guid


def apply_fixture(fixture: Fixture, target: Target) -> None:
    """Put everything a fixture declares into new environments.

    Raises:
        FixtureError: something is refused; the text names it and says why.
    """
    for application in fixture.applications:
        _forget(target.authority, application)
    for application in fixture.applications:
        _register(target.authority, application)
    for table in fixture.tables:
        with _named(f"table {table.schema_name}"):
            _declare_table(target.dataverse, table)
    _add_columns(target.dataverse, dict(_added_columns(fixture)))
    directory = _Directory(target)
    for unit in fixture.business_units:
        with _named(f"business unit {unit.name}"):
            directory.add_unit(unit)
    for role in fixture.roles:
        with _named(f"role {role.name}"):
            directory.add_role(role)
    for user in fixture.users:
        with _named(f"user {user.application_id or user.user_principal_name}"):
            directory.add_user(user)
    _add_rows(target.dataverse, WEB_API, fixture.rows)
    _add_rows(target.human_resources, FINANCE, fixture.human_resources_rows)


def _declare_table(service: OrganizationService, fixture: TableFixture) -> None:
    with service.changing() as transaction:
        code = next_object_type_code(transaction)
        table = declared_table(fixture, code, transaction.catalog.tables.keys())
        change = CatalogChange((table,), declared_relationships(fixture, table))
        add_tables(transaction, change, privilege_records)


def _added_columns(fixture: Fixture) -> Iterator[tuple[str, tuple[ColumnFixture, ...]]]:
    """Yield, by table, the columns that wait until all tables are there: they follow from those of others."""
    for table in fixture.tables:
        yield table.schema_name.lower(), tuple(column for column in table.columns if column.is_derived)
    for name, columns in fixture.columns.items():
        yield name, tuple(columns)


def _add_columns(service: OrganizationService, added: Mapping[str, tuple[ColumnFixture, ...]]) -> None:
    """Add columns to tables, which may build on one another."""
    before = service.catalog.tables
    changed: dict[str, Table] = {}
    for name, columns in added.items():
        if name not in before:
            raise FixtureError(f"columns: there is no table '{name}'.")
        if columns:
            changed[name] = with_columns(before[name], columns)
    tables = {**before, **changed}
    for name, table in changed.items():
        with _named(f"table {name}"):
            check_formulas(tables, table)
            check_rollups(tables, table)
    if not changed:
        return
    with service.changing() as transaction:
        add_tables(transaction, CatalogChange(tuple(changed.values())), privilege_records)


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Say which part of the fixture was refused."""
    try:
        yield
    except DataverseError as error:
        raise FixtureError(f"{what}: {error.message}") from error


def _forget(authority: Authority, application: ApplicationFixture) -> None:
    """Remove what a first start that was interrupted or refused has left; the built-in applications stay."""
    if application.client_id not in {ADMIN_CLIENT_ID, ADAPTER_CLIENT_ID}:
        authority.registrations.delete(application.client_id)


def _register(authority: Authority, application: ApplicationFixture) -> None:
    now, new_id = authority.sources.clock(), authority.sources.new_id
    secret = hashed_secret(application.client_secret, key_id=new_id(), created=now, expires=now + _LIFETIME)
    registration = AppRegistration(
        client_id=application.client_id,
        object_id=new_id(),
        registration_id=new_id(),
        display_name=application.display_name,
        secrets=(secret,),
        redirect_uris=(),
        is_public=False,
        app_roles=(),
        created=now,
    )
    try:
        authority.registrations.add(registration)
    except RegistrationExistsError as error:
        raise FixtureError(f"application {application.client_id}: there is one with this client id already.") from error


class _Directory:
    """Adds business units, roles and users; knows those that are there by name."""

    def __init__(self, target: Target) -> None:
        self._service = target.dataverse
        self._root = EntityReference("businessunit", target.root_unit)

    def add_unit(self, unit: UnitFixture) -> None:
        """Add a business unit below its parent."""
        parent = self._unit(unit.parent)
        self._run(Create("businessunit", {"name": unit.name, "parentbusinessunitid": parent}))

    def add_role(self, role: RoleFixture) -> None:
        """Add a role with its privileges."""
        unit = self._unit(role.business_unit)
        made = self._run(Create("role", {"name": role.name, "businessunitid": unit}))
        assert isinstance(made, Written)
        privileges = [{"PrivilegeId": privilege_id(n), "Depth": depth} for n, depth in role.privileges.items()]
        if privileges:
            self._run(Execute("AddPrivilegesRole", {"Privileges": privileges}, made.reference))

    def add_user(self, user: UserFixture) -> None:
        """Add a person or an application user and give it its roles."""
        unit = self._unit(user.business_unit)
        names: dict[str, Value] = {
            "applicationid": str(user.application_id) if user.application_id else None,
            "domainname": user.user_principal_name,
            "internalemailaddress": user.user_principal_name,
            "firstname": user.first_name,
            "lastname": user.last_name or (user.user_principal_name or "").partition("@")[0],
        }
        record: Record = {"businessunitid": unit, **{name: value for name, value in names.items() if value}}
        made = self._run(Create("systemuser", record))
        assert isinstance(made, Written)
        for role in user.roles:
            found = self._find("role", role, equals("businessunitid", unit))
            self._run(Associate(made.reference, "systemuserroles_association", found))

    def _unit(self, name: str | None) -> EntityReference:
        return self._find("businessunit", name) if name else self._root

    def _find(self, table: str, name: str, *conditions: Filter) -> EntityReference:
        query = QueryExpression(table, filter=And((equals("name", name), *conditions)), top=1)
        found = self._service.execute(RetrieveMultiple(query), self._service.system)
        assert isinstance(found, Rows)
        if not found.count:
            raise RecordNotFound(f"There is no {table} '{name}'.")
        return EntityReference(table, Guid(str(found.records[0][f"{table}id"])))

    def _run(self, message: Create | Associate | Execute) -> Response:
        return self._service.execute(message, self._service.system)


def _add_rows(
    service: OrganizationService, dialect: Dialect, rows: Mapping[str, tuple[Mapping[str, Any], ...]]
) -> None:
    """Create rows given as request bodies, all of a service in one transaction."""
    catalog = service.catalog
    payload = Payload(catalog, dialect, RecordUrls(("",)))
    messages = []
    for entity_set, bodies in rows.items():
        table = catalog.by_entity_set.get(entity_set)
        if table is None:
            raise FixtureError(f"rows: there is no entity set '{entity_set}'.")
        for number, body in enumerate(bodies):
            with _named(f"rows.{entity_set}[{number}]"):
                members = read_object(json.dumps(body).encode(), entity_set)
                messages.append(bind_new(members, table, payload))
    with _named("rows"):
        service.execute_transaction(messages, service.system)
