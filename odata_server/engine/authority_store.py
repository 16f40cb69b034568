"""The authority's stores: tenants, app registrations with hashed secrets, and signing keys."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol
from uuid import UUID

import orjson

from odata_server.engine.database import Connection, SqlRow, single
from odata_server.engine.dialect import Dialect
from security.authority.model import AppRegistration, ClientSecret, SigningKey, Tenant
from security.authority.stores import RegistrationExistsError, RegistrationNotFoundError

# One statement sees one state of the database, so a registration never comes with the secrets of another moment.
_REGISTRATIONS: Final = """
    SELECT r.client_id, r.object_id, r.registration_id, r.display_name, r.is_public, r.redirect_uris, r.app_roles,
           r.created, s.key_id, s.hash, s.hint, s.created, s.expires, s.display_name
      FROM registrations AS r LEFT JOIN client_secrets AS s ON s.client_id = r.client_id
"""
_IN_ORDER: Final = "ORDER BY r.created, r.client_id, s.created, s.key_id"
_OWN_COLUMNS: Final = 8


class AuthoritySession(Protocol):
    """The database of the authority, one per process."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it understands."""

    @property
    def place(self) -> str:
        """Where it lies, for messages."""

    @property
    def migrations(self) -> tuple[str, ...]:
        """The scripts that lead from each schema version to the next one; a released script never changes."""

    def create(self) -> None:
        """Make what the first script stands on; what is there stays."""

    def version(self) -> int:
        """Return a number that is another one after each commit of any process, cheaply."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection to read with."""

    def write(self) -> AbstractContextManager[Connection]:
        """Give a connection inside a transaction that is committed when the block ends; one writer at a time."""

    def close(self) -> None:
        """Close the connections."""


class NewerAuthorityStoreError(Exception):
    """The database was written by a newer release."""

    def __init__(self, place: str, found: int, known: int) -> None:
        """Say which versions disagree."""
        super().__init__(
            f"{place} has schema version {found}, this release knows versions up to {known}: "
            "use the newer release, or another data directory or database."
        )
        self.found = found


class StoredKeys:
    """Implements `security.authority.stores.KeyStore`."""

    def __init__(self, session: AuthoritySession) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def version(self) -> int:
        """Return a number that is another one after each commit of any process."""
        return self._session.version()

    def keys(self) -> tuple[SigningKey, ...]:
        """Return all keys, oldest first."""
        with self._session.read() as connection:
            rows = connection.execute(
                "SELECT kid, private_pem, certificate_pem, created, not_before FROM signing_keys ORDER BY created, kid"
            ).fetchall()
        return tuple(_signing_key(row) for row in rows)

    def add(self, key: SigningKey) -> None:
        """Store one more key."""
        with self._session.write() as connection:
            _insert_key(connection, key)

    def add_first(self, key: SigningKey) -> bool:
        """Store the key unless there is one; of two processes that start together, one wins."""
        with self._session.write() as connection:
            if connection.execute("SELECT 1 FROM signing_keys LIMIT 1").fetchone() is not None:
                return False
            _insert_key(connection, key)
            return True

    def withdraw(self, kid: str) -> bool:
        """Remove a key."""
        with self._session.write() as connection:
            return bool(connection.execute("DELETE FROM signing_keys WHERE kid = $1 RETURNING kid", (kid,)).fetchall())


class StoredRegistrations:
    """Implements `security.authority.stores.RegistrationStore`."""

    def __init__(self, session: AuthoritySession) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def get(self, client_id: UUID) -> AppRegistration | None:
        """Return one registration as it is stored now."""
        with self._session.read() as connection:
            rows = connection.execute(f"{_REGISTRATIONS} WHERE r.client_id = $1 {_IN_ORDER}", (str(client_id),))
            return next(iter(_registrations(rows.fetchall())), None)

    def list_all(self) -> tuple[AppRegistration, ...]:
        """Return every registration, oldest first."""
        with self._session.read() as connection:
            return _registrations(connection.execute(f"{_REGISTRATIONS} {_IN_ORDER}").fetchall())

    def add(self, registration: AppRegistration) -> None:
        """Store a registration with its secrets, all or nothing.

        Raises:
            RegistrationExistsError: one of its three ids is taken.
        """
        try:
            with self._session.write() as connection:
                _insert_registration(connection, registration)
        except self._session.dialect.constraint_errors as error:
            raise RegistrationExistsError(registration.client_id) from error

    def delete(self, client_id: UUID) -> bool:
        """Remove a registration and its secrets."""
        with self._session.write() as connection:
            deleted = "DELETE FROM registrations WHERE client_id = $1 RETURNING client_id"
            return bool(connection.execute(deleted, (str(client_id),)).fetchall())

    def add_secret(self, client_id: UUID, secret: ClientSecret) -> None:
        """Store one more secret.

        Raises:
            RegistrationNotFoundError: there is no such registration.
        """
        with self._session.write() as connection:
            known = connection.execute("SELECT 1 FROM registrations WHERE client_id = $1", (str(client_id),)).fetchone()
            if known is None:
                raise RegistrationNotFoundError(client_id)
            _insert_secret(connection, client_id, secret)


class StoredTenants:
    """Implements `security.authority.stores.TenantStore`."""

    def __init__(self, session: AuthoritySession) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def get(self, tenant_id: UUID) -> Tenant | None:
        """Return the tenant with this id."""
        with self._session.read() as connection:
            row = connection.execute(
                "SELECT tenant_id, display_name, domain FROM tenants WHERE tenant_id = $1", (str(tenant_id),)
            ).fetchone()
        return None if row is None else _tenant(row)

    def by_domain(self, domain: str) -> Tenant | None:
        """Return the tenant with this domain name; domain names are ASCII, and the case of letters means nothing."""
        with self._session.read() as connection:
            row = connection.execute(
                "SELECT tenant_id, display_name, domain FROM tenants WHERE lower(domain) = lower($1)", (domain,)
            ).fetchone()
        return None if row is None else _tenant(row)

    def list_all(self) -> tuple[Tenant, ...]:
        """Return every tenant, by domain name."""
        with self._session.read() as connection:
            rows = connection.execute("SELECT tenant_id, display_name, domain FROM tenants ORDER BY domain").fetchall()
        return tuple(_tenant(row) for row in rows)

    def add(self, tenant: Tenant) -> bool:
        """Store a tenant unless its id or domain is there."""
        with self._session.write() as connection:
            added = connection.execute(
                "INSERT INTO tenants (tenant_id, display_name, domain) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
                " RETURNING tenant_id",
                (str(tenant.tenant_id), tenant.display_name, tenant.domain),
            )
            return bool(added.fetchall())


@dataclass(frozen=True, slots=True)
class AuthorityDatabase:
    """The three stores of one database, and its connections."""

    keys: StoredKeys
    registrations: StoredRegistrations
    tenants: StoredTenants
    _session: AuthoritySession

    def close(self) -> None:
        """Close the connections; the stores cannot be used afterwards."""
        self._session.close()


def open_authority_database(session: AuthoritySession) -> AuthorityDatabase:
    """Return the stores of a database, which is brought up to date first; closing them closes the session.

    Several processes may have the same database; each must open it for itself, after a fork.

    Raises:
        NewerAuthorityStoreError: the database was written by a newer release.
    """
    try:
        _migrate(session)
    except NewerAuthorityStoreError:
        session.close()
        raise
    return AuthorityDatabase(StoredKeys(session), StoredRegistrations(session), StoredTenants(session), session)


def _migrate(session: AuthoritySession) -> None:
    wanted = len(session.migrations)
    with session.read() as connection:
        if _schema_version(connection) == wanted:
            return
    session.create()
    with session.write() as connection:
        found = _schema_version(connection)
        if found > wanted:
            raise NewerAuthorityStoreError(session.place, found, wanted)
        for script in session.migrations[found:]:
            connection.execute(script)
        dialect = session.dialect
        column = f"version {dialect.types['INTEGER']} NOT NULL"
        connection.execute(f"CREATE TABLE IF NOT EXISTS schema_version ({column}){dialect.table_options}")
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version (version) VALUES ($1)", (wanted,))


def _schema_version(connection: Connection) -> int:
    if ("schema_version",) not in connection.execute(connection.dialect.schema_tables).fetchall():
        return 0
    return int(single(connection, "SELECT version FROM schema_version"))


def _insert_key(connection: Connection, key: SigningKey) -> None:
    connection.execute(
        "INSERT INTO signing_keys (kid, private_pem, certificate_pem, created, not_before) VALUES ($1, $2, $3, $4, $5)",
        (key.kid, key.private_pem, key.certificate_pem, key.created, key.not_before),
    )


def _insert_registration(connection: Connection, registration: AppRegistration) -> None:
    connection.execute(
        "INSERT INTO registrations (client_id, object_id, registration_id, display_name, is_public, redirect_uris,"
        " app_roles, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        (
            str(registration.client_id),
            str(registration.object_id),
            str(registration.registration_id),
            registration.display_name,
            int(registration.is_public),
            orjson.dumps(registration.redirect_uris).decode(),
            orjson.dumps(registration.app_roles).decode(),
            registration.created,
        ),
    )
    for secret in registration.secrets:
        _insert_secret(connection, registration.client_id, secret)


def _insert_secret(connection: Connection, client_id: UUID, secret: ClientSecret) -> None:
    connection.execute(
        "INSERT INTO client_secrets (key_id, client_id, hash, hint, created, expires, display_name)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        (
            str(secret.key_id),
            str(client_id),
            secret.hash,
            secret.hint,
            secret.created,
            secret.expires,
            secret.display_name,
        ),
    )


def _registrations(rows: Iterable[SqlRow]) -> tuple[AppRegistration, ...]:
    """Return the registrations of rows that hold a registration and one of its secrets, or none."""
    grouped = groupby(rows, key=lambda row: row[:_OWN_COLUMNS])
    return tuple(_registration(own, [row[_OWN_COLUMNS:] for row in group]) for own, group in grouped)


def _registration(row: SqlRow, secrets: Iterable[SqlRow]) -> AppRegistration:
    client_id, object_id, registration_id, display_name, is_public, redirect_uris, app_roles, created = row
    return AppRegistration(
        client_id=UUID(str(client_id)),
        object_id=UUID(str(object_id)),
        registration_id=UUID(str(registration_id)),
        display_name=str(display_name),
        secrets=tuple(ClientSecret(UUID(key_id), *values) for key_id, *values in secrets if key_id is not None),
        redirect_uris=tuple(orjson.loads(str(redirect_uris))),
        is_public=bool(is_public),
        app_roles=tuple(orjson.loads(str(app_roles))),
        created=float(str(created)),
    )


def _signing_key(row: tuple[object, ...]) -> SigningKey:
    kid, private_pem, certificate_pem, created, not_before = row
    return SigningKey(
        kid=str(kid),
        private_pem=str(private_pem),
        certificate_pem=str(certificate_pem),
        created=float(str(created)),
        not_before=float(str(not_before)),
    )


def _tenant(row: tuple[object, ...]) -> Tenant:
    tenant_id, display_name, domain = row
    return Tenant(UUID(str(tenant_id)), str(display_name), str(domain))
