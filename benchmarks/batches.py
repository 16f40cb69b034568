"""W3, `$batch` of 100 creates in one change set: `python -m benchmarks.batches`."""

from __future__ import annotations

import json
import re
from typing import Final

from benchmarks.client import Client
from benchmarks.data_set import account
from benchmarks.many_rows import ManyRows, command

CREATES: Final = 100
_BOUNDARY: Final = "batch_of_the_benchmark"
_CREATED: Final = re.compile(rb"OData-EntityId: [^\r]*\(([^)]*)\)\r")
_CHANGES: Final = "changeset_of_the_benchmark"


def batch_of_creates(client: Client, first: int) -> bytes:
    """Return a request that creates 100 accounts in one change set.

    Args:
        client: who sends it.
        first: the number of the first account.
    """
    parts = "".join(_part(number, first + number) for number in range(1, CREATES + 1))
    changes = f"Content-Type: multipart/mixed; boundary={_CHANGES}\r\n\r\n{parts}--{_CHANGES}--\r\n"
    body = f"--{_BOUNDARY}\r\n{changes}\r\n--{_BOUNDARY}--\r\n".encode()
    head = (
        "POST /api/data/v9.2/$batch HTTP/1.1",
        f"Host: {client.host}",
        "Accept: application/json",
        "OData-MaxVersion: 4.0",
        "OData-Version: 4.0",
        f"Authorization: Bearer {client.token}",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _part(content_id: int, number: int) -> str:
    wrapper = f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {content_id}\r\n\r\n"
    request = "POST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json; type=entry\r\n\r\n"
    return f"--{_CHANGES}\r\n{wrapper}{request}{json.dumps(account(number))}\r\n"


def _created(body: bytes) -> list[str]:
    return [found.decode() for found in _CREATED.findall(body)]


BATCHES: Final = ManyRows("W3", f"batches of {CREATES} creates", CREATES, 50, 0.30, batch_of_creates, _created)

if __name__ == "__main__":
    command(BATCHES, 1.2)()
