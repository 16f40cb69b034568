"""The document `$metadata` as it is sent: made once for each snapshot of the catalog, compressed once, and tagged.

A client that has it already is told so (`If-None-Match`, RFC 9110 §13.1.2). The tag is weak: it is that of the text,
whether it travels compressed or not, and stays as long as the text does.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from entities.metadata.catalog import Catalog, same_definitions
from odata_server.endpoints.compression import accepts_gzip
from odata_server.endpoints.exchange import ODataRequest, ODataResponse

XML: Final = "application/xml"
_LEVEL: Final = 4
"""A document is compressed once and sent often."""

_GZIP_WINDOW: Final = 31
_DIGEST: Final = 12
_VERSION: Final = ("OData-Version", "4.0")


@dataclass(frozen=True, slots=True)
class _Made:
    """A document; `packed` has its compressed form as soon as somebody asked for it."""

    body: bytes
    etag: str
    packed: list[bytes] = field(default_factory=list)


class MetadataDocument:
    """The newest metadata document of a service.

    Two threads may make the same document at the same time; both are equal, and one stays.

    Args:
        make: writes the document of a catalog.
    """

    def __init__(self, make: Callable[[Catalog], bytes]) -> None:
        self._make = make
        self._kept: tuple[Catalog, _Made] | None = None

    def answer(self, request: ODataRequest, catalog: Catalog) -> ODataResponse:
        """Answer a request for the document.

        Args:
            request: the request; what it accepts and what it has count.
            catalog: the snapshot to describe.
        """
        made = self._of(catalog)
        tagged = (_VERSION, ("ETag", made.etag))
        if _has(request.header("if-none-match"), made.etag):
            return ODataResponse(304, tagged)
        headers = (("Content-Type", XML), *tagged)
        if not accepts_gzip(request.header("accept-encoding")):
            return ODataResponse(200, headers, made.body)
        if not made.packed:
            writer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
            made.packed.append(writer.compress(made.body) + writer.flush())
        return ODataResponse(200, (*headers, ("Content-Encoding", "gzip")), made.packed[0])

    def _of(self, catalog: Catalog) -> _Made:
        kept = self._kept
        if kept is not None and same_definitions(kept[0], catalog):
            return kept[1]
        body = self._make(catalog)
        # Much of what changes a catalog, such as a label, changes nothing here.
        same = kept is not None and kept[1].body == body
        made = kept[1] if kept is not None and same else _Made(body, _etag(body))
        self._kept = (catalog, made)
        return made


def _etag(body: bytes) -> str:
    return f'W/"{blake2b(body, digest_size=_DIGEST).hexdigest()}"'


def _has(header: str, etag: str) -> bool:
    """Say whether If-None-Match names a tag, compared weakly, or any."""
    if not header:
        return False
    bare = etag.removeprefix("W/")
    return any(tag.strip() == "*" or tag.strip().removeprefix("W/") == bare for tag in header.split(","))
