"""The command `talentverse`."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from rich.console import Console

from entities.errors import EngineFault
from integration.connection import DEFAULT_DATA_DIRECTORY
from integration.transport import open_session
from integration.web_api import error_of
from odata_server.admin import client_commands, help_texts, not_yet, transfer_commands
from odata_server.admin.command_line import REFUSED, end, errors_in_one_line, option, variable_of
from odata_server.admin.data_directory import DataDirectoryError
from odata_server.admin.demo import DemoError, run_demo
from odata_server.admin.environment_output import as_json, as_shell, read_environment
from odata_server.admin.fixture_file import FixtureError
from odata_server.admin.listening import PortUnavailableError
from odata_server.admin.logs import LOG_LEVELS
from odata_server.admin.protection_figures import OFF, limits_of
from odata_server.admin.serving import Program, serve
from odata_server.admin.workers import StartError
from odata_server.engine.authority_store import NewerAuthorityStoreError
from odata_server.engine.storage_place import StorageError
from odata_server.plug_ins.loading import PackageError, installed_packages
from odata_server.settings import (
    DEFAULT_PORT,
    DurabilityLevel,
    SampleData,
    ServiceProtection,
    Settings,
    V2Mode,
    is_loopback,
)

_SERVER_ERRORS: Final = (
    DataDirectoryError,
    PortUnavailableError,
    StartError,
    NewerAuthorityStoreError,
    FixtureError,
    EngineFault,
    StorageError,
    PackageError,
)
_DATABASE_SCHEMES: Final = ("postgresql://", "postgres://")


@click.group(help=help_texts.MAIN, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="talentverse", prog_name="talentverse")
def main() -> None:
    """Make the output fit for any terminal, then run the subcommand."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _absent_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Declare the flags of the contract that are not there yet, so that they are refused with advice."""

    def refuse(_: click.Context, parameter: click.Parameter, value: object) -> None:
        flag = parameter.opts[0]
        if value:
            end(f"{flag} is not available yet: {not_yet.SERVE_FLAGS[flag]}", REFUSED)

    for flag in not_yet.SERVE_FLAGS:
        command = click.option(
            flag,
            envvar=variable_of(flag),
            hidden=True,
            expose_value=False,
            callback=refuse,
            is_flag=True,
            default=None,
        )(command)
    return command


@main.command("serve", help=help_texts.SERVE, short_help="Run the server.")
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 picks a free one.")
@option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIRECTORY, show_default=True, metavar="DIR")
@option("--in-memory", is_flag=True, help="Keep no database after the end; one worker.")
@option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Number of worker processes.")
@option("--sample-data", type=click.Choice(["demo", "none"]), default="demo", show_default=True)
@option("--durability", type=click.Choice(["normal", "full"]), default="normal", help="full survives a power cut.")
@option("--plain-http", is_flag=True, help="No TLS; on this machine's loopback only.")
@option("--fixture", type=click.Path(path_type=Path), metavar="FILE", help="Declared units, users, tables and rows.")
@option("--public-url", metavar="URL", help="A further URL clients use, such as a proxy's.")
@option("--end-of-service", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Refuse exports after this day.")
@option(
    "--v2-mode",
    type=click.Choice(["extended", "faithful"]),
    default="extended",
    help="OData v2 with what pyodata needs, or as it was.",
)
@option("--database-url", metavar="URL", help="A PostgreSQL database for the data, postgresql://USER@HOST/DATABASE.")
@option(
    "--service-protection",
    callback=limits_of,
    default=OFF,
    show_default=True,
    metavar="LIMITS",
    help="off, on, or figures of your own (requests=9,seconds=2,concurrency=3,window=5).",
)
@option("--log-level", type=click.Choice(LOG_LEVELS), default="warning", show_default=True)
@_absent_flags
def serve_command(  # noqa: PLR0913 - one parameter per flag, as click passes them
    *,
    host: str,
    port: int,
    data: Path,
    in_memory: bool,
    workers: int,
    sample_data: SampleData,
    durability: DurabilityLevel,
    plain_http: bool,
    fixture: Path | None,
    public_url: str | None,
    end_of_service: datetime | None,
    v2_mode: V2Mode,
    database_url: str | None,
    service_protection: ServiceProtection | None,
    log_level: str,
) -> None:
    """Run the server."""
    if plain_http and not is_loopback(host):
        end(f"--plain-http is for this machine only: leave out --host {host}, or --plain-http", REFUSED)
    if public_url is not None and not _is_origin(public_url):
        end(
            f"--public-url {public_url} is not scheme, host and port: it looks like https://dataverse.example.com",
            REFUSED,
        )
    if in_memory and workers > 1:
        end("--in-memory is one worker: leave out --workers, or --in-memory", REFUSED)
    if in_memory and database_url is not None:
        end("--in-memory keeps nothing, a database does: leave out --database-url, or --in-memory", REFUSED)
    if database_url is not None and not database_url.startswith(_DATABASE_SCHEMES):
        end("--database-url is a PostgreSQL database's: postgresql://user:password@localhost:5432/talentverse", REFUSED)
    settings = Settings(
        data_directory=data,
        storage_directory=data,
        host=host,
        port=port,
        durability=durability,
        sample_data=sample_data,
        workers=workers,
        plain_http=plain_http,
        in_memory=in_memory,
        fixture=fixture,
        public_url=public_url,
        end_of_service=end_of_service.date() if end_of_service else None,
        service_protection=service_protection,
        log_level=log_level,
        v2_mode=v2_mode,
        database_url=database_url,
    )
    # The application takes a moment to import; the other commands do without it.
    from odata_server import app  # noqa: PLC0415 - see above

    try:
        status = serve(settings, Program(app.prepare, app.build), _announce)
    except _SERVER_ERRORS as error:
        end(str(error))
    sys.exit(status)


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and parts.path in {"", "/"}
        )
    except ValueError:
        return False


def _announce(url: str) -> None:
    for package in installed_packages():
        click.echo(f"Plug-in package {package}", err=True)
    click.echo(f"Talentverse is ready at {url}")
    sys.stdout.flush()


@main.command("env", help=help_texts.ENV)
@option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIRECTORY, show_default=True, metavar="DIR")
@click.option("--format", "form", type=click.Choice(["shell", "json"]), default="shell", show_default=True)
def env_command(data: Path, form: str) -> None:
    """Print what clients of the running server need."""
    with errors_in_one_line():
        environment = read_environment(data)
        click.echo(as_shell(environment) if form == "shell" else as_json(environment))


@main.command("reset", help=help_texts.RESET)
@option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIRECTORY, show_default=True, metavar="DIR")
def reset_command(data: Path) -> None:
    """Put the running server's data back to the state of its first start."""
    with errors_in_one_line():
        match read_environment(data):
            case {"url": str(url), "ca_bundle": str(bundle), "control_key": str(key)}:
                headers = {"Authorization": f"TalentverseControl {key}"}
                with open_session(url, bundle) as session:
                    answer = session.post(f"{url}/_talentverse/reset", headers=headers)
                if not answer.ok:
                    raise error_of(answer)
            case _:
                end(f"{data} describes no server: start it again to have its environment.json written anew")
    click.echo("reset")


@main.command("explain", help=help_texts.EXPLAIN)
@click.argument("request")
@click.option("--as", "principal", metavar="PRINCIPAL", help="Application id, user principal name or id, or 'system'.")
@option("--data", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIRECTORY, show_default=True, metavar="DIR")
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON object.")
def explain_command(request: str, principal: str | None, data: Path, *, json_wanted: bool) -> None:
    """Show one request stage by stage, by default as the administrator's application."""
    with errors_in_one_line():
        match read_environment(data):
            case {
                "url": str(url),
                "ca_bundle": str(bundle),
                "control_key": str(key),
                "admin": {"client_id": str(administrator)},
            }:
                asked = {"request": request, "as": principal or administrator}
                form = {} if json_wanted else {"format": "text"}
                headers = {"Authorization": f"TalentverseControl {key}"}
                with open_session(url, bundle) as session:
                    answer = session.get(f"{url}/_talentverse/explain", params=asked | form, headers=headers)
                if not answer.ok:
                    raise error_of(answer)
                click.echo(answer.content.decode(), nl=json_wanted)
            case _:
                end(f"{data} describes no server: start it again to have its environment.json written anew")


@main.command("demo", hidden=True)
@click.option("--examples", type=click.Path(path_type=Path), default="examples", show_default=True, metavar="DIR")
def demo_command(examples: Path) -> None:
    """Run the whole Talent Hub chain against a server of its own (what `make demo` calls)."""
    try:
        with errors_in_one_line():
            run_demo(examples, Console())
    except (DemoError, OSError) as error:
        end(f"the demo failed: {error}")


def _absent_command(name: str) -> click.Command:
    """Return a hidden command that says it is not there yet, whatever it is given."""

    def refuse(arguments: tuple[str, ...]) -> None:
        del arguments
        end(f"{name} is not available yet: {not_yet.COMMANDS[name]}", REFUSED)

    return click.Command(
        name,
        callback=refuse,
        params=[click.Argument(["arguments"], nargs=-1)],
        hidden=True,
        context_settings={"ignore_unknown_options": True},
    )


for _command in (
    client_commands.token_command,
    client_commands.app_registration,
    client_commands.setup_group,
    transfer_commands.import_group,
    transfer_commands.export_group,
    *map(_absent_command, not_yet.COMMANDS),
):
    main.add_command(_command)


if __name__ == "__main__":
    main()
