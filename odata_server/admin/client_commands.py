"""The client commands of `talentverse`: tokens, app registrations, and the set-up of integrations."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from integration.connection import Connection, ConnectionFlags, NoConnectionError, resolve_connection
from integration.flags import connection_options
from integration.tokens import TokenClient
from integration.transport import open_session
from odata_server.admin import help_texts, talent_hub_setup
from odata_server.admin.app_registrations import (
    UnreadableCertificateError,
    create_registration,
    delete_registration,
    list_registrations,
    read_certificate,
)
from odata_server.admin.command_line import FAILED, REFUSED, end, errors_in_one_line, option
from odata_server.admin.services import AdminServices, open_services
from odata_server.admin.talent_hub_setup import PIECES, Setup


@click.command("token", help=help_texts.BEARER)
@click.option("--resource", metavar="URL", help="What the token is for; default the server itself.")
@click.option("--user", hidden=True)
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON object.")
@connection_options
def token_command(flags: ConnectionFlags, resource: str | None, user: str | None, *, json_wanted: bool) -> None:
    """Print an access token, by default the administrator's."""
    if user is not None:
        end("--user is not available yet: give an application with --client-id and --client-secret", REFUSED)
    connection = _connect(flags)
    with errors_in_one_line():
        wanted = connection if resource is None else replace(connection, url=resource.rstrip("/"))
        with open_session(connection.authority, connection.ca_bundle) as session:
            token = TokenClient(wanted, session)()
        click.echo(json.dumps({"access_token": token, "resource": wanted.url}) if json_wanted else token)


@click.group("app-registration", help=help_texts.APP_REGISTRATION)
def app_registration() -> None:
    """Create, list and delete app registrations of the local tenant."""


@app_registration.command("create", help=help_texts.CREATE)
@click.option("--name", required=True, help="Display name.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, metavar="URI", help="May be given more than once.")
@click.option("--public", is_flag=True, help="A public client: no secret.")
@click.option(
    "--certificate",
    "pem",
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="The certificate whose key signs in, instead of a secret; a private key in the file stays where it is.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON object.")
@connection_options
def create_command(
    flags: ConnectionFlags,
    name: str,
    redirect_uris: tuple[str, ...],
    pem: Path | None,
    *,
    public: bool,
    json_wanted: bool,
) -> None:
    """Register an application; its secret is printed this once."""
    if pem is not None and public:
        end("--certificate and --public exclude each other: a public client has no credentials", REFUSED)
    try:
        certificate = None if pem is None else read_certificate(pem.read_bytes())
    except (UnreadableCertificateError, OSError) as error:
        end(f"cannot use {pem}: {error}", REFUSED)
    with administration(flags) as services:
        created = create_registration(
            services.graph, name, redirect_uris=redirect_uris, public=public, certificate=certificate
        )
    if json_wanted:
        click.echo(json.dumps(created, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(f"{member}: {value}" for member, value in created.items()))


@app_registration.command("list", help=help_texts.LIST)
@click.option("--json", "json_wanted", is_flag=True, help="Print a JSON array.")
@connection_options
def list_command(flags: ConnectionFlags, *, json_wanted: bool) -> None:
    """List the app registrations."""
    with administration(flags) as services:
        found = list_registrations(services.graph)
    if json_wanted:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(f"{row['client_id']}  {row['display_name']}" for row in found))


@app_registration.command("delete", help=help_texts.DELETE)
@click.argument("application", metavar="CLIENT_ID")
@connection_options
def delete_command(flags: ConnectionFlags, application: str) -> None:
    """Delete an app registration: it gets no more tokens."""
    with administration(flags) as services:
        delete_registration(services.graph, application)
    click.echo(f"deleted  {application}")


@click.group("setup", help=help_texts.SETUP)
def setup_group() -> None:
    """Set up an integration as its administrator would."""


@setup_group.command("talent-hub", help=help_texts.TALENT_HUB)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a piece is missing.")
@click.option(
    "--undo",
    is_flag=False,
    flag_value="all",
    type=click.Choice(["all", *PIECES]),
    metavar="[PIECE]",
    help=f"Take away one piece, or all. Pieces: {', '.join(PIECES)}.",
)
@option("--hr-user", metavar="USER", help="Human Resources user the adapter runs as; default Uma, else Admin.")
@connection_options
def talent_hub_command(flags: ConnectionFlags, undo: str | None, hr_user: str | None, *, check: bool) -> None:
    """Set up Human Resources for LinkedIn Talent Hub."""
    if check and undo is not None:
        end("--check and --undo exclude each other: give one of them", REFUSED)
    with administration(flags) as services:
        setup = Setup(services, hr_user)
        if check:
            sys.exit(FAILED if _check(setup) else 0)
        if undo is not None:
            _undo(setup, undo)
            return
        for name in PIECES:
            click.echo(f"{'made   ' if talent_hub_setup.make(setup, name) else 'present'}  {name}")


def _check(setup: Setup) -> int:
    """Print one line per piece; return how many are missing."""
    missing = 0
    for name, piece in PIECES.items():
        is_present = piece.is_present(setup)
        missing += not is_present
        click.echo(f"{'present' if is_present else 'missing'}  {name}")
    return missing


def _undo(setup: Setup, wanted: str) -> None:
    for name in reversed(tuple(PIECES)) if wanted == "all" else [wanted]:
        click.echo(f"{'removed' if talent_hub_setup.take_away(setup, name) else 'missing'}  {name}")


def _connect(flags: ConnectionFlags) -> Connection:
    try:
        return resolve_connection(flags, "admin", os.environ)
    except NoConnectionError as error:
        end(str(error), REFUSED)


@contextmanager
def administration(flags: ConnectionFlags) -> Iterator[AdminServices]:
    """Open sessions of the administrator's application; a refusal ends the command in one line."""
    connection = _connect(flags)
    with errors_in_one_line(), open_services(connection) as services:
        yield services
