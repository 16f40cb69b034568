"""The command-line flags by which every client command finds the server."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import click

from integration.connection import ConnectionFlags

R = TypeVar("R")


def connection_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add `--url --client-id --client-secret --ca-bundle --data` to a click command.

    The command receives them as one `ConnectionFlags`, its first positional argument, and its own parameters by
    name. The flags stand before the TALENTVERSE_ variables of the same names and before `environment.json`
    (`integration.connection`).
    """

    @click.option("--url", help="The server, such as https://localhost:8443.  [env: TALENTVERSE_URL]")
    @click.option("--client-id", help="The application to run as.  [env: TALENTVERSE_CLIENT_ID]")
    @click.option("--client-secret", help="Its secret.  [env: TALENTVERSE_CLIENT_SECRET]")
    @click.option("--ca-bundle", help="Certificates to trust, a PEM file.  [env: TALENTVERSE_CA_BUNDLE]")
    @click.option(
        "--data", metavar="DIR", help="Directory of environment.json; default .talentverse.  [env: TALENTVERSE_DATA]"
    )
    @wraps(command)
    def with_flags(
        *,
        url: str | None,
        client_id: str | None,
        client_secret: str | None,
        ca_bundle: str | None,
        data: str | None,
        **parameters: object,
    ) -> R:
        return command(ConnectionFlags(url, client_id, client_secret, ca_bundle, data), **parameters)

    return with_flags
