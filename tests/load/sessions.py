"""`python -m tests.load.sessions`: what a session costs the daemon when there are ten thousand of them.

Rule: what is told is how a figure grows with their number; its height belongs to the machine.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import process
from tests.bench.daemon import DRAFT_MODEL, Daemon
from tests.bench.process import HOST

from rlmc.daemon.control import Registration, end_session, register_session

_STEPS = 10
_LOOKS = 9
_ENDED = 100


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.sessions", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="how many sessions (10000)")
    count = parser.parse_args(arguments).count
    why_not = process.unsupported()
    if why_not is not None:
        print(why_not, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="rlmc-sessions-") as folder:
        daemon = Daemon(Path(folder) / "rlmc", upstream=9, draft_upstream=9)
        try:
            daemon.wait()
            _measure(daemon, count)
        finally:
            daemon.process.stop()
    return 0


def _measure(daemon: Daemon, count: int) -> None:
    print(f"{'sessions':>9}{'register ms':>13}{'look-up ms':>12}{'status ms':>11}{'memory MB':>11}", flush=True)
    ids: list[str] = []
    for _ in range(_STEPS):
        began = time.perf_counter()
        for number in range(count // _STEPS):
            ids.append(secrets.token_hex(8))
            overrides = {"draft-model": DRAFT_MODEL} if number % 2 else {}
            wanted = Registration(ids[-1], secrets.token_urlsafe(24), "load", overrides=overrides)
            register_session(daemon.endpoint, wanted)
        register = (time.perf_counter() - began) * 1000 / (count // _STEPS)
        unknown = min(_timed(lambda: _get(daemon, "/s/nobody/v1/models")) for _ in range(_LOOKS))
        status = min(_timed(lambda: _get(daemon, "/-/status")) for _ in range(_LOOKS))
        memory = daemon.process.memory_mb()
        print(f"{len(ids):9}{register:13.2f}{unknown:12.2f}{status:11.1f}{memory:11.1f}", flush=True)
    reload = _timed(lambda: _get(daemon, "/-/reload", "POST"))
    ended = ids[:_ENDED]
    end = _timed(lambda: [end_session(daemon.endpoint, id) for id in ended]) / len(ended)
    print(f"a change of the configuration: {reload:.1f} ms; the end of one: {end:.2f} ms")


def _get(daemon: Daemon, path: str, method: str = "GET") -> None:
    connection = http.client.HTTPConnection(HOST, daemon.port, timeout=60)
    headers = {"authorization": f"Bearer {daemon.endpoint.control_token}", "content-type": "application/json"}
    try:
        connection.request(method, path, headers=headers if path.startswith("/-/") else {})
        connection.getresponse().read()
    finally:
        connection.close()


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
