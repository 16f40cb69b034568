"""Headers that change what a message does, and who may ask for it (Learn: "Use optional parameters").

There is no custom business logic here to pass by; who may not ask for it is refused all the same. With
`MSCRM.SuppressDuplicateDetection: false` records that are going to be duplicates are refused. The others
(`MSCRM.SuppressCallbackRegistrationExpanderJob`, the query option `tag`, …) take no privilege, and what they are about
is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar, cast

from entities.messages import Create, Message, Update, Upsert
from odata_server.endpoints.exchange import ODataRequest
from security.denials import privilege_missing
from security.principals import Principal

_PRIVILEGES: Final[Mapping[str, str]] = {
    "mscrm.bypasscustompluginexecution": "prvBypassCustomPlugins",
    "mscrm.bypassbusinesslogicexecution": "prvBypassCustomBusinessLogic",
    "mscrm.bypassbusinesslogicexecutionstepids": "prvBypassCustomBusinessLogic",
}
_SUPPRESSION: Final = "mscrm.suppressduplicatedetection"
_OFF: Final = frozenset({"", "false", "null"})


def check_optional_parameters(request: ODataRequest, principal: Principal) -> None:
    """Check that a caller may ask for what its headers ask for.

    Raises:
        AccessDenied: a privilege is missing.
    """
    for header, privilege in _PRIVILEGES.items():
        value = request.headers.get(header)
        if value is not None and value.strip().lower() not in _OFF and privilege not in principal.grants:
            raise privilege_missing(principal, privilege)


M = TypeVar("M", bound=Message)


def detecting(request: ODataRequest, message: M) -> M:
    """Return a message that writes a record as one that looks for duplicates, where the request asks for it.

    Records that come with a new one are looked at, too (Learn: "Detect duplicate data using the Web API").
    """
    if _SUPPRESSION not in request.headers or request.headers[_SUPPRESSION].strip().lower() != "false":
        return message
    match message:
        case Create():
            return cast("M", _detecting_all(message))
        case Update() | Upsert():
            return replace(message, detects_duplicates=True)
        case _:
            return message


def _detecting_all(new: Create) -> Create:
    """Return a new record, and those that come with it, as ones that are looked at."""
    related = tuple(replace(one, made=tuple(map(_detecting_all, one.made))) for one in new.related)
    return replace(new, detects_duplicates=True, related=related)
