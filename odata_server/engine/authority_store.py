"""The authority's stores on SQLite: tenants, app registrations with hashed secrets, and signing keys in one file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Final
from uuid import UUID

import apsw
import orjson

from security.authority.model import AppRegistration, ClientSecret, SigningKey, Tenant
from security.authority.stores import RegistrationExistsError, RegistrationNotFoundError

BUSY_TIMEOUT_MS: Final = 10_000

# The n-th script leads from schema version n to n + 1. A released script never changes.
_MIGRATIONS: Final = (
    """
    CREATE TABLE tenants (
        tenant_id TEXT PRIMARY KEY,
        display_name TEXT NOT NULL,
        domain TEXT NOT NULL UNIQUE COLLATE NOCASE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE registrations (
        client_id TEXT PRIMARY KEY,
        object_id TEXT NOT NULL UNIQUE,
        registration_id TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        is_public INTEGER NOT NULL,
        redirect_uris TEXT NOT NULL,
        app_roles TEXT NOT NULL,
        created REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE client_secrets (
        key_id TEXT PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        hash TEXT NOT NULL,
        hint TEXT NOT NULL,
        created REAL NOT NULL,
        expires REAL NOT NULL,
        display_name TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX client_secrets_by_client ON client_secrets (client_id);
    CREATE TABLE signing_keys (
        kid TEXT PRIMARY KEY,
        private_pem TEXT NOT NULL,
        certificate_pem TEXT NOT NULL,
        created REAL NOT NULL,
        not_before REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
SCHEMA_VERSION: Final = len(_MIGRATIONS)

# One statement sees one state of the database, so a registration never comes with the secrets of another moment.
_REGISTRATIONS: Final = """
    SELECT r.client_id, r.object_id, r.registration_id, r.display_name, r.is_public, r.redirect_uris, r.app_roles,
           r.created,
           (SELECT json_group_array(json_array(s.key_id, s.hash, s.hint, s.created, s.expires, s.display_name)
                                    ORDER BY s.created, s.key_id)
              FROM client_secrets AS s WHERE s.client_id = r.client_id)
      FROM registrations AS r
"""


class NewerAuthorityStoreError(Exception):
    """The file was written by a newer release."""

    def __init__(self, path: str, found: int) -> None:
        """Say which versions disagree."""
        super().__init__(
            f"{path} has schema version {found}, this release knows versions up to {SCHEMA_VERSION}: "
            "use the newer release, or another data directory."
        )
        self.found = found


class _Session:
    """One connection, used by one thread at a time, and a second one that only watches for commits.

    SQLite's data_version tells what other connections have committed, so a connection beside the writing one sees the
    commits of this process and of all others. A database in memory has no other connections: its own changes count.
    """

    def __init__(self, path: str) -> None:
        self.connection = apsw.Connection(path)
        self._lock = RLock()
        self._watch = None if path == ":memory:" else apsw.Connection(path)
        self._watch_lock = RLock()
        for connection in filter(None, (self.connection, self._watch)):
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        self.connection.pragma("journal_mode", "wal")
        self.connection.pragma("synchronous", "full")
        self.connection.pragma("foreign_keys", True)  # noqa: FBT003 - the value of a pragma
        self.connection.pragma("secure_delete", True)  # noqa: FBT003 - the same

    def version(self) -> int:
        if self._watch is None:
            return self.connection.total_changes()
        with self._watch_lock:
            row = self._watch.execute("PRAGMA data_version").fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        with self._lock:
            yield self.connection

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        with self._lock:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock, self._watch_lock:
            if self._watch is not None:
                self._watch.close()
            self.connection.close()


class SqliteKeyStore:
    """Implements `security.authority.stores.KeyStore`."""

    def __init__(self, session: _Session) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def version(self) -> int:
        """Return SQLite's own counter of commits: about two microseconds."""
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
            connection.execute("DELETE FROM signing_keys WHERE kid = ?", (kid,))
            return connection.changes() > 0


class SqliteRegistrationStore:
    """Implements `security.authority.stores.RegistrationStore`."""

    def __init__(self, session: _Session) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def get(self, client_id: UUID) -> AppRegistration | None:
        """Return one registration as it is stored now."""
        with self._session.read() as connection:
            row = connection.execute(f"{_REGISTRATIONS} WHERE r.client_id = ?", (str(client_id),)).fetchone()
        return None if row is None else _registration(row)

    def list_all(self) -> tuple[AppRegistration, ...]:
        """Return every registration, oldest first."""
        with self._session.read() as connection:
            rows = connection.execute(f"{_REGISTRATIONS} ORDER BY r.created, r.client_id").fetchall()
        return tuple(_registration(row) for row in rows)

    def add(self, registration: AppRegistration) -> None:
        """Store a registration with its secrets, all or nothing.

        Raises:
            RegistrationExistsError: one of its three ids is taken.
        """
        try:
            with self._session.write() as connection:
                _insert_registration(connection, registration)
        except apsw.ConstraintError as error:
            raise RegistrationExistsError(registration.client_id) from error

    def delete(self, client_id: UUID) -> bool:
        """Remove a registration and its secrets."""
        with self._session.write() as connection:
            connection.execute("DELETE FROM registrations WHERE client_id = ?", (str(client_id),))
            return connection.changes() > 0

    def add_secret(self, client_id: UUID, secret: ClientSecret) -> None:
        """Store one more secret.

        Raises:
            RegistrationNotFoundError: there is no such registration.
        """
        with self._session.write() as connection:
            known = connection.execute("SELECT 1 FROM registrations WHERE client_id = ?", (str(client_id),)).fetchone()
            if known is None:
                raise RegistrationNotFoundError(client_id)
            _insert_secret(connection, client_id, secret)


class SqliteTenantStore:
    """Implements `security.authority.stores.TenantStore`."""

    def __init__(self, session: _Session) -> None:
        """Use the session of an `AuthorityDatabase`."""
        self._session = session

    def get(self, tenant_id: UUID) -> Tenant | None:
        """Return the tenant with this id."""
        with self._session.read() as connection:
            row = connection.execute(
                "SELECT tenant_id, display_name, domain FROM tenants WHERE tenant_id = ?", (str(tenant_id),)
            ).fetchone()
        return None if row is None else _tenant(row)

    def by_domain(self, domain: str) -> Tenant | None:
        """Return the tenant with this domain name; domain names are ASCII, so NOCASE is enough."""
        with self._session.read() as connection:
            row = connection.execute(
                "SELECT tenant_id, display_name, domain FROM tenants WHERE domain = ?", (domain,)
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
            connection.execute(
                "INSERT INTO tenants (tenant_id, display_name, domain) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (str(tenant.tenant_id), tenant.display_name, tenant.domain),
            )
            return connection.changes() > 0


@dataclass(frozen=True, slots=True)
class AuthorityDatabase:
    """The three stores of one database, and its connections."""

    keys: SqliteKeyStore
    registrations: SqliteRegistrationStore
    tenants: SqliteTenantStore
    _session: _Session

    def close(self) -> None:
        """Close the connections; the stores cannot be used afterwards."""
        self._session.close()


def open_authority_database(path: Path | None) -> AuthorityDatabase:
    """Open the database file, made readable for its owner alone if it is new; None keeps everything in memory.

    Several processes may open the same file; each must do so for itself, after a fork.

    Raises:
        NewerAuthorityStoreError: the file was written by a newer release.
    """
    if path is not None:
        # SQLite gives its -wal and -shm files the mode of the database file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    name = ":memory:" if path is None else str(path)
    session = _Session(name)
    try:
        _migrate(session, name)
    except NewerAuthorityStoreError:
        session.close()
        raise
    return AuthorityDatabase(
        SqliteKeyStore(session), SqliteRegistrationStore(session), SqliteTenantStore(session), session
    )


def _migrate(session: _Session, name: str) -> None:
    with session.write() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
        row = connection.execute("SELECT version FROM schema_version").fetchone()
        found = 0 if row is None else int(row[0])
        if found > SCHEMA_VERSION:
            raise NewerAuthorityStoreError(name, found)
        for script in _MIGRATIONS[found:]:
            connection.execute(script)
        if row is None:
            connection.execute("INSERT INTO schema_version (version) VALUES (?)", (SCHEMA_VERSION,))
        elif found < SCHEMA_VERSION:
            connection.execute("UPDATE schema_version SET version = ?", (SCHEMA_VERSION,))


def _insert_key(connection: apsw.Connection, key: SigningKey) -> None:
    connection.execute(
        "INSERT INTO signing_keys (kid, private_pem, certificate_pem, created, not_before) VALUES (?, ?, ?, ?, ?)",
        (key.kid, key.private_pem, key.certificate_pem, key.created, key.not_before),
    )


def _insert_registration(connection: apsw.Connection, registration: AppRegistration) -> None:
    connection.execute(
        "INSERT INTO registrations (client_id, object_id, registration_id, display_name, is_public, redirect_uris,"
        " app_roles, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
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


def _insert_secret(connection: apsw.Connection, client_id: UUID, secret: ClientSecret) -> None:
    connection.execute(
        "INSERT INTO client_secrets (key_id, client_id, hash, hint, created, expires, display_name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
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


def _registration(row: tuple[object, ...]) -> AppRegistration:
    client_id, object_id, registration_id, display_name, is_public, redirect_uris, app_roles, created, secrets = row
    return AppRegistration(
        client_id=UUID(str(client_id)),
        object_id=UUID(str(object_id)),
        registration_id=UUID(str(registration_id)),
        display_name=str(display_name),
        secrets=tuple(ClientSecret(UUID(key_id), *values) for key_id, *values in orjson.loads(str(secrets))),
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
