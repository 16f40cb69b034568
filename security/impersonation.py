"""A request for another user: who may ask for it, and what it may do then (Learn: "Impersonate another user").

Both headers name the user, `CallerObjectId` by the object id of the directory, `MSCRMCallerID` by the id of its row.
What may be done is what both users may do: of each privilege the lesser depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from entities.errors import AccessDenied, MalformedRequest
from entities.values import Guid, guid
from security.directory import Directory
from security.principals import EveryPrivilege, Principal
from security.privileges import Depth

ACT_ON_BEHALF: Final = "prvActOnBehalfOfAnotherUser"
_OBJECT_ID: Final = "callerobjectid"
_USER_ID: Final = "mscrmcallerid"
_NOBODY: Final = frozenset({"", "null"})


def impersonated(headers: Mapping[str, str], principal: Principal, members: Directory) -> Principal:
    """Return the principal that a request is executed for: its caller, or the user whom the caller acts for.

    Args:
        headers: the request's headers, their names in lower case.
        principal: the caller.
        members: the users of the environment.

    Raises:
        MalformedRequest: a header holds no id.
        AccessDenied: the caller may act for nobody (0x8004a110), or the user may not enter.
    """
    if _OBJECT_ID not in headers and _USER_ID not in headers:
        return principal
    object_id, user_id = (_identifier(headers, name) for name in (_OBJECT_ID, _USER_ID))
    if object_id is None and user_id is None:
        return principal
    if ACT_ON_BEHALF not in principal.grants:
        raise AccessDenied("User does not have the privilege to act on behalf another user.", code="0x8004a110")
    found = members.user(object_id, None) if object_id is not None else members.by_id(user_id or Guid(""))
    return principal if found.caller == principal.caller else _on_behalf(_Same(principal), _Same(found))


def _identifier(headers: Mapping[str, str], name: str) -> Guid | None:
    text = headers.get(name, "").strip()
    if text.lower() in _NOBODY:
        return None
    found = guid(text.removeprefix("{").removesuffix("}"))
    if found is None:
        raise MalformedRequest(f"The header '{name}' must hold the id of a user.")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A principal that is only itself: the directory gives the same one as long as nobody's rights change."""

    principal: Principal

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.principal is self.principal

    def __hash__(self) -> int:
        return id(self.principal)


@lru_cache(maxsize=256)
def _on_behalf(delegate: _Same, user: _Same) -> Principal:
    """Return a user for whom another one acts; the same one again, because authorized queries are kept by it."""
    acting, principal = delegate.principal, user.principal
    caller = replace(principal.caller, delegate_id=acting.caller.user_id)
    return replace(principal, caller=caller, grants=_common(acting.grants, principal.grants))


def _common(left: Mapping[str, Depth], right: Mapping[str, Depth]) -> Mapping[str, Depth]:
    if isinstance(left, EveryPrivilege):
        return right
    if isinstance(right, EveryPrivilege):
        return left
    return {name: min(depth, right[name]) for name, depth in left.items() if name in right}
