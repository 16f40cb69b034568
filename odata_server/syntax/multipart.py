"""A batch as multipart/mixed text: requests, and change sets of requests, read by hand in one pass over the bytes.

    batch      = preamble *( delimiter part ) close epilogue
    delimiter  = line break "--" boundary line break                  close = line break "--" boundary "--"
    part       = headers blank request / headers blank change-set     change-set = as batch, of requests only
    request    = method SP url SP "HTTP/1.1" line break headers [ blank body ]

(RFC 2046 §5.1; OData 4.0 Part 1 §11.7.) Lines may end in CRLF or in LF: clients that write batches as text send LF. A
URL may stand there with blanks, as Microsoft's clients write it: the method ends at the first blank, the version begins
at the last one. What could be read in two ways, or ends too early, is refused as a whole before anything is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

from odata_server.syntax.tokens import SyntaxRefused

MAX_OPERATIONS: Final = 1_000
"""Requests in one batch, those of its change sets among them (Learn: "Execute batch operations using the Web API")."""

_MAX_HEADERS: Final = 100
_MAX_BOUNDARY: Final = 70
_LINE_FEED: Final = 10
_RETURN: Final = 13
_URL_SAFE: Final = "".join(map(chr, range(0x21, 0x7F)))
_BOUNDARY: Final = re.compile(r';\s*boundary\s*=\s*(?:"([ !#-~]*)"|([!#-:<-~]*))\s*(?:;|\Z)', re.IGNORECASE)
_DELIMITED: Final = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_BREAKS: Final = frozenset({b"\r", b"\n"})
_LINE_BREAKS: Final = re.compile(rb"(?:\r?\n)*")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_TOKEN: Final = re.compile(r"[\w!#$%&'*+.^`|~-]+\Z", re.ASCII)
_VALUE: Final = re.compile("[\t -~\x80-\xff]*\\Z")
_PLAIN_URL: Final = re.compile(rb"[!-~]+\Z")
_VERSION: Final = re.compile(rb"HTTP/\d\.\d\Z")
_CONTENT_ID: Final = re.compile(r"[!-~]{1,100}\Z")
_PLAIN_ENCODINGS: Final = frozenset({"", "binary", "8bit", "7bit"})
CHANGES: Final = frozenset({"POST", "PUT", "DELETE", "PATCH"})
"""The methods of requests in change sets."""


class BatchRequest(NamedTuple):
    """One request of a batch.

    Header names are in lower case; `url` is as it was sent, percent-encoded where it was not.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Requests that succeed or fail as a whole."""

    requests: tuple[BatchRequest, ...]


BatchItem: TypeAlias = BatchRequest | ChangeSet


def boundary_of(content_type: str) -> str:
    """Return the boundary that a Content-Type header declares, quoted or bare.

    Raises:
        SyntaxRefused: there is no header, it is no multipart/mixed, or it has no boundary of 1 to 70 characters.
    """
    if not content_type:
        raise _refusal('The batch request must have a "Content-Type" header.')
    if content_type.partition(";")[0].strip().lower() != "multipart/mixed":
        raise _refusal("The batch request must have 'multipart/mixed' as the media type.")
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2] or "").rstrip() if found else ""
    if not boundary:
        raise _refusal('The batch request must have a boundary specification in the "Content-Type" header.')
    if len(boundary) > _MAX_BOUNDARY:
        raise _refusal(f"The boundary of a batch must not be longer than {_MAX_BOUNDARY} characters.")
    return boundary


def read_batch(body: bytes, boundary: str, changes: frozenset[str] = CHANGES) -> tuple[BatchItem, ...]:
    """Return what a batch consists of, in order.

    Args:
        body: the body of the request to `$batch`.
        boundary: what `boundary_of` returned.
        changes: the methods of requests in change sets.

    Raises:
        SyntaxRefused: it is malformed, holds a batch or a change set where none may be, a request in a change set
            that changes nothing, one Content-ID twice in a change set, or more than 1,000 requests.
    """
    reader = _Reader(changes)
    return tuple(reader.item(part) for part in _parts(body, boundary))


def _refusal(text: str) -> SyntaxRefused:
    return SyntaxRefused(text, "", 0)


def _parts(body: bytes, boundary: str) -> Iterator[bytes]:
    """Give what stands between delimiters; what stands before the first and behind the last is nobody's business."""
    delimiter = b"--" + boundary.encode("ascii")
    start, position = -1, 0
    while (found := body.find(delimiter, position)) >= 0:
        position = found + len(delimiter)
        if found and body[found - 1] != _LINE_FEED:
            continue
        ended = _DELIMITED.match(body, position)
        if ended is None:
            continue
        if start >= 0:
            yield body[start : _line_end(body, start, found)]
        if ended[1]:
            return
        start = position = ended.end()
    raise _refusal(f"The batch ends without its closing boundary '--{boundary}--'.")


def _line_end(body: bytes, start: int, delimiter: int) -> int:
    """Return where a part ends: the line break before a delimiter belongs to the delimiter."""
    end = delimiter
    if end > start and body[end - 1] == _LINE_FEED:
        end -= 1
        if end > start and body[end - 1] == _RETURN:
            end -= 1
    return end


class _Reader:
    """The requests read so far, and what was read before: those of a batch are mostly alike, line by line."""

    def __init__(self, changes: frozenset[str]) -> None:
        self._changes = changes
        self._count = 0
        self._blocks: dict[bytes, Mapping[str, str]] = {}
        self._lines: dict[bytes, tuple[str, str]] = {}
        self._requests: dict[bytes, tuple[str, str]] = {}

    def item(self, part: bytes) -> BatchItem:
        """Read a part of the batch."""
        headers, content = self._opened(part)
        if not _is_multipart(headers):
            return self._request(headers, content)
        inner = _parts(content, boundary_of(headers["content-type"]))
        requests = tuple(self._change(part) for part in inner)
        if not requests:
            # It is a transaction all the same.
            self._count_one()
        _check_unique([request.content_id for request in requests])
        return ChangeSet(requests)

    def _change(self, part: bytes) -> BatchRequest:
        headers, content = self._opened(part)
        if _is_multipart(headers):
            raise _refusal("Nested change sets in a batch payload are not supported.")
        request = self._request(headers, content)
        if request.method not in self._changes:
            raise _refusal(
                f"An invalid HTTP method '{request.method}' was detected for a request in a change set. Requests in "
                "change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'."
            )
        return request

    def _count_one(self) -> None:
        self._count += 1
        if self._count > MAX_OPERATIONS:
            raise _refusal(f"A batch can contain up to {MAX_OPERATIONS} requests; this one contains more.")

    def _request(self, outer: Mapping[str, str], content: bytes) -> BatchRequest:
        self._count_one()
        _check_wrapper(outer)
        start = 0 if content[:1] not in _BREAKS else _start_of(content)
        line_end = content.find(b"\n", start)
        line_end = len(content) if line_end < 0 else line_end
        line = content[start:line_end]
        known = self._requests.get(line)
        if known is None:
            known = self._requests[line] = _request_line(line)
        method, url = known
        headers, body = self._opened(content[line_end + 1 :])
        content_id = outer.get("content-id") or headers.get("content-id")
        if content_id is not None and _CONTENT_ID.match(content_id) is None:
            raise _refusal("A Content-ID must be 1 to 100 visible ASCII characters.")
        if "content-length" in headers:
            body = _of_length(body, headers["content-length"])
        return BatchRequest(method, url, headers, body, content_id)

    def _opened(self, text: bytes) -> tuple[Mapping[str, str], bytes]:
        """Split headers from what stands behind the first blank line."""
        if text[:1] == b"\n" or text[:2] == b"\r\n":
            return {}, text[text.index(b"\n") + 1 :]
        block, rest = _divided(text)
        known = self._blocks.get(block)
        if known is None:
            known = self._blocks[block] = self._headers(block)
        return known, rest

    def _headers(self, block: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        block = block.removesuffix(b"\n").removesuffix(b"\r")
        if b"\n " in block or b"\n\t" in block:
            block = _FOLD.sub(b" ", block)
        lines = block.split(b"\n")
        if len(lines) > _MAX_HEADERS:
            raise _refusal(f"A part of a batch has more than {_MAX_HEADERS} headers.")
        if lines == [b""]:
            return headers
        for line in lines:
            pair = self._lines.get(line)
            if pair is None:
                pair = self._lines[line] = _header(line)
            name, value = pair
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers


def _divided(text: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the first blank line."""
    short, long = text.find(b"\n\n"), text.find(b"\n\r\n")
    if long >= 0 and (short < 0 or long < short):
        return text[:long], text[long + 3 :]
    return (text, b"") if short < 0 else (text[:short], text[short + 2 :])


def _is_multipart(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lstrip()[:10].lower() == "multipart/"


def _check_wrapper(headers: Mapping[str, str]) -> None:
    """Check what a part says that it holds: a request, not encoded."""
    content_type = headers.get("content-type", "")
    if content_type != "application/http" and content_type.partition(";")[0].strip().lower() != "application/http":
        raise _refusal(
            f"The Content-Type '{content_type}' of a part is invalid: a batch consists of 'application/http' and "
            "'multipart/mixed', a change set of 'application/http'."
        )
    if headers.get("content-transfer-encoding", "").lower() not in _PLAIN_ENCODINGS:
        raise _refusal("The Content-Transfer-Encoding of a part must be 'binary'.")


def _check_unique(content_ids: list[str | None]) -> None:
    given = [content_id for content_id in content_ids if content_id is not None]
    if len(set(given)) < len(given):
        double = next(content_id for place, content_id in enumerate(given) if content_id in given[:place])
        raise _refusal(
            f"The content ID '{double}' was found more than once in the same change set. Content IDs have to be unique "
            "across all operations of a change set."
        )


def _start_of(content: bytes) -> int:
    """Return where the request line begins; blank lines before it are ignored (RFC 9112 §2.2)."""
    breaks = _LINE_BREAKS.match(content)
    return breaks.end() if breaks else 0


def _request_line(line: bytes) -> tuple[str, str]:
    method, _, rest = line.strip().partition(b" ")
    url, _, version = rest.rpartition(b" ")
    name, url = method.decode("latin-1"), url.strip()
    if _TOKEN.match(name) is None or not url or _VERSION.match(version) is None:
        shown = line[:100].decode("ascii", "replace")
        raise _refusal(f"The request line '{shown}' is invalid. It must be: method, URL, 'HTTP/1.1'.")
    return name, url.decode("ascii") if _PLAIN_URL.match(url) else quote(url, safe=_URL_SAFE)


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.decode("latin-1").removesuffix("\r").partition(":")
    name, value = name.rstrip().lower(), value.strip()
    if not colon or _TOKEN.match(name) is None or _VALUE.match(value) is None:
        raise _refusal("A header of a part of the batch is malformed.")
    return name, value


def _of_length(body: bytes, length: str) -> bytes:
    """Return a body without the blank lines that some clients put behind it, where its length is declared."""
    if not length.isdecimal() or len(length) > len(str(len(body))):
        return body
    end = int(length)
    return body[:end] if end < len(body) and not body[end:].strip() else body
