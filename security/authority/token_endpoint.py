"""The token endpoint, v1 and v2: a form comes in, a bearer token or a refusal goes out (RFC 6749 §3.2, §5.1)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from security.authority.authority import Authority, tenant_of
from security.authority.client_authentication import presented_credentials
from security.authority.errors import UnknownTenantError
from security.authority.exchange import Request, Response, form_parameters
from security.authority.grants.registry import grant_for
from security.authority.grants.token_request import EndpointVersion, GrantedToken, TokenRequest

NOT_STORED: Final[Mapping[str, str]] = MappingProxyType({"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})


def answer_token_v2(authority: Authority, request: Request) -> Response:
    """Answer `POST /{tenant}/oauth2/v2.0/token`.

    Raises:
        AuthorityError: the refusal.
    """
    granted = _granted(authority, request, EndpointVersion.V2)
    lifetime = granted.expires - granted.not_before
    document: Mapping[str, object] = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": granted.access_token,
    } | dict(granted.further)
    return Response(200, document, NOT_STORED)


def answer_token_v1(authority: Authority, request: Request) -> Response:
    """Answer `POST /{tenant}/oauth2/token`, whose numbers are texts.

    Raises:
        AuthorityError: the refusal.
    """
    granted = _granted(authority, request, EndpointVersion.V1)
    lifetime = str(granted.expires - granted.not_before)
    document: Mapping[str, object] = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "expires_on": str(granted.expires),
        "not_before": str(granted.not_before),
        "resource": granted.resource,
        "access_token": granted.access_token,
    } | dict(granted.further)
    return Response(200, document, NOT_STORED)


def _granted(authority: Authority, request: Request, version: EndpointVersion) -> GrantedToken:
    if tenant_of(authority, request.path["tenant"]) is None:
        raise UnknownTenantError(tenant=request.path["tenant"])
    form = form_parameters(request)
    grant = grant_for(form.get("grant_type", ""))
    credentials = presented_credentials(form, request.authorization)
    return grant(authority, TokenRequest(version, request.origin, credentials, form))
