"""Messages that have been authorized before their transaction began, so that they are not authorized twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from entities.messages import Message
from entities.metadata.catalog import Catalog
from security.authorize import Authorized, authorize
from security.principals import Principal

M = TypeVar("M", bound=Message)


class Admissions:
    """What one transaction may take as authorized.

    Args:
        catalog: what the messages have been authorized with.
        authorized: the messages.
    """

    def __init__(self, catalog: Catalog, authorized: Iterable[Authorized[Message]] = ()) -> None:
        self._catalog = catalog
        self._known = {id(one.message): one for one in authorized}

    def authorized(self, message: M, principal: Principal, catalog: Catalog) -> Authorized[M]:
        """Return a message as its principal may run it; it is judged anew where it, or the catalog, is another.

        Raises:
            DataverseError: as `authorize`.
        """
        known = self._known.get(id(message))
        if known is None or known.message is not message or known.principal is not principal:
            return authorize(message, principal, catalog)
        return cast("Authorized[M]", known) if catalog is self._catalog else authorize(message, principal, catalog)
