"""The command `talent-hub-adapter`."""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import click
from rich.console import Console
from rich.progress import Progress

from integration.connection import Connection, ConnectionFlags, NoConnectionError, resolve_connection
from integration.flags import connection_options
from integration.retry import RetryPolicy
from integration.tokens import TokenClient
from integration.transport import open_session
from integration.web_api import WebApi
from talent_hub_adapter.hired_file import UnreadableFileError, read_records
from talent_hub_adapter.payload import DefectiveRecordsError, HiredCandidate, validate_records
from talent_hub_adapter.report import json_of, line_of, one_line, summary_of
from talent_hub_adapter.writer import Outcome, Status, export_candidates

# Microsoft's id of the "Dynamics 365 Human Resources LinkedIn Adapter App".
ADAPTER_APPLICATION: Final = "3a225c96-d62a-44ce-b3ec-bd4e8e9befef"
REFUSED: Final = 2
_MANY: Final = 10

# "\b" keeps click from filling the lines of the paragraph that follows.
_HELP: Final = """\
Write hired candidates of LinkedIn Talent Hub into Human Resources.

\b
Example:
  talent-hub-adapter export --file examples/hired-candidates.json
"""
_EXPORT_HELP: Final = """\
Export hired candidates through the virtual table LinkedIn exported candidate.

Every record is checked before anything is sent. One line per candidate says what became of it; running the
same command again exports only what is missing. Members that the records' shape does not know are ignored.

\b
Exit status:
  0  every candidate is in Human Resources
  1  at least one failed; its line says why and what to do next
  2  nothing was sent: the file is refused, or no server is known

\b
Examples:
  talent-hub-adapter export --file examples/hired-candidates.json
  talent-hub-adapter export --file hired.jsonl --json --data .talentverse
  talent-hub-adapter export --file hired.json --url https://localhost:8443 \\
      --client-id 3a225c96-d62a-44ce-b3ec-bd4e8e9befef --client-secret SECRET --ca-bundle ca-bundle.pem
"""


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="talentverse", prog_name="talent-hub-adapter")
def main() -> None:
    """Make the output fit for any terminal, then run the subcommand."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@main.command(help=_EXPORT_HELP, short_help="Export a file of hired candidates.")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Hired candidates: a JSON array or JSON Lines, in UTF-8; - reads standard input.",
)
@click.option("--from-sandbox", is_flag=True, hidden=True)
@click.option("--protocol", type=click.Choice(["v4", "v2"]), default="v4", hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
@connection_options
def export(flags: ConnectionFlags, path: Path | None, from_sandbox: bool, protocol: str, as_json: bool) -> None:  # noqa: FBT001 - click passes its flags so
    """Export the file of hired candidates."""
    if from_sandbox:
        _refuse(["--from-sandbox is not available yet: name a file of hired candidates with --file"])
    if protocol != "v4":
        _refuse(["--protocol v2 is not available yet: leave it out to use the Web API (v4)"])
    if path is None:
        _refuse(["name the file of hired candidates with --file"])
    candidates = _read_candidates(path)
    connection = _connect(flags)
    outcomes = _run(connection, candidates, as_json=as_json)
    sys.exit(1 if any(outcome.status is Status.FAILED for outcome in outcomes) else 0)


@main.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def serve(arguments: tuple[str, ...]) -> None:
    """Receive pushes (not available yet)."""
    del arguments
    _refuse(["serve is not available yet: export a file with 'talent-hub-adapter export --file FILE'"])


@main.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def status(arguments: tuple[str, ...]) -> None:
    """Show received requests (not available yet)."""
    del arguments
    _refuse(["status is not available yet: 'talent-hub-adapter export --file FILE' says what is already exported"])


@main.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def retry(arguments: tuple[str, ...]) -> None:
    """Repeat failed requests (not available yet)."""
    del arguments
    _refuse(["retry is not available yet: run 'talent-hub-adapter export --file FILE' again, it is safe to repeat"])


def _read_candidates(path: Path) -> tuple[HiredCandidate, ...]:
    """Read and check the whole file, or end with one line per defect."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return validate_records(read_records(content))
    except OSError as error:
        _refuse([f"{path}: cannot be read: {error.strerror}"])
    except UnreadableFileError as error:
        _refuse([f"{path}: {error}"])
    except DefectiveRecordsError as error:
        _refuse([f"{path}: {defect}" for defect in error.defects])


def _connect(flags: ConnectionFlags) -> Connection:
    try:
        connection = resolve_connection(flags, "adapter", os.environ)
    except NoConnectionError as error:
        _refuse([str(error)])
    if connection.client_id.lower() != ADAPTER_APPLICATION:
        click.echo(
            f"note: running as application {connection.client_id}, not as the adapter's {ADAPTER_APPLICATION}", err=True
        )
    return connection


def _run(connection: Connection, candidates: Sequence[HiredCandidate], *, as_json: bool) -> list[Outcome]:
    """Export and print, each candidate's line as soon as it is known."""
    outcomes: list[Outcome] = []
    with open_session(connection.url, connection.ca_bundle) as session:
        web_api = WebApi(connection.url, TokenClient(connection), session, "talent-hub-adapter")
        results = export_candidates(candidates, web_api, RetryPolicy())
        silent = as_json or not sys.stdout.isatty()
        for outcome in _with_progress(results, len(candidates), silent=silent):
            outcomes.append(outcome)
            if not as_json:
                click.echo(line_of(outcome))
    click.echo(json_of(outcomes) if as_json else summary_of(outcomes))
    return outcomes


def _with_progress(results: Iterator[Outcome], total: int, *, silent: bool) -> Iterator[Outcome]:
    """Show a bar on standard error when it is a terminal, there is much to do, and no lines appear there anyway."""
    if total < _MANY or not silent or not sys.stderr.isatty():
        yield from results
        return
    # Left to itself, rich would catch standard output, the results, and print it on the bar's console.
    console = Console(stderr=True)
    with Progress(console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        yield from progress.track(results, total=total, description="Exporting")


def _refuse(lines: Sequence[str]) -> NoReturn:
    """End before anything was sent, one line on standard error for each reason."""
    for line in lines:
        click.echo(f"talent-hub-adapter: {one_line(line)}", err=True)
    sys.exit(REFUSED)
