"""What a ledger of many gigabytes costs: a daemon's start, its first turn, readings, and taking sessions out again.

    python -m tests.studies.large_ledger [--gib 5] [--sessions 10000] [--folder FOLDER] [--keep]

Makes a ledger of that size (contents that do not compress, as with log-content), lives with it as a user does, in
folders of its own, and prints a line for each figure. Nothing of a turn may wait for the file's size.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.books import call, session, turn
from tests.support.command_line import Rlmc

from rlmc.ledger import retention
from rlmc.ledger.files import connect
from rlmc.ledger.retention import DAY, Caps
from rlmc.ledger.rows import turn_rows, write_session, write_turns
from rlmc.ledger.store import Ledger

GIB = 1 << 30
TURNS = 20  # of each session
WAITING = "import os, sys; print(os.environ['ANTHROPIC_BASE_URL'], flush=True); sys.stdin.read()"
SIMULATED = ("--draft-model", "sim/draft", "--verify-model", "sim/verify", "--policy", "draft-only")
BODY = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Say hello."}]}


def make(path: Path, size: int, sessions: int) -> None:
    """Evenly over the last 300 days; the room that rows leave is filled with contents."""
    chance = random.Random(1)
    now = time.time_ns() // 1000
    each = size // (sessions * TURNS)
    with closing(connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        for number in range(sessions):
            began = now - 300 * DAY + 300 * DAY * number // sessions
            db.execute("BEGIN")
            write_session(db, session(f"s{number:06}", started_at=began))
            for at in range(TURNS):
                body = chance.randbytes(max(0, each - 1500))
                one = turn(
                    call("draft"), call(), session=f"s{number:06}", at=began + at * 60_000_000, request_body=body
                )
                write_turns(db, [turn_rows(one)])
            db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def timed(what: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    told = work()
    print(f"{what:<58} {time.monotonic() - began:8.3f} s  {told if isinstance(told, str) else ''}", flush=True)


def one_turn(base_url: str) -> float:
    url = urlsplit(base_url)
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=60)
    headers = {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"}
    began = time.monotonic()
    try:
        connection.request("POST", f"{url.path}/v1/messages", json.dumps(BODY), headers)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise SystemExit(f"a turn was answered by {response.status}")
    finally:
        connection.close()
    return time.monotonic() - began


def lines(ran: subprocess.CompletedProcess[str]) -> str:
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return f"{len(ran.stdout.splitlines())} lines"


def live(rlmc: Rlmc) -> None:
    timed("rlmc start", lambda: lines(rlmc("start")))
    agent = rlmc.start("run", *SIMULATED, "--", sys.executable, "-c", WAITING, stdin=subprocess.PIPE)
    assert agent.stdout is not None
    base_url = agent.stdout.readline().strip()
    timed("the first turn", lambda: f"{one_turn(base_url) * 1000:.0f} ms")
    latencies: list[float] = []
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            latencies.append(one_turn(base_url))

    worker = threading.Thread(target=work)
    worker.start()
    commands = (("stats", "--today"), ("stats", "--all"), ("sessions",), ("sessions", "--all"), ("turns",), ("status",))
    for command in commands:
        timed(f"rlmc {' '.join(command)}, turns going on", lambda command=command: lines(rlmc(*command)))  # type: ignore[misc]
    done.set()
    worker.join()
    ordered = sorted(latencies)
    print(f"{'turns meanwhile':<58} {len(ordered):8}    median {ordered[len(ordered) // 2] * 1000:.1f} ms, "
          f"longest {ordered[-1] * 1000:.1f} ms")  # fmt: skip
    agent.communicate("", timeout=60)
    timed("rlmc stop", lambda: lines(rlmc("stop")))


def tidy(path: Path, size: int) -> None:
    """In the writer's thread, one step at a time; rows that come in between are what would wait."""
    with closing(connect(path)) as db:
        timed("ages of all sessions", lambda: f"{len(retention.ages(db))} sessions")
    ledger, waits = Ledger.open(path), []
    before = sum(1 for _ in _sessions(path))
    ledger.start_session(session("now", started_at=time.time_ns() // 1000))
    ledger.keep_within(Caps(0, size * 9 // 10), lambda: {"now"})
    began, quiet = time.monotonic(), 0
    while quiet < 50 and time.monotonic() - began < 600:
        at = time.monotonic()
        ledger.record(turn(session="now", at=time.time_ns() // 1000))
        if not ledger.flush(120):
            raise SystemExit(f"a row waited for two minutes: {ledger.error}")
        waits.append(time.monotonic() - at)
        quiet = quiet + 1 if ledger._steps is None else 0
    gone = before + 1 - sum(1 for _ in _sessions(path))
    took = time.monotonic() - began
    ledger.close()
    waits.sort()
    print(f"{'a tenth of it taken out':<58} {took:8.3f} s  {gone} sessions; a row was written within "
          f"{waits[len(waits) // 2] * 1000:.1f} ms (median), {waits[-1] * 1000:.1f} ms (longest)")  # fmt: skip


def _sessions(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute("SELECT id FROM sessions").fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--gib", type=float, default=5.0)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=None, help="where; default: a temporary folder")
    parser.add_argument("--keep", action="store_true", help="leave the ledger there")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="rlmc-large-"))
    for name in ("CONFIG", "DATA", "STATE"):
        os.environ[f"RLMC_{name}_DIR"] = str(folder / name.lower())
    os.environ["RLMC_AUDITS"] = "off"
    path, size = folder / "data" / "ledger.db", round(options.gib * GIB)
    (folder / "home").mkdir(parents=True, exist_ok=True)
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "config.toml").write_text('[ledger]\nmax-size = "900GiB"\n')
    if shutil.disk_usage(folder).free < 2 * size:
        raise SystemExit(f"{folder} has no room for twice {options.gib} GiB")
    rlmc = Rlmc(folder / "home")
    try:
        if not path.exists():
            timed(f"made: {options.sessions:,} sessions of {TURNS} turns", lambda: make(path, size, options.sessions))
        print(f"the ledger has {path.stat().st_size / GIB:.2f} GiB", flush=True)
        live(rlmc)
        tidy(path, path.stat().st_size)
    finally:
        rlmc("stop", "--force")
        rlmc.close()
        if not options.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
