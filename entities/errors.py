"""Dataverse's errors, one class per family; a family knows its code, never its HTTP status.

The status belongs to the wire (`odata_server.render.errors`). Codes are those of Microsoft's error-code page.
"""

from __future__ import annotations

from typing import ClassVar


class DataverseError(Exception):
    """A refusal in Dataverse's own words.

    Args:
        message: the text a caller reads.
        code: Dataverse's number as lower-case hexadecimal text; the family's own when omitted.
    """

    family_code: ClassVar[str] = "0x80040216"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.family_code


class MalformedRequest(DataverseError):
    """The request's text cannot be read (URL, header, option)."""

    family_code = "0x80060888"


class UnsupportedMediaType(DataverseError):
    """The request takes or brings no media type that this service has."""

    family_code = "0x80060888"


class UnknownName(DataverseError):
    """A name in a query stands for no property of the type it is used on."""

    family_code = "0x80060888"


class ResourceNotFound(DataverseError):
    """A path segment stands for nothing."""

    family_code = "0x8006088a"


class InvalidPayload(DataverseError):
    """A body cannot be read as a record of its table."""

    family_code = "0x80048d19"


class InvalidArgument(DataverseError):
    """A value does not fit the column, parameter or message it is given to."""

    family_code = "0x80040203"


class NotSupported(DataverseError):
    """The simulator does not do this yet; the message says what."""

    family_code = "0x80040315"


class MethodNotAllowed(DataverseError):
    """The resource exists, but not for this verb."""

    family_code = "0x80060888"


class InvalidOperation(DataverseError):
    """The operation is not possible on this table or in this state."""

    family_code = "0x8004023b"


class AuthenticationFailed(DataverseError):
    """No bearer token, or one that is not good here (answered by a challenge)."""

    family_code = "0x80040204"


class AccessDenied(DataverseError):
    """The caller is known but may not do this."""

    family_code = "0x80040220"


class RecordNotFound(DataverseError):
    """No record has this id or these key values."""

    family_code = "0x80040217"


class DuplicateRecord(DataverseError):
    """A record with this id or these key values exists already."""

    family_code = "0x80040237"


class DuplicateRecordsFound(DataverseError):
    """A duplicate detection rule finds a duplicate of the record that was to be written."""

    family_code = "0x80040333"


class RangeNotSatisfiable(DataverseError):
    """Nothing of a file lies in the range that was asked for.

    Args:
        message: the text a caller reads.
        size: the size of the file in bytes.
    """

    family_code = "0x80090000"

    def __init__(self, message: str, *, size: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.size = size


class VersionMismatch(DataverseError):
    """The record is no longer the version that the caller named."""

    family_code = "0x80060882"


class StepRejected(DataverseError):
    """A step of the event pipeline, or the system behind a virtual table, refused the message."""

    family_code = "0x80040265"


class TooManyRequests(DataverseError):
    """A service protection limit was reached.

    Args:
        message: the text a caller reads.
        retry_after: seconds after which a repetition makes sense.
    """

    family_code = "0x80072322"

    def __init__(self, message: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class TemporarilyUnavailable(DataverseError):
    """The environment cannot answer at the moment (starting, migrating, being restored)."""

    family_code = "0x80044150"


class EngineFault(DataverseError):
    """The simulator itself is wrong; always a bug."""

    family_code = "0x80040216"
