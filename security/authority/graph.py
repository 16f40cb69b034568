"""The Microsoft Graph slice for app registrations: what an administrator's script calls to create and delete them.

Creating an application also creates its service principal, so `POST /servicePrincipals` finds it there and answers 201
with it, however often it is asked: scripts written for Graph, where the second call is needed, run unchanged.
"""

from typing import Final

from security.authority.authority import Authority, add_client_secret
from security.authority.client_secrets import DEFAULT_LIFETIME
from security.authority.exchange import Request, Response
from security.authority.graph_errors import GraphCode, GraphError
from security.authority.graph_forms import (
    PropertyFilter,
    application_document,
    certificate_of,
    collection_document,
    entity_document,
    identifier,
    password_document,
    principal_document,
    read_app_id,
    read_filter,
    read_new_application,
    read_new_keys,
    read_new_password,
)
from security.authority.model import AppRegistration
from security.authority.resources import GRAPH_AUDIENCES
from security.authority.stores import RegistrationExistsError, RegistrationNotFoundError
from security.authority.validation import ExpiredToken, InvalidAudience, InvalidToken

READ_WRITE_ROLE: Final = "Application.ReadWrite.All"
_READ_ROLES: Final = frozenset({"Application.Read.All", READ_WRITE_ROLE})
_WRITE_ROLES: Final = frozenset({READ_WRITE_ROLE})


def create_application(authority: Authority, request: Request) -> Response:
    """Answer `POST /v1.0/applications`.

    Raises:
        GraphError: not authorized, or the body is not good.
    """
    _authorize(authority, request, _WRITE_ROLES)
    wanted = read_new_application(request)
    application = AppRegistration(
        client_id=authority.sources.new_id(),
        object_id=authority.sources.new_id(),
        registration_id=authority.sources.new_id(),
        display_name=wanted.display_name,
        secrets=(),
        redirect_uris=wanted.redirect_uris,
        is_public=wanted.is_public,
        app_roles=(),
        created=authority.sources.clock(),
        certificates=tuple(certificate_of(key, (), authority.sources.new_id) for key in wanted.keys),
    )
    _add(authority, application)
    location = {"Location": f"{request.origin}/v1.0/applications/{application.registration_id}"}
    return Response(201, _one_application(authority, request, application), location)


def list_applications(authority: Authority, request: Request) -> Response:
    """Answer `GET /v1.0/applications`, whole or filtered by one property.

    Raises:
        GraphError: not authorized, or the query is not understood.
    """
    _authorize(authority, request, _READ_ROLES)
    wanted = read_filter(request)
    items = [application_document(found, authority.tenant.domain) for found in authority.registrations.list_all()]
    kept = [item for item in items if _keeps(wanted, item)]
    return Response(200, collection_document(request.origin, "applications", kept))


def get_application(authority: Authority, request: Request) -> Response:
    """Answer `GET /v1.0/applications/{id}` and `…(appId='{appId}')`.

    Raises:
        GraphError: not authorized, or not found.
    """
    _authorize(authority, request, _READ_ROLES)
    return Response(200, _one_application(authority, request, _addressed(authority, request)))


def update_application(authority: Authority, request: Request) -> Response:
    """Answer `PATCH /v1.0/applications/{id}` and `…(appId='{appId}')`: the body's key credentials replace all others.

    Raises:
        GraphError: not authorized, not found, or the body is not good.
    """
    _authorize(authority, request, _WRITE_ROLES)
    application = _addressed(authority, request)
    keys = read_new_keys(request)
    if keys and application.is_public:
        raise GraphError(GraphCode.BAD_REQUEST, "A public application has no credentials.")
    new_id = authority.sources.new_id
    certificates = tuple(certificate_of(key, application.certificates, new_id) for key in keys)
    try:
        authority.registrations.replace_certificates(application.client_id, certificates)
    except RegistrationNotFoundError as error:
        raise _not_found(str(application.client_id)) from error
    except RegistrationExistsError as error:
        raise _taken_key_id() from error
    return Response(204, None)


def delete_application(authority: Authority, request: Request) -> Response:
    """Answer `DELETE /v1.0/applications/{id}` and `…(appId='{appId}')`: it gets no more tokens.

    Raises:
        GraphError: not authorized, or not found.
    """
    _authorize(authority, request, _WRITE_ROLES)
    application = _addressed(authority, request)
    if not authority.registrations.delete(application.client_id):
        raise _not_found(str(application.client_id))
    return Response(204, None)


def add_password(authority: Authority, request: Request) -> Response:
    """Answer `POST /v1.0/applications/{id}/addPassword`: the only answer that holds the clear secret.

    Raises:
        GraphError: not authorized, not found, or the body is not good.
    """
    _authorize(authority, request, _WRITE_ROLES)
    application = _addressed(authority, request)
    wanted = read_new_password(request)
    now = authority.sources.clock()
    lifetime = DEFAULT_LIFETIME if wanted.expires is None else wanted.expires - now
    if lifetime <= 0:
        raise GraphError(GraphCode.BAD_REQUEST, "Property 'endDateTime' must be in the future.")
    try:
        clear, secret = add_client_secret(
            authority, application.client_id, display_name=wanted.display_name, lifetime=lifetime
        )
    except RegistrationNotFoundError as error:
        raise _not_found(str(application.client_id)) from error
    document = entity_document(request.origin, "microsoft.graph.passwordCredential", password_document(secret, clear))
    return Response(200, document, {"Cache-Control": "no-store"})


def create_principal(authority: Authority, request: Request) -> Response:
    """Answer `POST /v1.0/servicePrincipals` with the service principal the application already has.

    Raises:
        GraphError: not authorized, or there is no such application.
    """
    _authorize(authority, request, _WRITE_ROLES)
    client_id = read_app_id(request)
    application = authority.registrations.get(client_id)
    if application is None:
        raise GraphError(
            GraphCode.BAD_REQUEST,
            f"The appId '{client_id}' of the service principal does not reference a valid application object.",
        )
    document = principal_document(application, authority.tenant.tenant_id)
    return Response(201, entity_document(request.origin, "servicePrincipals/$entity", document))


def list_principals(authority: Authority, request: Request) -> Response:
    """Answer `GET /v1.0/servicePrincipals`, whole or filtered by one property.

    Raises:
        GraphError: not authorized, or the query is not understood.
    """
    _authorize(authority, request, _READ_ROLES)
    wanted = read_filter(request)
    tenant_id = authority.tenant.tenant_id
    items = [principal_document(found, tenant_id) for found in authority.registrations.list_all()]
    kept = [item for item in items if _keeps(wanted, item)]
    return Response(200, collection_document(request.origin, "servicePrincipals", kept))


def _add(authority: Authority, application: AppRegistration) -> None:
    try:
        authority.registrations.add(application)
    except RegistrationExistsError as error:
        raise _taken_key_id() from error


def _taken_key_id() -> GraphError:
    return GraphError(GraphCode.BAD_REQUEST, "Property 'keyId' of 'keyCredentials' must be unique.")


def _authorize(authority: Authority, request: Request, roles: frozenset[str]) -> None:
    scheme, _, token = request.authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise GraphError(GraphCode.INVALID_TOKEN, "Access token is empty.")
    try:
        claims = authority.validator.validate(token.strip(), audiences=GRAPH_AUDIENCES, now=authority.sources.clock())
    except ExpiredToken as error:
        raise GraphError(GraphCode.INVALID_TOKEN, "Lifetime validation failed, the token is expired.") from error
    except InvalidAudience as error:
        raise GraphError(GraphCode.INVALID_TOKEN, "Access token validation failure. Invalid audience.") from error
    except InvalidToken as error:
        raise GraphError(GraphCode.INVALID_TOKEN, f"Access token validation failure. {error}") from error
    if roles.isdisjoint(claims.roles):
        raise GraphError(GraphCode.DENIED, "Insufficient privileges to complete the operation.")


def _addressed(authority: Authority, request: Request) -> AppRegistration:
    if "app_id" in request.path:
        found = authority.registrations.get(identifier(request.path["app_id"], "appId"))
    else:
        wanted = identifier(request.path["registration_id"], "id")
        found = next((each for each in authority.registrations.list_all() if each.registration_id == wanted), None)
    if found is None:
        raise _not_found(request.path.get("app_id") or request.path["registration_id"])
    return found


def _one_application(authority: Authority, request: Request, application: AppRegistration) -> dict[str, object]:
    document = application_document(application, authority.tenant.domain)
    return entity_document(request.origin, "applications/$entity", document)


def _keeps(wanted: PropertyFilter | None, item: dict[str, object]) -> bool:
    # Graph compares texts without regard to case.
    return wanted is None or str(item[wanted.name]).casefold() == wanted.value.casefold()


def _not_found(name: str) -> GraphError:
    return GraphError(
        GraphCode.NOT_FOUND,
        f"Resource '{name[:100]}' does not exist or one of its queried reference-property objects are not present.",
    )
