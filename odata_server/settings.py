"""The settings of one server: what `talentverse serve` was told, fixed for the life of the process.

Worker processes get the value itself as an argument of their entry function: inherited where processes fork, pickled
where they are spawned. Nothing is read from the environment or a file a second time, so all workers agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

DEFAULT_PORT: Final = 8443
LONGEST_WINDOW: Final = 300
"""Seconds of the window in which requests are counted: five minutes, as in Dataverse."""
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

SampleData = Literal["demo", "none"]
DurabilityLevel = Literal["normal", "full"]
V2Mode = Literal["extended", "faithful"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one user within a sliding window.

    Attributes:
        requests: how many may come.
        execution_seconds: how long they may take together.
        concurrent: how many may run at once.
    """

    requests: int
    execution_seconds: float
    concurrent: int


DATAVERSE_LIMITS: Final = Limits(6_000, 1_200.0, 52)
"""Learn: "Service protection API limits"."""
FINANCE_LIMITS: Final = Limits(500, 300.0, 25)
"""What Human Resources lets the users of its virtual tables do (its FAQ on throttling)."""


@dataclass(frozen=True, slots=True)
class ServiceProtection:
    """What is enforced: limits of each environment's users, and the length of the window in seconds."""

    dataverse: Limits = DATAVERSE_LIMITS
    finance: Limits = FINANCE_LIMITS
    window: int = LONGEST_WINDOW


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is told at its start.

    Attributes:
        data_directory: holds environment.json, the secrets, the certificates and the lock; mode 0700.
        storage_directory: holds the databases; the data directory itself, except with `in_memory`, where it is a
            temporary directory that is removed at the end, and with `database_url`, where it holds none.
        host: the address to listen on.
        port: the port to listen on; already chosen and bound when the value reaches a worker.
        durability: what an acknowledged write survives: `normal` a killed process, `full` a power cut.
        sample_data: the rows of the first start.
        workers: number of worker processes.
        plain_http: no TLS; loopback only.
        in_memory: nothing is kept after the end.
        fixture: a file of declared business units, users, roles, tables and rows.
        public_url: a further scheme, host and port clients use, such as a proxy's.
        end_of_service: exports from Talent Hub after this day are refused (R-120).
        service_protection: limits per user; None switches them off.
        log_level: `debug`, `info`, `warning` or `error`.
        v2_mode: `faithful` gives the Organization Data Service what the real one has and no more.
        database_url: the PostgreSQL database that holds the data in place of files; not shown, for its password.
    """

    data_directory: Path
    storage_directory: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    durability: DurabilityLevel = "normal"
    sample_data: SampleData = "demo"
    workers: int = 1
    plain_http: bool = False
    in_memory: bool = False
    fixture: Path | None = None
    public_url: str | None = None
    end_of_service: date | None = None
    service_protection: ServiceProtection | None = None
    log_level: str = "warning"
    v2_mode: V2Mode = "extended"
    database_url: str | None = field(default=None, repr=False)

    @property
    def scheme(self) -> str:
        """Return `https`, or `http` without TLS."""
        return "http" if self.plain_http else "https"

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Return the server's own URL: `localhost` unless it listens on one particular other address."""
        host = "localhost" if self.is_loopback or _is_any_address(self.host) else _bracketed(self.host)
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def host_names(self) -> tuple[str, ...]:
        """Return the names, without port, that the server answers to and that its certificate holds."""
        own = () if _is_any_address(self.host) else (self.host,)
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return tuple(dict.fromkeys((*LOCAL_NAMES, *own, *((public,) if public else ()))))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_any_address(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
