"""The grant `authorization_code` (RFC 6749 §4.1.3) with its proof key (RFC 7636): a code is used once."""

import base64
import hashlib
import hmac
from typing import Final

from security.authority.authority import Authority
from security.authority.client_authentication import authenticate_client
from security.authority.delegated_scopes import DelegatedScope, delegated_scope, scope_of_resource
from security.authority.errors import MissingParameterError
from security.authority.grants.token_request import EndpointVersion, GrantedToken, TokenRequest
from security.authority.grants.user_tokens import UserGrant, digest_of, start_session
from security.authority.model import AuthorizationCode, User
from security.authority.resources import check_resource
from security.authority.sign_in_errors import (
    CodeVerifierError,
    DisabledUserError,
    ExpiredCodeError,
    InvalidCodeError,
    RedeemedCodeError,
    ReplyAddressError,
)

CHALLENGE_METHODS: Final = ("plain", "S256")


def grant_authorization_code(authority: Authority, request: TokenRequest) -> GrantedToken:
    """Authenticate the application, then give the tokens of the sign-in that the code stands for.

    Raises:
        AuthorityError: a parameter is missing, the client is not proved, the code is not good, or the resource is
            unknown.
    """
    presented, redirect_uri = (_required(request, name) for name in ("code", "redirect_uri"))
    client = authenticate_client(authority, request.credentials, origin=request.origin)
    code = authority.grants.code(digest_of(presented))
    if code is None or code.client_id != client.application.client_id:
        raise InvalidCodeError
    _check(authority, code, redirect_uri, request.form.get("code_verifier"))
    scope = _scope(request, code)
    check_resource(authority, scope.resource, origin=request.origin)
    user = _user(authority, code)
    if not authority.grants.use_code(code.digest):
        raise _redeemed(authority, code)
    return start_session(authority, request, UserGrant(client, user, scope, code.nonce), code.family)


def challenge_of(method: str, value: str) -> str:
    """Return a proof key as it is stored."""
    return f"{method}:{value}"


def _check(authority: Authority, code: AuthorizationCode, redirect_uri: str, verifier: str | None) -> None:
    if code.is_used:
        raise _redeemed(authority, code)
    if authority.sources.clock() >= code.expires:
        raise ExpiredCodeError
    if redirect_uri != code.redirect_uri:
        raise ReplyAddressError(given=redirect_uri, wanted=code.redirect_uri)
    # A verifier without a challenge is refused too: somebody has taken the challenge away (RFC 9700 §2.1.1).
    if (verifier is None) != (code.challenge is None) or not _proves(verifier or "", code.challenge or ":"):
        raise CodeVerifierError


def _proves(verifier: str, challenge: str) -> bool:
    method, _, wanted = challenge.partition(":")
    proof = verifier.encode("utf-8", "surrogatepass")
    if method == "S256":
        proof = base64.urlsafe_b64encode(hashlib.sha256(proof).digest()).rstrip(b"=")
    return hmac.compare_digest(proof, wanted.encode("utf-8", "surrogatepass"))


def _redeemed(authority: Authority, code: AuthorizationCode) -> RedeemedCodeError:
    # Who comes second may be the rightful one, so nobody keeps what the first has got (RFC 6749 §4.1.2).
    authority.grants.revoke_family(code.family)
    return RedeemedCodeError()


def _user(authority: Authority, code: AuthorizationCode) -> User:
    user = authority.users.get(code.user_id)
    if user is None or not user.is_enabled:
        raise DisabledUserError
    return user


def _scope(request: TokenRequest, code: AuthorizationCode) -> DelegatedScope:
    match request.version:
        case EndpointVersion.V1:
            resource = request.form.get("resource", "").strip()
            return scope_of_resource(resource) if resource else delegated_scope(code.scope)
        case EndpointVersion.V2:
            return delegated_scope(request.form.get("scope", "").strip() or code.scope)


def _required(request: TokenRequest, name: str) -> str:
    value = request.form.get(name, "")
    if not value.strip():
        raise MissingParameterError(parameter=name)
    return value
