"""The three limits of a user: requests, combined execution time, and requests at once.

Learn: "Service protection API limits". Requests are counted always; they are refused where the limits are enforced.
A request that is refused counts for nothing. A batch is one request, and its execution time is all that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from entities.errors import TooManyRequests
from odata_server.endpoints.protection.ledger import Ledger, Slot, open_ledger
from odata_server.endpoints.protection.windows import MICROSECONDS, REQUESTS, add, seconds_until_below
from odata_server.settings import Limits, ServiceProtection

TIME_REMAINING: Final = "x-ms-ratelimit-time-remaining-xrm-requests"
REQUESTS_REMAINING: Final = "x-ms-ratelimit-burst-remaining-xrm-requests"
_EXECUTION_TIME: Final = "0x80072321"
_NUMBER: Final = "0x80072322"
_CONCURRENCY: Final = "0x80072326"
_MICRO: Final = 1_000_000
_MILLI: Final = 1_000
_FINANCE: Final = "finance "
_A_MOMENT: Final = 1
"""Seconds to wait for one of the requests at once to end: nobody knows when one does."""

Remaining = tuple[tuple[str, str], tuple[str, str]]
"""The two headers that say what is left."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Counts what users ask, and refuses what is too much.

    Attributes:
        ledger: what each user asked; several gates may have one.
        limits: the figures.
        is_enforced: whether anything is refused.
        realm: what tells the users of this gate from those of others.
    """

    ledger: Ledger
    limits: Limits
    is_enforced: bool
    realm: str = ""

    def enter(self, user: str, now: float) -> None:
        """Let a request of a user begin.

        Raises:
            TooManyRequests: a limit is reached; the error says after how many seconds it is no more.
        """
        slot = self.ledger.take(self.realm + user, int(now))
        try:
            refusal = self._refusal(slot) if self.is_enforced else None
            if refusal is None:
                add(slot.window, REQUESTS, 1, self.ledger.window)
                self.ledger.begin(slot)
        finally:
            self.ledger.give_back(slot)
        if refusal is not None:
            raise refusal

    def leave(self, user: str, began: float, now: float) -> Remaining:
        """Let a request of a user end, and return what is left to the user."""
        slot = self.ledger.take(self.realm + user, int(now))
        try:
            took = max(0, round((now - began) * _MICRO))
            add(slot.window, MICROSECONDS, took, self.ledger.window)
            self.ledger.end(slot)
            return self._remaining(slot)
        finally:
            self.ledger.give_back(slot)

    def remaining(self, user: str, now: float) -> Remaining:
        """Return what is left to a user."""
        slot = self.ledger.take(self.realm + user, int(now))
        try:
            return self._remaining(slot)
        finally:
            self.ledger.give_back(slot)

    def untouched(self) -> Remaining:
        """Return what is left to somebody who has asked nothing."""
        return _headers(self.limits.requests, self.limits.execution_seconds)

    def _remaining(self, slot: Slot) -> Remaining:
        used = slot.window[MICROSECONDS] / _MICRO
        return _headers(self.limits.requests - slot.window[REQUESTS], self.limits.execution_seconds - used)

    def _refusal(self, slot: Slot) -> TooManyRequests | None:
        """Return why a further request is too much: the limit that is reached, None where none is."""
        limits, window = self.limits, self.ledger.window
        wait = seconds_until_below(slot.window, REQUESTS, limits.requests, window)
        if wait:
            return _too_many(limits, window, wait)
        wait = seconds_until_below(slot.window, MICROSECONDS, round(limits.execution_seconds * _MICRO), window)
        if wait:
            return _too_long(limits, window, wait)
        if slot.running >= limits.concurrent:
            self.ledger.drop_dead(slot)
        return _too_many_at_once(limits) if slot.running >= limits.concurrent else None


def _too_many(limits: Limits, window: int, wait: int) -> TooManyRequests:
    text = f"Number of requests exceeded the limit of {limits.requests} over time window of {window} seconds."
    return TooManyRequests(text, retry_after=wait, code=_NUMBER)


def _too_long(limits: Limits, window: int, wait: int) -> TooManyRequests:
    text = (
        f"Combined execution time of incoming requests exceeded limit of {limits.execution_seconds * _MILLI:,.0f} "
        f"milliseconds over time window of {window} seconds. "
        "Decrease number of concurrent requests or reduce the duration of requests and try again later."
    )
    return TooManyRequests(text, retry_after=wait, code=_EXECUTION_TIME)


def _too_many_at_once(limits: Limits) -> TooManyRequests:
    text = f"Number of concurrent requests exceeded the limit of {limits.concurrent}."
    return TooManyRequests(text, retry_after=_A_MOMENT, code=_CONCURRENCY)


def _headers(requests: int, seconds: float) -> Remaining:
    """Return the headers, the seconds with separators of thousands and two decimals as Dataverse writes them."""
    return (TIME_REMAINING, f"{max(0.0, seconds):,.2f}"), (REQUESTS_REMAINING, str(max(0, requests)))


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of a host: one for the users of Dataverse, one for those of Human Resources."""

    dataverse: Gate
    finance: Gate


def open_gates(path: Path | None = None, protection: ServiceProtection | None = None) -> Gates:
    """Return the gates of this process.

    Args:
        path: the file that the processes of a host share, which a process opens once; None for one process alone.
        protection: what is enforced; where nothing is, the real figures are reported.

    Raises:
        OSError: the file cannot be opened.
    """
    figures, is_enforced = protection or ServiceProtection(), protection is not None
    ledger = open_ledger(path, figures.window)
    return Gates(
        Gate(ledger, figures.dataverse, is_enforced), Gate(ledger, figures.finance, is_enforced, realm=_FINANCE)
    )
