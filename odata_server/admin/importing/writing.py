"""Sends changes to the Web API: many in one request, and one by one where one of them is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import quote

from integration.retry import RetryPolicy, passes_by_itself, with_retry
from integration.web_api import API_PATH, WebApi, WebApiError
from odata_server.admin.exact_json import to_json
from odata_server.admin.remote_tables import RemoteTable

Way: TypeAlias = Literal["CreateMultiple", "UpsertMultiple", "UpdateMultiple", "single"]
_BOUNDARY: Final = "talentverse"
_EXISTS: Final = frozenset({"0x80040237", "0x80060892"})
"""Two codes say that a record with these values is there: by its id, and by an alternate key."""

_KEPT: Final = "/()=',$@:"
_SUCCESS: Final = 300


@dataclass(frozen=True, slots=True)
class Change:
    """What is written to one record: its URL relative to the service root, its id unless a key names it."""

    address: str
    id: str | None
    members: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the server did not take a change."""

    code: str | None
    message: str


@dataclass(slots=True)
class Writer:
    """Writes changes; remembers for each table which of the ways worked."""

    service: WebApi
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    _ways: dict[str, Way] = field(default_factory=dict)

    def put(self, table: RemoteTable, changes: Sequence[Change]) -> dict[int, Refused]:
        """Create records, or change those that are there; return by position which ones the server refused.

        Raises:
            WebApiError, ServerUnreachableError, TokenError: the server is not to be had.
        """
        first: Way = "CreateMultiple" if all(change.id for change in changes) else "UpsertMultiple"
        way = self._ways.get(table.name, first)
        refusal = self._together(table, changes, way)
        if refusal is not None and way == "CreateMultiple" and refusal.code in _EXISTS:
            way = self._ways[table.name] = "UpsertMultiple"
            refusal = self._together(table, changes, way)
        if refusal is None:
            return {}
        refused = self.separately([("PATCH", change.address, change.members) for change in changes])
        if not refused:
            self._ways[table.name] = "single" if way == "UpsertMultiple" else "UpsertMultiple"
        return refused

    def update(self, table: RemoteTable, changes: Sequence[Change]) -> dict[int, Refused]:
        """Change records that are there; returns and raises what `put` does."""
        if self._together(table, changes, "UpdateMultiple") is None:
            return {}
        return self.separately([("PATCH", change.address, change.members) for change in changes])

    def pair(self, pairs: Sequence[tuple[str, str]]) -> dict[int, Refused]:
        """Join records given as (URL of a collection, URL of a record); those that are joined already stay so."""
        requests = [("POST", f"{path}/$ref", {"@odata.id": f"{API_PATH}{target}"}) for path, target in pairs]
        refused = self.separately(requests)
        return {position: why for position, why in refused.items() if why.code not in _EXISTS}

    def _together(self, table: RemoteTable, changes: Sequence[Change], way: Way) -> WebApiError | None:
        """Send changes in one request; return why the server refuses all of them, None where it does not."""
        if way == "single":
            return WebApiError(0, None, "the table takes records one by one")
        type_ = f"Microsoft.Dynamics.CRM.{table.name}"
        targets = [
            {"@odata.type": type_, **({table.primary_id: c.id} if c.id else {"@odata.id": c.address}), **c.members}
            for c in changes
        ]
        content = to_json({"Targets": targets})
        headers = {"Content-Type": "application/json; charset=utf-8"}
        path = f"{table.entity_set}/Microsoft.Dynamics.CRM.{way}"
        try:
            with_retry(self.policy, lambda: self.service.exchange("POST", path, content, headers))
        except WebApiError as error:
            if passes_by_itself(error):
                raise
            return error
        return None

    def separately(self, requests: Sequence[tuple[str, str, Mapping[str, object]]]) -> dict[int, Refused]:
        """Send requests in one batch, each for itself (Learn: "Execute batch operations", continue on error)."""
        parts = (_request(method, path, body) for method, path, body in requests)
        content = b"\r\n".join((*parts, f"--{_BOUNDARY}--\r\n".encode()))
        headers = {
            "Content-Type": f"multipart/mixed; boundary={_BOUNDARY}",
            "Prefer": "odata.continue-on-error",
            "Accept": "multipart/mixed",
        }
        answer = with_retry(self.policy, lambda: self.service.exchange("POST", "$batch", content, headers))
        answers = _parts(answer.headers.get("Content-Type", ""), answer.content)
        if len(answers) != len(requests):
            raise WebApiError(answer.status_code, None, f"{len(requests)} requests got {len(answers)} answers")
        return {position: why for position, why in enumerate(map(_refusal, answers)) if why is not None}


def _request(method: str, path: str, body: Mapping[str, object]) -> bytes:
    """Write one request of a batch."""
    head = (
        f"--{_BOUNDARY}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"{method} {API_PATH}{quote(path, safe=_KEPT)} HTTP/1.1",
        "Content-Type: application/json; charset=utf-8",
        "",
        "",
    )
    return "\r\n".join(head).encode() + to_json(body)


def _parts(content_type: str, content: bytes) -> list[bytes]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    return [cast("bytes", part.get_payload(decode=True)) for part in message.iter_parts()]


def _refusal(answer: bytes) -> Refused | None:
    """Read one answer of a batch: a status line, headers, and where it is an error its object."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status < _SUCCESS:
        return None
    try:
        content: object = json.loads(body)
    except ValueError:
        content = None
    match content:
        case {"error": {"code": str(code), "message": str(message)}}:
            return Refused(code, " ".join(message.split()))
        case _:
            return Refused(None, f"HTTP {status}")
