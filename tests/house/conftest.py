"""The source as data: files, syntax trees and commands, for tests about the house itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

PACKAGES = ("entities", "security", "integration", "odata_server", "talent_hub_adapter")


@pytest.fixture(scope="session")
def repository(request: pytest.FixtureRequest) -> Path:
    return request.config.rootpath


@pytest.fixture(scope="session")
def sources(repository: Path) -> dict[str, ast.Module]:
    """Every module of the packages by its path in the repository."""
    files = (path for package in PACKAGES for path in sorted((repository / package).rglob("*.py")))
    return {path.relative_to(repository).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}


@pytest.fixture(scope="session")
def commands() -> dict[str, click.Command]:
    """Every visible command of both programs by the words a user types."""
    from odata_server.cli import main as talentverse
    from talent_hub_adapter.cli import main as talent_hub_adapter

    programs = {"talentverse": talentverse, "talent-hub-adapter": talent_hub_adapter}
    return {words: found for name, program in programs.items() for words, found in _below(name, program)}


def _below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            if not child.hidden:
                yield from _below(f"{words} {name}", child)
