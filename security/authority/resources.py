"""Resources: what a token can be asked for, and which application permissions count there."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from security.authority.authority import Authority
from security.authority.errors import InvalidScopeError, UnknownResourceError
from security.authority.model import AppRegistration

GRAPH: Final = "https://graph.microsoft.com"
GRAPH_AUDIENCES: Final = frozenset({GRAPH, "00000003-0000-0000-c000-000000000000"})
HUMAN_RESOURCES: Final = "00000015-0000-0000-c000-000000000000"
"""The application id of Microsoft Dynamics ERP, the resource of finance-and-operations environments."""

_DEFAULT_SCOPE: Final = "/.default"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def resource_of_scope(scope: str) -> str:
    """Return the resource of a `<resource>/.default` scope, exactly as written: `https://org//.default` is `https://org/`.

    Raises:
        InvalidScopeError: another scope, or several.
    """
    resource = scope.strip().removesuffix(_DEFAULT_SCOPE)
    if resource == scope.strip() or not resource or len(resource.split()) != 1:
        raise InvalidScopeError(scope=scope)
    return resource


def check_resource(authority: Authority, resource: str, *, origin: str) -> None:
    """Accept the server's own URLs, Human Resources and Microsoft Graph.

    Args:
        authority: knows the host names and further URLs of the server.
        resource: the URL or application id a token is wanted for.
        origin: scheme, host and port of the request; the server is reached on this port.

    Raises:
        UnknownResourceError: none of them.
    """
    name = _comparable(resource)
    if name in GRAPH_AUDIENCES or name == HUMAN_RESOURCES:
        return
    if any(name == _comparable(known) for known in authority.resources):
        return
    if not _is_own(authority, name, origin):
        raise UnknownResourceError(resource=resource, tenant=authority.tenant.display_name)


def granted_roles(application: AppRegistration, resource: str) -> tuple[str, ...]:
    """Return the application permissions a token for the resource carries: only Microsoft Graph has any."""
    return application.app_roles if _comparable(resource) in GRAPH_AUDIENCES else ()


def _comparable(resource: str) -> str:
    return resource.lower().removesuffix("/")


def _is_own(authority: Authority, name: str, origin: str) -> bool:
    try:
        parts, request = urlsplit(name), urlsplit(origin)
        port, request_port = _port(parts), _port(request)
    except ValueError:
        return False
    # Nothing but scheme, host and port: the rest, and what `urlsplit` silently drops, makes it another resource.
    if name != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        return False
    return parts.scheme == request.scheme and parts.hostname in authority.hosts and port == request_port


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)
