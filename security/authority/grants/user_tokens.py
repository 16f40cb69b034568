"""What an application gets for a person: access token, refresh token, id token (Learn: ID token claims reference)."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from security.authority.authority import Authority, current_signing_key
from security.authority.client_authentication import ProvedClient
from security.authority.delegated_scopes import DelegatedScope
from security.authority.grants.token_request import EndpointVersion, GrantedToken, TokenRequest
from security.authority.model import RefreshToken, User
from security.authority.resources import check_resource
from security.authority.tokens import LIFETIME, PROOFS, signed_token, v1_issuer, v2_issuer

REFRESH_LIFETIME: Final = 90 * 86_400.0
"""Seconds a refresh token waits for its use; Entra's figure."""


@dataclass(frozen=True, slots=True)
class UserGrant:
    """Who has granted what to whom; `nonce` is that of the request for an authorization."""

    client: ProvedClient
    user: User
    scope: DelegatedScope
    nonce: str | None = None


def digest_of(text: str) -> str:
    """Return the form in which a refresh token is stored; it is random, so it needs no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def new_refresh_token(authority: Authority, grant: UserGrant, family: UUID) -> tuple[str, RefreshToken]:
    """Return a refresh token in clear, for this once, and as it is stored."""
    clear = f"1.{authority.sources.new_secret()}{authority.sources.new_id().hex}"
    stored = RefreshToken(
        digest=digest_of(clear),
        family=family,
        client_id=grant.client.application.client_id,
        user_id=grant.user.object_id,
        scope=grant.scope.text,
        expires=authority.sources.clock() + REFRESH_LIFETIME,
    )
    return clear, stored


def start_session(
    authority: Authority, request: TokenRequest, grant: UserGrant, family: UUID | None = None
) -> GrantedToken:
    """Return the first tokens of a sign-in, with a refresh token, of the given family, if one is wanted.

    Raises:
        UnknownResourceError: the resource is none of this server's.
    """
    check_resource(authority, grant.scope.resource, origin=request.origin)
    refresh: str | None = None
    if grant.scope.wants_refresh_token:
        refresh, stored = new_refresh_token(authority, grant, family or authority.sources.new_id())
        authority.grants.add_refresh_token(stored, now=authority.sources.clock())
    return issue(authority, request, grant, refresh)


def issue(authority: Authority, request: TokenRequest, grant: UserGrant, refresh_token: str | None) -> GrantedToken:
    """Return the tokens of a grant that has been checked."""
    kid, key = current_signing_key(authority)
    issued = int(authority.sources.clock())
    times = {"iat": issued, "nbf": issued, "exp": issued + LIFETIME}
    is_v1 = request.version is EndpointVersion.V1
    further = {"scope": " ".join(grant.scope.permissions) if is_v1 else grant.scope.granted}
    if refresh_token is not None:
        further["refresh_token"] = refresh_token
    if grant.scope.wants_id_token:
        claims = _id_claims(authority, request, grant) | times
        further["id_token"] = signed_token(claims, kid=kid, key=key)
    if request.form.get("client_info") == "1":
        further["client_info"] = _client_info(authority, grant.user)
    access = signed_token(_access_claims(authority, grant) | times, kid=kid, key=key)
    return GrantedToken(access, grant.scope.resource, issued, issued + LIFETIME, further)


def _access_claims(authority: Authority, grant: UserGrant) -> dict[str, object]:
    tenant_id, user = authority.tenant.tenant_id, grant.user
    return {
        "aud": grant.scope.resource,
        "iss": v1_issuer(tenant_id),
        "acr": "1",
        "amr": ["pwd"],
        "appid": str(grant.client.application.client_id),
        "appidacr": PROOFS[grant.client.proof],
        "name": user.display_name,
        "oid": str(user.object_id),
        "scp": " ".join(grant.scope.permissions) or "openid profile",
        "sub": _subject(grant),
        "tid": str(tenant_id),
        "unique_name": user.principal_name,
        "upn": user.principal_name,
        "uti": authority.sources.new_id().hex,
        "ver": "1.0",
    }


def _id_claims(authority: Authority, request: TokenRequest, grant: UserGrant) -> dict[str, object]:
    tenant_id, user = authority.tenant.tenant_id, grant.user
    claims: dict[str, object] = {
        "aud": str(grant.client.application.client_id),
        "name": user.display_name,
        "oid": str(user.object_id),
        "sub": _subject(grant),
        "tid": str(tenant_id),
        "uti": authority.sources.new_id().hex,
    }
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    match request.version:
        case EndpointVersion.V1:
            names = {"upn": user.principal_name, "unique_name": user.principal_name}
            return claims | names | {"iss": v1_issuer(tenant_id), "ver": "1.0"}
        case EndpointVersion.V2:
            issuer = v2_issuer(request.origin, tenant_id)
            return claims | {"preferred_username": user.principal_name, "iss": issuer, "ver": "2.0"}


def _subject(grant: UserGrant) -> str:
    """Return a person's name towards one application only (OpenID Connect Core 1.0 §8, pairwise)."""
    text = f"{grant.client.application.client_id} {grant.user.object_id}"
    return _base64(hashlib.sha256(text.encode("ascii")).digest())


def _client_info(authority: Authority, user: User) -> str:
    return _base64(orjson.dumps({"uid": str(user.object_id), "utid": str(authority.tenant.tenant_id)}))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
