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
from odata_server.endpoints.metadata_documents import MetadataDocument

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
    _document: MetadataDocument | None = None

    def meaning(self, catalog: Catalog) -> Meaning:
        """Return the names over a snapshot, the same ones as long as the snapshot is the same."""
        kept = self._meaning
        if kept is None or kept.names.catalog is not catalog:
            kept = self._meaning = Meaning(Names(catalog), self.is_faithful)
        return kept

    def document(self, container: Callable[[], str]) -> MetadataDocument:
        """Return what answers requests for `$metadata`; `container` gives the name of its entity container, once."""
        kept = self._document
        if kept is None:
            name = container()
            kept = self._document = MetadataDocument(lambda catalog: v2_csdl(self.meaning(catalog).names, name))
        return kept
