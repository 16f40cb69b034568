"""`talentverse import` and `talentverse export`: schema and data into an environment, and out of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from integration.connection import DEFAULT_DATA_DIRECTORY, ConnectionFlags
from integration.flags import connection_options
from integration.transport import CONNECT_SECONDS, open_session
from integration.web_api import ServerUnreachableError, error_of
from odata_server.admin import help_texts
from odata_server.admin.client_commands import administration
from odata_server.admin.command_line import FAILED, REFUSED, end, errors_in_one_line, option
from odata_server.admin.environment_output import read_environment
from odata_server.admin.exporting.pages import QueryError
from odata_server.admin.exporting.run import ExportOptions, export_rows
from odata_server.admin.exporting.schema import export_schema
from odata_server.admin.importing.formats import open_source
from odata_server.admin.importing.journal import ResumeError
from odata_server.admin.importing.matching import UnknownColumnError
from odata_server.admin.importing.run import ImportOptions, ImportReport, import_rows
from odata_server.admin.importing.source import SourceError
from odata_server.admin.remote_tables import NoTableError
from odata_server.admin.schema_report import report_lines

_SCHEMA_SECONDS = 600.0
_MOST_ROWS = 1000
"""Learn: "Use bulk operation messages": how many records one message takes."""


@click.group("import", help=help_texts.IMPORT)
def import_group() -> None:
    """Bring schema or data into the running server's environment."""


@import_group.command("data", help=help_texts.IMPORT_DATA)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--table", metavar="TABLE", help="Table of rows that do not say theirs; needed for CSV.")
@click.option("--map", "mapping", multiple=True, metavar="NAME=COLUMN", help="What a name in the file means.")
@click.option("--key", metavar="COLUMNS", help="Find records by these columns of an alternate key, not by id.")
@click.option("--delimiter", default=",", show_default=True, metavar="CHARACTER", help="Between the cells of CSV.")
@click.option("--batch-size", type=click.IntRange(1, _MOST_ROWS), default=500, show_default=True)
@click.option("--resume", is_flag=True, help="Go on with an import that ended early.")
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON object.")
@connection_options
def import_data_command(  # noqa: PLR0913 - one parameter per flag, as click passes them
    flags: ConnectionFlags,
    file: Path,
    *,
    table: str | None,
    mapping: tuple[str, ...],
    key: str | None,
    delimiter: str,
    batch_size: int,
    resume: bool,
    json_wanted: bool,
) -> None:
    """Bring rows into the environment."""
    if len(delimiter) != 1:
        end(f"--delimiter '{delimiter}' is not one character", REFUSED)
    columns = tuple(name.strip() for name in (key or "").split(",") if name.strip())
    options = ImportOptions(_mapped(mapping), columns, batch_size, resume)
    with administration(flags) as services, _defects_in_one_line():
        source = open_source(file, table, delimiter)
        try:
            with _progress(file.name, source.size) as bar:
                report = import_rows(source, services.dataverse, services.url, options, bar)
        except ServerUnreachableError as error:
            end(f"{error}; the import goes on from there with --resume")
    _tell(report, json_wanted=json_wanted)
    sys.exit(FAILED if report.refused else 0)


@import_group.command("schema", help=help_texts.IMPORT_SCHEMA)
@click.argument("file", type=click.Path(path_type=Path))
@option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIRECTORY, show_default=True, metavar="DIR")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what an import would bring.")
@click.option("--json", "json_wanted", is_flag=True, help="Print the report as JSON, with all that was guessed.")
def import_schema_command(file: Path, data: Path, *, dry_run: bool, json_wanted: bool) -> None:
    """Bring tables, columns, relationships and choices into the environment."""
    with errors_in_one_line(), _defects_in_one_line():
        content = file.read_bytes()
        match read_environment(data):
            case {"url": str(url), "ca_bundle": str(bundle), "control_key": str(key)}:
                headers = {"Authorization": f"TalentverseControl {key}", "Content-Type": "application/octet-stream"}
                with open_session(url, bundle) as session, _waiting(file.name):
                    answer = session.post(
                        f"{url}/_talentverse/schema",
                        data=content,
                        params={"dry-run": str(dry_run).lower()},
                        headers=headers,
                        timeout=(CONNECT_SECONDS, _SCHEMA_SECONDS),
                    )
                if not answer.ok:
                    raise error_of(answer)
                report = answer.json()
            case _:
                end(f"{data} describes no server: start it again to have its environment.json written anew")
    click.echo(json.dumps(report, indent=2, ensure_ascii=False) if json_wanted else "\n".join(report_lines(report)))
    sys.exit(FAILED if report["refused"] else 0)


@click.group("export", help=help_texts.EXPORT)
def export_group() -> None:
    """Bring schema or data out of the running server's environment."""


@export_group.command("data", help=help_texts.EXPORT_DATA)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--table", "names", multiple=True, metavar="TABLE", help="A table to export; may be given more than once."
)
@click.option("--select", metavar="COLUMNS", help="Only these columns, and the id.")
@click.option("--query", metavar="QUERY", help="Export what FetchXML or a URL such as accounts?$filter=… selects.")
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON object.")
@connection_options
def export_data_command(
    flags: ConnectionFlags,
    file: Path,
    *,
    names: tuple[str, ...],
    select: str | None,
    query: str | None,
    json_wanted: bool,
) -> None:
    """Write rows of the environment to a file."""
    if bool(names) is (query is not None):
        end("name what to export: either --table, or --query", REFUSED)
    columns = tuple(name.strip() for name in (select or "").split(",") if name.strip())
    with administration(flags) as services, _defects_in_one_line(), _progress(file.name, None) as bar:
        count = export_rows(file, services.dataverse, ExportOptions(names, columns, query), bar)
    click.echo(json.dumps({"written": count}) if json_wanted else f"{count} rows exported")


@export_group.command("schema", help=help_texts.EXPORT_SCHEMA)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--table", "names", multiple=True, metavar="TABLE", help="Only this table; may be given more than once.")
@click.option("--solution", metavar="NAME", help="The tables of this solution, into a solution.zip.")
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON object.")
@connection_options
def export_schema_command(
    flags: ConnectionFlags, file: Path, *, names: tuple[str, ...], solution: str | None, json_wanted: bool
) -> None:
    """Write the schema of the environment to a file."""
    if solution is not None and (names or file.suffix.lower() != ".zip"):
        end("--solution goes with a FILE.zip, and without --table: leave out one of them", REFUSED)
    with administration(flags) as services, _defects_in_one_line(), _progress(file.name, None) as bar:
        count = export_schema(file, services.dataverse, names, bar.of, solution=solution)
    click.echo(json.dumps({"tables": count}) if json_wanted else f"{count} tables exported")


def _mapped(given: tuple[str, ...]) -> dict[str, str]:
    mapping = {}
    for pair in given:
        name, equals, column = pair.rpartition("=")
        if not equals or not name:
            end(f"--map '{pair}' is not NAME=COLUMN", REFUSED)
        mapping[name] = column.strip()
    return mapping


def _tell(report: ImportReport, *, json_wanted: bool) -> None:
    refusals = str(report.refusals) if report.refused else None
    if json_wanted:
        click.echo(json.dumps({"written": report.written, "refused": report.refused, "refusals": refusals}, indent=2))
        return
    click.echo(f"{report.written} rows imported")
    if refusals:
        click.echo(f"talentverse: {report.refused} refused: {refusals} holds them and says why", err=True)


@contextmanager
def _defects_in_one_line() -> Iterator[None]:
    """End the command in one line where the file or its use is at fault."""
    try:
        yield
    except (SourceError, ResumeError, NoTableError, UnknownColumnError, QueryError, OSError) as error:
        end(str(error))


class _Bar:
    """Shows how far a file is; calling it says so."""

    def __init__(self, progress: Progress, name: str, size: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=size)

    def __call__(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def of(self, done: int, size: int) -> None:
        """Say how far it is, and how far there is to go."""
        self._progress.update(self._task, completed=done, total=size)


@contextmanager
def _waiting(name: str) -> Iterator[None]:
    """Show that something is going on, on terminals only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(name):
        yield


@contextmanager
def _progress(name: str, size: int | None) -> Iterator[_Bar]:
    """Show a bar while a file is read, on terminals only."""
    console = Console(stderr=True)
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield _Bar(progress, name, size)
