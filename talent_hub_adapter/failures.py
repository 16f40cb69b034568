"""Why a candidate was not exported, and which piece of the Talent Hub set-up the server's answer points at."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, assert_never

from integration.retry import passes_by_itself
from integration.tokens import TokenError
from integration.web_api import ServerNotTrustedError, ServerUnreachableError, WebApiError

BUSINESS_ERROR: Final = "0x80040265"

_CHECK: Final = "see 'talentverse setup talent-hub --check'"
_PRIVILEGE: Final = re.compile(r"\bprv(Read|Write|Create|Append|AppendTo|Delete)(\w+)")
_UNKNOWN_TO_HUMAN_RESOURCES: Final = re.compile(r"was not found in finance and operations", re.IGNORECASE)
_NOT_AUTHORIZED: Final = re.compile(r"rejected the call as not authorized", re.IGNORECASE)


class TableUnusableError(Exception):
    """The virtual table's definition is not what the adapter needs."""


class RowLostError(Exception):
    """The server acknowledged a row that is then not there."""


ExportError = WebApiError | ServerUnreachableError | TokenError | TableUnusableError | RowLostError


@dataclass(frozen=True, slots=True)
class Failure:
    """The server's words, what to do next, and whether every other candidate would meet the same."""

    message: str
    code: str | None
    http_status: int | None
    next_step: str
    concerns_all: bool

    def __str__(self) -> str:
        mark = self.code or (f"HTTP {self.http_status}" if self.http_status else "")
        return " ".join(part for part in (self.message, f"[{mark}]" if mark else "", self.next_step) if part)


def explain(error: ExportError) -> Failure:
    """Turn an error into a failure with its next step."""
    match error:
        case TokenError():
            return _everyones(error, "Check that the server runs and that the application's id and secret are right.")
        case ServerNotTrustedError():
            return _everyones(error, "Trust it, then run the same command again.")
        case ServerUnreachableError():
            return _everyones(error, "Start the server, then run the same command again.")
        case TableUnusableError():
            return _everyones(error, f"Generate/refresh the table: {_CHECK}.")
        case RowLostError():
            return Failure(str(error), None, None, "Run the same command again.", concerns_all=False)
        case WebApiError():
            return _of_answer(error)
        case _:
            assert_never(error)


def _everyones(error: ExportError, next_step: str) -> Failure:
    return Failure(str(error), None, None, next_step, concerns_all=True)


def _of_answer(error: WebApiError) -> Failure:
    """Explain an answer of the Web API; 401, 403 and 404 mean the set-up, so they concern all candidates."""
    concerns_all = True
    match error.status:
        case HTTPStatus.UNAUTHORIZED:
            step = "The server does not accept the token: check that --url is the server the application belongs to."
        case HTTPStatus.FORBIDDEN:
            step = f"{_missing_piece(error)}: {_CHECK}."
        case HTTPStatus.NOT_FOUND:
            step = f"The virtual table LinkedIn exported candidate is not generated (Generate/refresh): {_CHECK}."
        case HTTPStatus.TOO_MANY_REQUESTS:
            step = "Run the same command again later; nothing is written twice."
        case _ if passes_by_itself(error):
            step = "Run the same command again when the server is well; nothing is written twice."
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            concerns_all = False
            step = "Look into the server's log, then run the same command again."
        case _:
            concerns_all = False
            step = "Correct the record, then run the same command again."
    return Failure(error.message, error.code, error.status, step, concerns_all=concerns_all)


def _missing_piece(error: WebApiError) -> str:
    """Name the piece of the set-up that a 403 points at, by code and text (R-144, R-150, R-159, R-161, R-163)."""
    match error.code:
        case "0x80072560":
            return "There is no application user for the adapter's application"
        case "0x80040225":
            return "The application user is disabled"
        case "0x80042f09":
            return "The application user lacks the role LinkedIn Talent Hub HRIS Integration"
        case "0x80040220":
            return _missing_privilege(error.message)
        case _ if _UNKNOWN_TO_HUMAN_RESOURCES.search(error.message) or _NOT_AUTHORIZED.search(error.message):
            return "Human Resources lists no Entra application with this client id"
        case "0x80040265":
            return (
                "The Human Resources user of the Entra application record may not write "
                "LinkedIn exported candidates (Personnel management)"
            )
        case _:
            return "A piece of the set-up is missing"


def _missing_privilege(message: str) -> str:
    found = _PRIVILEGE.search(message)
    if found is None:
        return "The role LinkedIn Talent Hub HRIS Integration lacks a privilege"
    right, table = found.groups()
    return f"The role LinkedIn Talent Hub HRIS Integration lacks {right} on {table} at organization level"
