"""The harness that executes the documentation notices when a document says something else than what happens."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import node_clients
import pytest
from sybil.document import Document
from sybil.example import Example
from sybil.region import Region


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest, repository: Path) -> ModuleType:
    """The repository's own conftest, as pytest has loaded it."""
    file = str(repository / "conftest.py")
    plugins = request.config.pluginmanager.get_plugins()
    return next(p for p in plugins if isinstance(p, ModuleType) and p.__file__ == file)


@pytest.fixture
def shell(harness: ModuleType, tmp_path: Path):
    return harness.Reader(tmp_path, {"PATH": os.environ["PATH"], "DOCUMENT_HOME": str(tmp_path)})


def example(text: str, shell: object) -> Example:
    document = Document(text, "page.md")
    region = Region(0, len(text), parsed=text)
    return Example(document, 1, 1, region, {"reader": shell})


@pytest.mark.parametrize(
    ("session", "steps"),
    [
        ("$ one\nprinted", [("one", "printed")]),
        ("$ one \\\n>   more\nprinted\ntwice", [("one \\\n  more", "printed\ntwice")]),
        ("$ one\n$ two\nprinted", [("one", ""), ("two", "printed")]),
        ("$ one\nprinted\n> quoted", [("one", "printed\n> quoted")]),
    ],
)
def test_a_session_is_commands_and_what_they_print(harness: ModuleType, session: str, steps: list[tuple[str, str]]):
    assert harness.console_steps(session) == steps


@pytest.mark.parametrize("expected", ["a line", "a …", "…", "…ne"])
def test_what_a_document_promises_is_printed(harness: ModuleType, shell: object, expected: str):
    harness.run_session(example(f"$ echo a line\n{expected}", shell))


@pytest.mark.parametrize("expected", ["another line", "a line\nmore", "a", ""])
def test_another_output_than_promised_is_found(harness: ModuleType, shell: object, expected: str):
    with pytest.raises(AssertionError, match="but the document says"):
        harness.run_session(example(f"$ echo a line\n{expected}", shell))


@pytest.mark.parametrize("script", ["exit 3", "false\necho on", "false | true", "no-such-command"])
def test_a_command_that_fails_is_found(harness: ModuleType, shell: object, script: str):
    with pytest.raises(AssertionError, match="exit status"):
        harness.run_script(example(script, shell))


def test_variables_functions_and_the_directory_last(harness: ModuleType, shell: object, tmp_path: Path):
    harness.run_script(example("place=here\nsay() { echo said; }\nmkdir below\ncd below", shell))
    harness.run_session(example('$ echo "$place"; say; basename "$PWD"\nhere\nsaid\nbelow', shell))


@pytest.fixture
def with_node() -> None:
    try:
        node_clients.executable()
        node_clients.modules()
    except node_clients.ClientsMissingError as missing:
        pytest.skip(str(missing))


def test_javascript_runs_as_modules_that_find_the_clients(harness: ModuleType, shell: object, with_node: None):
    harness.run_module(example('import { o } from "odata";\nif (typeof o !== "function") throw new Error();', shell))
    with pytest.raises(AssertionError, match="exit status 1 from"):
        harness.run_module(example('throw new Error("as it should");', shell))


def test_javascript_is_skipped_where_its_clients_are_missing(harness: ModuleType, shell: object, monkeypatch):
    def missing() -> None:
        raise node_clients.ClientsMissingError("Node is not installed")

    monkeypatch.setattr(node_clients, "executable", missing)
    with pytest.raises(pytest.skip.Exception, match="Node is not installed"):
        harness.run_module(example("console.log(1);", shell))
