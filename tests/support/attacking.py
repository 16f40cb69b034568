"""Sends what nobody should send to a whole application, and checks what every answer must keep to."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from batches import BOUNDARY, answers
from driving import Caller, dump
from hostile import HostileRequest
from werkzeug.test import run_wsgi_app

SECONDS, HANGING = 2.0, 20.0
"""How long the processor may work for one answer, and when it is not waited for any longer."""

EVERY = 20
"""Of so many refused writes one is compared over whole databases, the others by their version of rows and metadata."""


def environ_of(request: HostileRequest, authorization: dict[str, str]) -> dict[str, object]:
    """Return what a server would pass on (PEP 3333): the path decoded, or kept as it was in RAW_URI."""
    sent = quote(request.path.encode("utf-8", "surrogatepass"), safe="/!$&'()*+,;=:@%[]\"<>")
    query = quote(request.query.encode("utf-8", "surrogatepass"), safe="/!$&'()*+,;=:@%[]\"<>?^`{|}")
    environ: dict[str, object] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(sent).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": request.host,
        "CONTENT_LENGTH": request.headers.get("Content-Length", str(len(request.body))),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if request.keeps_raw:
        environ["RAW_URI"] = f"{sent}?{query}"
    for name, value in {**request.headers, **authorization}.items():
        variable = name.upper().replace("-", "_")
        environ[variable if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{variable}"] = value
    return environ


def versions(databases):
    """Return stamp and row version of both environments."""
    return [database.reader().execute('SELECT stamp, row_version FROM "$state"').fetchall() for database in databases]


def checked(answer, request: HostileRequest):
    """Check the form of an answer and return its status."""
    parts, status_line, headers = answer
    body = b"".join(parts)
    status = int(status_line.split()[0])
    kind = headers.get("Content-Type", "").partition(";")[0]
    assert status < 500 or status == 501, (status, body[:500])
    if kind == "multipart/mixed":
        parts = answers(headers["Content-Type"], body)
        assert all(part.status < 500 or part.status == 501 for part in parts), body[:500]
    elif status >= 400 and request.method != "HEAD":
        assert kind == "application/json" or (status, kind) == (401, "text/html"), (status, kind, body[:300])
        if kind == "application/json":
            error = json.loads(body)["error"]
            assert error["message"]
            assert "Traceback" not in body.decode()
    elif kind == "application/json" and request.method != "HEAD":
        json.loads(body)
    return status


@contextmanager
def bounded(request):
    """Let an answer cost so much time of the processor and no more, however busy the machine is."""

    def give_up(*_):
        raise AssertionError(f"no answer after {HANGING} seconds of work to {request}")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGING)
    started = time.thread_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    worked = time.thread_time() - started
    assert worked < SECONDS, f"{worked:.1f} seconds of work for {request}"


@dataclass
class Attack:
    """Sends hostile requests and checks their answers; the data is put back now and then.

    Attributes:
        administrator: who sends them.
        narrow: who sends those of the caller with the narrow role.
        directory: the data directory.
        databases: those of both environments, opened once more.
        put_back: puts the data back.
        lasting: how many requests the data lasts.
    """

    administrator: Caller
    narrow: Caller
    directory: Path
    databases: list
    put_back: Callable[[], None]
    lasting: int = 100
    reads: frozenset = frozenset({"GET", "HEAD", "OPTIONS"})
    sent: count = field(default_factory=count)

    def __call__(self, request: HostileRequest) -> int:
        number = next(self.sent)
        if number % self.lasting == self.lasting - 1:
            self.put_back()
        whole = number % EVERY == 0
        before = dump(self.directory) if whole else versions(self.databases)
        caller = self.narrow if request.is_narrow else self.administrator
        environ = environ_of(request, caller.headers)
        with bounded(request):
            answer = run_wsgi_app(caller.application.wsgi_app, environ, buffered=True)
        status = checked(answer, request)
        # What stands in a batch before a request that is refused has been done, unless that is a change set.
        is_one = request.body.count(f"--{BOUNDARY}\r\n".encode()) < 2
        if (status >= 400 and is_one) or request.method in self.reads:
            assert (dump(self.directory) if whole else versions(self.databases)) == before, status
        return status
