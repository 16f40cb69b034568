"""Worker processes: granian over sockets that are listening already, and how each worker begins and ends."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any, Final

import requests
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from integration.transport import open_session
from odata_server.admin.certificates import CertificateFiles
from odata_server.admin.listening import BACKLOG
from odata_server.admin.logs import configure_logs, server_log_configuration
from odata_server.settings import Settings

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_START_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.01
_FINISH_SECONDS: Final = 30

WsgiApplication = Callable[..., Any]


class StartError(Exception):
    """The server could not start; one line that says why and what to do."""


def load_worker(build: Callable[[Settings], WsgiApplication], settings: Settings) -> WsgiApplication:
    """Begin a worker process: make it end with its parent, and build its application.

    Until granian takes the signals over, a stop signal ends the process at once: it has no request yet. A process
    group of its own keeps a terminal's Ctrl-C from reaching workers before the parent can end them in order.
    """
    os.setpgid(0, 0)
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    configure_logs(settings.log_level)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    application = build(settings)
    # Definitions and code stay as long as the process: looking through them for garbage, again and again, finds none.
    gc.collect()
    gc.freeze()
    return application


def _end_with_parent() -> None:
    """Stop this worker when the process that started it is gone, however it ended."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


class WorkerServer(MPServer):
    """Granian over a socket that is listening already, with an announcement as soon as requests are answered.

    A worker that dies is started again; one that dies again at once ends the server with exit status 1.
    """

    def __init__(
        self,
        settings: Settings,
        certificates: CertificateFiles,
        listeners: Sequence[socket.socket],
        ready: Callable[[], None],
    ) -> None:
        super().__init__(
            "talentverse",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            # One thread of Python per worker: more only take turns (ADR 0017).
            blocking_threads=1,
            http=HTTPModes.auto,
            websockets=False,
            backlog=BACKLOG,
            log_level=LogLevels(settings.log_level),
            log_dictconfig=server_log_configuration(settings.log_level),
            ssl_cert=None if settings.plain_http else certificates.server_certificate,
            ssl_key=None if settings.plain_http else certificates.server_key,
            ssl_protocol_min=SSLProtocols.tls12,
            respawn_failed_workers=True,
            workers_kill_timeout=_FINISH_SECONDS,
        )
        self._settings = settings
        self._ca_bundle = str(certificates.ca_bundle)
        self._listeners = listeners
        self._ready = ready
        self._outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

    def run(self, load: Callable[[], WsgiApplication]) -> int:
        """Serve until a signal comes; return the exit status.

        Raises:
            StartError: the workers did not come up.
        """
        try:
            self.serve(target_loader=load, wrap_loader=False)
        except SystemExit as end:
            # A worker that ends a moment before the parent stops it counts as lost there, but the end was wanted.
            return 0 if self.interrupt_signal else int(end.code or 0)
        return 0

    def startup(self, *arguments: object) -> None:
        """Start the workers, then wait until they answer."""
        # A stop signal must not reach a worker between its fork and its own handlers: it would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        super().startup(*arguments)  # type: ignore[no-untyped-call]  # granian's is not annotated
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        if self._answers():
            self._ready()
        elif not self.interrupt_signal:
            self._drop_shared_socket()
            self._stop_workers()
            raise StartError("the server did not start; the lines above say why (more with --log-level debug)")

    def _answers(self) -> bool:
        """Ask /health until it answers 200; False when a worker died, a stop signal came or time is up."""
        until = threading.Event()
        timer = threading.Timer(_START_SECONDS, until.set)
        timer.daemon = True
        timer.start()
        try:
            with open_session(self._settings.url, self._ca_bundle) as session:
                # The way to oneself leads through no proxy.
                session.proxies.clear()
                while not until.is_set() and not self.main_loop_interrupt.wait(_POLL_SECONDS):
                    try:
                        if session.get(f"{self._settings.url}/health", timeout=5.0).ok:
                            return True
                    except requests.RequestException:
                        continue
            return False
        finally:
            timer.cancel()

    def signal_handler_reload(self, *_: object) -> None:
        """End when the terminal goes away (SIGHUP), unless started with nohup; granian would start its workers anew."""
        if not self._outlives_terminal:
            self.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian's is not annotated

    def _init_shared_socket(self) -> None:
        """Do nothing: the sockets are listening already, and no worker may bind the port by itself."""
        self._ssp = None

    def _spawn_worker(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - granian's is not annotated
        """Give the worker, and later the one that replaces it, the socket of its number."""
        listener = self._listeners[named["idx"] % len(self._listeners)]
        self._sso = listener
        self._shd: Any = SocketHolder(*_holder_arguments(listener))
        return super()._spawn_worker(*arguments, **named)

    def _stop_workers(self) -> None:
        """Let every worker finish its requests; one that does not within the time is killed.

        Granian's own method may take a worker for alive that its watching thread has just reaped.
        """
        for worker in self.wrks:
            worker.terminate()  # type: ignore[no-untyped-call]  # granian's is not annotated
        until = time.monotonic() + _FINISH_SECONDS
        for worker in self.wrks:
            if not wait([worker.inner.sentinel], max(0.0, until - time.monotonic())):
                worker.kill()  # type: ignore[no-untyped-call]  # granian's is not annotated
                wait([worker.inner.sentinel])
        self.wrks.clear()

    def _drop_shared_socket(self) -> None:
        """Take no more connections from now on."""
        for listener in self._listeners:
            listener.close()


def _holder_arguments(listener: socket.socket) -> tuple[Any, ...]:
    """Return descriptor, whether it is a Unix socket, and backlog: the state that granian's holder is pickled as."""
    return listener.fileno(), False, BACKLOG
