"""`talentverse env`: what clients of a running server need, for a shell or as JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from integration.connection import ENVIRONMENT_FILE

_NOT_FOR_CLIENTS: Final = "control_key"


class NoEnvironmentError(Exception):
    """There is no readable environment.json; one line that says what to do."""


def read_environment(data: Path) -> Mapping[str, object]:
    """Read environment.json of a data directory.

    Raises:
        NoEnvironmentError: it is not there or not readable.
    """
    path = data / ENVIRONMENT_FILE
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NoEnvironmentError(
            f"{path} is not there: start the server with 'talentverse serve', or name its directory with --data"
        ) from error
    except (OSError, ValueError) as error:
        raise NoEnvironmentError(f"{path} cannot be read: start the server again to have it written anew") from error
    if not isinstance(content, dict):
        raise NoEnvironmentError(f"{path} describes no server: start the server again to have it written anew")
    return content


def as_json(environment: Mapping[str, object]) -> str:
    """Write what clients need as JSON: the file's content without the control key."""
    content = {name: value for name, value in environment.items() if name != _NOT_FOR_CLIENTS}
    return json.dumps(content, indent=2)


def as_shell(environment: Mapping[str, object]) -> str:
    """Write what clients need as `export` lines for a POSIX shell, in the administrator's name."""
    match environment:
        case {
            "url": str(url),
            "authority": str(authority),
            "tenant_id": str(tenant),
            "ca_bundle": str(bundle),
            "admin": {"client_id": str(client_id), "client_secret": str(client_secret)},
        }:
            variables = {
                "TALENTVERSE_URL": url,
                "TALENTVERSE_AUTHORITY": authority,
                "TALENTVERSE_TENANT_ID": tenant,
                "TALENTVERSE_CLIENT_ID": client_id,
                "TALENTVERSE_CLIENT_SECRET": client_secret,
                "TALENTVERSE_CA_BUNDLE": bundle,
                "REQUESTS_CA_BUNDLE": bundle,
                "SSL_CERT_FILE": bundle,
                "NODE_EXTRA_CA_CERTS": bundle,
            }
            return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
        case _:
            raise NoEnvironmentError("environment.json is not complete: start the server again to have it written anew")
