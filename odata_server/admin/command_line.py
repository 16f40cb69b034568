"""How every command of `talentverse` reads its flags and ends: variables beside flags, errors in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, cast

import click
import requests

from integration.tokens import TokenError
from integration.web_api import ServerUnreachableError, WebApiError
from odata_server.admin.environment_output import NoEnvironmentError
from odata_server.admin.services import UnexpectedAnswerError
from odata_server.admin.talent_hub_setup import SetupError

FAILED: Final = 1
REFUSED: Final = 2
_CLIENT_ERRORS: Final = (
    WebApiError,
    ServerUnreachableError,
    TokenError,
    UnexpectedAnswerError,
    SetupError,
    NoEnvironmentError,
    requests.RequestException,
)


def variable_of(flag: str) -> str:
    """Return the environment variable that mirrors a flag."""
    return "TALENTVERSE_" + flag.removeprefix("--").replace("-", "_").upper()


def option(flag: str, **attributes: object) -> Callable[..., Callable[..., None]]:
    """Declare a flag that an environment variable mirrors, as --port and TALENTVERSE_PORT."""
    declared = click.option(flag, envvar=variable_of(flag), show_envvar=True, **attributes)  # type: ignore[arg-type]  # click's many keywords
    return cast("Callable[..., Callable[..., None]]", declared)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the command in one line when a service refuses or does not answer."""
    try:
        yield
    except _CLIENT_ERRORS as error:
        end(str(error))


def end(text: str, status: int = FAILED) -> NoReturn:
    """End with one line on standard error."""
    click.echo(f"talentverse: {' '.join(text.split())}", err=True)
    sys.exit(status)
