"""What the Organization Data Service keeps between requests: its mode, names over the newest catalog, bound queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from entities.metadata.catalog import Catalog
from odata_server.bind.v2.query import V2Row, V2Rows
from odata_server.bind.v2.translation import Meaning
from odata_server.edm.v2.csdl import v2_csdl
from odata_server.edm.v2.names import Names
from odata_server.endpoints.cache import BoundCache

_KEPT: Final = 256
"""Bound queries; each names every property and navigation property that it shows."""


@dataclass(slots=True)
class OrganizationData:
    """The state of the service in this process.

    Attributes:
        is_faithful: whether it has what the real service has and no more.
        rows, row: queries bound before, by exact text.
    """

    is_faithful: bool = False
    rows: BoundCache[V2Rows] = field(default_factory=lambda: BoundCache(_KEPT))
    row: BoundCache[V2Row] = field(default_factory=lambda: BoundCache(_KEPT))
    _meaning: Meaning | None = None
    _document: tuple[Catalog, bytes] | None = None

    def meaning(self, catalog: Catalog) -> Meaning:
        """Return the names over a snapshot, the same ones as long as the snapshot is the same."""
        kept = self._meaning
        if kept is None or kept.names.catalog is not catalog:
            kept = self._meaning = Meaning(Names(catalog), self.is_faithful)
        return kept

    def document(self, meaning: Meaning, container: Callable[[], str]) -> bytes:
        """Return `$metadata`, made once per snapshot; `container` gives the name of its entity container."""
        kept = self._document
        if kept is None or kept[0] is not meaning.names.catalog:
            kept = self._document = (meaning.names.catalog, v2_csdl(meaning.names, container()))
        return kept[1]
