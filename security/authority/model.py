"""What the authority knows: tenants, app registrations with their credentials, people, what they granted, keys."""

from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tenant:
    """One directory; `domain` is its verified domain name, such as `contoso.onmicrosoft.com`."""

    tenant_id: UUID
    display_name: str
    domain: str


class ClientProof(Enum):
    """How a client has proved who it is."""

    NOTHING = auto()
    SECRET = auto()
    CERTIFICATE = auto()


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A password credential of an application: only its Argon2 hash is kept, and the first characters as a hint.

    `created` and `expires` are seconds since 1970-01-01 UTC.
    """

    key_id: UUID
    hash: str
    hint: str
    created: float
    expires: float
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A key credential of an application: the certificate of a private key that signs its assertions.

    `starts` and `expires` are seconds since 1970-01-01 UTC, and never wider than the certificate's own times.
    """

    key_id: UUID
    certificate_pem: str
    starts: float
    expires: float
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class AppRegistration:
    """An application and its service principal in the tenant.

    `client_id` is Entra's application (client) id, `object_id` the object id of the service principal, which tokens
    carry as `oid`, and `registration_id` the object id of the application itself, which Microsoft Graph calls `id`.
    `app_roles` are the Microsoft Graph application permissions an administrator has granted.
    """

    client_id: UUID
    object_id: UUID
    registration_id: UUID
    display_name: str
    secrets: tuple[ClientSecret, ...]
    redirect_uris: tuple[str, ...]
    is_public: bool
    app_roles: tuple[str, ...]
    created: float
    certificates: tuple[ClientCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in with a password, of which only the Argon2 hash is kept.

    `failures` counts wrong passwords since the last right one; until `locked_until`, in seconds since 1970-01-01 UTC,
    none is accepted.
    """

    object_id: UUID
    principal_name: str
    display_name: str
    password_hash: str
    is_enabled: bool = True
    failures: int = 0
    locked_until: float = 0.0


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token, known by the SHA-256 digest of its text.

    All tokens that came of one sign-in are a `family`; using one a second time ends them all (RFC 9700 §4.14.2).
    """

    digest: str
    family: UUID
    client_id: UUID
    user_id: UUID
    scope: str
    expires: float
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code for the tokens of a sign-in, known by the SHA-256 digest of its text; `family` is that of the tokens.

    `challenge` is the proof of RFC 7636, written `method:value`.
    """

    digest: str
    family: UUID
    client_id: UUID
    user_id: UUID
    redirect_uri: str
    scope: str
    nonce: str | None
    challenge: str | None
    expires: float
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key that signs tokens from `not_before` on, with the certificate its thumbprint (`kid`, `x5t`) is of."""

    kid: str
    private_pem: str
    certificate_pem: str
    created: float
    not_before: float
