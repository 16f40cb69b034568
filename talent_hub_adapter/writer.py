"""Writing hired candidates through the Web API into the virtual table *LinkedIn exported candidate*.

    read the definition once; then for each candidate
        row found by both ids             -> already exported
        else POST -> 204, row read back   -> exported
             POST -> 0x80040265           -> found by both ids now? already exported : failed
             POST without an answer       -> from the start: found? exported : POST again

A virtual table has no alternate key, so no upsert; the row itself, looked up by both ids, tells what is done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from integration.retry import RetryPolicy, with_retry
from integration.tokens import TokenError
from integration.web_api import ServerUnreachableError, WebApi, WebApiError, literal
from talent_hub_adapter.failures import BUSINESS_ERROR, Failure, RowLostError, TableUnusableError, explain
from talent_hub_adapter.payload import HiredCandidate
from talent_hub_adapter.translate import translate

TABLE: Final = "mshr_hcmlinkedinexportedcandidateentity"
_COLUMNS: Final = frozenset(
    {
        "mshr_exportedcandidateid",
        "mshr_hiringcontext",
        "mshr_hrisrequestid",
        "mshr_firstname",
        "mshr_lastname",
        "mshr_emailaddress",
        "mshr_phonenumber",
        "mshr_startdate",
        "mshr_jobtitle",
        "mshr_joblocation",
    }
)
_EXPORT_ERRORS: Final = (WebApiError, ServerUnreachableError, TokenError, TableUnusableError, RowLostError)


class Status(StrEnum):
    """What became of a candidate."""

    EXPORTED = "exported"
    ALREADY_EXPORTED = "already exported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one candidate: the id Human Resources gave, or why there is none."""

    candidate: HiredCandidate
    status: Status
    exported_candidate_id: str | None = None
    failure: Failure | None = None


def export_candidates(candidates: Sequence[HiredCandidate], web_api: WebApi, policy: RetryPolicy) -> Iterator[Outcome]:
    """Export each candidate and yield its outcome at once.

    A failure that every candidate would meet (a missing piece of the set-up, a dead server) ends the sending; the
    remaining candidates are reported as failed for the same reason.
    """
    stopped: Failure | None = None
    set_name = ""
    try:
        set_name = with_retry(policy, lambda: read_entity_set_name(web_api))
    except _EXPORT_ERRORS as error:
        stopped = explain(error)
    for candidate in candidates:
        if stopped is not None:
            yield Outcome(candidate, Status.FAILED, failure=stopped)
            continue
        outcome = _CandidateExport(web_api, set_name, candidate).run(policy)
        if outcome.failure is not None and outcome.failure.concerns_all:
            stopped = outcome.failure
        yield outcome


def read_entity_set_name(web_api: WebApi) -> str:
    """Read the table's definition, as the integration role's privileges allow, and return its set name.

    Raises:
        WebApiError: the definition may not be read (403) or the table is not generated (404).
        TableUnusableError: the definition lacks a set name or a column.
    """
    path = f"EntityDefinitions(LogicalName='{TABLE}')"
    expand = {"$select": "LogicalName,EntitySetName", "$expand": "Attributes($select=LogicalName)"}
    definition = web_api.get(path, expand)
    web_api.get(f"{path}/ManyToOneRelationships", {"$select": "SchemaName"})
    present = {attribute.get("LogicalName") for attribute in _objects(definition, "Attributes")}
    missing = sorted(_COLUMNS - present)
    if missing:
        raise TableUnusableError(f"The table {TABLE} lacks the columns {', '.join(missing)}.")
    set_name = definition.get("EntitySetName")
    if not isinstance(set_name, str) or not set_name:
        raise TableUnusableError(f"The table {TABLE} has no entity set.")
    return set_name


class _CandidateExport:
    """The export of one candidate: what is known of its row between one attempt and the next."""

    def __init__(self, web_api: WebApi, set_name: str, candidate: HiredCandidate) -> None:
        self._web_api = web_api
        self._set_name = set_name
        self._candidate = candidate
        self._may_be_ours = False
        self._acknowledged = False

    def run(self, policy: RetryPolicy) -> Outcome:
        """Export with retries. Once the server acknowledged the write, it counts, even if reading back fails."""
        try:
            return with_retry(policy, self._attempt)
        except _EXPORT_ERRORS as error:
            if self._acknowledged and not isinstance(error, RowLostError):
                return Outcome(self._candidate, Status.EXPORTED)
            return Outcome(self._candidate, Status.FAILED, failure=explain(error))

    def _attempt(self) -> Outcome:
        """Look, write if nothing is there, and look again. Safe to repeat, since it begins by looking."""
        found = self._find()
        if found is None and not self._acknowledged:
            self._write()
            found = self._find()
        if found is None:
            raise RowLostError("The server acknowledged the row, but it is not there.")
        status = Status.EXPORTED if self._may_be_ours else Status.ALREADY_EXPORTED
        return Outcome(self._candidate, status, found)

    def _write(self) -> None:
        """Post the row. A duplicate that Human Resources reports is no failure as long as the row is found after."""
        before, self._may_be_ours = self._may_be_ours, True
        try:
            self._web_api.create(self._set_name, translate(self._candidate))
        except WebApiError as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._may_be_ours = before
            if error.code != BUSINESS_ERROR or error.status != HTTPStatus.BAD_REQUEST or self._find() is None:
                raise
        else:
            self._acknowledged = True

    def _find(self) -> str | None:
        """Return the exported candidate id of the row with both ids, or None.

        Dataverse compares text without regard to case; a row that only looks alike is another candidate's.
        """
        context, request = self._candidate.hiring_context, self._candidate.hris_request_id
        query = {
            "$select": "mshr_exportedcandidateid,mshr_hiringcontext,mshr_hrisrequestid",
            "$filter": f"mshr_hiringcontext eq {literal(context)} and mshr_hrisrequestid eq {literal(request)}",
        }
        for row in _objects(self._web_api.get(self._set_name, query), "value"):
            if row.get("mshr_hiringcontext") == context and row.get("mshr_hrisrequestid") == request:
                return str(row.get("mshr_exportedcandidateid") or "")
        return None


def _objects(body: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Return the JSON objects of an array member; an answer without it is no answer of a Web API."""
    match body.get(name):
        case list(members):
            return [member for member in members if isinstance(member, dict)]
        case _:
            raise TableUnusableError(f"The answer about {TABLE} holds no {name}.")
