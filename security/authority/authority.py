"""The authority itself: one tenant, its stores, its keys, and what it accepts as a resource."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from security.authority.client_secrets import DEFAULT_LIFETIME, SECONDS_PER_YEAR, hashed_secret
from security.authority.model import AppRegistration, ClientSecret, SigningKey, Tenant
from security.authority.signing_keys import KeyRing, new_signing_key
from security.authority.stores import (
    GrantStore,
    KeyStore,
    RegistrationExistsError,
    RegistrationStore,
    TenantStore,
    UserStore,
)
from security.authority.validation import TokenValidator

MICROSOFT_LOGIN_HOST: Final = "login.microsoftonline.com"
_BUILT_IN_SECRET_LIFETIME: Final = 100 * SECONDS_PER_YEAR


@dataclass(frozen=True, slots=True)
class Sources:
    """Where time, identifiers and secrets come from; tests give fixed ones."""

    clock: Callable[[], float]
    new_id: Callable[[], UUID]
    new_secret: Callable[[], str]
    new_private_key: Callable[[], rsa.RSAPrivateKey]


@dataclass(frozen=True, slots=True)
class Authority:
    """The token authority of one tenant.

    `hosts` are the host names this server answers to (without port); `resources` are further resource URLs tokens are
    issued for, such as a public URL on another port.
    """

    tenant: Tenant
    tenants: TenantStore
    registrations: RegistrationStore
    keys: KeyStore
    users: UserStore
    grants: GrantStore
    ring: KeyRing
    validator: TokenValidator
    sources: Sources
    hosts: frozenset[str]
    resources: frozenset[str]


@dataclass(frozen=True, slots=True)
class BuiltInRegistration:
    """An app registration that is there from the first start; a public one gets no secret."""

    client_id: UUID
    object_id: UUID
    registration_id: UUID
    display_name: str
    is_public: bool = False
    redirect_uris: tuple[str, ...] = ()
    app_roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthorityStores:
    """The stores an authority stands on."""

    tenants: TenantStore
    registrations: RegistrationStore
    keys: KeyStore
    users: UserStore
    grants: GrantStore


def open_authority(
    tenant: Tenant,
    stores: AuthorityStores,
    *,
    sources: Sources,
    hosts: frozenset[str],
    resources: frozenset[str] = frozenset(),
) -> Authority:
    """Open the authority over its stores; a tenant or first signing key that is not there yet is stored.

    Args:
        tenant: the tenant to answer for; the stored one with the same id wins, so that its name stays what it was.
        stores: tenants, registrations, keys, people and their grants.
        sources: clock and randomness.
        hosts: host names without port, as in the certificate.
        resources: further URLs (scheme, host, port) that are valid audiences.

    Raises:
        ValueError: another tenant holds the domain.
    """
    stores.tenants.add(tenant)
    stored = stores.tenants.get(tenant.tenant_id)
    if stored is None:
        raise ValueError(f"The domain {tenant.domain} belongs to another tenant of this authority.")
    ring = KeyRing(stores.keys)
    names = frozenset(host.lower() for host in hosts)
    authority = Authority(
        tenant=stored,
        tenants=stores.tenants,
        registrations=stores.registrations,
        keys=stores.keys,
        users=stores.users,
        grants=stores.grants,
        ring=ring,
        validator=TokenValidator(ring, stored.tenant_id, issuer_hosts=names | {MICROSOFT_LOGIN_HOST}),
        sources=sources,
        hosts=names,
        resources=resources,
    )
    current_signing_key(authority)
    return authority


def current_signing_key(authority: Authority) -> tuple[str, RSAKey]:
    """Return name and key that sign now; makes a key when the store holds none, as on first start."""
    now = authority.sources.clock()
    loaded = authority.ring.loaded()
    while (key := loaded.signing(now)) is None:
        authority.keys.add_first(new_signing_key(authority.sources.new_private_key(), now=now))
        loaded = authority.ring.loaded()
    return key.kid, loaded.by_kid[key.kid]


def rotate_signing_key(authority: Authority) -> SigningKey:
    """Sign with a new key from now on; tokens signed with older keys stay valid until those are withdrawn."""
    key = new_signing_key(authority.sources.new_private_key(), now=authority.sources.clock())
    authority.keys.add(key)
    return key


def ensure_registrations(authority: Authority, wanted: Sequence[BuiltInRegistration]) -> dict[UUID, str]:
    """Store the registrations that are not there yet; return the clear secrets of those, by client id.

    A secret is known only now, so the caller must keep it. A registration that exists is left as it is.
    """
    created = ((each.client_id, _ensure_registration(authority, each)) for each in wanted)
    return {client_id: clear for client_id, clear in created if clear is not None}


def add_client_secret(
    authority: Authority, client_id: UUID, *, display_name: str | None = None, lifetime: float = DEFAULT_LIFETIME
) -> tuple[str, ClientSecret]:
    """Give an application one more secret; return it in clear, for this once, and as stored.

    Raises:
        RegistrationNotFoundError: there is no such registration.
    """
    clear, secret = _new_secret(authority, display_name, lifetime)
    authority.registrations.add_secret(client_id, secret)
    return clear, secret


def tenant_of(authority: Authority, segment: str) -> Tenant | None:
    """Return the tenant a URL's first segment means: its id, its domain, `common` or `organizations`."""
    if segment.lower() in ("common", "organizations"):
        return authority.tenant
    try:
        found = authority.tenants.get(UUID(segment))
    except ValueError:
        found = authority.tenants.by_domain(segment)
    # Tokens are issued and validated for one tenant, even if the store should hold more.
    return found if found is not None and found.tenant_id == authority.tenant.tenant_id else None


def _ensure_registration(authority: Authority, wanted: BuiltInRegistration) -> str | None:
    if authority.registrations.get(wanted.client_id) is not None:
        return None
    clear: str | None = None
    secrets: tuple[ClientSecret, ...] = ()
    if not wanted.is_public:
        clear, secret = _new_secret(authority, "built-in", _BUILT_IN_SECRET_LIFETIME)
        secrets = (secret,)
    try:
        authority.registrations.add(_from_built_in(wanted, secrets, authority.sources.clock()))
    except RegistrationExistsError:
        return None  # another process that starts at the same time was faster, and knows the secret
    return clear


def _new_secret(authority: Authority, display_name: str | None, lifetime: float) -> tuple[str, ClientSecret]:
    clear, now = authority.sources.new_secret(), authority.sources.clock()
    key_id = authority.sources.new_id()
    return clear, hashed_secret(clear, key_id=key_id, created=now, expires=now + lifetime, display_name=display_name)


def _from_built_in(wanted: BuiltInRegistration, secrets: tuple[ClientSecret, ...], now: float) -> AppRegistration:
    return AppRegistration(
        client_id=wanted.client_id,
        object_id=wanted.object_id,
        registration_id=wanted.registration_id,
        display_name=wanted.display_name,
        secrets=secrets,
        redirect_uris=wanted.redirect_uris,
        is_public=wanted.is_public,
        app_roles=wanted.app_roles,
        created=now,
    )
