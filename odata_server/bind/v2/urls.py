"""URLs of entities in bodies of the Organization Data Service, as those of the Web API for the same records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from entities.errors import MalformedRequest, ResourceNotFound
from entities.values import EntityReference
from odata_server.bind.target import RecordUrls, bind_key
from odata_server.bind.v2.translation import AS_WEB_API, Meaning
from odata_server.syntax.paths import parse_path
from odata_server.syntax.request_trees import NamedSegment
from odata_server.syntax.tokens import Dialect, SyntaxRefused

_SCHEMES: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class UrlsOfEntities:
    """How URLs of entities may look.

    `roots` are the service's, absolute and as a path, without a final slash; `references` are the URLs that `$n` stands
    for in a change set.
    """

    meaning: Meaning
    roots: tuple[str, ...]
    references: Mapping[str, str]

    def web_api_url(self, url: str) -> str:
        """Return the URL by which the Web API names the record, relative to its root.

        Raises:
            MalformedRequest: the URL is of another service, or no entity's.
            ResourceNotFound: there is no such entity set.
            InvalidPayload: `$n` stands for nothing.
        """
        if url.startswith("$"):
            url = RecordUrls(self.roots, self.references).referenced(url)
        try:
            path = parse_path(self._relative(url), dialect=Dialect.VERSION_2)
        except SyntaxRefused as error:
            raise MalformedRequest(str(error)) from error
        match path.segments:
            case (NamedSegment(name=name, arguments=(key,)),) if not key.named:
                table = self.meaning.names.sets.get(name)
                if table is None:
                    raise ResourceNotFound(f"Resource not found for the segment '{name}'.", code="0x80060888")
                target = bind_key(key, table, AS_WEB_API)
                assert isinstance(target, EntityReference)
                return f"{table.entity_set_name}({target.id})"
            case _:
                raise MalformedRequest(f"The URL '{url[:200]}' does not name an entity.")

    def _relative(self, url: str) -> str:
        for root in self.roots:
            if url.lower().startswith(f"{root.lower()}/"):
                return url[len(root) + 1 :]
        if url.lower().startswith(_SCHEMES) or url.startswith("//"):
            raise MalformedRequest(f"The URL '{url[:200]}' is not part of this service.")
        return url.removeprefix("/")
