"""The durable queue: a job exists with its transaction, runs once when all goes well, and again when it does not."""

import threading

import apsw
import pytest
from things import Office, OpenOffice

from entities.errors import StepRejected, TemporarilyUnavailable
from entities.pipeline import ExecutionContext, Stage, Step
from odata_server.engine.jobs import Job, JobFailed, JobWorker, News, Progress, claim, enqueue, finish

NOW = 1_800_000_000.0


def queue(office: Office, name: str = "work", at: float = NOW, **payload: object) -> None:
    with office.service.database.writing() as connection:
        enqueue(connection, name, payload, at)


def states(office: Office) -> list[tuple[object, ...]]:
    return office.service.database.reader().execute('SELECT name, state, attempts, error FROM "$job"').fetchall()


def test_a_job_runs_once_with_its_payload(office: Office) -> None:
    seen: list[object] = []
    queue(office, at=0.0, number=7)
    worker = JobWorker(office.service.database, {"work": seen.append})

    assert worker.run_one()
    assert not worker.run_one()
    assert seen == [{"number": 7}]
    assert states(office) == [("work", "succeeded", 1, None)]


def test_a_report_tells_how_a_job_goes_before_the_queue_knows(office: Office) -> None:
    told: list[tuple[Progress, str | None, object]] = []

    def note(_job: Job, progress: Progress, news: News) -> None:
        told.append((progress, news.text, states(office)[0][1]))

    queue(office, at=0.0)
    assert JobWorker(office.service.database, {"work": lambda _: "All of it."}, note).run_one()
    assert told == [(Progress.RUNNING, None, "running"), (Progress.SUCCEEDED, "All of it.", "running")]
    assert states(office) == [("work", "succeeded", 1, None)]


def test_a_report_that_is_refused_does_not_stop_the_job(office: Office) -> None:
    def refuse(*_: object) -> None:
        raise StepRejected("No.")

    queue(office, at=0.0)
    seen: list[object] = []
    assert JobWorker(office.service.database, {"work": seen.append}, refuse).run_one()
    assert (seen, states(office)) == ([{}], [("work", "succeeded", 1, None)])


def test_a_job_that_cannot_be_reported_for_now_is_done_again(office: Office) -> None:
    def unavailable(*_: object) -> None:
        raise TemporarilyUnavailable("Busy.")

    queue(office, at=0.0)
    worker = JobWorker(office.service.database, {"work": lambda _: None}, unavailable)
    with pytest.raises(TemporarilyUnavailable):
        worker.run_one()
    assert states(office) == [("work", "running", 1, None)]


def test_jobs_are_taken_in_the_order_they_are_due_and_not_before(office: Office) -> None:
    queue(office, "later", NOW + 10)
    queue(office, "second", NOW - 1)
    queue(office, "first", NOW - 2)
    taken = [claim(office.service.database, NOW) for _ in range(3)]
    assert [job.name if job else None for job in taken] == ["first", "second", None]
    due = claim(office.service.database, NOW + 10)
    assert due is not None
    assert due.name == "later"


@pytest.mark.parametrize(
    "error", [StepRejected("No."), apsw.BusyError("busy"), KeyError("x"), ValueError("x"), TypeError("x")]
)
def test_a_job_that_fails_is_tried_again_until_it_is_given_up(office: Office, error: Exception) -> None:
    def fail(_payload: object) -> None:
        raise error

    queue(office, at=0.0)
    worker = JobWorker(office.service.database, {"work": fail})
    for attempt in range(1, 6):
        assert worker.run_one()
        (_, state, attempts, text) = states(office)[0]
        assert (state, attempts) == ("failed" if attempt == 5 else "waiting", attempt)
        assert type(error).__name__ in str(text)
        assert not worker.run_one()
        with office.service.database.writing() as connection:
            connection.execute('UPDATE "$job" SET due = 0')
    assert not worker.run_one()


@pytest.mark.parametrize(("attempts", "pause", "due"), [(1, None, 0), (2, None, 2), (3, 7.5, 7.5)])
def test_a_handler_may_say_how_often_and_when_its_job_is_tried(
    office: Office, monkeypatch: pytest.MonkeyPatch, attempts: int, pause: float | None, due: float
) -> None:
    told: list[News] = []

    def fail(_payload: object) -> None:
        raise JobFailed("No.", attempts=attempts, code="0x80050201", pause=pause)

    queue(office, at=0.0)
    worker = JobWorker(office.service.database, {"work": fail}, lambda _job, _progress, news: told.append(news))
    monkeypatch.setattr("odata_server.engine.jobs.time.time", lambda: NOW)
    assert worker.run_one()
    assert states(office) == [("work", "failed" if attempts == 1 else "waiting", 1, "No.")]
    assert told == [News(), News("No.", "0x80050201")]
    found = office.service.database.reader().execute('SELECT due FROM "$job"').fetchall()
    assert found == [(NOW + due,)]


def test_a_job_without_a_handler_fails_and_the_next_one_runs(office: Office) -> None:
    seen: list[object] = []
    queue(office, "unknown", 0.0)
    queue(office, "work", 1.0)
    worker = JobWorker(office.service.database, {"work": seen.append})
    assert worker.run_one()
    assert worker.run_one()
    assert seen == [{}]


def test_the_lease_of_a_process_that_died_runs_out(office: Office) -> None:
    database = office.service.database
    queue(office)
    first = claim(database, NOW)
    assert first is not None
    assert claim(database, NOW + 149) is None

    second = claim(database, NOW + 151)

    assert second == Job(first.id, "work", {}, 2)
    finish(database, second, NOW + 152, None)
    assert claim(database, NOW + 1_000) is None


def test_a_job_whose_process_dies_each_time_is_given_up_without_a_further_try(office: Office) -> None:
    seen: list[object] = []
    queue(office, at=0.0)
    for attempt in range(1, 6):
        assert claim(office.service.database, NOW + 200 * attempt) is not None
    with office.service.database.writing() as connection:
        connection.execute('UPDATE "$job" SET lease = 0')
    assert JobWorker(office.service.database, {"work": seen.append}).run_one()
    assert states(office)[0][:3] == ("work", "failed", 6)
    assert seen == []


def test_a_job_goes_to_one_of_two_processes(open_office: OpenOffice) -> None:
    one, other = open_office(), open_office()
    queue(one)
    taken = [claim(office.service.database, NOW) for office in (one, other)]
    assert [job is not None for job in taken] == [True, False]


def _queueing(context: ExecutionContext) -> None:
    context.system.enqueue("work", {"gadget": context.record["name"]})


def _refusing(_context: ExecutionContext) -> None:
    raise StepRejected("No.")


def test_a_job_is_queued_with_its_transaction_and_the_worker_is_woken(open_office: OpenOffice) -> None:
    woken: list[bool] = []
    office = open_office(Step("Create", "gadget", Stage.POST_OPERATION, _queueing))
    office.service.on_job = lambda: woken.append(True)

    office.create("gadget", name="Lamp")

    assert states(office) == [("work", "waiting", 0, None)]
    assert woken == [True]
    office.create("account", name="none")
    assert woken == [True]


def test_a_job_disappears_with_its_transaction(open_office: OpenOffice) -> None:
    woken: list[bool] = []
    office = open_office(
        Step("Create", "gadget", Stage.PRE_OPERATION, _queueing),
        Step("Create", "gadget", Stage.POST_OPERATION, _refusing),
    )
    office.service.on_job = lambda: woken.append(True)

    with pytest.raises(StepRejected):
        office.create("gadget", name="Lamp")

    assert states(office) == []
    assert woken == []


def test_a_worker_at_work_runs_what_is_queued_and_stops_when_told(office: Office) -> None:
    ran = threading.Event()
    worker = JobWorker(office.service.database, {"work": lambda _: ran.set()})
    worker.start()
    queue(office, at=0.0)
    worker.wake()
    assert ran.wait(10)
    worker.stop()
    assert states(office) == [("work", "succeeded", 1, None)]
