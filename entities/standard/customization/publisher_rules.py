"""What publishers must be: a name, a prefix for names and one for option values.

Learn: "Create solutions and publishers": a prefix has 2 to 8 letters and digits, begins with a letter and not with
`mscrm`; option values begin with a number from 10,000 to 99,999.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from entities.errors import DuplicateRecord, InvalidArgument
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import equals
from entities.standard.identifiers import DEFAULT_PUBLISHER
from entities.standard.lookups import first

_PREFIX: Final = re.compile(r"(?!mscrm)[a-z][a-z0-9]{1,7}", re.ASCII | re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LOWEST: Final = 10_000
_HIGHEST: Final = 99_999


def publisher_steps() -> tuple[Step, ...]:
    """Return the rules of publishers."""
    return (
        Step("Create", "publisher", Stage.PRE_OPERATION, check_new_publisher),
        Step("Update", "publisher", Stage.PRE_OPERATION, check_publisher),
        Step("Delete", "publisher", Stage.PRE_OPERATION, keep_default_publisher),
    )


def check_new_publisher(context: ExecutionContext) -> None:
    """Check a new publisher; one without a prefix of option values gets one that follows from its name prefix.

    Raises:
        InvalidArgument: name or prefix is missing or has another form, or the option prefix is out of range.
        DuplicateRecord: there is a publisher of this name.
    """
    record = context.record
    name = str(record.get("uniquename") or "")
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            "Publisher uniquename is required: letters, digits and underscores, no digit first.", code="0x8004f01c"
        )
    if first(context.system, "publisher", equals("uniquename", name), "publisherid"):
        raise DuplicateRecord(f"A publisher with the unique name '{name}' exists already.")
    _check_prefix(record.get("customizationprefix"))
    if record.get("customizationoptionvalueprefix") is None:
        digits = crc32(str(record["customizationprefix"]).lower().encode()) % (_HIGHEST - _LOWEST + 1)
        record["customizationoptionvalueprefix"] = _LOWEST + digits
    _check_option_prefix(record["customizationoptionvalueprefix"])


def check_publisher(context: ExecutionContext) -> None:
    """Check what changes of a publisher.

    Raises:
        InvalidArgument: a prefix has another form, or the publisher cannot be changed (0x8004f033).
    """
    if (context.pre_image or {}).get("isreadonly"):
        raise InvalidArgument("Attempting to update a readonly publisher.", code="0x8004f033")
    if "customizationprefix" in context.record:
        _check_prefix(context.record["customizationprefix"])
    if "customizationoptionvalueprefix" in context.record:
        _check_option_prefix(context.record["customizationoptionvalueprefix"])


def keep_default_publisher(context: ExecutionContext) -> None:
    """Refuse to delete the publisher that every organization has.

    Raises:
        InvalidArgument: it is that one (0x8004f006).
    """
    if context.reference is not None and context.reference.id == DEFAULT_PUBLISHER:
        raise InvalidArgument("Attempting to delete a restricted publisher.", code="0x8004f006")


def _check_prefix(prefix: object) -> None:
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        raise InvalidArgument(
            f"The customization prefix '{prefix or ''}' is not valid: it has 2 to 8 letters and digits, begins with a "
            "letter, and not with 'mscrm'."
        )


def _check_option_prefix(prefix: object) -> None:
    if not isinstance(prefix, int) or not _LOWEST <= prefix <= _HIGHEST:
        raise InvalidArgument(
            f"CustomizationOptionValuePrefix must be a number between {_LOWEST} and {_HIGHEST}", code="0x80048402"
        )
