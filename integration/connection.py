"""How a client program finds the server: flags, else environment variables, else `environment.json`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from integration.authority import AuthorityNotFoundError, discover_authority

DEFAULT_DATA_DIRECTORY: Final = ".talentverse"
ENVIRONMENT_FILE: Final = "environment.json"

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

Application = Literal["admin", "adapter"]
AuthorityDiscovery = Callable[[str, str | None], str]


class NoConnectionError(Exception):
    """Nothing says where the server is or who the client is; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ConnectionFlags:
    """What the command line says about the server; None where a flag is absent."""

    url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    ca_bundle: str | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the server is, which authority issues its tokens and as which application the client runs."""

    url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str
    ca_bundle: str | None

    def __repr__(self) -> str:
        return f"Connection(url={self.url!r}, authority={self.authority!r}, client_id={self.client_id!r})"


@dataclass(frozen=True, slots=True)
class _EnvironmentFile:
    """What `environment.json` says; empty texts where it says nothing."""

    url: str
    authority: str
    ca_bundle: str
    applications: Mapping[str, tuple[str, str]]


_NO_FILE: Final = _EnvironmentFile("", "", "", {})


def resolve_connection(
    flags: ConnectionFlags,
    application: Application,
    environ: Mapping[str, str],
    discover: AuthorityDiscovery = discover_authority,
) -> Connection:
    """Find the server and the credentials of `application`.

    Each piece comes from its flag, else from its TALENTVERSE_ variable, else from `environment.json` in the data
    directory. The file speaks only for the server it describes: when flags or variables name another URL, its
    secrets stay unused. A client id in the variables that is the *other* application of the file yields to the
    file's `application`, because `talentverse env` exports one application for every command of the shell. When
    nothing names the authority, `discover` asks the server. The tenant is the first segment of the authority's path.

    Raises:
        NoConnectionError: something is missing, unreadable or contradictory; one line saying what to do.
    """
    data = Path(flags.data or environ.get("TALENTVERSE_DATA") or DEFAULT_DATA_DIRECTORY)
    file = _read_environment_file(data / ENVIRONMENT_FILE)
    url = _server_url(flags.url or environ.get("TALENTVERSE_URL") or file.url, data)
    if not _same_server(file.url, url):
        file = _NO_FILE
    client_id, client_secret = _credentials(flags, application, environ, file)
    ca_bundle = _certificate_bundle(flags.ca_bundle or environ.get("TALENTVERSE_CA_BUNDLE") or file.ca_bundle)
    stated = _authority_of_variables(environ, url) or file.authority
    authority = (stated or _discovered(discover, url, ca_bundle)).rstrip("/")
    return Connection(
        url=url,
        authority=authority,
        tenant_id=urlsplit(authority).path.strip("/").split("/")[0],
        client_id=client_id,
        client_secret=client_secret,
        ca_bundle=ca_bundle,
    )


def _server_url(text: str, data: Path) -> str:
    if not text:
        raise NoConnectionError(
            f"no server is known: start one with 'talentverse serve', or give --url, TALENTVERSE_URL "
            f"or a data directory that holds {ENVIRONMENT_FILE} ({data} does not)"
        )
    try:
        parts = urlsplit(text)
        sound = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise NoConnectionError(f"{text!r} is not the URL of a server: it looks like https://localhost:8443")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _authority_of_variables(environ: Mapping[str, str], url: str) -> str:
    """TALENTVERSE_AUTHORITY, unless the variables describe another server than the one in use."""
    described = environ.get("TALENTVERSE_URL") or url
    return environ.get("TALENTVERSE_AUTHORITY", "") if _same_server(described, url) else ""


def _same_server(one: str, other: str) -> bool:
    """Compare two URLs by scheme, host, port and path; the names of this machine's loopback count as one."""

    def parts(url: str) -> tuple[str, str | None, int | None, str]:
        split = urlsplit(url)
        host = "localhost" if split.hostname in _LOOPBACK else split.hostname
        return split.scheme, host, split.port or _DEFAULT_PORTS.get(split.scheme), split.path.rstrip("/")

    try:
        return parts(one) == parts(other)
    except ValueError:
        # A URL with an impossible port names no server.
        return False


def _credentials(
    flags: ConnectionFlags, application: Application, environ: Mapping[str, str], file: _EnvironmentFile
) -> tuple[str, str]:
    own_id = file.applications.get(application, ("", ""))[0]
    others = {client_id for name, (client_id, _) in file.applications.items() if name != application}
    variable_id, variable_secret = (
        environ.get("TALENTVERSE_CLIENT_ID", ""),
        environ.get("TALENTVERSE_CLIENT_SECRET", ""),
    )
    if own_id and variable_id in others:
        variable_id = variable_secret = ""
    client_id = flags.client_id or variable_id or own_id
    known = [(variable_id or client_id, variable_secret), *file.applications.values()]
    client_secret = flags.client_secret or next(
        (secret for owner, secret in known if owner == client_id and secret), ""
    )
    if not client_id:
        raise NoConnectionError(
            "no application is known: give --client-id and --client-secret, or TALENTVERSE_CLIENT_ID"
        )
    if not client_secret:
        raise NoConnectionError(f"no secret is known for application {client_id}: give --client-secret")
    return client_id, client_secret


def _certificate_bundle(path: str) -> str | None:
    if not path:
        return None
    if not Path(path).is_file():
        raise NoConnectionError(f"the certificate bundle {path} is not there: give --ca-bundle")
    return path


def _discovered(discover: AuthorityDiscovery, url: str, ca_bundle: str | None) -> str:
    try:
        return discover(url, ca_bundle)
    except AuthorityNotFoundError as error:
        raise NoConnectionError(
            f"{error}; is the server running? Else name the authority in TALENTVERSE_AUTHORITY"
        ) from error


def _read_environment_file(path: Path) -> _EnvironmentFile:
    """Read `environment.json`; a file that is not there says nothing, a broken one is an error."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return _NO_FILE
    except OSError as error:
        raise NoConnectionError(
            f"{path} cannot be read ({error.strerror}): name another directory with --data"
        ) from error
    except ValueError as error:
        raise NoConnectionError(f"{path} is not valid JSON: start the server again to have it written anew") from error
    if not isinstance(content, dict):
        raise NoConnectionError(f"{path} does not describe a server: start the server again to have it written anew")
    applications = {
        name: (_text(content[name], "client_id"), _text(content[name], "client_secret"))
        for name in ("admin", "adapter")
        if isinstance(content.get(name), dict)
    }
    return _EnvironmentFile(
        _text(content, "url"), _text(content, "authority"), _text(content, "ca_bundle"), applications
    )


def _text(content: Mapping[str, object], name: str) -> str:
    value = content.get(name, "")
    return value if isinstance(value, str) else ""
