"""The refusals of the Microsoft Graph slice and Graph's JSON document (Learn: Microsoft Graph error responses)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus

from security.authority.errors import Trace


class GraphCode(Enum):
    """Graph's error codes used here, each with the HTTP status it is answered with."""

    INVALID_TOKEN = ("InvalidAuthenticationToken", HTTPStatus.UNAUTHORIZED)
    DENIED = ("Authorization_RequestDenied", HTTPStatus.FORBIDDEN)
    NOT_FOUND = ("Request_ResourceNotFound", HTTPStatus.NOT_FOUND)
    BAD_REQUEST = ("Request_BadRequest", HTTPStatus.BAD_REQUEST)
    UNSUPPORTED_QUERY = ("Request_UnsupportedQuery", HTTPStatus.BAD_REQUEST)
    METHOD_NOT_ALLOWED = ("Request_BadRequest", HTTPStatus.METHOD_NOT_ALLOWED)

    @property
    def wire_name(self) -> str:
        """The code as it stands in the document."""
        return self.value[0]

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status."""
        return self.value[1]


class GraphError(Exception):
    """A refusal of the Graph slice."""

    def __init__(self, code: GraphCode, message: str) -> None:
        """Keep code and message."""
        super().__init__(message)
        self.code = code


def graph_error_document(error: GraphError, trace: Trace) -> Mapping[str, object]:
    """Return Graph's JSON error document."""
    return {
        "error": {
            "code": error.code.wire_name,
            "message": str(error),
            "innerError": {
                "date": datetime.fromtimestamp(trace.now, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                "request-id": str(trace.trace_id),
                "client-request-id": str(trace.correlation_id),
            },
        }
    }
