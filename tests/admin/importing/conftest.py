"""A live server with sample data, and the commands that bring rows in and out of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from live_servers import Client, Server, start, stop

from odata_server.cli import main

Command = Callable[..., Result]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(tmp_path_factory.mktemp("importing") / "data")
    yield running
    stop(running)


@pytest.fixture(scope="session")
def api(server: Server) -> Client:
    return server.client("admin")


@pytest.fixture
def talentverse(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command in an empty directory, against the server."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TALENTVERSE_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--data", str(server.data)])

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file and return its name."""

    def write(name: str, content: str) -> str:
        (tmp_path / name).write_text(content, "utf-8")
        return name

    return write


@pytest.fixture
def refusals(tmp_path: Path) -> Callable[[str], list[dict]]:
    """The rows that an import of a file has listed as refused."""

    def read(name: str) -> list[dict]:
        path = tmp_path / f"{name}.refused.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    return read
