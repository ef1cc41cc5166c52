from __future__ import annotations

import errno
import socket

import pytest

from rlmc.daemon.sockets import listen


def test_only_loopback_listens_and_at_once() -> None:
    with listen(0) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        socket.create_connection((host, port), timeout=5).close()


def test_a_free_port_is_outside_what_kernels_lend_to_connections() -> None:
    for _ in range(20):
        with listen(0) as listener:
            assert 20_000 < listener.getsockname()[1] < 30_000


def test_a_taken_port_is_refused() -> None:
    with listen(0) as first, pytest.raises(OSError, match="in use") as refused:
        listen(first.getsockname()[1])
    assert refused.value.errno == errno.EADDRINUSE


def test_the_port_of_a_daemon_that_died_is_free_again_at_once() -> None:
    first = listen(0)
    port = first.getsockname()[1]
    client = socket.create_connection(("127.0.0.1", port))
    first.setblocking(True)
    served, _ = first.accept()
    served.close()  # the side that closes first keeps the port in TIME_WAIT
    first.close()
    client.close()
    with listen(port) as again:
        assert again.getsockname()[1] == port
