"""The grant `password` (RFC 6749 §4.3): an application that a person has told name and password."""

from security.authority.authority import Authority
from security.authority.client_authentication import authenticate_client
from security.authority.delegated_scopes import delegated_scope, scope_of_resource
from security.authority.errors import MissingParameterError
from security.authority.grants.token_request import EndpointVersion, GrantedToken, TokenRequest
from security.authority.grants.user_tokens import UserGrant, start_session
from security.authority.people import sign_in
from security.authority.resources import check_resource


def grant_password(authority: Authority, request: TokenRequest) -> GrantedToken:
    """Authenticate the application and the person, then issue tokens.

    Raises:
        AuthorityError: a parameter is missing, the client or the person is not proved, or the resource is unknown.
    """
    v1 = request.version is EndpointVersion.V1
    wanted, username, password = (
        _required(request, name) for name in ("resource" if v1 else "scope", "username", "password")
    )
    client = authenticate_client(authority, request.credentials, origin=request.origin)
    scope = scope_of_resource(wanted) if v1 else delegated_scope(wanted)
    check_resource(authority, scope.resource, origin=request.origin)
    user = sign_in(authority, username.strip(), password)
    return start_session(authority, request, UserGrant(client, user, scope))


def _required(request: TokenRequest, name: str) -> str:
    value = request.form.get(name, "")
    if not value.strip():
        raise MissingParameterError(parameter=name)
    return value
