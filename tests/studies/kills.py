"""`python -m tests.studies.kills`: the daemon is killed again and again under agents at work; is anything lost?

Several agents talk through sessions of their own, each kept alive as `rlmc run` keeps it, while the daemon gets SIGKILL
at moments drawn at random: at any time, in the instant an agent has its answer, while it starts, twice in a row. An
agent tries again as agents do. At the end every whole answer an agent got must have exactly one row, the database must
be sound, and every agent must have gone on. Nothing but loopback; the models are fakes.

Exit code 0 when nothing was lost, 1 when something was.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
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
from collections.abc import Mapping
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
from rlmc.daemon.control import Endpoint, Registration
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
    protocol: str
    token: str
    base_url: str
    keeper: SessionKeeper
    answered: list[str] = field(default_factory=list)
    tries: int = 0
    gave_up: str | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    news: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        turn = 0
        while not self.stopping.is_set() and self.gave_up is None:
            self._turn(turn % 24)
            turn += 1

    def answers_once_more(self) -> None:
        """Waits for the next whole answer it gets, or for its end."""
        self.news.clear()
        while self.gave_up is None and not self.news.wait(0.2):
            pass

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
            if self.stopping.is_set():
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
    answers: int
    tries: int
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
            f"{self.answers} whole answers from {self.tries} requests",
            f"finished turns missing from the ledger: {self.missing}; there twice: {self.doubled}",
            f"rows without a price, as they ended before prices were loaded: {self.unpriced}",
            f"databases damaged: {len(self.damaged)} {self.damaged or ''}",
            f"sessions that could not go on: {len(self.gave_up)} {self.gave_up or ''}",
        ]


def study(kills: int, agents: int, seed: int) -> Outcome:
    """In a folder of its own; the environment's folders must be set to it already."""
    chance, started = random.Random(seed), time.monotonic()  # a study, not a secret
    with ExitStack() as stack:
        _configure(stack)
        endpoint = ensure_running(PortWish()).endpoint
        stack.callback(lambda: stop(force=True))
        found = [_agent(endpoint, number) for number in range(agents)]
        threads = [threading.Thread(target=one.run, name=f"agent-{one.number}") for one in found]
        for one, thread in zip(found, threads, strict=True):
            one.keeper.start()
            thread.start()
        try:
            counted = _kill_again_and_again(kills, found, chance)
            for one in found:
                one.answers_once_more()
        finally:
            for one in found:
                one.stopping.set()
            for thread in threads:
                thread.join()
        for one in found:
            one.keeper.stop()
            with suppress(DaemonError):
                control.end_session(one.keeper.endpoint, one.keeper._registration.id)
    return _look(found, counted, time.monotonic() - started)


def _configure(stack: ExitStack) -> None:
    up = stack.enter_context(FakeUpstream(lambda body, n: verify(body, n)))
    cheap = stack.enter_context(FakeUpstream(drafts))
    openai = stack.enter_context(FakeOpenAi(lambda _ask: Saying("Words of OpenAI's kind. " * 20)))
    file = Path(os.environ["RLMC_CONFIG_DIR"]) / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_CONFIG.format(verify=up.url, draft=cheap.url, openai=openai.url))


def _agent(endpoint: Endpoint, number: int) -> Agent:
    protocol = ("anthropic", "anthropic", "chat", "anthropic", "responses", "anthropic")[number % 6]
    policy = "verify-only" if protocol != "anthropic" else ("balanced", "economy", "paper")[number % 3]
    registration = Registration(
        id=secrets.token_hex(8),
        token=secrets.token_urlsafe(24),
        client="kills",
        overrides={"policy": policy},
        protocol=protocol,
    )
    control.register_session(endpoint, registration)
    base_url = f"http://127.0.0.1:{endpoint.port}/s/{registration.token}"
    return Agent(number, protocol, registration.token, base_url, SessionKeeper(endpoint, registration))


def _kill_again_and_again(kills: int, agents: list[Agent], chance: random.Random) -> Counter[str]:
    counted: Counter[str] = Counter()
    while counted.total() < kills and not any(one.gave_up for one in agents):
        how = chance.choices(("any-time", "at-an-answer", "at-start", "twice"), (5, 3, 1, 1))[0]
        if how == "at-start":
            _kill(wait_for_state=False)
            counted["before"] += 1
            _until_held()
            time.sleep(chance.uniform(0.0, 0.6))
        elif how == "at-an-answer":
            one = chance.choice(agents)
            one.answers_once_more()
        else:
            chance.choice(agents).answers_once_more()
            time.sleep(chance.uniform(0.0, 0.5))
        _kill(wait_for_state=how != "at-start")
        counted[how] += 1
        if how == "twice":
            _until_held()
            _kill(wait_for_state=False)
            counted[how] += 1
    return counted


def _until_held() -> None:
    lock, deadline = daemon_lock(), time.monotonic() + _PATIENCE_SECONDS
    while lock.holder() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def _kill(*, wait_for_state: bool) -> None:
    if wait_for_state:
        _until_held()
    holder = daemon_lock().holder()
    if holder is not None:
        with suppress(ProcessLookupError):
            os.kill(holder, signal.SIGKILL)


def _look(agents: list[Agent], kills: Counter[str], seconds: float) -> Outcome:
    data = Path(os.environ["RLMC_DATA_DIR"])
    damaged = [path.name for path in data.iterdir() if ".corrupt-" in path.name]
    with closing(sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True)) as db:
        [(sound,)] = db.execute("PRAGMA integrity_check(1)")
        damaged += [sound] if sound != "ok" else []
        rows: Mapping[str, int] = dict(
            db.execute("SELECT conversation, count(*) FROM turns WHERE ending = 'complete' GROUP BY 1")
        )
        [(unpriced,)] = db.execute(
            "SELECT count(*) FROM calls WHERE cost IS NULL AND input > 0 AND provider = 'anthropic'"
        )
    answered = [key for one in agents for key in one.answered]
    return Outcome(
        kills=kills,
        answers=len(answered),
        tries=sum(one.tries for one in agents),
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
    parser.add_argument("--agents", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="rlmc-kills-") as folder:
        for name in [name for name in os.environ if name.startswith("RLMC_")]:
            del os.environ[name]
        os.environ |= {f"RLMC_{name}_DIR": str(Path(folder, name.lower())) for name in ("CONFIG", "DATA", "STATE")}
        found = study(options.kills, options.agents, options.seed)
    print("\n".join(found.lines()))
    return 1 if found.lost else 0


if __name__ == "__main__":
    sys.exit(main())
