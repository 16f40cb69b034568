"""Entity tags of finance-and-operations, read back: `W/"<base64 of 'version,record number'>"`."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from entities.errors import MalformedRequest

_TAG: Final = re.compile(r'(?:W/)?"([A-Za-z0-9+/=]{4,128})"\Z')
_INNER: Final = re.compile(rb"'(\d{1,19}),\d+'\Z")


def version_of_tag(header: str) -> int | None:
    """Return the row version in an `If-Match` value, None where the header is absent or `*`.

    Raises:
        MalformedRequest: the value is no entity tag of this service.
    """
    text = header.strip()
    if text in {"", "*", "null"}:
        return None
    found = _TAG.match(text)
    try:
        inner = _INNER.match(b64decode(found[1], validate=True)) if found else None
    except Base64Error:
        inner = None
    if inner is None:
        raise MalformedRequest(f"The entity tag '{text}' is malformed.")
    return int(inner[1])
