"""What a client that keeps definitions has missed (Learn: "Cache schema data", RetrieveMetadataChanges).

A version stamp is the version of the definitions and the moment of the answer. Ids of what is gone are told for 90 days
(Learn: `organization.expiresubscriptionsindays`); a client that comes later reads everything anew.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from entities.errors import InvalidArgument
from entities.pipeline import ExecutionContext, Stage, Step

PUT_BACK: Final = "*"
"""The kind of removal that stands for definitions of another time: the data have been put back."""

_FORM: Final = "%m/%d/%Y %H:%M:%S"
_STAMP: Final = re.compile(r"([0-9]{1,18})!([0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2})\Z")
_KEPT: Final = timedelta(days=90)


def metadata_version_steps() -> tuple[Step, ...]:
    """Return the handler that says what is gone."""
    return (Step("RetrieveMetadataChanges", None, Stage.MAIN, removed_definitions),)


def version_stamp(version: int, now: datetime) -> str:
    """Return the stamp of definitions that a client gets at a moment."""
    return f"{version}!{now.astimezone(UTC).strftime(_FORM)}"


def removed_definitions(context: ExecutionContext) -> None:
    """Answer with the version that a client knows (`Since`) and what has gone since (`Removed`): kinds and ids.

    Raises:
        InvalidArgument: its stamp is none (0x80040203), or is not of these definitions (0x80044352).
    """
    since, _ = read_version_stamp(str(context.parameters["ClientVersionStamp"]))
    removed = context.system.removed_since(since)
    if since > context.system.catalog.version or any(kind == PUT_BACK for kind, _ in removed):
        raise expired()
    context.result = {"Since": since, "Removed": removed}


def read_version_stamp(text: str) -> tuple[int, datetime]:
    """Return the version and the moment of a stamp.

    Raises:
        InvalidArgument: it is none.
    """
    found = _STAMP.match(text)
    try:
        moment = datetime.strptime(found[2] if found else "", _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidArgument(f"'{text[:100]}' is no version stamp of metadata.") from None
    assert found is not None
    return int(found[1]), moment


def check_age(moment: datetime, now: datetime) -> None:
    """Refuse a client that knows what was there too long ago.

    Raises:
        InvalidArgument: nobody knows any more what has gone since (0x80044352).
    """
    if now - moment > _KEPT:
        raise expired()


def expired() -> InvalidArgument:
    """Return the refusal of a stamp since which nobody knows what has changed."""
    return InvalidArgument(
        "Version stamp associated with the client has expired. Please perform a full sync.", code="0x80044352"
    )
