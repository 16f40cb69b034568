"""Server processes of a benchmark: the product and its yardsticks, each one process on the server's processor."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processors import Processors, pinned
from benchmarks.yardsticks import Replay, Store, write_configuration

_REPOSITORY: Final = Path(__file__).parent.parent
_START_SECONDS: Final = 60.0
_READY: Final = "Talentverse is ready at "


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    port: int
    process: subprocess.Popen[str]

    def memory(self) -> tuple[float, float] | None:
        """Return resident memory and its anonymous part in MB over all its processes; None where /proc is missing."""
        found = [_memory_of(pid) for pid in (self.process.pid, *_children(self.process.pid))]
        known = [pair for pair in found if pair is not None]
        return (sum(r for r, _ in known), sum(a for _, a in known)) if known else None


@contextmanager
def product(
    directory: Path, processors: Processors, database_url: str | None = None, *, workers: int = 1
) -> Iterator[Server]:
    """Serve a data directory, or a PostgreSQL database, with the product itself."""
    command = [sys.executable, "-m", "odata_server.cli", "serve", "--plain-http", "--port", "0"]
    command += ["--data", str(directory), "--sample-data", "none", "--workers", str(workers)]
    if database_url is not None:
        command += ["--database-url", database_url]
    with _started("talentverse", command, processors) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(_READY):
            raise RuntimeError(f"the server did not start: {line}")
        yield Server("talentverse", int(line.strip().rpartition(":")[2]), process)


@contextmanager
def yardstick(told: Replay | Store, directory: Path, processors: Processors) -> Iterator[Server]:
    """Serve a yardstick; its configuration is written to a directory."""
    name = told.name
    port = _free_port()
    configuration = directory / f"{name.replace(' ', '-')}.json"
    write_configuration(configuration, told, port)
    with _started(name, [sys.executable, "-m", "benchmarks.yardsticks", str(configuration)], processors) as process:
        _wait_for(port, process)
        yield Server(name, port, process)


@contextmanager
def _started(name: str, command: list[str], processors: Processors) -> Iterator[subprocess.Popen[str]]:
    with pinned(processors.server):
        process = subprocess.Popen(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        yield process
        if process.poll() is not None:
            raise RuntimeError(f"the server '{name}' ended by itself")
    finally:
        process.terminate()
        process.wait(_START_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _memory_of(pid: int) -> tuple[float, float] | None:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    resident, anonymous = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
    return resident, anonymous
