"""Answers of the Organization Data Service: one function per kind of answer, in the format that was agreed on.

Codes of refusals are Dataverse's own, as signed decimal numbers (MSDN gg334767).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from entities.errors import AuthenticationFailed, DataverseError
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.metadata_documents import MetadataDocument
from odata_server.endpoints.responses import Headers, advice, denied
from odata_server.endpoints.services import Services
from odata_server.endpoints.v2.call import V2Call
from odata_server.endpoints.v2.formats import Format, format_of_refusal
from odata_server.render.errors import status_of
from odata_server.render.v2 import atom, verbose_json
from odata_server.render.v2.atom import Feed
from odata_server.render.v2.entries import Entry, Value

_ALLOW: Final = ("Allow", "OPTIONS,GET,HEAD,POST")
ONE, TWO = "1.0", "2.0"
JSON: Final = "application/json;charset=utf-8"
XML: Final = "application/xml;charset=utf-8"
_FEED: Final = "application/atom+xml;type=feed;charset=utf-8"
_ENTRY: Final = "application/atom+xml;type=entry;charset=utf-8"
_SERVICE: Final = "application/atomsvc+xml;charset=utf-8"
_TEXT: Final = "text/plain;charset=utf-8"
_BINARY: Final = "application/octet-stream"


def answer(
    services: Services, content_type: str, body: bytes, version: str, *extra: tuple[str, str], status: int = 200
) -> ODataResponse:
    """Return an answer with a body."""
    headers = (("Content-Type", content_type), *_headers(services, version), *extra)
    return ODataResponse(status, headers, body)


def no_content(services: Services, *extra: tuple[str, str], status: int = 204) -> ODataResponse:
    """Return an answer without body."""
    return ODataResponse(status, (*_headers(services, ONE), *extra))


def _headers(services: Services, version: str) -> Headers:
    told = ("DataServiceVersion", f"{version};"), ("Cache-Control", "no-cache"), _ALLOW
    return (*told, ("REQ_ID", services.new_id()))


def feed(v2: V2Call, entries: Iterable[Entry], around: Feed) -> ODataResponse:
    """Return a page of entities."""
    if v2.form is Format.JSON:
        body = verbose_json.feed(entries, total=around.total, next_url=around.next_url)
        return answer(v2.call.services, JSON, body, TWO)
    return answer(v2.call.services, _FEED, atom.feed(entries, around, v2.place()), TWO)


def entry(v2: V2Call, shown: Entry, *extra: tuple[str, str], status: int = 200) -> ODataResponse:
    """Return one entity, with its entity tag where it has one."""
    tagged = extra if shown.etag is None else (*extra, ("ETag", shown.etag))
    if v2.form is Format.JSON:
        return answer(v2.call.services, JSON, verbose_json.entry(shown), ONE, *tagged, status=status)
    return answer(v2.call.services, _ENTRY, atom.entry(shown, v2.place()), ONE, *tagged, status=status)


def property_value(v2: V2Call, value: Value) -> ODataResponse:
    """Return one property."""
    if v2.form is Format.JSON:
        return answer(v2.call.services, JSON, verbose_json.property_value(value), ONE)
    return answer(v2.call.services, XML, atom.property_value(value), ONE)


def text(v2: V2Call, body: bytes, *, version: str = ONE) -> ODataResponse:
    """Return plain text."""
    return answer(v2.call.services, _TEXT, body, version)


def binary(v2: V2Call, body: bytes) -> ODataResponse:
    """Return bytes as they are."""
    return answer(v2.call.services, _BINARY, body, ONE)


def links(v2: V2Call, urls: Sequence[str], *, total: int | None, next_url: str | None) -> ODataResponse:
    """Return the links of a collection."""
    if v2.form is Format.JSON:
        return answer(v2.call.services, JSON, verbose_json.links(urls, total=total, next_url=next_url), TWO)
    return answer(v2.call.services, XML, atom.links(urls, total=total, next_url=next_url), TWO)


def link(v2: V2Call, url: str) -> ODataResponse:
    """Return the link of a single-valued navigation property."""
    if v2.form is Format.JSON:
        return answer(v2.call.services, JSON, verbose_json.link(url), ONE)
    return answer(v2.call.services, XML, atom.link(url), ONE)


def service_document(v2: V2Call) -> ODataResponse:
    """Return the names of the entity sets."""
    sets = v2.meaning.names.sets
    if v2.form is Format.JSON:
        return answer(v2.call.services, JSON, verbose_json.service_document(sets), ONE)
    return answer(v2.call.services, _SERVICE, atom.service_document(sets, v2.place()), ONE)


def document(v2: V2Call, kept: MetadataDocument) -> ODataResponse:
    """Return `$metadata`, or 304 to a client that has it already."""
    made = kept.answer(v2.call.request, v2.call.catalog)
    own = tuple(header for header in made.headers if header[0] != "OData-Version")
    return ODataResponse(made.status, (*own, *_headers(v2.call.services, TWO)), made.body)


def refused(error: DataverseError, request: ODataRequest, services: Services) -> ODataResponse:
    """Return the answer to a request that was refused."""
    if isinstance(error, AuthenticationFailed):
        return denied(error, request, services)
    code = str(int(error.code, 16) - 2**32)
    if format_of_refusal(request.header("accept"), request.query) is Format.JSON:
        body, content_type = verbose_json.error(code, error.message), JSON
    else:
        body, content_type = atom.error(code, error.message), XML
    return answer(services, content_type, body, ONE, *advice(error), status=status_of(error))
