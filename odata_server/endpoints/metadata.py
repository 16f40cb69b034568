"""Service documents, `$metadata` and definitions: what the two OData v4 services say about themselves.

A handler belongs to one service and lives as long as the server; it keeps what it made of the newest catalog snapshot
only. Definitions are read here; `endpoints.definition_writes` changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import orjson

from entities.errors import MethodNotAllowed, ResourceNotFound
from entities.metadata.catalog import Catalog
from odata_server.edm.csdl import CsdlWriter
from odata_server.edm.finance_csdl import BoundAction, finance_csdl
from odata_server.edm.preferences import parse_preferences
from odata_server.edm.service_document import service_document
from odata_server.endpoints.cache import BoundCache
from odata_server.endpoints.definition_paths import Place, parts_read, walk
from odata_server.endpoints.definition_queries import answer
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.metadata_documents import MetadataDocument
from odata_server.render.definitions import Definitions, KeptDefinitions
from odata_server.render.envelope import count_text
from odata_server.syntax.options import parse_query
from odata_server.syntax.paths import parse_path

ReadDefinitions: TypeAlias = Callable[[frozenset[str]], Catalog]
"""Gives the catalog to a caller who may read these parts of it; raises AccessDenied to others."""

JSON: Final = "application/json; odata.metadata=minimal"
TEXT: Final = "text/plain"
_ANSWERS: Final = 16 * 1024 * 1024
"""What the kept answers may take together; all definitions of a large organization are a few megabytes."""
_WEB_API_SEGMENTS: Final = 3
_FINANCE_SEGMENTS: Final = 1
_METADATA: Final = "$metadata"
_READS: Final = frozenset({"GET", "HEAD"})


class WebApiMetadata:
    """Answers for the Web API.

    Args:
        definitions: the definitions that others keep, too; its own where none are given.
    """

    def __init__(self, definitions: KeptDefinitions | None = None) -> None:
        self._definitions = definitions or KeptDefinitions()
        self._answers: tuple[Definitions | None, BoundCache[ODataResponse]] = (None, BoundCache(0))
        self._document = MetadataDocument(CsdlWriter().document)
        self._annotated = MetadataDocument(CsdlWriter(annotated=True).document)

    def __call__(self, request: ODataRequest, segments: tuple[str, ...], read: ReadDefinitions) -> ODataResponse:
        """Answer a request.

        Args:
            request: the request; its verb, query and headers count.
            segments: the path behind the service root, split at slashes and still percent-encoded; none for the
                service document.
            read: gives the catalog, if the caller may read those parts of the definitions.

        Raises:
            DataverseError: the refusal.
            SyntaxRefused: path or query is not well-formed.
        """
        root = request.root(_WEB_API_SEGMENTS)
        if not any(segments):
            _check_reads(request)
            catalog = read(frozenset())
            return self._kept(request, catalog, lambda _: _response(service_document(catalog, root), JSON))
        if segments == (_METADATA,):
            return self._csdl(request, read)
        _check_reads(request)
        path = parse_path("/".join(segments))
        options = parse_query(request.query)

        def made(definitions: Definitions) -> ODataResponse:
            place = walk(path, definitions, {alias.name: alias.value for alias in options.aliases})
            return self._answer(place, answer(place, options, definitions, root))

        return self._kept(request, read(parts_read(path, options)), made)

    def _kept(
        self, request: ODataRequest, catalog: Catalog, make: Callable[[Definitions], ODataResponse]
    ) -> ODataResponse:
        """Return the answer to a question, made where nobody has asked it of these definitions yet.

        It depends on the definitions and on the URL alone; who may see it has been decided.
        """
        definitions = self._definitions.of(catalog)
        known, answers = self._answers
        if known is not definitions:
            answers = BoundCache(_ANSWERS, lambda given: len(given.body))
            self._answers = definitions, answers
        key = (request.scheme, request.host, request.path, request.query)
        given = answers.get(key)
        if given is None:
            given = make(definitions)
            answers.put(key, given)
        return given

    def _answer(self, place: Place, body: object) -> ODataResponse:
        if body is None:
            return ODataResponse(204, (("OData-Version", "4.0"),))
        if place.is_raw:
            text = count_text(body) if isinstance(body, int) and place.is_counted else str(body).encode()
            return _response(text, TEXT)
        return _response(orjson.dumps(body), JSON)

    def _csdl(self, request: ODataRequest, read: ReadDefinitions) -> ODataResponse:
        """Return the metadata document; with annotations where query or preference asks for them."""
        _check_reads(request)
        asked = "annotations=true" in request.query.split("&")
        annotated = asked or parse_preferences(request.header("prefer")).annotations.everything
        return (self._annotated if annotated else self._document).answer(request, read(frozenset()))


class FinanceMetadata:
    """Answers for `/data`.

    Args:
        actions: the environment's bound actions, for its `$metadata`.
    """

    def __init__(self, actions: Sequence[BoundAction] = ()) -> None:
        own = tuple(actions)
        self._document = MetadataDocument(lambda catalog: finance_csdl(catalog, own))

    def __call__(self, request: ODataRequest, segments: tuple[str, ...], read: ReadDefinitions) -> ODataResponse:
        """Answer a request for the service document (no segments) or `$metadata`.

        Raises:
            DataverseError: the refusal.
        """
        if not segments:
            root = request.root(_FINANCE_SEGMENTS)
            return _document(request, lambda: service_document(read(frozenset()), root), JSON)
        if segments == (_METADATA,):
            _check_reads(request)
            return self._document.answer(request, read(frozenset()))
        raise ResourceNotFound(f"Resource not found for the segment '{segments[0]}'.")


def _document(request: ODataRequest, make: Callable[[], bytes], content_type: str) -> ODataResponse:
    _check_reads(request)
    return _response(make(), content_type)


def _check_reads(request: ODataRequest) -> None:
    if request.method not in _READS:
        raise MethodNotAllowed(f"The requested resource does not support http method '{request.method}'.")


def _response(body: bytes, content_type: str) -> ODataResponse:
    return ODataResponse(200, (("Content-Type", content_type), ("OData-Version", "4.0")), body)
