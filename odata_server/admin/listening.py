"""The port of a server: bound by this process before anything else happens, and never shared with another server.

Granian on Linux would let every worker bind the port by itself with SO_REUSEPORT, and so would a second server:
requests would reach the one or the other by chance. One socket for all workers is no way out either: the kernel hands
nearly all its connections to the worker that slept last. So:

    first socket   bound and listening without SO_REUSEPORT: fails when anybody listens on the port; ours from now on
    further ones   SO_REUSEPORT, which the first has only now: one socket per worker, connections spread evenly

The sockets stay open here, so that connections wait for a worker that starts, and for one that is started again.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from typing import Final

BACKLOG: Final = 1024
# The workers of a server that was killed need a moment to notice and to let go of the port.
_PATIENCE: Final = 1.0
_PAUSE: Final = 0.05


class PortUnavailableError(Exception):
    """The port cannot be listened on; one line that says why and what to do."""


def listen(host: str, port: int, workers: int) -> tuple[socket.socket, ...]:
    """Return one listening socket per worker, all on one port; port 0 picks a free one.

    Where the system does not spread connections over sockets, there is one socket for all workers.

    Raises:
        PortUnavailableError: the port is busy or not allowed, or the address is not one of this machine.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            first = _listening(host, port, shared=False)
            break
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise _unavailable(host, port, error) from error
            time.sleep(_PAUSE)
    if workers == 1 or sys.platform != "linux":
        return (first,)
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound = first.getsockname()[1]
    return (first, *(_listening(host, bound, shared=True) for _ in range(workers - 1)))


def _listening(host: str, port: int, *, shared: bool) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Connections of an earlier server may linger; a port that is listened on is refused nevertheless.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. Head and body of an answer are two writes: with Nagle's algorithm the body would wait
        # for the acknowledgement of the head, which a client delays by 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _unavailable(host: str, port: int, error: OSError) -> PortUnavailableError:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return PortUnavailableError(f"{host} is not an address of this machine: give another one with --host")
    if error.errno == errno.EACCES:
        return PortUnavailableError(
            f"port {port} needs more rights than you have: choose a port above 1023 with --port"
        )
    if error.errno == errno.EADDRINUSE:
        return PortUnavailableError(
            f"port {port} on {host} is busy: choose another one with --port, or --port 0 for any"
        )
    return PortUnavailableError(f"{host}:{port} cannot be listened on ({error.strerror}): choose another --port")
