"""W4, `CreateMultiple` of 1,000 accounts: `python -m benchmarks.multiple`."""

from __future__ import annotations

import json
from typing import Final

from benchmarks.client import Client
from benchmarks.data_set import account
from benchmarks.many_rows import ManyRows, command

RECORDS: Final = 1_000
_ACTION: Final = "Microsoft.Dynamics.CRM.CreateMultiple"
_TYPE: Final = "Microsoft.Dynamics.CRM.account"


def creation_of_many(client: Client, first: int) -> bytes:
    """Return a request that creates 1,000 accounts.

    Args:
        client: who sends it.
        first: the number of the first account.
    """
    targets = [{"@odata.type": _TYPE, **account(first + number)} for number in range(RECORDS)]
    body = json.dumps({"Targets": targets}).encode()
    head = (
        f"POST /api/data/v9.2/accounts/{_ACTION} HTTP/1.1",
        f"Host: {client.host}",
        "Accept: application/json",
        "OData-MaxVersion: 4.0",
        "OData-Version: 4.0",
        f"Authorization: Bearer {client.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _created(body: bytes) -> list[str]:
    return [str(chosen) for chosen in json.loads(body)["Ids"]]


MULTIPLE: Final = ManyRows("W4", f"CreateMultiple of {RECORDS}", RECORDS, 10, 0.40, creation_of_many, _created)

if __name__ == "__main__":
    command(MULTIPLE, 3.0)()
