"""Access tokens: v1-format JSON Web Tokens, as Entra issues them for resources of an organization."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.jwk import RSAKey

from security.authority.model import AppRegistration, ClientProof

LIFETIME: Final = 3599
"""Seconds an access token of an application is valid; Entra's figure."""
PROOFS: Final[Mapping[ClientProof, str]] = MappingProxyType(
    {ClientProof.NOTHING: "0", ClientProof.SECRET: "1", ClientProof.CERTIFICATE: "2"}
)


@dataclass(frozen=True, slots=True)
class TokenStamp:
    """What makes one token different from the next: its moment and its unique id (`uti`)."""

    now: float
    token_id: UUID


def v1_issuer(tenant_id: UUID) -> str:
    """Return the issuer of v1-format tokens."""
    return f"https://sts.windows.net/{tenant_id}/"


def v2_issuer(origin: str, tenant_id: UUID) -> str:
    """Return the issuer of v2-format tokens and of the v2 discovery document."""
    return f"{origin}/{tenant_id}/v2.0"


def app_claims(
    application: AppRegistration,
    *,
    proof: ClientProof,
    tenant_id: UUID,
    audience: str,
    roles: tuple[str, ...],
    stamp: TokenStamp,
) -> dict[str, object]:
    """Return the claims of a token an application gets for itself (Learn: Access token claims)."""
    issued = int(stamp.now)
    claims: dict[str, object] = {
        "aud": audience,
        "iss": v1_issuer(tenant_id),
        "iat": issued,
        "nbf": issued,
        "exp": issued + LIFETIME,
        "appid": str(application.client_id),
        "appidacr": PROOFS[proof],
        "idp": v1_issuer(tenant_id),
        "idtyp": "app",
        "oid": str(application.object_id),
        "sub": str(application.object_id),
        "tid": str(tenant_id),
        "uti": stamp.token_id.hex,
        "ver": "1.0",
    }
    if roles:
        claims["roles"] = list(roles)
    return claims


def signed_token(claims: dict[str, object], *, kid: str, key: RSAKey) -> str:
    """Return the claims as a compact JWS, signed with RS256."""
    header = {"typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid}
    return jws.serialize_compact(header, orjson.dumps(claims), key, algorithms=["RS256"])
