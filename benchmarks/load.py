"""The benchmark's own load generator: `python -m benchmarks.load`, one process, keep-alive connections, raw sockets.

It sends prepared requests one after another on each connection, never two at once on one, and prints one JSON object.
It stays lean (about 15 microseconds a request) so that the server is what is measured; `busy` says how much of its
processor it needed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

SEPARATOR: Final = b"\x00"
"""Stands between two requests in a file of requests."""

_LENGTH: Final = b"\r\ncontent-length:"
_CHUNKED: Final = b"\r\ntransfer-encoding:"
_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a measurement gave: rate and latencies of good answers, and how busy the generator was (0 to 1)."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int
    busy: float


@dataclass(slots=True)
class _Connection:
    """One connection: its socket, when its request was sent, and what has come of the answer."""

    socket: socket.socket
    sent: float = 0.0
    received: bytes = b""

    def send(self, request: bytes) -> None:
        """Send the next request; it is short enough to leave at once."""
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """Read what has come; return the status when the answer is complete."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the server closed a connection")
        received = self.received = self.received + chunk if self.received else chunk
        end = received.find(b"\r\n\r\n")
        if end < 0 or len(received) < end + 4 + _body_length(received[:end]):
            return None
        self.received = b""
        return received[9:12]


def _body_length(head: bytes) -> int:
    """Return the length of the body that the head of an answer announces."""
    lowered = head.lower()
    start = lowered.find(_LENGTH)
    if start >= 0:
        return int(lowered[start + len(_LENGTH) :].partition(b"\r\n")[0])
    if lowered.find(_CHUNKED) >= 0:
        raise ValueError("chunked answers are not understood")
    return 0


@dataclass(slots=True)
class _Tally:
    """What is counted after the warm-up."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0

    def count(self, status: bytes, latency: float) -> None:
        if status[:1] == b"2":
            self.latencies.append(latency)
        else:
            self.refused += 1


def measure(address: tuple[str, int], requests: list[bytes], *, connections: int, seconds: float) -> Measurement:
    """Load a server and return what it did.

    Args:
        address: host and port.
        requests: complete HTTP requests, sent in this order again and again.
        connections: how many requests are under way at any time.
        seconds: how long to measure, after a warm-up of a tenth of it.

    Raises:
        ConnectionError: the server closed a connection.
    """
    following = itertools.cycle(requests)
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for _ in range(connections):
            connection = _Connection(stack.enter_context(socket.create_connection(address)))
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(following))
        _run(selector, following, _Tally(), seconds / 10)
        tally = _Tally()
        begun, worked = time.perf_counter(), time.process_time()
        _run(selector, following, tally, seconds)
        elapsed, worked = time.perf_counter() - begun, time.process_time() - worked
    times = sorted(tally.latencies) or [0.0]
    return Measurement(
        per_second=len(tally.latencies) / elapsed,
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[len(times) * 99 // 100],
        refused=tally.refused,
        busy=worked / elapsed,
    )


def _run(selector: selectors.BaseSelector, following: Iterator[bytes], tally: _Tally, seconds: float) -> None:
    clock = time.perf_counter
    until = clock() + seconds
    while clock() < until:
        for key, _ in selector.select(0.1):
            connection: _Connection = key.data
            status = connection.answer()
            if status is not None:
                tally.count(status, clock() - connection.sent)
                connection.send(next(following))


def main(arguments: list[str]) -> None:
    """Measure as the command line says and print the result as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True, help="complete requests with a zero byte between them")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0)
    told = parser.parse_args(arguments)
    requests = told.requests.read_bytes().split(SEPARATOR)
    found = measure(("127.0.0.1", told.port), requests, connections=told.connections, seconds=told.seconds)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
