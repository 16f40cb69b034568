"""XML by concatenation: attributes escaped, nothing left to a tree in memory."""

from __future__ import annotations

import re
from typing import Final

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>'

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def escaped(text: str) -> str:
    """Return text for an attribute or an element; characters that XML 1.0 does not know are left out."""
    # Nearly all names are plain words.
    return text if text.isidentifier() else _FORBIDDEN.sub("", text).translate(_ESCAPES)


def opened(tag: str, **attributes: str | None) -> str:
    """Return a start tag; an attribute that is None is left out."""
    return f"<{tag}{_attributes(attributes)}>"


def empty(tag: str, **attributes: str | None) -> str:
    """Return an element without content; an attribute that is None is left out."""
    return f"<{tag}{_attributes(attributes)}/>"


def _attributes(attributes: dict[str, str | None]) -> str:
    return "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items() if value is not None)
