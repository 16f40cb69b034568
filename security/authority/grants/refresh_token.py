"""The grant `refresh_token` (RFC 6749 §6) with rotation: a token is used once, a second use ends the whole sign-in."""

from typing import Final

from security.authority.authority import Authority
from security.authority.client_authentication import ProvedClient, authenticate_client
from security.authority.delegated_scopes import DelegatedScope, delegated_scope, scope_of_resource
from security.authority.errors import MissingParameterError
from security.authority.grants.token_request import EndpointVersion, GrantedToken, TokenRequest
from security.authority.grants.user_tokens import REFRESH_LIFETIME, UserGrant, digest_of, issue, new_refresh_token
from security.authority.model import RefreshToken
from security.authority.resources import check_resource
from security.authority.sign_in_errors import DisabledUserError, ExpiredRefreshTokenError, InvalidRefreshTokenError

_SECONDS_PER_DAY: Final = 86_400


def grant_refresh_token(authority: Authority, request: TokenRequest) -> GrantedToken:
    """Authenticate the application, then replace its refresh token by new tokens, for any resource.

    Raises:
        AuthorityError: a parameter is missing, the client is not proved, the token is not good, or the resource is
            unknown.
    """
    presented = request.form.get("refresh_token", "")
    if not presented:
        raise MissingParameterError(parameter="refresh_token")
    client = authenticate_client(authority, request.credentials, origin=request.origin)
    stored = _good(authority, client, presented)
    user = authority.users.get(stored.user_id)
    if user is None or not user.is_enabled:
        raise DisabledUserError
    grant = UserGrant(client, user, _scope(request, stored))
    check_resource(authority, grant.scope.resource, origin=request.origin)
    clear, successor = new_refresh_token(authority, grant, stored.family)
    # Everything else has been checked: a request that is refused does not use the token up.
    if not authority.grants.rotate(stored.digest, successor):
        raise _reused(authority, stored)
    return issue(authority, request, grant, clear)


def _good(authority: Authority, client: ProvedClient, presented: str) -> RefreshToken:
    stored = authority.grants.refresh_token(digest_of(presented))
    if stored is None:
        raise InvalidRefreshTokenError(detail="The refresh token is unknown or was revoked.")
    if stored.client_id != client.application.client_id:
        raise InvalidRefreshTokenError(detail="The refresh token was issued to another client.")
    if stored.is_used:
        raise _reused(authority, stored)
    if authority.sources.clock() >= stored.expires:
        raise ExpiredRefreshTokenError(days=int(REFRESH_LIFETIME / _SECONDS_PER_DAY))
    return stored


def _reused(authority: Authority, stored: RefreshToken) -> InvalidRefreshTokenError:
    authority.grants.revoke_family(stored.family)
    return InvalidRefreshTokenError(
        detail="The refresh token was used before, so every token of this sign-in is revoked."
    )


def _scope(request: TokenRequest, stored: RefreshToken) -> DelegatedScope:
    match request.version:
        case EndpointVersion.V1:
            resource = request.form.get("resource", "").strip()
            return scope_of_resource(resource) if resource else delegated_scope(stored.scope)
        case EndpointVersion.V2:
            return delegated_scope(request.form.get("scope", "").strip() or stored.scope)
