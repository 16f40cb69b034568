"""The ledger that processes share: one user in several of them, a process that dies, more users than slots."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from entities.errors import TooManyRequests
from odata_server.endpoints.protection.gate import open_gates
from odata_server.endpoints.protection.ledger import SETS, WAYS, open_ledger, remove_ledger
from odata_server.endpoints.protection.windows import REQUESTS, add
from odata_server.settings import DATAVERSE_LIMITS, ServiceProtection

ANN, BOB = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000002"
NOW = 1_700_000_000.0
OTHER_PROCESS = """
import sys
from pathlib import Path
from odata_server.endpoints.protection.gate import open_gates
gate = open_gates(Path(sys.argv[1])).dataverse
print("open", flush=True)
for line in sys.stdin:
    word, user, now = line.split()
    if word == "enter":
        gate.enter(user, float(now))
    print(gate.leave(user, float(now), float(now)) if word == "leave" else "in", flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "service-protection"


def gate_of(path, **figures):
    """Return a gate for users of Dataverse that enforces figures."""
    return open_gates(path, ServiceProtection(replace(DATAVERSE_LIMITS, **figures))).dataverse


@contextmanager
def other_process(path):
    """Give a function that tells another process at the same file what to do, and the process."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()

        def tell(*words):
            process.stdin.write(" ".join(map(str, words)) + "\n")
            process.stdin.flush()
            return process.stdout.readline()

        yield tell, process
        process.stdin.close()


def requests_left(gate, user, now=NOW):
    return int(gate.remaining(user, now)[1][1])


def test_two_processes_count_for_one_user(path):
    gate = gate_of(path, requests=3)
    with other_process(path) as (tell, _):
        for _ in range(2):
            tell("enter", ANN, NOW)
            tell("leave", ANN, NOW)
        gate.enter(ANN, NOW)
        with pytest.raises(TooManyRequests, match="limit of 3 over"):
            gate.enter(ANN, NOW)
        assert requests_left(gate, ANN) == 0
        assert requests_left(gate, BOB) == 3


def test_what_runs_in_another_process_runs_at_once_with_the_own(path):
    gate = gate_of(path, concurrent=1)
    with other_process(path) as (tell, _):
        tell("enter", ANN, NOW)
        gate.enter(BOB, NOW)
        with pytest.raises(TooManyRequests, match="concurrent requests exceeded the limit of 1"):
            gate.enter(ANN, NOW)
        tell("leave", ANN, NOW)
        gate.enter(ANN, NOW)


def test_what_ran_in_a_killed_process_runs_no_more(path):
    gate = gate_of(path, concurrent=1)
    with other_process(path) as (tell, process):
        tell("enter", ANN, NOW)
        with pytest.raises(TooManyRequests):
            gate.enter(ANN, NOW)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        gate.enter(ANN, NOW)
        with pytest.raises(TooManyRequests):
            gate.enter(ANN, NOW)
    assert requests_left(gate, ANN) == DATAVERSE_LIMITS.requests - 2


def test_the_process_after_a_killed_one_begins_without_its_requests(path):
    with other_process(path) as (tell, process):
        tell("enter", ANN, NOW)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    gate = gate_of(path, concurrent=1)
    gate.enter(ANN, NOW)
    with pytest.raises(TooManyRequests):
        gate.enter(ANN, NOW)


def test_a_slot_that_was_left_half_written_is_added_up_again():
    ledger = open_ledger(None, 300)
    slot = ledger.take(ANN, int(NOW))
    add(slot.window, REQUESTS, 4, 300)
    ledger.begin(slot)
    ledger.give_back(slot)
    slot.window[REQUESTS] = 99
    slot.head[2], slot.head[3] = 1, 7
    again = ledger.take(ANN, int(NOW))
    assert (again.window[REQUESTS], again.running) == (4, 1)
    ledger.give_back(again)


def test_more_users_than_slots_take_those_that_were_used_longest_ago():
    gate = gate_of(None, requests=2)
    for number in range(SETS * WAYS * 2):
        gate.enter(f"user {number}", NOW + number / 100)
        gate.leave(f"user {number}", NOW, NOW + number / 100)
    last = SETS * WAYS * 2 - 1
    assert requests_left(gate, f"user {last}", NOW + 25) == 1
    assert requests_left(gate, "user 0", NOW + 25) == 2


def test_a_request_that_ends_after_its_slot_went_to_somebody_else_is_nobodys():
    gate = gate_of(None, concurrent=1)
    gate.enter(ANN, NOW)
    others = [f"user {number}" for number in range(SETS * WAYS * 3)]
    for user in others:
        gate.enter(user, NOW)
    gate.leave(ANN, NOW, NOW)
    gate.enter(ANN, NOW)
    with pytest.raises(TooManyRequests):
        gate.enter(ANN, NOW)


def test_the_file_is_bounded_and_a_new_server_begins_with_a_new_one(path):
    gate = gate_of(path, requests=1)
    size = path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    for number in range(3_000):
        gate.enter(f"user {number}", NOW)
    assert path.stat().st_size == size < 8 * 1024 * 1024
    assert requests_left(gate, "user 2999") == 0
    remove_ledger(path)
    remove_ledger(path)
    assert requests_left(gate_of(path, requests=1), "user 2999") == 1
