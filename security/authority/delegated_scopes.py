"""Scopes of people's tokens: which permissions of which resource are asked for (Learn: Scopes and permissions)."""

from dataclasses import dataclass
from typing import Final

from security.authority.errors import SeveralResourcesError, UnknownScopeError
from security.authority.resources import GRAPH, GRAPH_AUDIENCES

USER_IMPERSONATION: Final = "user_impersonation"
_DEFAULT: Final = ".default"
_OPENID: Final = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True)
class DelegatedScope:
    """What is asked for: `text` as it was written, a resource, its permissions, and two wishes of OpenID Connect."""

    text: str
    resource: str
    permissions: tuple[str, ...]
    wants_id_token: bool
    wants_refresh_token: bool

    @property
    def granted(self) -> str:
        """What the answer echoes: MSAL finds cached tokens by it, so `.default` stands beside what it means."""
        names = [f"{self.resource}/{name}" for name in self.permissions]
        if f"{self.resource}/{_DEFAULT}" in self.text.split():
            names.append(f"{self.resource}/{_DEFAULT}")
        return " ".join(names or self.text.split())


def delegated_scope(text: str) -> DelegatedScope:
    """Read a scope; a permission without a resource is one of Microsoft Graph.

    Raises:
        SeveralResourcesError: permissions of more than one resource.
        UnknownScopeError: a permission that the resource does not have.
    """
    words = text.split()
    asked = [_permission(word) for word in words if word not in _OPENID]
    resources = list(dict.fromkeys(resource for resource, _ in asked))
    if len(resources) > 1:
        raise SeveralResourcesError(scope=text)
    resource = resources[0] if resources else GRAPH
    names = list(dict.fromkeys(name for _, name in asked))
    is_graph = resource.lower().removesuffix("/") in GRAPH_AUDIENCES
    if not is_graph:
        for name in names:
            if name not in (USER_IMPERSONATION, _DEFAULT):
                raise UnknownScopeError(scope=f"{resource}/{name}")
        names = [USER_IMPERSONATION]
    return DelegatedScope(
        text=" ".join(words),
        resource=resource,
        permissions=tuple(name for name in names if name != _DEFAULT),
        wants_id_token="openid" in words,
        wants_refresh_token="offline_access" in words,
    )


def scope_of_resource(resource: str) -> DelegatedScope:
    """Return what a request of the v1 endpoint for a resource means: tokens of all kinds."""
    return delegated_scope(f"{resource}/{_DEFAULT} openid offline_access")


def _permission(word: str) -> tuple[str, str]:
    resource, separator, name = word.rpartition("/")
    if not name or (separator and not resource):
        raise UnknownScopeError(scope=word)
    return (resource, name) if separator else (GRAPH, name)
