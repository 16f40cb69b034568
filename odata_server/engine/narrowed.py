"""The queries that callers ask again and again, as they may run them.

A query whose text has been bound before is the same object, and a caller is the same object as long as nobody's
rights change. Both are found by what they are, not by what they hold: to compare them would take as long as to
authorize the query anew.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from entities.messages import RetrieveMultiple
from entities.metadata.catalog import Catalog
from entities.query import QueryExpression
from odata_server.engine.slots import SignedQuery, signed
from security.authorize import authorize
from security.principals import Principal

_KEPT = 1_024


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """An authorized query with what it was made of, which lives as long as this does."""

    query: QueryExpression
    principal: Principal
    version: int
    result: SignedQuery


@dataclass(slots=True)
class NarrowedQueries:
    """Authorized queries of one process; the oldest goes first."""

    _known: OrderedDict[tuple[int, int], _Narrowed] = field(default_factory=OrderedDict)

    def narrowed(self, message: RetrieveMultiple, principal: Principal, catalog: Catalog) -> SignedQuery:
        """Return a message's query as the principal may run it.

        Raises:
            AccessDenied: there is no Read on one of its tables.
        """
        key = (id(message.query), id(principal))
        known = self._known.get(key)
        if known is not None and known.version == catalog.version:
            return known.result
        result = signed(authorize(message, principal, catalog).message.query)
        self._known[key] = _Narrowed(message.query, principal, catalog.version, result)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return result
