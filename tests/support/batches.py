"""Batches for the tests: written as clients write them, their answers read by Python's own reader of MIME."""

from __future__ import annotations

import email.policy
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import MIMEPart
from email.parser import BytesParser
from typing import Any

BOUNDARY = "batch_of-a-test"
CHANGES = "changeset_of-a-test"
BATCH_TYPE = f'multipart/mixed; boundary="{BOUNDARY}"'


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a batch; a body that is no text is written as JSON."""

    method: str
    url: str
    body: Any = None
    content_id: str | None = None
    headers: Mapping[str, str] | None = None

    def lines(self) -> list[str]:
        """Return the part, line by line."""
        name = [] if self.content_id is None else [f"Content-ID: {self.content_id}"]
        own = [f"{header}: {value}" for header, value in (self.headers or {}).items()]
        wrapper = ["Content-Type: application/http", "Content-Transfer-Encoding: binary", *name, ""]
        request = [f"{self.method} {self.url} HTTP/1.1", *own]
        if self.body is None:
            return [*wrapper, *request, "", ""]
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return [*wrapper, *request, "Content-Type: application/json; type=entry", "", text]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of a batch; `group` is the boundary of the change set that it belongs to."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None
    group: str | None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and text of a refusal."""
        error = self.json["error"]
        return self.status, error["code"], error["message"]

    @property
    def id(self) -> str:
        """The id of the record that the answer is about."""
        return self.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def batch(*items: Asked | Iterable[Asked], line_end: str = "\r\n") -> bytes:
    """Write a batch; a list of requests is a change set."""
    lines = []
    for number, item in enumerate(items):
        lines.append(f"--{BOUNDARY}")
        lines += item.lines() if isinstance(item, Asked) else _change_set(list(item), f"{CHANGES}{number}")
    return (line_end.join([*lines, f"--{BOUNDARY}--"]) + line_end).encode()


def _change_set(requests: list[Asked], boundary: str) -> list[str]:
    lines = [f"Content-Type: multipart/mixed; boundary={boundary}", ""]
    for request in requests:
        lines += [f"--{boundary}", *request.lines()]
    return [*lines, f"--{boundary}--", ""]


def answers(content_type: str, body: bytes) -> list[Told]:
    """Read the answer to a batch, and check what clients rely on: boundaries, and line ends everywhere."""
    assert re.fullmatch(r"multipart/mixed; boundary=batchresponse_[0-9a-f-]{36}", content_type), content_type
    assert body.startswith(b"--" + content_type.partition("=")[2].encode())
    assert body.endswith(b"--\r\n")
    document = BytesParser(policy=email.policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return [told for part in _parts(document) for told in _told(part, None)]


def _parts(document: MIMEPart) -> list[MIMEPart]:
    """Return the parts of a multipart; what has none is no multipart to Python's reader."""
    if not document.is_multipart():
        assert b"HTTP/1.1" not in document.as_bytes()
        return []
    assert not document.defects
    return list(document.iter_parts())


def _told(part: MIMEPart, group: str | None) -> list[Told]:
    if part.get_content_type() == "multipart/mixed":
        boundary = part.get_boundary()
        assert boundary is not None
        assert re.fullmatch("changesetresponse_[0-9a-f-]{36}", boundary)
        return [told for inner in _parts(part) for told in _told(inner, boundary)]
    assert not part.defects
    assert part.get_content_type() == "application/http"
    assert part["Content-Transfer-Encoding"] == "binary"
    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    head, _, body = raw.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    found = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Z][A-Za-z -]+", status_line)
    assert found, status_line
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return [Told(int(found[1]), headers, body.removesuffix(b"\r\n"), part["Content-ID"], group)]
