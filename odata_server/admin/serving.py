"""`talentverse serve`: from the command line's settings to a server that answers, and to its orderly end.

    lock the data directory -> bind the port -> certificates -> prepare (databases, keys, registrations)
      -> workers -> /health answers 200 -> environment.json -> the ready line -> serve -> finish requests, exit 0

The application itself comes in as a `Program`, because the composition root stands above this package.
"""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn

from odata_server.admin.certificates import CertificateFiles, ensure_certificates
from odata_server.admin.data_directory import (
    Application,
    Environment,
    Secrets,
    locked_directory,
    read_secrets,
    storage_directory,
    write_environment,
    write_secrets,
)
from odata_server.admin.first_start import Prepared
from odata_server.admin.listening import listen
from odata_server.admin.logs import configure_logs
from odata_server.admin.workers import STOP_SIGNALS, WorkerServer, WsgiApplication, load_worker
from odata_server.settings import Settings
from security.authority.built_in import ADAPTER_CLIENT_ID


@dataclass(frozen=True, slots=True)
class Program:
    """What is served.

    Attributes:
        prepare: does once, before the workers, what must be there for them; keeps no connection open.
        build: makes the WSGI application of one worker process. A function of a module, since it is pickled where
            processes are spawned.
    """

    prepare: Callable[[Settings, Secrets], Prepared]
    build: Callable[[Settings], WsgiApplication]


def serve(wanted: Settings, program: Program, announce: Callable[[str], None]) -> int:
    """Run a server until it is told to stop; return the exit status.

    Args:
        wanted: port 0 stands for any free port; the storage directory is chosen here.
        program: the application.
        announce: is given the server's URL once, when the server answers.

    Raises:
        DataDirectoryError: the data directory is in use, of a newer release or not usable.
        PortUnavailableError: the port is busy.
        StartError: the workers did not come up.
    """
    configure_logs(wanted.log_level)
    for number in STOP_SIGNALS:
        signal.signal(number, _stop_early)
    with ExitStack() as stack:
        data = stack.enter_context(locked_directory(wanted.data_directory))
        listeners = tuple(map(stack.enter_context, listen(wanted.host, wanted.port, wanted.workers)))
        storage = stack.enter_context(storage_directory(data, in_memory=wanted.in_memory))
        port = int(listeners[0].getsockname()[1])
        settings = replace(wanted, data_directory=data, storage_directory=storage, port=port)
        certificates = ensure_certificates(data / "certificates", hosts=settings.host_names, now=datetime.now(UTC))
        prepared, control_key = _prepare(settings, program)
        environment = _environment(settings, certificates, prepared, control_key)

        def ready() -> None:
            write_environment(data, environment)
            announce(settings.url)

        server = WorkerServer(settings, certificates, listeners, ready)
        return server.run(partial(load_worker, program.build, settings))


def _stop_early(*_: object) -> NoReturn:
    """End during the start as at any other time: no traceback, exit status 0."""
    raise SystemExit(0)


def _prepare(settings: Settings, program: Program) -> tuple[Prepared, str]:
    """Run the once-only work, and keep at once every secret that came of it."""
    known = read_secrets(settings.data_directory)
    prepared = program.prepare(settings, known)
    control_key = known.control_key or secrets.token_urlsafe(30)
    write_secrets(
        settings.data_directory,
        Secrets(control_key, prepared.admin_client_secret, prepared.adapter_client_secret),
    )
    return prepared, control_key


def _environment(
    settings: Settings, certificates: CertificateFiles, prepared: Prepared, control_key: str
) -> Environment:
    return Environment(
        url=settings.url,
        authority=f"{settings.url}/{prepared.tenant_id}",
        tenant_id=prepared.tenant_id,
        organization_id=prepared.organization_id,
        ca_bundle=str(certificates.ca_bundle),
        admin=Application(prepared.admin_client_id, prepared.admin_client_secret),
        adapter=Application(str(ADAPTER_CLIENT_ID), prepared.adapter_client_secret),
        control_key=control_key,
    )
