"""A server's life: alone on its port and directory, ready when it says so, orderly in its end."""

import json
import signal
import socket
import stat
import threading
from pathlib import Path

import pytest
import requests


def test_the_ready_server_answers_and_has_written_what_clients_need(start):
    server = start()
    assert server.get("/health").isdigit()
    environment = json.loads((server.data / "environment.json").read_text())
    assert environment["url"] == server.url
    assert environment["authority"] == f"{server.url}/{environment['tenant_id']}"
    assert environment["organization_id"] == "the-organization"
    assert environment["adapter"]["client_id"] == "3a225c96-d62a-44ce-b3ec-bd4e8e9befef"
    assert set(environment) == {
        "url",
        "authority",
        "tenant_id",
        "organization_id",
        "ca_bundle",
        "admin",
        "adapter",
        "control_key",
    }
    assert stat.S_IMODE((server.data / "environment.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_lets_the_request_in_flight_finish(start, number, eventually):
    server = start(workers=2)
    answers = []
    request = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    request.start()
    eventually((server.data / "slow-began").exists)
    server.signal(number)
    request.join()
    assert answers[0].isdigit()
    assert server.finish() == (0, "", "")


def test_a_killed_worker_is_replaced(start):
    server = start()
    before = server.get("/")
    with pytest.raises(requests.ConnectionError):
        server.get("/die")
    assert server.get("/") != before


def test_workers_end_with_a_killed_server_and_the_next_one_starts_at_once(start):
    first = start(workers=2)
    secrets = json.loads((first.data / "environment.json").read_text())
    port = int(first.url.rsplit(":", 1)[1])
    first.signal(signal.SIGKILL)
    first.process.wait()
    second = start(port=port)
    assert second.url == first.url
    again = json.loads((second.data / "environment.json").read_text())
    assert again == secrets


def test_connections_are_spread_over_the_workers(start):
    server = start(workers=2, scheme="http")
    workers = {server.get("/") for _ in range(40)}
    assert len(workers) == 2


def test_an_application_that_cannot_be_built_ends_the_start_with_one_clear_line(start):
    server = start(BROKEN="1")
    status, _, error = server.finish()
    assert (server.url, status) == ("", 1)
    assert "no application" in error
    assert error.splitlines()[-1].startswith("StartError: the server did not start")
    assert not (server.data / "environment.json").exists()


def test_a_second_server_on_the_data_directory_is_refused(start):
    first = start()
    second = start(first.data)
    status, _, error = second.finish()
    assert status == 1
    assert error.startswith("DataDirectoryError: another server is running on the data directory")
    assert len(error.splitlines()) == 1
    assert first.get("/").isdigit()


def test_a_busy_port_is_refused_even_if_its_owner_would_share_it(start, tmp_path):
    first = start(workers=2)
    second = start(tmp_path / "other", port=int(first.url.rsplit(":", 1)[1]), workers=2)
    status, _, error = second.finish()
    assert status == 1
    assert error.startswith("PortUnavailableError: port")
    assert "--port 0" in error


def test_a_port_that_any_program_listens_on_is_refused(start):
    with socket.create_server(("127.0.0.1", 0)) as owner:
        server = start(port=owner.getsockname()[1])
        assert server.finish()[0] == 1


def test_in_memory_nothing_but_the_description_outlives_the_server(start):
    server = start(storage="memory")
    storage = (server.data / "in-memory-storage").read_text()
    assert not storage.startswith(str(server.data))
    server.signal(signal.SIGTERM)
    assert server.finish()[0] == 0
    names = {path.name for path in server.data.iterdir()}
    assert names == {"lock", "secrets.json", "environment.json", "certificates"}


def test_what_a_killed_server_left_in_memory_is_removed_by_the_next(start, tmp_path):
    first = start(storage="memory")
    leftover = (first.data / "in-memory-storage").read_text()
    first.signal(signal.SIGKILL)
    first.process.wait()
    second = start(storage="memory")
    assert (second.data / "in-memory-storage").read_text() != leftover
    assert not Path(leftover).exists()
