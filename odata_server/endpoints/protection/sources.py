"""What virtual tables ask of Human Resources counts for the user there, as what comes over `/data` does."""

from __future__ import annotations

from collections.abc import Callable

from entities.messages import Message, Response
from entities.metadata.catalog import Catalog
from odata_server.endpoints.protection.gate import Gate
from odata_server.providers.finance_operations import CallerDirectory, SourceEnvironment
from security.principals import Principal


class MeteredSource:
    """An environment behind virtual tables, with a gate before it.

    Args:
        source: the environment.
        gate: counts each message.
        now: seconds since 1970-01-01 UTC.
    """

    def __init__(self, source: SourceEnvironment, gate: Gate, now: Callable[[], float]) -> None:
        self._source = source
        self._gate = gate
        self._now = now

    @property
    def catalog(self) -> Catalog:
        """Its metadata."""
        return self._source.catalog

    @property
    def directory(self) -> CallerDirectory:
        """Its users."""
        return self._source.directory

    def execute(self, message: Message, principal: Principal) -> Response:
        """Execute a message as one of its users.

        Raises:
            TooManyRequests: a limit of the user is reached.
            DataverseError: the environment refuses.
        """
        user, began = principal.caller.user_id, self._now()
        self._gate.enter(user, began)
        try:
            return self._source.execute(message, principal)
        finally:
            self._gate.leave(user, began, self._now())
