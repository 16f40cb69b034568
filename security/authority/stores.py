"""The stores the authority needs, as protocols: the engine implements them, tests may bring their own.

Every method answers from what is stored now: several processes share one store, and a registration or key that one of
them has withdrawn is gone for all of them at once.
"""

from typing import Protocol
from uuid import UUID

from security.authority.model import (
    AppRegistration,
    AuthorizationCode,
    ClientCertificate,
    ClientSecret,
    RefreshToken,
    SigningKey,
    Tenant,
    User,
)


class RegistrationExistsError(Exception):
    """An app registration with this client id, object id or registration id is there already."""

    def __init__(self, client_id: UUID) -> None:
        """Name the registration that could not be added."""
        super().__init__(f"An app registration that shares an id with {client_id} exists already.")
        self.client_id = client_id


class RegistrationNotFoundError(Exception):
    """No app registration has this client id."""

    def __init__(self, client_id: UUID) -> None:
        """Name the registration that was looked for."""
        super().__init__(f"There is no app registration with the client id {client_id}.")
        self.client_id = client_id


class KeyStore(Protocol):
    """The keys that sign tokens."""

    def version(self) -> int:
        """Return a number that differs from the last one whenever a key may have come or gone; must be cheap."""
        ...

    def keys(self) -> tuple[SigningKey, ...]:
        """Return all keys, oldest first."""
        ...

    def add(self, key: SigningKey) -> None:
        """Store one more key."""
        ...

    def add_first(self, key: SigningKey) -> bool:
        """Store the key unless the store holds one already; tell whether it was stored."""
        ...

    def withdraw(self, kid: str) -> bool:
        """Remove a key, so that no token it has signed is valid any more; tell whether it was there."""
        ...


class RegistrationStore(Protocol):
    """The app registrations of the tenant."""

    def get(self, client_id: UUID) -> AppRegistration | None:
        """Return the registration with this client id."""
        ...

    def list_all(self) -> tuple[AppRegistration, ...]:
        """Return every registration, oldest first."""
        ...

    def add(self, registration: AppRegistration) -> None:
        """Store a registration with its credentials.

        Raises:
            RegistrationExistsError: one of its three ids is taken.
        """
        ...

    def delete(self, client_id: UUID) -> bool:
        """Remove a registration and its credentials; tell whether it was there."""
        ...

    def add_secret(self, client_id: UUID, secret: ClientSecret) -> None:
        """Store one more secret of a registration.

        Raises:
            RegistrationNotFoundError: there is no such registration.
        """
        ...

    def replace_certificates(self, client_id: UUID, certificates: tuple[ClientCertificate, ...]) -> None:
        """Give a registration these certificates and no others.

        Raises:
            RegistrationNotFoundError: there is no such registration.
            RegistrationExistsError: the id of a certificate is taken.
        """
        ...


class UserStore(Protocol):
    """The people of the tenant."""

    def get(self, object_id: UUID) -> User | None:
        """Return the user with this object id."""
        ...

    def by_name(self, principal_name: str) -> User | None:
        """Return the user who signs in with this name, compared without regard to case."""
        ...

    def add(self, user: User) -> bool:
        """Store a user unless one with the id or name is there; tell whether it was stored."""
        ...

    def count_failure(self, object_id: UUID, *, lock_after: int, locked_until: float) -> None:
        """Count a wrong password; one too many locks the user and begins to count again."""
        ...

    def forget_failures(self, object_id: UUID) -> None:
        """Begin to count again after a right password."""
        ...


class GrantStore(Protocol):
    """What people have granted to applications."""

    def add_refresh_token(self, token: RefreshToken, *, now: float) -> None:
        """Store a refresh token; those that have expired are forgotten."""
        ...

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """Return the refresh token with this digest."""
        ...

    def rotate(self, digest: str, successor: RefreshToken) -> bool:
        """Mark a token as used and store its successor; False, and nothing is stored, if it was used before."""
        ...

    def add_code(self, code: AuthorizationCode, *, now: float) -> None:
        """Store an authorization code; those that expired long ago are forgotten."""
        ...

    def code(self, digest: str) -> AuthorizationCode | None:
        """Return the authorization code with this digest."""
        ...

    def use_code(self, digest: str) -> bool:
        """Mark a code as used; False if it was used before."""
        ...

    def revoke_family(self, family: UUID) -> None:
        """Forget every token of a sign-in."""
        ...


class TenantStore(Protocol):
    """The tenants this authority answers for."""

    def get(self, tenant_id: UUID) -> Tenant | None:
        """Return the tenant with this id."""
        ...

    def by_domain(self, domain: str) -> Tenant | None:
        """Return the tenant with this domain name, compared without regard to case."""
        ...

    def list_all(self) -> tuple[Tenant, ...]:
        """Return every tenant."""
        ...

    def add(self, tenant: Tenant) -> bool:
        """Store a tenant unless one with its id or domain is there; tell whether it was stored."""
        ...
