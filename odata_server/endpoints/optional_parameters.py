"""Headers that change what a message does, and who may ask for it (Learn: "Use optional parameters").

Custom business logic is what plug-in packages and webhooks register; a request may leave out its synchronous steps, its
asynchronous ones, or single ones by the ids of their rows. `MSCRM.SolutionUniqueName` names the solution that takes in
what the request makes. With
`MSCRM.SuppressDuplicateDetection: false` records that are going to be duplicates are refused. The others
(`MSCRM.SuppressCallbackRegistrationExpanderJob`, the query option `tag`, …) take no privilege, and what they are about
is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar, cast

from entities.messages import Create, Message, Update, Upsert
from entities.pipeline import CUSTOM_ASYNC, CUSTOM_SYNC
from odata_server.endpoints.exchange import ODataRequest
from security.denials import privilege_missing
from security.principals import Principal

_PRIVILEGES: Final[Mapping[str, str]] = {
    "mscrm.bypasscustompluginexecution": "prvBypassCustomPlugins",
    "mscrm.bypassbusinesslogicexecution": "prvBypassCustomBusinessLogic",
    "mscrm.bypassbusinesslogicexecutionstepids": "prvBypassCustomBusinessLogic",
}
_ALL_SYNCHRONOUS: Final = "mscrm.bypasscustompluginexecution"
_SUPPRESSION: Final = "mscrm.suppressduplicatedetection"
_SOLUTION: Final = "mscrm.solutionuniquename"
_OFF: Final = frozenset({"", "false", "null"})


def with_optional_parameters(request: ODataRequest, principal: Principal) -> Principal:
    """Return the caller of a request with the custom steps that it asks to leave out.

    Raises:
        AccessDenied: the caller may not ask for what its headers ask for.
    """
    passed_by: set[str] = set()
    for header, privilege in _PRIVILEGES.items():
        value = request.headers.get(header)
        if value is None or value.strip().lower() in _OFF:
            continue
        if privilege not in principal.grants:
            raise privilege_missing(principal, privilege)
        named = {CUSTOM_SYNC} if header == _ALL_SYNCHRONOUS else {_step(word) for word in value.split(",")}
        passed_by |= named
    solution = request.header(_SOLUTION)
    if not passed_by and not solution:
        return principal
    caller = replace(principal.caller, passes_by=frozenset(passed_by), solution=solution or None)
    return replace(principal, caller=caller)


def _step(word: str) -> str:
    """Return the kind, or the id, by which a header names steps."""
    name = word.strip()
    return next((kind for kind in (CUSTOM_SYNC, CUSTOM_ASYNC) if kind.lower() == name.lower()), name.lower())


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
