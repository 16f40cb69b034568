"""`$batch`: several requests in one, and change sets of them that succeed or fail as a whole.

The requests are executed one after the other, each like a request of its own, but the caller is known already. Those of
a change set run inside one open transaction (ADR 0027); its answers are sent when that is committed. Learn: "Execute
batch operations using the Web API"; OData 4.0 Part 1 §11.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, starmap, zip_longest
from typing import Final, TypeAlias, assert_never

from entities.errors import DataverseError, MalformedRequest, MethodNotAllowed, ResourceNotFound, TemporarilyUnavailable
from odata_server.edm.preferences import CONTINUE_ON_ERROR, preference_applied
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.responses import HEADERS_OF_THE_WHOLE
from odata_server.endpoints.services import Organization
from odata_server.render.multipart import change_set_part, http_part, mixed, mixed_type
from odata_server.syntax.multipart import CHANGES, BatchRequest, ChangeSet, boundary_of, read_batch

Answering: TypeAlias = Callable[[ODataRequest], ODataResponse]
"""Answers a request of a caller who is known; refusals are answers, too."""

Creating: TypeAlias = Callable[[ODataRequest, Sequence[bytes]], Sequence[ODataResponse] | None]
"""Answers requests to create records that differ in their bodies alone, None where it cannot; refusals are raised."""

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_MERGE: Final = frozenset({"MERGE"})
_FIRST_REFUSAL: Final = 400
_ABSOLUTE: Final = re.compile(r"https?://([^/]*)(.*)\Z", re.IGNORECASE | re.DOTALL)
_REFERENCE: Final = re.compile(
    r"(?:/api/data/v9\.[012]|/data|/XRMServices/2011/OrganizationData\.svc)/(?:\$|%24)([^/]+)(/.*)?\Z",
    re.DOTALL | re.IGNORECASE,
)
_OF_THE_BATCH: Final = frozenset(
    {"host", "connection", "expect", "te", "trailer", "transfer-encoding", "upgrade", "origin", "accept-encoding"}
)
_OF_THE_RECORD: Final = ("OData-EntityId", "Location")
_NOT_INHERITED: Final = ("content-", "if-", "sec-")


@dataclass(frozen=True, slots=True)
class Door:
    """How a service answers the requests of a batch.

    Attributes:
        answering: gives what answers requests, over an environment or over it inside an open transaction.
        refused: answers a refusal.
        creating: gives what creates several records of one table at once.
        merges: whether the service knows the method MERGE.
    """

    answering: Callable[[Organization], Answering]
    refused: Callable[[DataverseError, ODataRequest], ODataResponse]
    creating: Callable[[Organization], Creating] = lambda _: lambda *_: None
    merges: bool = False


def answer_batch(call: Call, door: Door) -> ODataResponse:
    """Answer `POST $batch`.

    The status is 200, or that of the request which failed and so ended the batch: all are executed with the preference
    `odata.continue-on-error`.

    Raises:
        MethodNotAllowed: it is no POST.
        MalformedRequest: it is part of a batch itself.
        SyntaxRefused: the batch cannot be read; nothing of it is executed.
    """
    request = call.request
    if request.method != "POST":
        raise MethodNotAllowed(f"The requested resource does not support http method '{request.method}'.")
    if request.references is not None:
        raise MalformedRequest("A batch request cannot contain other batch requests.")
    changes = CHANGES | _MERGE if door.merges else CHANGES
    items = read_batch(request.body, boundary_of(request.header("content-type")), changes)
    batch = _Batch(call, door)
    parts, status = [], 200
    for item in items:
        part, outcome = batch.item(item)
        parts.append(part)
        if outcome >= _FIRST_REFUSAL and not call.preferences.continue_on_error:
            status = outcome
            break
    boundary = f"batchresponse_{call.services.new_id()}"
    applied = preference_applied(call.preferences, CONTINUE_ON_ERROR)
    return ODataResponse(status, (("Content-Type", mixed_type(boundary)), *applied), mixed(boundary, parts))


class _TakenBack(Exception):
    """A request of a change set was refused: nothing of the change set is to stay."""

    def __init__(self, part: BatchRequest, answer: ODataResponse) -> None:
        super().__init__(part.content_id)
        self.part = part
        self.answer = answer


class _Batch:
    """A batch being answered.

    Args:
        call: the request for the whole batch.
        door: how the service answers the requests in it.
    """

    def __init__(self, call: Call, door: Door) -> None:
        self._call = call
        self._door = door
        self._root = call.root.removeprefix(call.request.origin)
        self._inherited = _inherited(call)
        self._alone = door.answering(call.organization)

    def item(self, item: BatchRequest | ChangeSet) -> tuple[bytes, int]:
        """Return the answer to one item as a part, and the status that counts for the batch."""
        match item:
            case BatchRequest():
                answer = self._answer(self._alone, item, {})
                return _part(item, answer), answer.status
            case ChangeSet():
                return self._change_set(item)
            case _:
                assert_never(item)

    def _change_set(self, changes: ChangeSet) -> tuple[bytes, int]:
        """Execute a change set; one that fails is answered by the request that failed alone (§11.7.4).

        Records of one table are created at once first. Which of them a refusal is about is known only when they are
        created one by one: a change set that fails is executed again.
        """
        runs = [list(run) for _, run in groupby(changes.requests, _likeness)]
        each = [[part] for part in changes.requests]
        refused: DataverseError | _TakenBack
        for pieces in (runs, each) if len(runs) < len(each) else (each,):
            try:
                return self._executed(pieces)
            except (_TakenBack, DataverseError) as error:
                refused = error
            if isinstance(refused, TemporarilyUnavailable):
                break
        if isinstance(refused, _TakenBack):
            return _part(refused.part, refused.answer), refused.answer.status
        answer = self._door.refused(refused, self._call.request)
        return http_part(answer.status, _headers(answer), answer.body, None), answer.status

    def _executed(self, pieces: Iterable[Sequence[BatchRequest]]) -> tuple[bytes, int]:
        """Execute a change set in one transaction.

        Args:
            pieces: its requests in order, in pieces of one or of several to create records of one table.

        Raises:
            _TakenBack: one of its requests is refused.
            DataverseError: the transaction is.
        """
        with self._call.organization.unit_of_work() as unit:
            answers = list(self._changed(pieces, unit))
        boundary = f"changesetresponse_{self._call.services.new_id()}"
        return change_set_part(boundary, starmap(_part, answers)), 200

    def _changed(
        self, pieces: Iterable[Sequence[BatchRequest]], unit: Organization
    ) -> Iterator[tuple[BatchRequest, ODataResponse]]:
        """Execute the requests of a change set inside its transaction and give them with their answers.

        Raises:
            _TakenBack: one of them is refused.
            DataverseError: one of several records is; it is not known which.
        """
        answering, creating = self._door.answering(unit), self._door.creating(unit)
        made: dict[str, str] = {}
        for parts in pieces:
            answers = None
            if len(parts) > 1:
                answers = creating(self._request(parts[0], made), [part.body for part in parts])
            for part, answer in zip_longest(parts, answers or ()):
                told = answer or self._answer(answering, part, made)
                if told.status >= _FIRST_REFUSAL:
                    raise _TakenBack(part, told)
                _note(part, told, made)
                yield part, told

    def _answer(self, answering: Answering, part: BatchRequest, made: Mapping[str, str]) -> ODataResponse:
        try:
            return answering(self._request(part, made))
        except DataverseError as error:
            return self._door.refused(error, self._call.request)

    def _request(self, part: BatchRequest, made: Mapping[str, str]) -> ODataRequest:
        """Return a part as a request.

        Raises:
            ResourceNotFound: it is for another host.
            MethodNotAllowed: nothing here has this method.
        """
        if part.method not in _METHODS and not (self._door.merges and part.method in _MERGE):
            raise MethodNotAllowed(f"The requested resource does not support http method '{part.method}'.")
        if "host" in part.headers:
            self._check_host(part.headers["host"])
        path, _, query = part.url.partition("?")
        whole = self._call.request
        return ODataRequest(
            part.method,
            whole.scheme,
            whole.host,
            self._path(path, made),
            query,
            {**self._inherited, **part.headers},
            b"" if part.method == "GET" else part.body,
            made,
        )

    def _path(self, url: str, made: Mapping[str, str]) -> str:
        """Return the path of a URL that is absolute, rooted, or relative to the service root of the batch."""
        absolute = _ABSOLUTE.match(url) if ":" in url else None
        if absolute:
            self._check_host(absolute[1])
            url = absolute[2] or "/"
        if not url.startswith("/") or url.startswith("/$"):
            url = f"{self._root}/{url.removeprefix('/')}"
        reference = _REFERENCE.match(url) if made and ("$" in url or "%24" in url) else None
        target = made.get(reference[1]) if reference else None
        if reference is None or target is None:
            return url
        return target.removeprefix(self._call.request.origin) + (reference[2] or "")

    def _check_host(self, host: str) -> None:
        if not self._call.services.answers_to(host):
            raise ResourceNotFound(f"The host '{host[:200]}' is not known here.")


def _likeness(part: BatchRequest) -> object:
    """Return what is the same for requests to create records that differ in their bodies alone."""
    return (part.url, id(part.headers)) if part.method == "POST" else id(part)


def _inherited(call: Call) -> dict[str, str]:
    """Return the headers of the batch that count for its requests, too, unless they have their own.

    Left out are those of the message itself, its conditions, and an Accept that is about the answer to the batch.
    """
    headers = {
        name: value
        for name, value in call.request.headers.items()
        if name not in _OF_THE_BATCH and not name.startswith(_NOT_INHERITED)
    }
    if "multipart/" in headers.get("accept", "").lower():
        del headers["accept"]
    if call.preferences.respond_async:
        del headers["prefer"]
    return headers


def _note(part: BatchRequest, answer: ODataResponse, made: dict[str, str]) -> None:
    """Keep the URL that an answer gives its record: `$n` stands for it from now on.

    A request that prefers the record in its answer gets no URL, and so cannot be referred to, as in Dataverse.
    """
    if part.content_id is None:
        return
    for name, value in reversed(answer.headers):
        if name in _OF_THE_RECORD:
            made[part.content_id] = value
            return


def _part(part: BatchRequest, answer: ODataResponse) -> bytes:
    return http_part(answer.status, _headers(answer), answer.body, part.content_id)


def _headers(answer: ODataResponse) -> list[tuple[str, str]]:
    """Return the headers of an answer that are about it alone; a refusal names its request for support."""
    return [
        header
        for header in answer.headers
        if header[0] not in HEADERS_OF_THE_WHOLE and (header[0] != "REQ_ID" or answer.status >= _FIRST_REFUSAL)
    ]
