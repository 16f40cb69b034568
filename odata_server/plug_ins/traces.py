"""The plug-in trace log: what functions traced and how they failed (Learn: "Plug-in trace log").

Traces are written in a transaction of their own, so those of a message that fails are there too. The organization
says which: none, those of failures, or all (`plugintracelogsetting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from threading import Thread
from typing import Final

import structlog

from entities.errors import DataverseError
from entities.messages import Create, RetrieveMultiple, Rows
from entities.plugins import Mode
from entities.query import QueryExpression
from entities.values import Record
from odata_server.engine.organization import OrganizationService

_EXCEPTIONS: Final = 1
_ALL: Final = 2
_PLUG_IN: Final = 1
_LONGEST: Final = 10_000
"""The characters of a trace that are kept, the last ones (Learn: 10 KB)."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trace:
    """What one run of a function leaves behind; `error` is empty when it succeeded."""

    type_name: str
    message: str
    table: str | None
    mode: Mode
    depth: int
    started: datetime
    milliseconds: int
    text: str
    error: str


class TraceLog:
    """Traces that wait to be written, and the thread that writes them."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Trace | None] = SimpleQueue()
        self._thread: Thread | None = None

    def note(self, trace: Trace) -> None:
        """Take a trace to be written later."""
        self._waiting.put(trace)

    def start(self, dataverse: OrganizationService) -> None:
        """Begin to write."""
        self._thread = Thread(target=self._run, args=(dataverse,), name="plug-in traces", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and end."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()

    def _run(self, dataverse: OrganizationService) -> None:
        while (trace := self._waiting.get()) is not None:
            try:
                write(dataverse, trace)
            except DataverseError as refusal:
                _log.warning("plug-in trace lost", plug_in=trace.type_name, error=str(refusal))


def write(dataverse: OrganizationService, trace: Trace) -> None:
    """Write a trace, if the organization keeps such ones.

    Raises:
        DataverseError: the row is refused, or the database is not there.
    """
    found = dataverse.execute(
        RetrieveMultiple(QueryExpression("organization", ("plugintracelogsetting",))), dataverse.system
    )
    assert isinstance(found, Rows)
    setting = found.records[0].get("plugintracelogsetting") if found.records else None
    if setting == _ALL or (setting == _EXCEPTIONS and trace.error):
        dataverse.execute(Create("plugintracelog", _row(trace)), dataverse.system)


def _row(trace: Trace) -> Record:
    return {
        "typename": trace.type_name[:1024],
        "messagename": trace.message,
        "primaryentity": trace.table or "none",
        "operationtype": _PLUG_IN,
        "mode": trace.mode.value,
        "depth": trace.depth,
        "performanceexecutionstarttime": trace.started,
        "performanceexecutionduration": trace.milliseconds,
        "messageblock": _legible(trace.text),
        "exceptiondetails": _legible(trace.error),
    }


def _legible(text: str) -> str:
    """Return a text's end; what no text of a row can hold is replaced."""
    return "".join(c if c.isprintable() or c in "\r\n\t" else "\ufffd" for c in text[-_LONGEST:])
