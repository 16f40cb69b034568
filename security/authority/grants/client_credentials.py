"""The grant `client_credentials` (RFC 6749 §4.4): an application gets a token for itself."""

from security.authority.authority import Authority, current_signing_key
from security.authority.client_authentication import authenticate_confidential_client
from security.authority.errors import MissingParameterError
from security.authority.grants.token_request import EndpointVersion, GrantedToken, TokenRequest
from security.authority.resources import check_resource, granted_roles, resource_of_scope
from security.authority.tokens import LIFETIME, TokenStamp, app_claims, signed_token


def grant_client_credentials(authority: Authority, request: TokenRequest) -> GrantedToken:
    """Authenticate the application, then issue a token for the resource it names.

    Raises:
        AuthorityError: a parameter is missing, the client is not known or not proved, or the resource is unknown.
    """
    parameter = _required_parameter(request)
    client = authenticate_confidential_client(authority, request.credentials, origin=request.origin)
    resource = parameter if request.version is EndpointVersion.V1 else resource_of_scope(parameter)
    check_resource(authority, resource, origin=request.origin)
    kid, key = current_signing_key(authority)
    stamp = TokenStamp(authority.sources.clock(), authority.sources.new_id())
    claims = app_claims(
        client.application,
        proof=client.proof,
        tenant_id=authority.tenant.tenant_id,
        audience=resource,
        roles=granted_roles(client.application, resource),
        stamp=stamp,
    )
    token = signed_token(claims, kid=kid, key=key)
    return GrantedToken(token, resource, int(stamp.now), int(stamp.now) + LIFETIME)


def _required_parameter(request: TokenRequest) -> str:
    name = "resource" if request.version is EndpointVersion.V1 else "scope"
    value = request.form.get(name, "").strip()
    if not value:
        raise MissingParameterError(parameter=name)
    return value
