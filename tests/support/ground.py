"""An agent at work by `rlmc run`, and what happens to the ground under it: sleep, and a port that answers again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.daemons import eventually

from rlmc.daemon.state import daemon_lock

_RELAY = """\
import asyncio, sys
async def pump(r, w):
    try:
        while data := await r.read(65536):
            w.write(data)
            await w.drain()
    except OSError: pass
    finally: w.close()
async def one(r, w):
    r2, w2 = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    await asyncio.gather(pump(r, w2), pump(r2, w))
async def main():
    server = await asyncio.start_server(one, "127.0.0.1", int(sys.argv[1]))
    print("listens", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def at_work(folder: Path, env: Mapping[str, str], *argv: str) -> Iterator[Any]:
    child = subprocess.Popen(
        [sys.executable, "-m", "rlmc", "run", "--", *argv],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with child:
        try:
            yield child
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


@contextmanager
def asleep(run: int, seconds: float) -> Iterator[int]:
    """The daemon, `rlmc run` and all it has started stand still; the body is executed when they have for so long. The
    daemon's pid."""
    daemon = eventually(daemon_lock().holder)
    stopped = [daemon, *_descendants(run)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        yield daemon
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextmanager
def forwarded(port: int, to: int) -> Iterator[None]:
    """A little relay, so that something answers again where nothing did."""
    with subprocess.Popen(
        [sys.executable, "-c", _RELAY, str(port), str(to)], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "listens\n"
            yield
        finally:
            child.kill()
