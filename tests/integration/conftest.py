"""What the tests of the client floor share: retries that do not wait, and a server that answers from a script."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.retry import RetryPolicy


@pytest.fixture
def waits():
    """The seconds that were slept, in order."""
    return []


@pytest.fixture
def policy(waits):
    """The default patience, without sleeping, and always the longest wait of the back-off."""
    return RetryPolicy(sleep=waits.append, uniform=lambda _shortest, longest: longest)


@dataclass
class Answer:
    """One scripted answer; a dict or list body is sent as JSON, None drops the connection."""

    status: int = 200
    body: object = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """One received request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer(ThreadingHTTPServer):
    """Answers each request with the next answer of `script`, or with `route(request)` where that is set."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = []
        self.route = None
        self.requests = []
        self.scheme = "http"

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers), body)
        self.server.requests.append(request)
        answer = self.server.route(request) if self.server.route else self.server.script.pop(0)
        if answer is None:
            self.close_connection = True
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that http.server calls

    def log_message(self, *_):
        """Keep the test output clean."""


@pytest.fixture
def server():
    """A server on a free port of this machine, over plain HTTP."""
    with ScriptedServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def answer():
    """The class of scripted answers."""
    return Answer
