"""One request at the gate: counted as soon as it is known whose it is, until it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.protection.gate import Gate, Remaining
from security.principals import Principal

_UNAUTHORIZED: Final = 401
"""The challenge comes before anything is counted, and carries no more than it must."""


class _Visit:
    """One request.

    Args:
        gate: counts it.
        now: seconds since 1970-01-01 UTC.
        caller: finds out who sends it, or raises a DataverseError.
    """

    __slots__ = ("_began", "_caller", "_gate", "_is_inside", "_now", "_user")

    def __init__(self, gate: Gate, now: Callable[[], float], caller: Callable[[], Principal]) -> None:
        self._gate = gate
        self._now = now
        self._caller = caller
        self._began = now()
        self._user: str | None = None
        self._is_inside = False

    def principal(self) -> Principal:
        """Return who sends the request, and let it in.

        Raises:
            DataverseError: nobody who may enter.
            TooManyRequests: a limit is reached.
        """
        principal = self._caller()
        self._user = principal.caller.user_id
        self._gate.enter(self._user, self._began)
        self._is_inside = True
        return principal

    def end(self) -> Remaining:
        """Let the request out and return what is left to its user, everything where it is nobody's."""
        if self._user is None:
            return self._gate.untouched()
        if self._is_inside:
            return self._gate.leave(self._user, self._began, self._now())
        return self._gate.remaining(self._user, self._now())


def metered(
    gate: Gate,
    now: Callable[[], float],
    caller: Callable[[], Principal],
    answer: Callable[[Callable[[], Principal]], ODataResponse],
) -> ODataResponse:
    """Answer a request that counts, with the headers that say what is left.

    Args:
        gate: counts it.
        now: seconds since 1970-01-01 UTC.
        caller: finds out who sends it, or raises a DataverseError.
        answer: answers it, given what finds out who sends it and lets it in; refusals are answers, too.
    """
    given, left = answered_and_counted(gate, now, caller, answer)
    if given.status == _UNAUTHORIZED:
        return given
    return ODataResponse(given.status, (*given.headers, *left), given.body)


def answered_and_counted(
    gate: Gate,
    now: Callable[[], float],
    caller: Callable[[], Principal],
    answer: Callable[[Callable[[], Principal]], ODataResponse],
) -> tuple[ODataResponse, Remaining]:
    """Answer a request that counts, as `metered` does; return the answer and what is left."""
    visit = _Visit(gate, now, caller)
    try:
        given = answer(visit.principal)
    finally:
        left = visit.end()
    return given, left
