"""What requests to the Organization Data Service and answers are written in: verbose JSON or Atom, version 1.0 or 2.0.

Atom is written unless JSON is asked for (MSDN gg334767; OData v2, "Operations", 2.1). `DataServiceVersion` is the
version of a message, `MaxDataServiceVersion` the largest that the client reads: an answer that needs more is refused.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from entities.errors import MalformedRequest, UnsupportedMediaType
from odata_server.edm.formats import media_ranges

_JSON: Final = frozenset({"application/json", "text/json"})
_ATOM: Final = frozenset({"*/*", "application/*", "text/*", "application/atom+xml", "application/xml", "text/xml"})
_ALSO_ATOM: Final = frozenset({"application/atomsvc+xml", "multipart/mixed", "text/plain", "text/html"})
_XML: Final = frozenset({"application/atom+xml", "application/xml", "text/xml"})
_NAMED: Final = {"json": "JSON", "atom": "ATOM", "xml": "ATOM"}
_FORMAT: Final = re.compile(r"(?:^|&)(?:\$|%24)format=(?:application(?:/|%2F))?json\b", re.IGNORECASE)
_VERSION: Final = re.compile(r"\s*(\d{1,4})\.(\d{1,4})\s*(?:;.*)?\Z", re.ASCII | re.DOTALL)
_LARGEST: Final = (2, 0)


class Format(Enum):
    """How an answer is written."""

    JSON = "verbose JSON"
    ATOM = "Atom"


def accepted(accept: str, named: str | None = None) -> Format:
    """Return the format of an answer.

    Args:
        accept: the header `Accept`, empty when there is none.
        named: the option `$format`, which wins.

    Raises:
        UnsupportedMediaType: it is neither JSON nor Atom.
    """
    if named is not None:
        known = _NAMED.get(named.lower())
        if known is None and "/" not in named:
            raise UnsupportedMediaType(f"The format '{named[:50]}' is not supported; 'json' and 'atom' are.")
        if known is not None:
            return Format[known]
        accept = named
    if not accept.strip():
        return Format.ATOM
    for name, _ in media_ranges(accept):
        if name in _JSON:
            return Format.JSON
        if name in _ATOM or name in _ALSO_ATOM:
            return Format.ATOM
    raise UnsupportedMediaType("Unsupported media type requested.")


def format_of_refusal(accept: str, query: str) -> Format:
    """Return the format of a refusal: JSON for whoever takes JSON or names it in the URL, else XML."""
    named = _FORMAT.search(query) is not None
    return Format.JSON if named or any(name in _JSON for name, _ in media_ranges(accept)) else Format.ATOM


def is_xml(content_type: str) -> bool:
    """Tell a body in XML from one in JSON; one that says nothing is JSON.

    Raises:
        UnsupportedMediaType: it is neither.
    """
    name = content_type.partition(";")[0].strip().lower()
    if not name or name in _JSON:
        return False
    if name in _XML:
        return True
    raise UnsupportedMediaType(f"The media type '{name[:100]}' of the request is not supported.")


def check_sent_version(header: str) -> None:
    """Refuse a request that is written in a later version.

    Args:
        header: `DataServiceVersion`, empty when there is none.

    Raises:
        MalformedRequest: this service does not read that version.
    """
    version = _version(header, "DataServiceVersion")
    if version is not None and version > _LARGEST:
        raise MalformedRequest(
            f"Request version '{version[0]}.{version[1]}' is not supported for the request payload. The only supported "
            "versions are '1.0', '2.0'."
        )


def check_read_version(header: str, needed: str) -> None:
    """Refuse a request whose answer the client does not read.

    Args:
        header: `MaxDataServiceVersion`, empty when there is none.
        needed: the version of the answer.

    Raises:
        MalformedRequest: the client reads earlier versions only.
    """
    version = _version(header, "MaxDataServiceVersion")
    whole, _, part = needed.partition(".")
    if version is not None and version < (int(whole), int(part)):
        raise MalformedRequest(
            f"Request version '{version[0]}.{version[1]}' is too low for the response. The lowest supported version is "
            f"'{needed}'."
        )


def _version(header: str, name: str) -> tuple[int, int] | None:
    if not header.strip():
        return None
    found = _VERSION.match(header)
    if found is None:
        raise MalformedRequest(f"The header {name} has malformed version value '{header[:50]}'.")
    return int(found[1]), int(found[2])
