"""Messages that have been authorized before their transaction began, so that they are not authorized twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from entities.messages import Create, Message
from entities.metadata.catalog import Catalog
from security.authorize import Authorized, authorize, is_plain
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
        self._plain: dict[str, Authorized[Create]] = {}

    def authorized(self, message: M, principal: Principal, catalog: Catalog) -> Authorized[M]:
        """Return what was decided about a message; it is judged anew where it, or the catalog, is another.

        Of plain new records of one table the first one is judged: what was decided about it holds for all.

        Raises:
            DataverseError: as `authorize`.
        """
        known = self._known.get(id(message)) if catalog is self._catalog else None
        if known is not None and known.message is message and known.principal is principal:
            return cast("Authorized[M]", known)
        if isinstance(message, Create) and is_plain(message) and catalog is self._catalog:
            return cast("Authorized[M]", self._of_plain(message, principal))
        return authorize(message, principal, catalog)

    def _of_plain(self, message: Create, principal: Principal) -> Authorized[Create]:
        known = self._plain.get(message.table)
        if known is None or known.principal is not principal:
            known = self._plain[message.table] = authorize(message, principal, self._catalog)
        return known
