"""The answer to a batch as multipart/mixed text, in the form that Microsoft's clients parse.

Learn: "Execute batch operations using the Web API", the responses printed there. Lines end in CRLF always.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

_HTTP: Final = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


def http_part(status: int, headers: Iterable[tuple[str, str]], body: bytes, content_id: str | None) -> bytes:
    """Return the answer to one request, as a part.

    Args:
        status: its status.
        headers: its headers; what cannot stand in one is left out of their values.
        body: its body.
        content_id: what the request called itself, None when it had no name.
    """
    told = "".join([f"{name}: {value if value.isprintable() else _printable(value)}\r\n" for name, value in headers])
    named = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    head = f"{_HTTP}{named}\r\nHTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\n{told}\r\n"
    return head.encode("latin-1", "replace") + body + b"\r\n"


def _printable(value: str) -> str:
    return "".join(filter(str.isprintable, value))


def change_set_part(boundary: str, parts: Iterable[bytes]) -> bytes:
    """Return the answers to the requests of a change set, as one part."""
    return f"Content-Type: {mixed_type(boundary)}\r\n\r\n".encode("ascii") + mixed(boundary, parts)


def mixed(boundary: str, parts: Iterable[bytes]) -> bytes:
    """Return parts between delimiters."""
    delimiter = f"--{boundary}".encode("ascii")
    line = delimiter + b"\r\n"
    return b"".join([line + part for part in parts]) + delimiter + b"--\r\n"


def mixed_type(boundary: str) -> str:
    """Return the content type of what `mixed` returns."""
    return f"multipart/mixed; boundary={boundary}"
