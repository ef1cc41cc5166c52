"""`python -m tests.studies.kills`: the daemon is killed again and again under agents at work; is anything lost?

Several agents talk through sessions of their own, each kept alive as `rlmc run` keeps it, while the daemon gets SIGKILL
at moments drawn at random: at any time, in the instant an agent has its answer, while rows are committed, while a
session ends, while it starts, twice in a row. An agent tries again as agents do. At the end every whole answer an agent
got must have exactly one row, the database must be sound, and every agent must have gone on. Nothing but loopback; the
models are fakes. The seed draws the moments; what is under way at them is as the machine has it.

Exit code 0 when nothing was lost, 1 when something was.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import logging
import os
import random
import secrets
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fake_openai import FakeOpenAi
from tests.support.fake_upstream import FakeUpstream
from tests.support.mixed_session import conversation, drafts, verify
from tests.support.speaking import Saying
from tests.support.wire_client import KEY_HEADERS, send

from rlmc.daemon import control
from rlmc.daemon.control import Registration
from rlmc.daemon.keeper import SessionKeeper
from rlmc.daemon.lifecycle import PortWish, ensure_running, stop
from rlmc.daemon.state import daemon_lock
from rlmc.errors import DaemonError

MODEL = "claude-opus-5-5"
_PATIENCE_SECONDS = 90.0
_CONFIG = """\
draft-model = "local/haiku"
audits = "off"
idle-timeout = 600
draft-breaker = 0

[upstream.anthropic]
base-url = "{verify}"

[upstream.openai]
base-url = "{openai}"

[upstream.local]
base-url = "{draft}"
"""
_PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}


@dataclass
class Agent:
    """Plays turns until told to stop. `answered` are the conversations it has a whole answer of."""

    number: int
    answered: list[str] = field(default_factory=list)
    sessions: int = 0
    tries: int = 0
    broken: int = 0
    gave_up: str | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    news: threading.Event = field(default_factory=threading.Event)
    change: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.protocol = ("anthropic", "anthropic", "chat", "anthropic", "responses", "anthropic")[self.number % 6]

    def run(self) -> None:
        turn = 0
        try:
            while self._goes_on() and self._begin():
                while self._goes_on() and not self.change.is_set():
                    self._turn(turn % 24)
                    turn += 1
                self._end()
        except Exception as error:  # whatever it is, this agent does not go on
            self.gave_up = f"turn {turn}: {error!r}"

    def answers_once_more(self) -> None:
        """Waits for the next whole answer it gets, or for its end."""
        self.news.clear()
        while self.gave_up is None and not self.news.wait(0.2):
            pass

    def ends_its_session(self) -> None:
        """Waits until it is about to end its session for a new one, or for its own end."""
        self.ending.clear()
        self.change.set()
        while self.gave_up is None and not self.ending.wait(0.2):
            pass

    def _goes_on(self) -> bool:
        return not self.stopping.is_set() and self.gave_up is None

    def _begin(self) -> bool:
        """A session of its own, as `rlmc run` opens one."""
        policy = "verify-only" if self.protocol != "anthropic" else ("balanced", "economy", "paper")[self.number % 3]
        self.token = secrets.token_urlsafe(24)
        deadline, why = time.monotonic() + _PATIENCE_SECONDS, ""
        while self._goes_on() and time.monotonic() < deadline:
            registration = Registration(
                id=secrets.token_hex(8),
                token=self.token,
                client="kills",
                overrides={"policy": policy},
                protocol=self.protocol,
            )
            try:
                endpoint = ensure_running(PortWish()).endpoint
                self.keeper = SessionKeeper(endpoint, registration)
                control.register_session(endpoint, registration)
                self.keeper.start()
            except DaemonError as error:
                why = error.message
                continue
            self.id = registration.id
            self.base_url = f"http://127.0.0.1:{endpoint.port}/s/{self.token}"
            self.sessions += 1
            return True
        if not self.stopping.is_set():
            self.gave_up = f"no session: {why}"
        return False

    def _end(self) -> None:
        self.keeper.stop()
        self.change.clear()
        self.ending.set()
        with suppress(DaemonError):
            control.end_session(self.keeper.endpoint, self.id)

    def _turn(self, turn: int) -> None:
        body, headers = self._request(turn)
        deadline, pause, why = time.monotonic() + _PATIENCE_SECONDS, 0.05, "nothing"
        while time.monotonic() < deadline:
            # A name of its own for each try: whatever row there is tells which one it is of.
            name = secrets.token_hex(8)
            self.tries += 1
            try:
                got = send(self.base_url, body, _PATHS[self.protocol], headers=headers | {"x-session-id": name})
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
                self.broken += isinstance(error, http.client.IncompleteRead)
            else:
                if got.status == 200 and _is_whole(self.protocol, bool(body.get("stream")), got.body):
                    self.answered.append(self._key(name, str(body["model"])))
                    self.news.set()
                    return
                why = f"status {got.status}"
                if got.status in (400, 401, 403, 404):
                    # No agent tries again after these.
                    self.gave_up = f"turn {turn}: {why} {got.body[:200]!r}"
                    return
            if self.stopping.is_set() or self.change.is_set():
                return
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        self.gave_up = f"turn {turn}: no answer within {_PATIENCE_SECONDS:.0f} s ({why})"

    def _key(self, name: str, model: str) -> str:
        """The ledger's name for a conversation of an agent that names its own: a digest under the session's key."""
        key = hashlib.blake2b(self.token.encode(), digest_size=32, person=b"rlmc prefixes").digest()
        side = "" if self.protocol == "anthropic" else "side:"
        said = f"{name}\0\0{side}\0{model}".encode()
        return hashlib.blake2b(said, key=key, digest_size=8, person=b"rlmc threads").hexdigest()

    def _request(self, turn: int) -> tuple[dict[str, Any], dict[str, str]]:
        if self.protocol == "anthropic":
            return conversation(turn), KEY_HEADERS
        text = f"Turn {turn}: what is to be done?"
        body: dict[str, Any] = {"model": "gpt-x", "stream": turn % 2 == 0, "tools": []}
        if self.protocol == "chat":
            body |= {"messages": [{"role": "user", "content": text}], "stream_options": {"include_usage": True}}
        else:
            body |= {"input": text, "store": False}
        return body, {"authorization": "Bearer sk-openai-0000", "content-type": "application/json"}


def _is_whole(protocol: str, stream: bool, answer: bytes) -> bool:
    if not stream:
        with suppress(ValueError):
            return isinstance(json.loads(answer), dict)
        return False
    last = {"anthropic": b"message_stop", "chat": b"[DONE]", "responses": b"response.completed"}[protocol]
    return last in answer


@dataclass
class Outcome:
    kills: Counter[str]
    sessions: int
    answers: int
    tries: int
    broken: int
    kinds: dict[str, int]
    missing: int
    doubled: int
    unpriced: int
    damaged: list[str]
    gave_up: list[str]
    seconds: float

    @property
    def lost(self) -> bool:
        return bool(self.missing or self.doubled or self.damaged or self.gave_up)

    def lines(self) -> list[str]:
        how = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        return [
            f"{self.kills.total()} kills in {self.seconds:.0f} s ({how})",
            f"{self.answers} whole answers from {self.tries} requests in {self.sessions} sessions",
            f"answers that broke off: {self.broken}",
            "rows: " + ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items())),
            f"finished turns missing from the ledger: {self.missing}; there twice: {self.doubled}",
            f"rows without a price, as they ended before prices were loaded: {self.unpriced}",
            f"databases damaged: {len(self.damaged)} {self.damaged or ''}",
            f"sessions that could not go on: {len(self.gave_up)} {self.gave_up or ''}",
        ]


def study(kills: int, sessions: int, seed: int) -> Outcome:
    """In a folder of its own; the environment's folders must be set to it already."""
    chance, started = random.Random(seed), time.monotonic()  # a study, not a secret
    with ExitStack() as stack:
        _configure(stack)
        ensure_running(PortWish())
        stack.callback(lambda: stop(force=True))
        agents = [Agent(number) for number in range(sessions)]
        threads = [threading.Thread(target=one.run, name=f"agent-{one.number}") for one in agents]
        for thread in threads:
            thread.start()
        try:
            counted = _kill_again_and_again(kills, agents, chance)
            for one in agents:
                one.answers_once_more()
        finally:
            for one in agents:
                one.stopping.set()
            for thread in threads:
                thread.join()
    return _look(agents, counted, time.monotonic() - started)


def _configure(stack: ExitStack) -> None:
    up = stack.enter_context(FakeUpstream(lambda body, n: verify(body, n)))
    cheap = stack.enter_context(FakeUpstream(drafts))
    openai = stack.enter_context(FakeOpenAi(lambda _ask: Saying("Words of OpenAI's kind. " * 20)))
    file = Path(os.environ["RLMC_CONFIG_DIR"]) / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_CONFIG.format(verify=up.url, draft=cheap.url, openai=openai.url))


def _kill_again_and_again(kills: int, agents: list[Agent], chance: random.Random) -> Counter[str]:
    counted: Counter[str] = Counter()
    while counted.total() < kills and not any(one.gave_up for one in agents):
        [how] = chance.choices(("any time", "an answer", "a commit", "an end", "a start", "twice"), (4, 3, 2, 1, 1, 1))
        one, moment = chance.choice(agents), chance.random()
        if how == "an end":
            one.ends_its_session()
            time.sleep(moment * 0.1)
        else:
            one.answers_once_more()
        if how == "any time":
            time.sleep(moment * 0.5)
        elif how == "a commit":
            _until(_rows_wait)
            time.sleep(moment * 0.005)
        counted[how] += _kill()
        if how in ("a start", "twice"):
            _until(daemon_lock().held)
            time.sleep(moment * 0.6 if how == "a start" else 0.0)
            counted[how] += _kill()
    return counted


def _rows_wait() -> bool:
    """Whether a row is in the journal, and so about to be committed."""
    with suppress(OSError):
        return Path(os.environ["RLMC_DATA_DIR"], "ledger.pending").stat().st_size > 0
    return False


def _until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not look() and time.monotonic() < deadline:
        time.sleep(0.001)


def _kill() -> bool:
    """Whether there was somebody to kill. Gone when this returns."""
    lock = daemon_lock()
    holder = lock.holder()
    if holder is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(holder, signal.SIGKILL)
    _until(lambda: lock.holder() != holder)
    return True


def _look(agents: list[Agent], kills: Counter[str], seconds: float) -> Outcome:
    data = Path(os.environ["RLMC_DATA_DIR"])
    damaged = [path.name for path in data.iterdir() if ".corrupt-" in path.name]
    with closing(sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True)) as db:
        [(sound,)] = db.execute("PRAGMA integrity_check(1)")
        damaged += [sound] if sound != "ok" else []
        rows: Mapping[str, int] = dict(
            db.execute("SELECT conversation, count(*) FROM turns WHERE ending = 'complete' GROUP BY 1")
        )
        kinds = dict(db.execute("SELECT outcome || ' (' || ending || ')', count(*) FROM turns GROUP BY 1"))
        [(unpriced,)] = db.execute(
            "SELECT count(*) FROM calls WHERE cost IS NULL AND input > 0 AND provider = 'anthropic'"
        )
    answered = [key for one in agents for key in one.answered]
    return Outcome(
        kills=kills,
        sessions=sum(one.sessions for one in agents),
        answers=len(answered),
        tries=sum(one.tries for one in agents),
        broken=sum(one.broken for one in agents),
        kinds=kinds,
        missing=sum(key not in rows for key in answered),
        doubled=sum(rows.get(key, 0) > 1 for key in answered),
        unpriced=unpriced,
        damaged=damaged,
        gave_up=[f"agent {one.number} ({one.protocol}) {one.gave_up}" for one in agents if one.gave_up],
        seconds=seconds,
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.studies.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    # That their client is gone is what this is about.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="rlmc-kills-") as folder:
        for name in [name for name in os.environ if name.startswith("RLMC_")]:
            del os.environ[name]
        os.environ |= {f"RLMC_{name}_DIR": str(Path(folder, name.lower())) for name in ("CONFIG", "DATA", "STATE")}
        found = study(options.kills, options.sessions, options.seed)
    print("\n".join(found.lines()))
    return 1 if found.lost else 0


if __name__ == "__main__":
    sys.exit(main())
