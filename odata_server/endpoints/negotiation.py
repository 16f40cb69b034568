"""What a request and this service agree on before anything is read: version and format, and a browser's preflight.

Cross-origin requests: Fetch standard, "HTTP-network protocol extensions"; Learn: "Use OAuth with Cross-Origin Resource
Sharing to connect a Single-Page Application". Any origin may send them, for they carry a token and no cookie.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from entities.errors import UnsupportedMediaType
from odata_server.edm.formats import MINIMAL, Format, Metadata, accepted_format, check_versions
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.responses import no_content
from odata_server.endpoints.services import Services

METHODS: Final = "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"
EXPOSED: Final = (
    "Preference-Applied,OData-EntityId,Location,ETag,OData-Version,Content-Encoding,Transfer-Encoding,Content-Length,"
    "Retry-After"
)
_MAX_AGE: Final = "3628800"
_NOT_JSON: Final = ("$metadata", "$batch", "/$count", "/$value")
_FIELD_NAMES: Final = re.compile(r"[\w!#$%&'*+.^`|~, \t-]{1,4000}\Z", re.ASCII)


def negotiated(request: ODataRequest, root: str, path: str) -> Format:
    """Return the format of the answer.

    Args:
        request: its headers Accept, OData-Version and OData-MaxVersion count.
        root: the service root, for absolute URLs in rows.
        path: the path behind it; XML documents, batches and plain texts are in no JSON format.

    Raises:
        MalformedRequest: another version of OData than 4.0.
        UnsupportedMediaType: a reading request accepts no JSON.
    """
    header = request.headers.get
    is_read = request.method == "GET" and not path.endswith(_NOT_JSON)
    found = _agreed(header("accept", ""), header("odata-version", ""), header("odata-maxversion", ""), is_read)
    return found if found is MINIMAL or found.metadata is not Metadata.FULL else replace(found, root=root)


@lru_cache(maxsize=512)
def _agreed(accept: str, version: str, largest: str, is_read: bool) -> Format:  # noqa: FBT001 - part of the cache's key
    """Return the format that headers agree on with this service; kept, because most requests send the same ones."""
    check_versions(version, largest)
    try:
        return accepted_format(accept)
    except UnsupportedMediaType:
        # A write answers without content; it is done before anybody could object to the form of its answer.
        if is_read:
            raise
        return MINIMAL


def preflight(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer OPTIONS: what a page of another origin may send, and to everyone else the methods.

    It needs no token: browsers send none with a preflight.
    """
    headers = [("Public", "OPTIONS,GET,HEAD,POST")]
    if request.header("origin") and request.header("access-control-request-method"):
        headers += [("Access-Control-Allow-Methods", METHODS), ("Access-Control-Max-Age", _MAX_AGE)]
        asked = request.header("access-control-request-headers")
        if _FIELD_NAMES.match(asked):
            headers.append(("Access-Control-Allow-Headers", asked))
    return no_content(services, *headers, status=200)


def cross_origin(answer: ODataResponse, origin: str) -> ODataResponse:
    """Return an answer that a page of another origin may read, with the headers that Dataverse exposes to it."""
    if not (origin.isascii() and origin.isprintable()):
        return answer
    added = (("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", EXPOSED), ("Vary", "Origin"))
    return ODataResponse(answer.status, (*answer.headers, *added), answer.body)
