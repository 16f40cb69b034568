"""What a server does once before its workers start, as far as the token authority is concerned.

    tenant, signing key, built-in registrations     stored on the first start, found there on every other one
    clear client secrets                            known when a registration is made; later from secrets.json

Where a registration is there but its clear secret is lost (a crash between two files, a deleted file), the
application gets one more secret: no data directory is ever locked out, and servers on one database need not know each
other's secrets.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from odata_server.admin.data_directory import Secrets
from odata_server.engine.authority_store import AuthorityDatabase
from odata_server.sample_data.people import LAST_NAME, PEOPLE
from odata_server.settings import Settings
from security.authority.authority import (
    Authority,
    AuthorityStores,
    Sources,
    add_client_secret,
    ensure_registrations,
    open_authority,
)
from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID, built_in_registrations
from security.authority.client_secrets import SecretVerdict, check_secret, random_secret
from security.authority.model import Tenant
from security.authority.people import NewUser, ensure_user
from security.authority.signing_keys import random_private_key

CONTOSO: Final = Tenant(UUID("c0ffee00-7e57-4a11-8e17-2f6c5d3b9a10"), "Contoso", "contoso.onmicrosoft.com")
"""The tenant of every simulator: a fixed id, so that sample data gives the same ids everywhere."""

_BUILT_IN_LIFETIME: Final = 100 * 31_556_952.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the first start (or a later one) of a data directory yields."""

    tenant_id: str
    organization_id: str
    admin_client_id: str
    admin_client_secret: str
    adapter_client_secret: str


def system_sources() -> Sources:
    """Return the clock and randomness of a real server."""
    return Sources(time.time, uuid4, random_secret, random_private_key)


def open_server_authority(settings: Settings, stores: AuthorityStores, sources: Sources) -> Authority:
    """Open the authority of a server over its stores; each worker process does so for itself.

    Raises:
        ValueError: another tenant holds Contoso's domain.
    """
    public = urlsplit(settings.public_url) if settings.public_url else None
    resources = frozenset({f"{public.scheme}://{public.netloc}"} if public else ())
    return open_authority(CONTOSO, stores, sources=sources, hosts=frozenset(settings.host_names), resources=resources)


def prepare_authority(
    settings: Settings, database: AuthorityDatabase, known: Secrets, organization_id: str
) -> tuple[Authority, Prepared]:
    """Store what the authority needs; return it, and every application's clear secret.

    Args:
        settings: the server's settings.
        database: the authority's stores.
        known: the secrets of earlier starts; empty texts on the first.
        organization_id: passed on.
    """
    stores = database.stores
    authority = open_server_authority(settings, stores, system_sources())
    if settings.sample_data == "demo":
        _ensure_people(authority)
    created = ensure_registrations(authority, built_in_registrations(authority.tenant.tenant_id))
    prepared = Prepared(
        tenant_id=str(authority.tenant.tenant_id),
        organization_id=organization_id,
        admin_client_id=str(ADMIN_CLIENT_ID),
        admin_client_secret=_clear_secret(authority, ADMIN_CLIENT_ID, created, known.admin_client_secret),
        adapter_client_secret=_clear_secret(authority, ADAPTER_CLIENT_ID, created, known.adapter_client_secret),
    )
    return authority, prepared


def _ensure_people(authority: Authority) -> None:
    """Let the people of the sample data sign in; those of an older data directory get their passwords now."""
    for person in PEOPLE:
        ensure_user(
            authority,
            NewUser(
                object_id=UUID(person.object_id),
                principal_name=person.principal_name(authority.tenant.domain),
                display_name=f"{person.first_name} {LAST_NAME}",
                password=person.password,
            ),
        )


def _clear_secret(authority: Authority, client_id: UUID, created: dict[UUID, str], known: str) -> str:
    """Return the secret just made, else the known one if it still works, else a further one."""
    if client_id in created:
        return created[client_id]
    registration = authority.registrations.get(client_id)
    stored = registration.secrets if registration is not None else ()
    if known and check_secret(known, stored, now=authority.sources.clock()) is SecretVerdict.VALID:
        return known
    clear, _ = add_client_secret(authority, client_id, display_name="built-in", lifetime=_BUILT_IN_LIFETIME)
    return clear
