"""Refusals as HTTP: one table from error class to status, one body per dialect.

Status codes: Learn, "Compose HTTP requests and handle errors" (its table of error names). A refused token is answered
by the challenge that Microsoft's clients parse: both keys, unquoted, separated by a comma.
"""

from __future__ import annotations

from typing import Final

import orjson

from entities.errors import (
    AccessDenied,
    AuthenticationFailed,
    DataverseError,
    DuplicateRecord,
    DuplicateRecordsFound,
    EngineFault,
    InvalidArgument,
    InvalidOperation,
    InvalidPayload,
    MalformedRequest,
    MethodNotAllowed,
    NotSupported,
    RangeNotSatisfiable,
    RecordNotFound,
    ResourceNotFound,
    StepRejected,
    TemporarilyUnavailable,
    TooManyRequests,
    UnknownName,
    UnsupportedMediaType,
    VersionMismatch,
)
from security.authenticate import RequestNotAuthenticated

STATUS: Final[dict[type[DataverseError], int]] = {
    DataverseError: 500,
    MalformedRequest: 400,
    UnknownName: 400,
    InvalidPayload: 400,
    InvalidArgument: 400,
    StepRejected: 400,
    AuthenticationFailed: 401,
    AccessDenied: 403,
    ResourceNotFound: 404,
    RecordNotFound: 404,
    MethodNotAllowed: 405,
    InvalidOperation: 405,
    DuplicateRecord: 412,
    DuplicateRecordsFound: 412,
    VersionMismatch: 412,
    UnsupportedMediaType: 415,
    RangeNotSatisfiable: 416,
    TooManyRequests: 429,
    EngineFault: 500,
    NotSupported: 501,
    TemporarilyUnavailable: 503,
}

FINANCE_STATUS: Final[dict[type[DataverseError], int]] = {**STATUS, InvalidOperation: 400, DuplicateRecord: 400}
"""Finance-and-operations answers what its rules refuse with 400; 412 speaks of entity tags only."""

DENIED_BODY: Final = b"HTTP Error 401 - Unauthorized: Access is denied\r\n"
_HELP: Final = "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{}&client=platform"


def status_of(error: DataverseError) -> int:
    """Return the HTTP status of an error: that of its nearest listed class."""
    return _nearest(STATUS, error)


def finance_status_of(error: DataverseError) -> int:
    """Return the HTTP status of an error on `/data`."""
    return _nearest(FINANCE_STATUS, error)


def _nearest(statuses: dict[type[DataverseError], int], error: DataverseError) -> int:
    return next(statuses[kind] for kind in type(error).__mro__ if kind in statuses)


def web_api_body(error: DataverseError, *, annotated: bool = False) -> bytes:
    """Return the error body of the Web API.

    Args:
        error: code and text of the refusal.
        annotated: whether the request asked for annotations; then the help link comes with it.
    """
    members: dict[str, str] = {"code": error.code, "message": error.message}
    if annotated:
        members["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = "0"
        members["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] = "0"
        members["@Microsoft.PowerApps.CDS.HelpLink"] = _HELP.format(error.code.removeprefix("0x"))
        members["@Microsoft.PowerApps.CDS.TraceText"] = f"\r\n\t[{type(error).__name__}: {error.code}]\r\n"
        members["@Microsoft.PowerApps.CDS.InnerError.Message"] = error.message
    return orjson.dumps({"error": members})


def finance_body(error: DataverseError) -> bytes:
    """Return the error body of finance-and-operations: the text stands in the inner error."""
    inner = {"message": error.message, "type": type(error).__name__, "stacktrace": ""}
    return orjson.dumps({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}})


def challenge(error: AuthenticationFailed, *, authority: str, resource: str) -> str:
    """Return the `WWW-Authenticate` value of a 401.

    Args:
        error: its code tells a missing token from one that is no good; only the latter is described.
        authority: the URL of the tenant's authority, without a final slash.
        resource: the URL of this environment, without a final slash.
    """
    value = f"Bearer authorization_uri={authority}/oauth2/authorize, resource_id={resource}/"
    if error.code == RequestNotAuthenticated.family_code:
        return value
    reason = "".join(c for c in error.message if c.isprintable() and c not in '",')
    return f"{value}, error=invalid_token, error_description={reason.encode('ascii', 'replace').decode()}"
