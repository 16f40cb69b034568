"""What every grant takes and gives: a token request and the granted token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from security.authority.client_authentication import PresentedCredentials


class EndpointVersion(Enum):
    """The two generations of the token endpoint: v1 asks for a `resource`, v2 for a `scope`."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request, read but not yet judged; `origin` is scheme, host and port the client used."""

    version: EndpointVersion
    origin: str
    credentials: PresentedCredentials
    form: dict[str, str]


@dataclass(frozen=True, slots=True)
class GrantedToken:
    """An access token, the resource it opens, and its times in seconds since 1970-01-01 UTC.

    `further` holds what a token of a person brings besides: `scope`, `refresh_token`, `id_token`, `client_info`.
    """

    access_token: str
    resource: str
    not_before: int
    expires: int
    further: Mapping[str, str] = field(default_factory=dict)
