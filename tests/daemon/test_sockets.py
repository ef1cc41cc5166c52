from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys

import pytest

from rlmc.daemon.sockets import hold, listen


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


linux = pytest.mark.skipif(sys.platform != "linux", reason="only there a port can be held")


@linux
def test_a_port_that_is_held_is_the_daemons_and_nobody_elses() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        holder = hold(port)
        assert holder is not None
        reaches(first, port)
        with pytest.raises(OSError, match="in use"):
            listen(port)
    with holder:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port))
        with listen(port) as again:
            for _ in range(50):
                reaches(again, port)
            with pytest.raises(OSError, match="in use"):
                listen(port)
            more = hold(port)
            assert more is not None
            more.close()
    with listen(port) as free:
        reaches(free, port)


@linux
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_a_port_that_is_held_is_kept_from_other_users() -> None:
    code = """
import os, socket, sys
os.setuid(12345)
for host, family in (("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET)):
    for options in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEPORT,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
        taken = socket.socket(family)
        for option in options:
            taken.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            taken.bind((host, int(sys.argv[1])))
            taken.listen()
            print("got", host, options)
        except OSError:
            pass
        taken.close()
"""
    with listen(0) as first:
        port = first.getsockname()[1]
        holder = hold(port)
        assert holder is not None
    with holder:
        ran = subprocess.run([sys.executable, "-c", code, str(port)], capture_output=True, text=True, timeout=60)
        assert (ran.stdout, ran.stderr) == ("", "")
    ran = subprocess.run([sys.executable, "-c", code, str(port)], capture_output=True, text=True, timeout=60)
    assert ran.stdout.count("got") == 8, "it can where nobody holds it"


def reaches(listener: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        listener.setblocking(True)
        served, _ = listener.accept()
        with served:
            served.sendall(b"x")
            assert client.recv(1) == b"x"
