"""The sockets that a server listens on."""

import socket

import pytest

from odata_server.admin.listening import listen


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_do_not_wait_for_acknowledgements(workers: int):
    listeners = listen("127.0.0.1", 0, workers)
    try:
        for listener in listeners:
            assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    finally:
        for listener in listeners:
            listener.close()
