"""The authority's database as a schema of its own, which the servers of one database have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from odata_server.engine.database import Connection, Durability, quoted, single
from odata_server.engine.dialect import Dialect
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.engine.postgres.dialect import POSTGRESQL

_MIGRATIONS = (
    """
    CREATE TABLE tenants (
        tenant_id text PRIMARY KEY,
        display_name text NOT NULL,
        domain text NOT NULL
    );
    CREATE UNIQUE INDEX tenants_by_domain ON tenants (lower(domain));
    CREATE TABLE registrations (
        client_id text PRIMARY KEY,
        object_id text NOT NULL UNIQUE,
        registration_id text NOT NULL UNIQUE,
        display_name text NOT NULL,
        is_public bigint NOT NULL,
        redirect_uris text NOT NULL,
        app_roles text NOT NULL,
        created double precision NOT NULL
    );
    CREATE TABLE client_secrets (
        key_id text PRIMARY KEY,
        client_id text NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        hash text NOT NULL,
        hint text NOT NULL,
        created double precision NOT NULL,
        expires double precision NOT NULL,
        display_name text
    );
    CREATE INDEX client_secrets_by_client ON client_secrets (client_id);
    CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        private_pem text NOT NULL,
        certificate_pem text NOT NULL,
        created double precision NOT NULL,
        not_before double precision NOT NULL
    );
    """,
    """
    CREATE TABLE client_certificates (
        key_id text PRIMARY KEY,
        client_id text NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        certificate_pem text NOT NULL,
        starts double precision NOT NULL,
        expires double precision NOT NULL,
        display_name text
    );
    CREATE INDEX client_certificates_by_client ON client_certificates (client_id);
    """,
    """
    CREATE TABLE users (
        object_id text PRIMARY KEY,
        principal_name text NOT NULL,
        display_name text NOT NULL,
        password_hash text NOT NULL,
        is_enabled bigint NOT NULL,
        failures bigint NOT NULL,
        locked_until double precision NOT NULL
    );
    CREATE UNIQUE INDEX users_by_name ON users (lower(principal_name));
    CREATE TABLE refresh_tokens (
        digest text PRIMARY KEY,
        family text NOT NULL,
        client_id text NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        user_id text NOT NULL REFERENCES users (object_id) ON DELETE CASCADE,
        scope text NOT NULL,
        expires double precision NOT NULL,
        is_used bigint NOT NULL
    );
    CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
    CREATE INDEX refresh_tokens_by_client ON refresh_tokens (client_id);
    CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
    """,
    """
    CREATE TABLE authorization_codes (
        digest text PRIMARY KEY,
        family text NOT NULL,
        client_id text NOT NULL REFERENCES registrations (client_id) ON DELETE CASCADE,
        user_id text NOT NULL REFERENCES users (object_id) ON DELETE CASCADE,
        redirect_uri text NOT NULL,
        scope text NOT NULL,
        nonce text,
        challenge text,
        expires double precision NOT NULL,
        is_used bigint NOT NULL
    );
    CREATE INDEX authorization_codes_by_client ON authorization_codes (client_id);
    CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);
    """,
)

_COMMITS = """
    CREATE TABLE IF NOT EXISTS commits (number bigint NOT NULL);
    INSERT INTO commits SELECT 1 WHERE NOT EXISTS (SELECT FROM commits)
"""


class PostgresAuthority:
    """A schema with a row that counts the commits: it changes with what they change, so no reader is ahead of them.

    Args:
        url: `postgresql://…`, as libpq takes it.
        schema: the authority's schema.
    """

    dialect: Dialect = POSTGRESQL
    migrations = _MIGRATIONS

    def __init__(self, url: str, schema: str) -> None:
        self._database = PostgresDatabase(url, schema, Durability.FULL)
        self._schema = schema
        self.place = self._database.place

    def create(self) -> None:
        """Make the schema and the counter."""
        with self._database.writing() as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema)}")
            connection.execute(_COMMITS)

    def version(self) -> int:
        """Return the number of commits."""
        return int(single(self._database.reader(), "SELECT number FROM commits"))

    def read(self) -> AbstractContextManager[Connection]:
        """Give what reads by any free connection."""
        return nullcontext(self._database.reader())

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection inside a transaction; one writer at a time over all processes."""
        with self._database.writing() as connection:
            yield connection
            connection.execute("UPDATE commits SET number = number + 1")

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
