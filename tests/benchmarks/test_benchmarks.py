"""The benchmark runs, and its own parts measure what they say; how fast anything is, no test asserts."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.client import exchange
from benchmarks.data_set import DataSet
from benchmarks.definitions import DefinitionCosts, DefinitionReads
from benchmarks.generators import Generator
from benchmarks.growth import GrowthPoint, Sizes, turns
from benchmarks.load import Measurement, measure
from benchmarks.postgres import missing
from benchmarks.postgres_limits import statements
from benchmarks.processors import Processors
from benchmarks.report import Result, is_missed, page_text, shares_table
from benchmarks.rounds import Extent, Round
from benchmarks.servers import Server
from benchmarks.workloads import ALL_COLUMNS, CREATE, ROW, UPDATE, all_reads, all_workloads


@pytest.fixture
def answers(request: pytest.FixtureRequest) -> Iterator[int]:
    """Give the port of a server that answers everything with the parametrized bytes, in two writes."""
    answer: bytes = request.param
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, answer), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(5)


def _serve(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(ConnectionError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(1 << 16):
            connection.sendall(answer[:-2])
            connection.sendall(answer[-2:])


def _hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 16)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"


@pytest.mark.parametrize("answers", [OK, NO_CONTENT], indirect=True, ids=["200", "204"])
def test_good_answers_are_counted(answers: int):
    found = measure(("127.0.0.1", answers), [b"one", b"two"], connections=1, seconds=0.1)
    assert found.per_second > 0
    assert found.refused == 0
    assert 0 < found.p50_ms <= found.p99_ms


@pytest.mark.parametrize("answers", [REFUSED], indirect=True, ids=["403"])
def test_refused_requests_are_not_counted_as_answers(answers: int):
    found = measure(("127.0.0.1", answers), [b"one"], connections=1, seconds=0.1)
    assert found.per_second == 0
    assert found.refused > 0


ABSENT = b"HTTP/1.1 501 Not Implemented\r\ncontent-length: 2\r\n\r\nno"


@pytest.mark.parametrize("answers", [ABSENT], indirect=True, ids=["501"])
def test_an_answer_that_a_feature_is_absent_is_given_back(answers: int):
    with subprocess.Popen(["true"], text=True) as process:
        assert exchange(Server("any", answers, process), b"one").status == 501


@pytest.mark.parametrize("answers", [REFUSED], indirect=True, ids=["403"])
def test_a_refused_exchange_ends_the_benchmark(answers: int):
    with subprocess.Popen(["true"], text=True) as process, pytest.raises(RuntimeError, match="answered 403: no"):
        exchange(Server("any", answers, process), b"one")


def test_a_server_that_hangs_up_ends_the_measurement():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=_hang_up, args=(listener,), daemon=True).start()
        with pytest.raises(ConnectionError):
            measure(("127.0.0.1", port), [b"one"], connections=1, seconds=5)


def test_the_limit_of_a_read_is_static_time_and_database_time_one_after_the_other():
    found = Round({ROW: _rate(500)}, {ROW: _rate(1_000)}, {ROW: 0.001})
    assert found.limit(ROW) == pytest.approx(500)
    assert found.share(ROW) == pytest.approx(1)


@pytest.mark.parametrize("write", [CREATE, UPDATE])
def test_the_limit_of_a_write_is_the_raw_one(write: str):
    found = Round({write: _rate(300)}, {write: _rate(600)}, {})
    assert found.limit(write) == 600
    assert found.share(write) == pytest.approx(0.5)


def _rate(per_second: float) -> Measurement:
    return Measurement(per_second, 1.0, 2.0, 0, 0.1)


def _program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def _measured_with(wrk: str, place: Path) -> Measurement:
    generator = Generator(wrk, Processors(None, None), place)
    with subprocess.Popen(["true"], text=True) as process:
        return generator.measure(Server("any", 1, process), [b"one"], 1.0)


def test_what_wrk_prints_last_is_read(tmp_path: Path):
    printed = '{"per_second": 10.5, "p50_ms": 1, "p99_ms": 2, "refused": 0, "busy": 0}'
    wrk = _program(tmp_path / "wrk", f"echo Running; echo '{printed}'")
    assert _measured_with(wrk, tmp_path).per_second == 10.5


def test_a_measurement_with_refused_requests_is_none(tmp_path: Path):
    printed = '{"per_second": 10.5, "p50_ms": 1, "p99_ms": 2, "refused": 3, "busy": 0}'
    wrk = _program(tmp_path / "wrk", f"echo '{printed}'")
    with pytest.raises(RuntimeError, match="refused 3 requests"):
        _measured_with(wrk, tmp_path)


def test_a_generator_that_fails_ends_the_benchmark(tmp_path: Path):
    with pytest.raises(RuntimeError, match="load generator failed"):
        _measured_with(_program(tmp_path / "wrk", "exit 3"), tmp_path)


def _result(*rounds: Round) -> Result:
    generator = Generator(None, Processors(None, None), Path())
    return Result(DataSet(Path(), 1, 0), Extent(len(rounds), 1), generator, all_workloads(), rounds, {}, [])


def test_a_workload_that_the_server_lacks_is_reported_and_neither_reached_nor_missed():
    result = _result(Round({ROW: _rate(500)}, {ROW: _rate(1_000)}, {ROW: 0.001}))
    verdicts = {row[0]: row[-1] for row in shares_table(result)[1:]}
    assert verdicts[ROW] == "reached"
    assert verdicts["Q8"] == "not available"
    assert [workload.name for workload in result.measured()] == [ROW]


@pytest.mark.parametrize(("per_second", "missed"), [(299, True), (301, False)])
def test_the_median_of_the_rounds_decides_whether_a_goal_is_missed(per_second: float, missed: bool):
    slow, fast = ({ROW: _rate(rate)} for rate in (1, 1_000))
    limit = {ROW: _rate(1_000)}, {ROW: 0.001}
    result = _result(Round(slow, *limit), Round({ROW: _rate(per_second)}, *limit), Round(fast, *limit))
    (workload,) = result.measured()
    assert is_missed(result, workload) is missed


def test_the_page_shows_every_request_every_table_and_what_growth_costs():
    measured = _result(Round({ROW: _rate(500)}, {ROW: _rate(1_000)}, {ROW: 0.001}))
    page = page_text(replace(measured, growth=[GrowthPoint(1_000, 1, 2, [0.0001], [0.0002, 0.0003])]))
    assert "| 1,000 | 1 | 2 | 100 [100–100] | 250 [200–300] |" in page
    for workload in all_workloads():
        assert f"- {workload.name}, {workload.title}: {workload.shape}" in page
        assert f"| {workload.name} | {workload.title} |" in page


def test_the_page_shows_postgresql_without_goals_or_says_why_it_does_not():
    measured = _result(Round({ROW: _rate(500)}, {ROW: _rate(1_000)}, {ROW: 0.001}))
    reads = tuple(replace(workload, goal=None) for workload in all_workloads()[:1])
    page = page_text(replace(measured, postgres=replace(measured, workloads=reads)))
    _, _, on_postgres = page.partition("## On PostgreSQL")
    assert f"| {ROW} | point read | 500 [500–500] | 500 [500–500] | 100 [100–100] | – |  |" in on_postgres
    assert "Not measured:" not in page
    assert "Not measured: it is not there." in page_text(replace(measured, without_postgres="it is not there"))


@pytest.mark.parametrize(
    ("reads", "row"),
    [
        # Half the bytes in half the time are as many in a second.
        (DefinitionReads("tables", 50_000, 9, 100_000, [0.001], [0.002]), "100 [100–100] | reached |"),
        (DefinitionReads("tables", 50_000, 9, 100_000, [0.002], [0.002]), "50 [50–50] | MISSED |"),
        (DefinitionReads("a name", 200, 1, 4_000, [0.001], [0.002]), "200 [200–200] | reached |"),
    ],
)
def test_reads_of_definitions_stand_beside_rows_of_their_size(reads: DefinitionReads, row: str):
    measured = _result(Round({ROW: _rate(500)}, {ROW: _rate(1_000)}, {ROW: 0.001}))
    page = page_text(replace(measured, definitions=DefinitionCosts([reads], 300, [0.08])))
    _, _, section = page.partition("## Reads of definitions")
    assert "The metadata document of 300 tables is written anew in 80 [80–80] ms." in section
    assert f"| {row}" in section


def test_every_read_has_a_statement_for_postgresql():
    assert set(statements()) == {read.name for read in all_reads()}


@pytest.mark.parametrize(
    ("tokens", "ids", "expected"),
    [("abc", "1", ["a1", "b1", "c1"]), ("a", "12", ["a1", "a2"]), ("ab", "123", ["a1", "b2", "a3"])],
)
def test_users_and_rows_take_turns(tokens: str, ids: str, expected: list[str]):
    assert [token + found for token, found in turns(list(tokens), list(ids))] == expected


def test_every_size_grows_while_the_others_stay_at_their_first():
    sizes = Sizes(tables=(10, 100), roles=(1, 5), users=(2, 7), rounds=1, seconds=1)
    assert sizes.points() == [(10, 1, 2), (100, 1, 2), (10, 5, 2), (10, 1, 7)]


def _benchmark(cache: Path, pytestconfig: pytest.Config, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *options],
        cwd=pytestconfig.rootpath,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_quick_benchmark_prints_a_share_for_every_workload(tmp_path: Path, pytestconfig: pytest.Config):
    done = _benchmark(tmp_path, pytestconfig)
    assert done.returncode == 0, done.stderr
    goals = {"Q1": 60, "Q2": 60, "Q3": 45, "Q4": 55, "Q5": 60, "Q6": 50, "Q7": 65, "Q8": 80, CREATE: 40, UPDATE: 40}
    for workload, goal in goals.items():
        assert re.search(rf"^{workload} .*\d+ \[\d+–\d+\] +≥ {goal} %", done.stdout, re.MULTILINE), done.stdout
    if missing() is None:
        _, _, on_postgres = done.stdout.partition("On PostgreSQL")
        assert re.search(r"^Q8 .*\d+ \[\d+–\d+\] +–$", on_postgres, re.MULTILINE), done.stdout
    assert re.search(rf"^{ALL_COLUMNS} .*\d+ \[\d+–\d+\] +–$", done.stdout, re.MULTILINE), done.stdout
    assert "p99" in done.stdout
    assert "resident, MB" in done.stdout
    assert ("On PostgreSQL (no goals are set):" in done.stdout) is (missing() is None)
    assert re.search(r"^custom tables .*\n2 +2 +2 +\d", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize(
    ("options", "refusal"),
    [(("--only", "Q1,Q99"), "q99: not one of Q1, Q2"), (("--write-docs",), "a complete run")],
)
def test_options_that_make_no_sense_are_refused(
    options: tuple[str, ...], refusal: str, tmp_path: Path, pytestconfig: pytest.Config
):
    done = _benchmark(tmp_path, pytestconfig, *options)
    assert done.returncode == 2
    assert refusal in " ".join(done.stderr.split())
