"""The documentation is executed: every fenced block in README.md and docs/ runs against a live server of its own.

    ```python     runs in this process; blocks of one document share their names
    ```bash       runs in bash; variables, functions and the working directory last until the end of the document
    ```javascript is a module of its own, run by Node with the packages of tests/clients/node; skipped without them
    ```console    lines after `$ ` (continued after `> `) are commands, the lines below them what they print; … stands
                  for any text
    ```text, ```json, ```http and others are only shown

Each document gets a fresh server with sample data, started by the command `talentverse serve`, and a working directory
with the repository's `examples/` and the server's `.talentverse/`. The variables of `talentverse env` are set;
where a document mentions `DATABASE_URL`, that is the URL of an empty PostgreSQL database.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import node_clients
import postgres
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

REPOSITORY: Final = Path(__file__).parent
SCRIPTS: Final = Path(sys.executable).parent
SECONDS: Final = 120
_DATABASE_URL: Final = "DATABASE_URL"
_PROLOGUE: Final = 'set -eo pipefail\nset -a\n[ ! -e .state ] || . ./.state\ncd "${DOCUMENT_PWD:-.}"\n'
_EPILOGUE: Final = '\nDOCUMENT_PWD=$PWD\n{ export -p; declare -f; } > "$DOCUMENT_HOME/.state"\n'


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads a document and types what it says: a directory and the variables of a shell."""

    home: Path
    variables: Mapping[str, str] = field(repr=False)

    def types(self, script: str) -> str:
        """Run a script in bash and return what it prints."""
        if "curl " in script and shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        done = subprocess.run(  # noqa: S603 - the scripts are this repository's own documentation
            ["/bin/bash", "-c", _PROLOGUE + script + _EPILOGUE],
            cwd=self.home,
            env=dict(self.variables),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"exit status {done.returncode} from\n{script}\n{done.stdout}{done.stderr}")
        return done.stdout

    def runs(self, module: str) -> str:
        """Run a module in Node and return what it prints."""
        try:
            home = node_clients.home_of_scripts(self.home)
        except node_clients.ClientsMissingError as missing:
            pytest.skip(str(missing))
        script = home / "program.mjs"
        script.write_text(module, encoding="utf-8")
        done = node_clients.run(script, self.variables, SECONDS)
        if done.returncode:
            raise AssertionError(f"exit status {done.returncode} from\n{module}\n{done.stdout}{done.stderr}")
        return done.stdout


def run_script(example: Example) -> None:
    """Run a bash block."""
    example.namespace["reader"].types(example.parsed)


def run_module(example: Example) -> None:
    """Run a JavaScript block as a module."""
    example.namespace["reader"].runs(example.parsed)


def run_session(example: Example) -> None:
    """Run a console block and compare what it prints."""
    for command, expected in console_steps(example.parsed):
        printed = example.namespace["reader"].types(command)
        pattern = ".*".join(re.escape(part) for part in expected.split("…"))
        if not re.fullmatch(pattern, printed.strip("\n"), re.DOTALL):
            raise AssertionError(f"$ {command}\nprinted\n{printed}\nbut the document says\n{expected}")


def console_steps(session: str) -> list[tuple[str, str]]:
    """Return the commands of a console session with what each prints."""
    steps: list[tuple[list[str], list[str]]] = []
    for line in session.splitlines():
        if line.startswith("$ "):
            steps.append(([line[2:]], []))
        elif line.startswith("> ") and steps and not steps[-1][1]:
            steps[-1][0].append(line[2:])
        elif steps:
            steps[-1][1].append(line)
    return [("\n".join(command), "\n".join(output).strip("\n")) for command, output in steps]


def _plain_variables(home: Path) -> dict[str, str]:
    """Return the variables of a user who has just activated the virtual environment."""
    kept = ("LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    path = os.pathsep.join((str(SCRIPTS), os.environ.get("PATH", os.defpath)))
    return variables | {"PATH": path, "HOME": str(home), "DOCUMENT_HOME": str(home)}


def _serve(home: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a server on a free port and wait for its ready line."""
    command = [str(SCRIPTS / "talentverse"), "serve", "--port", "0"]
    server = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=home, env=dict(variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line.startswith("Talentverse is ready at "):
        server.kill()
        _, log = server.communicate()
        raise AssertionError(f"the server did not start (exit status {server.returncode}): {line}{log}")
    return server


@pytest.fixture(scope="module")
def database_url(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Give the variable DATABASE_URL of a fresh PostgreSQL database to a document that mentions it."""
    if _DATABASE_URL not in request.path.read_text(encoding="utf-8"):
        yield {}
        return
    reason = postgres.missing()
    if reason is not None:
        pytest.skip(reason)
    with postgres.fresh_database() as url:
        yield {_DATABASE_URL: url}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, database_url: dict[str, str]) -> Iterator[Reader]:
    """Give the reader of one document, with a server that has just been started."""
    home = tmp_path_factory.mktemp("reader")
    shutil.copytree(REPOSITORY / "examples", home / "examples")
    plain = _plain_variables(home) | database_url
    server = _serve(home, plain)
    try:
        variables = plain | _exported(Reader(home, plain))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(home)
            for name, value in variables.items():
                patch.setenv(name, value)
            yield Reader(home, variables)
    finally:
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=SECONDS)
    assert server.returncode == 0, log


def _exported(reader: Reader) -> dict[str, str]:
    """Return the variables that a reader has after the first command of every page, which names the server."""
    listed = reader.types('eval "$(talentverse env --format shell)"\nenv -0')
    pairs = (pair.partition("=") for pair in listed.split("\0") if pair)
    return {name: value for name, _, value in pairs if name.isupper() and name not in reader.variables}


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser("bash", run_script),
        CodeBlockParser("console", run_session),
        CodeBlockParser("javascript", run_module),
    ],
    patterns=["README.md", "docs/*.md", "docs/how-to/*.md", "docs/reference/*.md"],
    fixtures=["reader"],
).pytest()
