"""The durable queue of background jobs: a row per job, made in the transaction that asks for it.

```
waiting ──claim──▶ running ──done──▶ succeeded
   ▲                  │ error, attempts left: due again after a pause
   └──────────────────┤ lease run out (the process died): due again
                      └──no attempts left──▶ failed
```

A job is tried five times with growing pauses, unless its handler knows better (`JobFailed`). It may run twice (a
process can die between the work and the mark), so handlers are idempotent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import orjson
import structlog

from entities.errors import DataverseError, TemporarilyUnavailable
from entities.values import Guid
from odata_server.engine.database import Connection, Database
from odata_server.engine.identifiers import sequential_id

JobHandler: TypeAlias = Callable[[Mapping[str, object]], str | None]
"""Does the work and says what there is to be said of it."""

ATTEMPTS = 5
"""How often a job is tried whose handler does not know better."""
# Longer than the longest work between two signs of life: a webhook may take a minute to answer.
_LEASE_SECONDS = 150.0
_PAUSE_SECONDS = 2.0
_POLL_SECONDS = 0.2

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job."""

    id: Guid
    name: str
    payload: Mapping[str, object]
    attempts: int


class JobFailed(Exception):
    """Work that failed in a way that says how often it makes sense to try it.

    Args:
        text: what went wrong.
        attempts: how often the job may be tried, this time counted.
        code: Dataverse's number of the error as hexadecimal text, where it has one.
        pause: the seconds until the second attempt, twice as many until each further one; None: as for any job.
    """

    def __init__(self, text: str, *, attempts: int = 1, code: str | None = None, pause: float | None = None) -> None:
        super().__init__(text)
        self.attempts = attempts
        self.code = code
        self.pause = pause


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt went wrong: the text, the error's number where there is one, and how the job goes on."""

    text: str
    code: str | None = None
    attempts: int = ATTEMPTS
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What there is to be said of a job: a text, and the error's number where it failed with one."""

    text: str | None = None
    code: str | None = None


class Progress(Enum):
    """How a job goes, as it is reported."""

    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


Report: TypeAlias = Callable[[Job, Progress, News], None]
"""Is told of a claimed job and of its outcome, with what there is to be said; before the queue knows the outcome."""


def enqueue(
    connection: Connection, name: str, payload: Mapping[str, object], now: float, due: float | None = None
) -> Guid:
    """Add a job inside the caller's transaction; it is due at once, or at a time."""
    job_id = sequential_id()
    connection.execute(
        'INSERT INTO "$job" (id, name, payload, state, attempts, due, created) VALUES ($1, $2, $3, $4, 0, $5, $6)',
        (job_id, name, orjson.dumps(payload).decode(), "waiting", now if due is None else due, now),
    )
    return job_id


def claim(database: Database, now: float) -> Job | None:
    """Take the job that is due longest, if any; nobody else gets it while the lease lasts."""
    due = "(state = 'waiting' AND due <= $1) OR (state = 'running' AND lease < $1)"
    found = f'SELECT id FROM "$job" WHERE {due} ORDER BY due LIMIT 1'
    if database.reader().execute(found, (now,)).fetchone() is None:
        return None
    with database.writing() as connection:
        row = connection.execute(found, (now,)).fetchone()
        if row is None:
            return None
        claimed = """UPDATE "$job" SET state = 'running', attempts = attempts + 1, lease = $1 WHERE id = $2
            RETURNING id, name, payload, attempts"""
        job_id, name, payload, attempts = connection.execute(claimed, (now + _LEASE_SECONDS, row[0])).fetchall()[0]
    return Job(Guid(str(job_id)), str(name), orjson.loads(str(payload)), int(attempts))


def outcome(job: Job, failure: Failure | None) -> Progress:
    """Return how a job goes on: it is done, tried again, or given up."""
    if failure is None:
        return Progress.SUCCEEDED
    return Progress.WAITING if job.attempts < failure.attempts else Progress.FAILED


def finish(database: Database, job: Job, now: float, failure: Failure | None) -> None:
    """Mark a job as done, as due again, or as failed for good."""
    progress = outcome(job, failure)
    pause = _PAUSE_SECONDS * job.attempts
    if failure is not None and failure.pause is not None:
        pause = failure.pause * 2 ** (job.attempts - 1)
    due = now + pause if progress is Progress.WAITING else now
    finished = None if progress is Progress.WAITING else now
    with database.writing() as connection:
        connection.execute(
            'UPDATE "$job" SET state = $1, due = $2, error = $3, finished = $4, lease = NULL WHERE id = $5',
            (progress.value, due, failure.text if failure else None, finished, job.id),
        )


class JobWorker:
    """Runs due jobs of one environment in a thread of its own.

    Args:
        database: the environment's database.
        handlers: what to do, by job name.
        report: is told how jobs go.
    """

    def __init__(
        self, database: Database, handlers: Mapping[str, JobHandler], report: Report = lambda *_: None
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._report = report
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """Look for jobs now (a request of this process has just queued one)."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the job at hand and end."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            try:
                found = self.run_one()
            except TemporarilyUnavailable as error:
                # The database may be back at the next turn; a job that was at work is due again when its lease ends.
                _log.warning("jobs wait", error=str(error))
                found = False
            if not found:
                self._wake.wait(_POLL_SECONDS)
                self._wake.clear()

    def run_one(self) -> bool:
        """Run one due job; say whether there was one."""
        job = claim(self._database, time.time())
        if job is None:
            return False
        said: str | None = None
        failure: Failure | None = Failure(f"The process died in each of {ATTEMPTS} attempts.")
        if job.attempts <= ATTEMPTS:
            self._tell(job, Progress.RUNNING, News())
            said, failure = self._run_handler(job)
        self._tell(job, outcome(job, failure), News(failure.text, failure.code) if failure else News(said))
        finish(self._database, job, time.time(), failure)
        return True

    def _tell(self, job: Job, progress: Progress, news: News) -> None:
        """Report how a job goes; a report that is refused stops neither the job nor the worker."""
        try:
            self._report(job, progress, news)
        except TemporarilyUnavailable:
            raise
        except DataverseError as refusal:
            _log.warning("job not reported", job=job.name, error=str(refusal))

    def _run_handler(self, job: Job) -> tuple[str | None, Failure | None]:
        """Run a job's handler and return what it says and what went wrong."""
        try:
            return self._handlers[job.name](job.payload), None
        except JobFailed as failed:
            failure = Failure(str(failed), failed.code, failed.attempts, failed.pause)
        except Exception as error:  # noqa: BLE001 - the outermost door of a job: whatever it raises is its outcome
            code = error.code if isinstance(error, DataverseError) else None
            failure = Failure(f"{type(error).__name__}: {error}", code)
        _log.warning("job failed", job=job.name, attempt=job.attempts, error=failure.text)
        return None, failure
