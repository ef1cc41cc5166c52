"""Turns played through the daemon while the page is looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live, LiveSession
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import send


@contextmanager
def playing(live: Live, **options: Any) -> Iterator[LiveSession]:
    """A session of an agent on a fake provider, begun when the prices are there, so that every turn is decided with
    them. It is ended by whoever wants it ended."""
    deadline = time.monotonic() + 20
    while live.daemon.books.prices is None:
        assert time.monotonic() < deadline, "no prices"
        time.sleep(0.01)
    with FakeUpstream(script, prices=PRICES) as up:
        yield live.open_session(overrides={"upstream.anthropic.base-url": up.url}, client="claude", **options)


def play(session: LiveSession, first: int, last: int) -> None:
    for turn in range(first, last):
        got = send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        assert got.status == 200, got.body
