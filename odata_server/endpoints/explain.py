"""One Web API request shown stage by stage: tree, message, what it was narrowed to and why, SQL and SQLite's plan.

The request takes the same way as any other (`web_api.answered`); only the environment under it keeps notes. Reads run;
a message that would change something is authorized and shown, and the request ends there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

from entities.errors import DataverseError, InvalidArgument, MalformedRequest
from entities.messages import (
    Create,
    Message,
    ReadMetadata,
    Response,
    Retrieve,
    RetrieveChanges,
    RetrieveMultiple,
    Update,
    Upsert,
    Written,
)
from entities.metadata.catalog import Catalog
from entities.values import Guid
from odata_server.edm.preferences import NO_PREFERENCES
from odata_server.edm.representation import RowShape
from odata_server.endpoints import web_api
from odata_server.endpoints.exchange import ODataRequest, ODataResponse
from odata_server.endpoints.outlines import outline
from odata_server.endpoints.responses import refused
from odata_server.endpoints.services import Services
from odata_server.engine.organization import OrganizationService
from odata_server.engine.tracing import PlanStatistics, Statement, plan_statistics, traced
from odata_server.syntax.options import parse_query
from odata_server.syntax.paths import parse_path
from odata_server.syntax.tokens import SyntaxRefused
from security.authorize import authorize
from security.directory import Directory
from security.principals import Principal

_REQUEST: Final = re.compile(r"([A-Za-z]+)\s+(\S.*?)(?:\s+(\{.*\}))?\Z", re.DOTALL)
_ROOT: Final = re.compile(r"/api/data/v9\.[012](?:/(.*))?\Z", re.DOTALL)
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_SAFE: Final = "".join(map(chr, range(0x21, 0x7F)))
SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a request.

    Attributes:
        message: what was bound.
        narrowed: the message as its principal may run it.
        rows: for an operation on one record, the rows that it may touch.
        reasons: why.
        executed: whether it ran.
        hits, misses: plans that the cache had or had not.
        statements: what the database was given.
    """

    message: str
    narrowed: str
    rows: str
    reasons: tuple[str, ...]
    executed: bool = False
    hits: int = 0
    misses: int = 0
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A request, stage by stage; `status` and `body` are those of its answer, 0 where a write was not executed."""

    method: str
    url: str
    principal: str
    path_tree: str
    options_tree: str
    steps: tuple[Step, ...]
    status: int
    body: str
    cache: PlanStatistics


def explain(text: str, principal: str, services: Services, origin: str) -> Explanation:
    """Explain a request.

    Args:
        text: method and URL, as `GET /api/data/v9.2/accounts?$top=1`, and a JSON object where it has a body; blanks in
            the URL need no encoding.
        principal: `system`, an application id, a user's object id or a user principal name.
        services: the doors' services over a real environment.
        origin: scheme and host of the URLs in the answer.

    Raises:
        InvalidArgument: the text is no request to the Web API, or the principal's name is none.
        AccessDenied: there is no such principal, or it may not sign in.
    """
    request = _request(text, origin)
    service = services.dataverse
    assert isinstance(service, OrganizationService)
    who = _principal(principal, service.directory)
    notes = _Notes(service, service.organization_id)
    try:
        path_tree, options_tree = _trees(request)
        answer = web_api.answered(request, replace(services, dataverse=notes), who, NO_PREFERENCES, service.catalog)
    except _Unchanged:
        answer = ODataResponse(0)
    except SyntaxRefused as error:
        path_tree = options_tree = ""
        answer = refused(MalformedRequest(str(error)), request, services, NO_PREFERENCES)
    except DataverseError as error:
        answer = refused(error, request, services, NO_PREFERENCES)
    return Explanation(
        request.method,
        request.url,
        f"{who.caller.full_name} ({who.caller.user_id})",
        path_tree,
        options_tree,
        tuple(notes.steps),
        answer.status,
        answer.body.decode("utf-8-sig"),
        plan_statistics(service),
    )


def _request(text: str, origin: str) -> ODataRequest:
    found = _REQUEST.match(text.strip())
    try:
        parts = urlsplit(found[2]) if found else None
    except ValueError:
        parts = None
    if found is None or parts is None or _ROOT.match(parts.path) is None:
        raise InvalidArgument(f"'{text[:200]}' is not a request to the Web API such as GET /api/data/v9.2/accounts")
    scheme, _, host = origin.partition("://")
    path, query = (quote(part, safe=_SAFE) for part in (parts.path, parts.query))
    return ODataRequest(found[1].upper(), scheme, host, path, query, body=(found[3] or "").encode())


def _trees(request: ODataRequest) -> tuple[str, str]:
    """Return the trees of path and query options.

    Raises:
        SyntaxRefused: there are none.
    """
    found = _ROOT.match(request.path)
    path = (found[1] or "") if found else ""
    return outline(parse_path(path)) if path else "", outline(parse_query(request.query)) if request.query else ""


def _principal(name: str, directory: Directory) -> Principal:
    if name == SYSTEM:
        return directory.system()
    if "@" in name:
        return directory.user(Guid(""), name)
    if _GUID.match(name.lower()) is None:
        raise InvalidArgument(f"'{name[:200]}' is neither an id nor a user principal name nor '{SYSTEM}'")
    given = Guid(name.lower())
    return directory.application_user(given, given)


class _Unchanged(Exception):
    """A message that changes something has been shown, and is not executed."""


@dataclass(slots=True)
class _Notes:
    """An environment that keeps notes of the messages it is given, and executes those that only read."""

    service: OrganizationService
    organization_id: Guid
    steps: list[Step] = field(default_factory=list)

    @property
    def directory(self) -> Directory:
        """The environment's own."""
        return self.service.directory

    @property
    def members(self) -> Directory:
        """The environment's own."""
        return self.service.members

    @property
    def catalog(self) -> Catalog:
        """The environment's own."""
        return self.service.catalog

    def execute(self, message: Message, principal: Principal, *, shape: RowShape | None = None) -> Response:
        """Note a message, and execute it when it reads."""
        authorized = authorize(message, principal, self.service.catalog)
        rows = "" if isinstance(message, RetrieveMultiple) else outline(authorized.rows)
        step = Step(outline(message), outline(authorized.message), rows, authorized.reasons)
        self.steps.append(step)
        match message:
            case RetrieveMultiple() | RetrieveChanges() | Retrieve() | ReadMetadata():
                found = traced(self.service, lambda: self.service.execute(message, principal, shape=shape))
                self.steps[-1] = replace(
                    step, executed=True, hits=found.hits, misses=found.misses, statements=found.statements
                )
                return found.response
            case _:
                raise _Unchanged

    def execute_multiple(
        self, changes: Sequence[Create | Update | Upsert], principal: Principal
    ) -> tuple[Written, ...]:
        """Note the changes, one after the other."""
        for change in changes:
            with suppress(_Unchanged):
                self.execute(change, principal)
        raise _Unchanged

    @contextmanager
    def unit_of_work(self) -> Iterator[_Notes]:
        """Give itself: nothing is changed that could be taken back."""
        yield self


def as_json(explanation: Explanation) -> Mapping[str, Any]:
    """Return an explanation as JSON values."""
    return asdict(explanation)


def as_text(explanation: Explanation) -> str:
    """Return an explanation as lines for people."""
    found = explanation
    blocks = [f"request    {found.method} {found.url}", f"principal  {found.principal}"]
    blocks += [_block("path", found.path_tree), _block("options", found.options_tree)]
    for number, step in enumerate(found.steps, start=1):
        blocks.append(_step_text(number, step))
    blocks.append(_answer_text(found))
    cache = found.cache
    blocks.append(f"plan cache  {cache.kept} plans kept, {cache.hits} hits, {cache.misses} misses")
    return "\n".join(filter(None, blocks)) + "\n"


def _block(title: str, text: str) -> str:
    indented = "".join(f"\n  {line}" for line in text.splitlines())
    return f"{title}{indented}" if text else ""


def _step_text(number: int, step: Step) -> str:
    narrowed = "the same" if step.narrowed == step.message else step.narrowed
    blocks = [_block(f"message {number}", step.message), _block("narrowed to", narrowed)]
    blocks += [_block("rows it may touch", step.rows), _block("because", "\n".join(step.reasons))]
    if not step.executed:
        blocks.append("not executed: it may change something")
    for statement in step.statements:
        numbered = (f"?{place} = {value}" for place, value in enumerate(statement.parameters, start=1))
        blocks += [_block("sql", statement.sql), _block("parameters", "\n".join(numbered))]
        blocks.append(_block("query plan", "\n".join(statement.plan)))
    if step.executed:
        blocks.append(f"plans      {step.hits} from the cache, {step.misses} compiled")
    return "\n".join(filter(None, blocks))


def _answer_text(found: Explanation) -> str:
    if not found.status:
        return ""
    if found.status >= 400:  # noqa: PLR2004 - the first status of a refusal
        return _block(f"answer     {found.status}", found.body)
    return f"answer     {found.status}, {len(found.body.encode())} bytes"
