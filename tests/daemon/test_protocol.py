"""Lines an agent keeps open: closed when nobody uses them, and never under a request that has been sent."""

from __future__ import annotations

import http.client
import time

import pytest
from tests.support.live import Live


def line(live: Live) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=10)
    connection.connect()
    connection.auto_open = 0
    ask(connection)
    return connection


def ask(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/nothing")
    response = connection.getresponse()
    response.read()
    assert response.status == 404


def run_out(live: Live, *, after: float) -> None:
    """The loop is busy for a while, and then the time of every idle line is over."""

    def stall() -> None:
        time.sleep(after)
        now = live.loop.time()
        for one in list(live.listener.lines):
            for seconds in (0, 1):  # however often it is looked at before the loop comes to read
                one.expire(now + seconds)
            live.listener.watch(now + 0.2)

    live.loop.call_soon_threadsafe(stall)


def test_a_request_that_lies_unread_keeps_its_line_open(live: Live) -> None:
    connection = line(live)
    run_out(live, after=0.4)
    time.sleep(0.1)
    ask(connection)
    ask(connection)
    connection.close()


def test_a_line_nobody_uses_is_closed(live: Live) -> None:
    connection = line(live)
    run_out(live, after=0.0)
    time.sleep(0.6)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(connection)
    connection.close()
