"""Discovery: the OpenID configuration (v1 and v2), keys, instances and user realms, all from the request's own URL."""

from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from security.authority.authority import MICROSOFT_LOGIN_HOST, Authority, tenant_of
from security.authority.errors import MissingParameterError, UnknownInstanceError, UnknownTenantError
from security.authority.exchange import Request, Response, query_parameters
from security.authority.signing_keys import key_set_document
from security.authority.tokens import v1_issuer, v2_issuer

_CLAIMS: Final = (
    "sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time "
    "acr nonce preferred_username name tid ver at_hash c_hash email"
)
_CLAIMS_V1: Final = (
    "sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time "
    "acr amr nonce email given_name family_name nickname"
)


def answer_configuration_v2(authority: Authority, request: Request) -> Response:
    """Answer `GET /{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4).

    Raises:
        UnknownTenantError: the tenant is not this one.
    """
    segment, issuer_tenant = _segments(authority, request)
    base = f"{request.origin}/{segment}"
    document = _shared(request, base) | {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{request.origin}/{issuer_tenant}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{request.origin}/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": _CLAIMS.split(),
    }
    return Response(200, document)


def answer_configuration_v1(authority: Authority, request: Request) -> Response:
    """Answer `GET /{tenant}/.well-known/openid-configuration`.

    Raises:
        UnknownTenantError: the tenant is not this one.
    """
    segment, issuer_tenant = _segments(authority, request)
    base = f"{request.origin}/{segment}"
    document = _shared(request, base) | {
        "token_endpoint": f"{base}/oauth2/token",
        "jwks_uri": f"{request.origin}/common/discovery/keys",
        "scopes_supported": ["openid"],
        "issuer": f"https://sts.windows.net/{issuer_tenant}/",
        "microsoft_multi_refresh_token": True,
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/devicecode",
        "end_session_endpoint": f"{base}/oauth2/logout",
        "userinfo_endpoint": f"{base}/openid/userinfo",
        "check_session_iframe": f"{base}/oauth2/checksession",
        "claims_supported": _CLAIMS_V1.split(),
    }
    return Response(200, document)


def answer_keys_v2(authority: Authority, request: Request) -> Response:
    """Answer `GET /{tenant}/discovery/v2.0/keys`.

    Raises:
        UnknownTenantError: the tenant is not this one.
    """
    _segments(authority, request)
    return Response(200, key_set_document(authority.ring.loaded(), v2_issuer(request.origin, _tenant_id(authority))))


def answer_keys_v1(authority: Authority, request: Request) -> Response:
    """Answer `GET /{tenant}/discovery/keys`.

    Raises:
        UnknownTenantError: the tenant is not this one.
    """
    _segments(authority, request)
    return Response(200, key_set_document(authority.ring.loaded(), v1_issuer(_tenant_id(authority))))


def answer_instance(authority: Authority, request: Request) -> Response:
    """Answer `GET /common/discovery/instance`: where the tenant of an authorization endpoint is configured.

    MSAL for Python leaves the port out of the endpoint it asks about, so the host name alone decides.

    Raises:
        MissingParameterError: no authorization endpoint.
        UnknownInstanceError: the host is none of this server's names.
    """
    parameters = query_parameters(request)
    endpoint = parameters.get("authorization_endpoint", "")
    if not endpoint:
        raise MissingParameterError(parameter="authorization_endpoint")
    host, segments = _host_and_segments(endpoint)
    if host not in authority.hosts and host != MICROSOFT_LOGIN_HOST:
        raise UnknownInstanceError(instance=endpoint)
    version = "/v2.0" if "v2.0" in segments else ""
    tenant = segments[0] if segments else "common"
    document = {
        "tenant_discovery_endpoint": f"{request.origin}/{tenant}{version}/.well-known/openid-configuration",
        "api-version": parameters.get("api-version", "1.1"),
        "metadata": [_instance_metadata(request.origin)],
    }
    return Response(200, document)


def answer_user_realm(authority: Authority, request: Request) -> Response:
    """Answer `GET /common/userrealm/{user}`: whether the tenant manages the user's password itself."""
    user = request.path["user"]
    domain = user.rpartition("@")[2]
    managed = domain.lower() == authority.tenant.domain.lower()
    document: dict[str, object] = {"ver": "1.0", "account_type": "Managed" if managed else "Unknown"}
    if managed:
        document["domain_name"] = authority.tenant.domain
    document["cloud_instance_name"] = "microsoftonline.com"
    document["cloud_audience_urn"] = "urn:federation:MicrosoftOnline"
    return Response(200, document)


def _shared(request: Request, base: str) -> dict[str, object]:
    host = urlsplit(request.origin).netloc
    return {
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
            "self_signed_tls_client_auth",
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": host,
        "rbac_url": "https://pas.windows.net",
    }


def _segments(authority: Authority, request: Request) -> tuple[str, str]:
    """Return the first URL segment of the documents, and the tenant in the issuer: Entra resolves domain to id.

    For `common` and `organizations` Entra keeps the word and writes the placeholder `{tenantid}` into the issuer.
    """
    segment = request.path["tenant"]
    tenant = tenant_of(authority, segment)
    if tenant is None:
        raise UnknownTenantError(tenant=segment)
    if segment.lower() in ("common", "organizations"):
        return segment.lower(), "{tenantid}"
    return str(tenant.tenant_id), str(tenant.tenant_id)


def _tenant_id(authority: Authority) -> UUID:
    return authority.tenant.tenant_id


def _host_and_segments(endpoint: str) -> tuple[str | None, list[str]]:
    try:
        parts = urlsplit(endpoint)
        return parts.hostname, [segment for segment in parts.path.split("/") if segment]
    except ValueError as error:
        raise UnknownInstanceError(instance=endpoint) from error


def _instance_metadata(origin: str) -> dict[str, object]:
    # MSAL keys its token cache by the host name, other clients by host and port: both are the same instance.
    parts = urlsplit(origin)
    aliases = list(dict.fromkeys([parts.netloc, parts.hostname or parts.netloc]))
    return {"preferred_network": parts.netloc, "preferred_cache": parts.netloc, "aliases": aliases}
