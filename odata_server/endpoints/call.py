"""One authenticated Web API request on its way: who asks what of which environment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from entities.errors import MalformedRequest
from entities.messages import Create, Message, ReadMetadata, Response, Rows, Update, Upsert, Written
from entities.metadata.catalog import Catalog
from odata_server.bind.dialect import Dialect
from odata_server.bind.payload import Payload
from odata_server.bind.selection import Reading
from odata_server.bind.target import RecordUrls
from odata_server.edm.formats import MINIMAL, Format, Metadata
from odata_server.edm.preferences import Preferences
from odata_server.edm.representation import RowShape
from odata_server.endpoints.exchange import ODataRequest
from odata_server.endpoints.optional_parameters import detecting
from odata_server.endpoints.services import Organization, Services
from odata_server.syntax.options import parse_query
from odata_server.syntax.request_trees import QueryOptions
from security.principals import Principal

_ETAG: Final = re.compile(r'(?:W/)?"(\d{1,19})"\Z')
NO_OPTIONS: Final = QueryOptions()
NO_SUCH_VERSION: Final = -1
"""A version that no record has: an entity tag that this service never gave out."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its principal, preferences and environment.

    `root` is the absolute URL of the service, `path` what stands behind it; `catalog` is the snapshot that the whole
    request is bound against. `form` is the JSON that the caller accepts.
    """

    request: ODataRequest
    services: Services
    organization: Organization
    catalog: Catalog
    principal: Principal
    preferences: Preferences
    dialect: Dialect
    root: str
    path: str
    form: Format = MINIMAL

    def execute(self, message: Message, shape: RowShape | None = None) -> Response:
        """Execute a message for the caller, as the headers have it."""
        return self.organization.execute(detecting(self.request, message), self.principal, shape=shape)

    def execute_multiple(self, changes: Iterable[Create | Update | Upsert]) -> tuple[Written, ...]:
        """Make and change records of one table for the caller: all of them, or none."""
        looking = [detecting(self.request, change) for change in changes]
        return self.organization.execute_multiple(looking, self.principal)

    def read(self, message: Message, shape: RowShape | None = None) -> Rows:
        """Execute a reading message for the caller."""
        found = self.organization.execute(message, self.principal, shape=shape)
        assert isinstance(found, Rows)
        return found

    def read_metadata(self, parts: frozenset[str]) -> Catalog:
        """Return the definitions, when the caller may read these parts of them (Entity, Attribute, …).

        Raises:
            AccessDenied: a privilege is missing.
        """
        if parts:
            self.organization.execute(ReadMetadata(parts), self.principal)
        return self.catalog

    def reading(self) -> Reading:
        """Return what query options are read against."""
        return Reading(self.catalog, self.dialect, self.preferences, self.form, self.root)

    def options(self) -> QueryOptions:
        """Return the parsed query string."""
        return parse_query(self.request.query) if self.request.query else NO_OPTIONS

    def payload(self) -> Payload:
        """Return what a body is read against: its URLs may name the service in any of its spellings."""
        urls = RecordUrls(_roots(self.request.origin, self.root), self.request.references or {})
        return Payload(self.catalog, self.dialect, urls)

    def context(self, fragment: str) -> str:
        """Return an absolute context URL, an empty text where the caller wants no metadata."""
        if self.form is not MINIMAL and self.form.metadata is Metadata.NONE:
            return ""
        return f"{self.root}/$metadata#{fragment}"


@lru_cache(maxsize=64)
def _roots(origin: str, root: str) -> tuple[str, ...]:
    """Return how URLs of a service may begin; kept, because there are few."""
    path = root.removeprefix(origin)
    roots = [root, path]
    if path.startswith("/api/data/"):
        roots += [f"{base}/api/data/v9.{minor}" for base in (origin, "") for minor in (0, 1, 2)]
    return tuple(dict.fromkeys(roots))


def version_of(header: str) -> int | None:
    """Return the row version in an `If-Match` or `If-None-Match` value; None where there is none to compare.

    The literal `null` that Microsoft's own samples send means that the header is absent.

    Raises:
        MalformedRequest: the value is no entity tag.
    """
    text = header.strip()
    if text in {"", "null", "*"}:
        return None
    found = _ETAG.match(text)
    if found is not None:
        return int(found[1])
    if text.endswith('"'):
        return NO_SUCH_VERSION
    raise MalformedRequest(f"The entity tag '{text}' is malformed.")
