"""What the adapter's tests share: a small Web API that keeps rows and fails on demand, and candidates."""

import json
import re
import threading
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from integration.retry import RetryPolicy
from integration.transport import open_session
from integration.web_api import WebApi
from talent_hub_adapter.payload import HiredCandidate
from talent_hub_adapter.translate import translate

TABLE = "mshr_hcmlinkedinexportedcandidateentity"
SET = "mshr_hcmlinkedinexportedcandidateentities"
FILTER = re.compile(r"mshr_hiringcontext eq '((?:[^']|'')*)' and mshr_hrisrequestid eq '((?:[^']|'')*)'")


@dataclass
class Fault:
    """What goes wrong once with the next `method` request below `path`.

    `written` tells whether the server does its work before it fails; without `status` the connection drops.
    """

    method: str
    path: str
    status: int | None = None
    body: object = None
    retry_after: str | None = None
    written: bool = False


class StubEnvironment(ThreadingHTTPServer):
    """The virtual table as the Web API shows it: definition, query by both ids, create."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.rows = []
        self.faults = []
        self.requests = []
        self.columns = {*translate(candidate()), "mshr_exportedcandidateid"}
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, method, path=SET):
        return sum(1 for made, asked in self.requests if made == method and asked.startswith(path))

    def take_fault(self, method, path):
        for fault in self.faults:
            if fault.method == method and path.startswith(fault.path):
                self.faults.remove(fault)
                return fault
        return None

    def perform(self, method, path, query, body):
        if path == f"EntityDefinitions(LogicalName='{TABLE}')":
            attributes = [{"LogicalName": name} for name in sorted(self.columns)]
            return 200, {"LogicalName": TABLE, "EntitySetName": SET, "Attributes": attributes}
        if path == f"EntityDefinitions(LogicalName='{TABLE}')/ManyToOneRelationships":
            return 200, {"value": []}
        if path != SET:
            return 404, {"error": {"code": "0x80060888", "message": f"Resource not found for the segment '{path}'."}}
        return self.create(body) if method == "POST" else self.find(query["$filter"][0])

    def create(self, body):
        row = json.loads(body)
        assert set(row) <= self.columns
        if self.matching(row["mshr_hiringcontext"], row["mshr_hrisrequestid"]):
            return 400, {"error": {"code": "0x80040265", "message": "The record already exists."}}
        self.rows.append(row | {"mshr_exportedcandidateid": f"LEC-{len(self.rows) + 1:06}"})
        return 204, None

    def find(self, text):
        context, request = (part.replace("''", "'") for part in FILTER.fullmatch(text).groups())
        return 200, {"value": self.matching(context, request)}

    def matching(self, context, request):
        """Compare without regard to case, as Dataverse and Human Resources do."""
        wanted = (context.casefold(), request.casefold())
        return [
            row
            for row in self.rows
            if (row["mshr_hiringcontext"].casefold(), row["mshr_hrisrequestid"].casefold()) == wanted
        ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        assert self.headers["Authorization"] == "Bearer fixed"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        path = unquote(address.path.removeprefix("/api/data/v9.2/"))
        with self.server.lock:
            self.server.requests.append((self.command, path))
            fault = self.server.take_fault(self.command, path)
            if fault is None or fault.written:
                status, content = self.server.perform(self.command, path, parse_qs(address.query), body)
        if fault is None:
            self.reply(status, content, None)
        elif fault.status is None:
            self.close_connection = True
        else:
            self.reply(fault.status, fault.body, fault.retry_after)

    do_GET = do_POST = handle_any  # noqa: N815 - the names that http.server calls

    def reply(self, status, content, retry_after):
        encoded = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_):
        """Keep the test output clean."""


def candidate(number=1, **changes):
    """Candidate hr-000<number>, with members replaced."""
    members = {
        "hiring_context": "urn:li:contract:123",
        "hris_request_id": f"hr-{number:04}",
        "first_name": "Ann",
        "last_name": "Example",
        "email_addresses": ("ann@x.test",),
        "phone_numbers": ("+31 20 555 0100",),
        "job_title": "Engineer",
        "job_location": "Utrecht",
        "start_date": date(2021, 7, 1),
    }
    return HiredCandidate(**members | changes)


@pytest.fixture
def make_candidate():
    """The function that makes candidates."""
    return candidate


@pytest.fixture
def make_fault():
    """The class of faults, with the set as the usual place."""
    return lambda method, path=SET, **rest: Fault(method, path, **rest)


@pytest.fixture
def environment():
    """The stub, on a free port of this machine."""
    with StubEnvironment() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def web_api(environment):
    """A session with the stub; its token is always the same."""
    with open_session(environment.url, None) as session:
        yield WebApi(environment.url, lambda *, fresh=False: "fixed", session)


@pytest.fixture
def waits():
    """The seconds that were slept, in order."""
    return []


@pytest.fixture
def policy(waits):
    """The default patience, without sleeping."""
    return RetryPolicy(sleep=waits.append, uniform=lambda _shortest, longest: longest)
