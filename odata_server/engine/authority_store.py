"""The authority's stores: tenants, app registrations with hashed secrets and certificates, and signing keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from uuid import UUID

import orjson

from odata_server.engine.authority_session import AuthoritySession
from odata_server.engine.database import Connection, SqlRow, single
from odata_server.engine.sign_in_store import StoredGrants, StoredUsers
from security.authority.authority import AuthorityStores
from security.authority.model import AppRegistration, ClientCertificate, ClientSecret, SigningKey, Tenant
from security.authority.stores import RegistrationExistsError, RegistrationNotFoundError

_OWN_COLUMNS: Final = 8


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
            rows = connection.execute(_registrations_sql("WHERE client_id = $1"), (str(client_id),))
            return next(iter(_registrations(rows.fetchall())), None)

    def list_all(self) -> tuple[AppRegistration, ...]:
        """Return every registration, oldest first."""
        with self._session.read() as connection:
            return _registrations(connection.execute(_registrations_sql("")).fetchall())

    def add(self, registration: AppRegistration) -> None:
        """Store a registration with its credentials, all or nothing.

        Raises:
            RegistrationExistsError: one of its three ids is taken.
        """
        try:
            with self._session.write() as connection:
                _insert_registration(connection, registration)
        except self._session.dialect.constraint_errors as error:
            raise RegistrationExistsError(registration.client_id) from error

    def delete(self, client_id: UUID) -> bool:
        """Remove a registration and its credentials."""
        with self._session.write() as connection:
            deleted = "DELETE FROM registrations WHERE client_id = $1 RETURNING client_id"
            return bool(connection.execute(deleted, (str(client_id),)).fetchall())

    def add_secret(self, client_id: UUID, secret: ClientSecret) -> None:
        """Store one more secret.

        Raises:
            RegistrationNotFoundError: there is no such registration.
        """
        with self._session.write() as connection:
            _check_registration(connection, client_id)
            _insert_secret(connection, client_id, secret)

    def replace_certificates(self, client_id: UUID, certificates: tuple[ClientCertificate, ...]) -> None:
        """Give a registration these certificates and no others.

        Raises:
            RegistrationNotFoundError: there is no such registration.
            RegistrationExistsError: the id of a certificate is taken.
        """
        try:
            with self._session.write() as connection:
                _check_registration(connection, client_id)
                connection.execute("DELETE FROM client_certificates WHERE client_id = $1", (str(client_id),))
                for certificate in certificates:
                    _insert_certificate(connection, client_id, certificate)
        except self._session.dialect.constraint_errors as error:
            raise RegistrationExistsError(client_id) from error


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
    """The stores of one database, and its connections."""

    keys: StoredKeys
    registrations: StoredRegistrations
    tenants: StoredTenants
    users: StoredUsers
    grants: StoredGrants
    _session: AuthoritySession

    @property
    def stores(self) -> AuthorityStores:
        """The stores as the authority takes them."""
        return AuthorityStores(self.tenants, self.registrations, self.keys, self.users, self.grants)

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
        migrate(session)
    except NewerAuthorityStoreError:
        session.close()
        raise
    return AuthorityDatabase(
        keys=StoredKeys(session),
        registrations=StoredRegistrations(session),
        tenants=StoredTenants(session),
        users=StoredUsers(session),
        grants=StoredGrants(session),
        _session=session,
    )


def migrate(session: AuthoritySession) -> None:
    """Bring the tables of a database to this release's version.

    Raises:
        NewerAuthorityStoreError: the database was written by a newer release.
    """
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
    for certificate in registration.certificates:
        _insert_certificate(connection, registration.client_id, certificate)


def _check_registration(connection: Connection, client_id: UUID) -> None:
    known = connection.execute("SELECT 1 FROM registrations WHERE client_id = $1", (str(client_id),)).fetchone()
    if known is None:
        raise RegistrationNotFoundError(client_id)


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


def _insert_certificate(connection: Connection, client_id: UUID, certificate: ClientCertificate) -> None:
    connection.execute(
        "INSERT INTO client_certificates (key_id, client_id, certificate_pem, starts, expires, display_name)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        (
            str(certificate.key_id),
            str(client_id),
            certificate.certificate_pem,
            certificate.starts,
            certificate.expires,
            certificate.display_name,
        ),
    )


def _registrations_sql(condition: str) -> str:
    """Return the query of registrations, each with its credentials, one row for each of them, or one without.

    One statement sees one state of the database, so a registration never comes with the credentials of another moment.
    """
    return f"""
        SELECT r.client_id, r.object_id, r.registration_id, r.display_name, r.is_public, r.redirect_uris, r.app_roles,
               r.created, c.is_secret, c.key_id, c.content, c.hint, c.starts, c.expires, c.display_name
          FROM (SELECT * FROM registrations {condition}) AS r LEFT JOIN (
               SELECT 1 AS is_secret, key_id, client_id, hash AS content, hint, created AS starts, expires, display_name
                 FROM client_secrets {condition}
                UNION ALL
               SELECT 0, key_id, client_id, certificate_pem, '', starts, expires, display_name
                 FROM client_certificates {condition}
               ) AS c ON c.client_id = r.client_id
         ORDER BY r.created, r.client_id, c.starts, c.key_id
    """


def _registrations(rows: Iterable[SqlRow]) -> tuple[AppRegistration, ...]:
    """Return the registrations of rows that hold a registration and one of its credentials, or none."""
    grouped = groupby(rows, key=lambda row: row[:_OWN_COLUMNS])
    return tuple(_registration(own, [row[_OWN_COLUMNS:] for row in group]) for own, group in grouped)


def _registration(row: SqlRow, credentials: list[SqlRow]) -> AppRegistration:
    client_id, object_id, registration_id, display_name, is_public, redirect_uris, app_roles, created = row
    return AppRegistration(
        client_id=UUID(str(client_id)),
        object_id=UUID(str(object_id)),
        registration_id=UUID(str(registration_id)),
        display_name=str(display_name),
        secrets=tuple(ClientSecret(UUID(key_id), *values) for kind, key_id, *values in credentials if kind == 1),
        redirect_uris=tuple(orjson.loads(str(redirect_uris))),
        is_public=bool(is_public),
        app_roles=tuple(orjson.loads(str(app_roles))),
        created=float(str(created)),
        certificates=tuple(
            ClientCertificate(UUID(key_id), pem, starts, expires, name)
            for kind, key_id, pem, _, starts, expires, name in credentials
            if kind == 0
        ),
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
