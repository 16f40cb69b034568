"""The URLs that rows give for their images: `/Image/download.aspx?Entity=…&Attribute=…&Id=…&Timestamp=…[&Full=true]`.

Learn: "Use image column data", Download URL. They lead to the bytes of the column's `$value`, with the same rights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, quote

import orjson

from entities.errors import ResourceNotFound
from entities.metadata.columns import ImageType
from entities.metadata.tables import Table
from entities.values import Guid, guid
from odata_server.edm.preferences import NO_PREFERENCES
from odata_server.endpoints import web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.responses import refused
from odata_server.endpoints.services import Services

_API: Final = "/api/data/v9.2"
_FOUND: Final = 200
_SHOWN: Final = frozenset({"image/gif", "image/jpeg", "image/tiff", "image/bmp", "image/png"})
"""What a browser may be told that it gets; uploaders choose the type of their images."""

_NO_SNIFFING: Final = ("X-Content-Type-Options", "nosniff")


def handle(request: ODataRequest, services: Services) -> ODataResponse:
    """Answer a request for an image by its URL."""
    options = {name.lower(): value for name, value in parse_qsl(request.query)}
    image_id = guid(options.get("id", "").strip("{}"))
    table = services.dataverse.catalog.tables.get(options.get("entity", "").lower())
    column = options.get("attribute", "").lower()
    if request.method != "GET" or image_id is None or table is None or not _is_image(table, column):
        return _not_found(request, services)
    found = web_api.handle(_search(request, table, column, image_id), services)
    if found.status != _FOUND:
        return found
    rows = orjson.loads(found.body)["value"]
    if not rows:
        return _not_found(request, services)
    path = f"{_API}/{table.entity_set_name}({rows[0][table.primary_id]})/{column}/$value"
    query = "size=full" if options.get("full", "").lower() == "true" else ""
    answer = web_api.handle(replace(request, path=path, query=query), services)
    return _shown(answer)


def _is_image(table: Table, column: str) -> bool:
    return column in table.by_name and isinstance(table.by_name[column].type, ImageType)


def _search(request: ODataRequest, table: Table, column: str, image_id: Guid) -> ODataRequest:
    """Return the request for the row that has an image; conditions of the caller's are about the image, not the row."""
    query = f"$select={table.primary_id}&$filter={column}id eq {image_id}"
    headers = {name: value for name, value in request.headers.items() if name in {"authorization", "host"}}
    return replace(request, path=f"{_API}/{table.entity_set_name}", query=quote(query, safe="$=&"), headers=headers)


def _shown(answer: ODataResponse) -> ODataResponse:
    """Return an image as a browser shows it: with its own type, and not as a file to keep."""
    given = dict(answer.headers).get("mimetype")
    if given not in _SHOWN:
        return answer
    headers = (pair for pair in answer.headers if pair[0] not in {"Content-Type", "Content-Disposition"})
    return replace(answer, headers=(("Content-Type", given), _NO_SNIFFING, *headers))


def _not_found(request: ODataRequest, services: Services) -> ODataResponse:
    return refused(ResourceNotFound("The image was not found."), request, services, NO_PREFERENCES)
