"""The real daemon under test: its own process and folders, everything switched on, and its ledger counted afterwards.

Rule: a turn without a row was not free of charge, it was lost; a bench that did not look would be lying.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.bench.process import Process

from rlmc.daemon.control import Endpoint, Registration, end_session, find, register_session
from rlmc.daemon.state import read_state
from rlmc.errors import DaemonError

_START_SECONDS = 30.0
# `local` is answered by the second fake upstream. Audits would ask them for more than the agent does. The idle timeout
# ends a daemon whose bench was killed.
_CONFIG = """\
policy = "balanced"
draft-model = "sim/draft"
audits = "off"
idle-timeout = 600

[upstream.anthropic]
base-url = "http://127.0.0.1:{upstream}"

[upstream.local]
base-url = "http://127.0.0.1:{draft_upstream}"
"""
DRAFT_MODEL = "local/bench"


@dataclass(frozen=True, slots=True)
class Session:
    """`outcome` is how every turn of this session has to end."""

    id: str
    token: str
    outcome: str

    @property
    def path(self) -> str:
        return f"/s/{self.token}/v1/messages"


class Daemon:
    def __init__(self, folder: Path, *, upstream: int, draft_upstream: int) -> None:
        self._folder = folder
        (folder / "config").mkdir(parents=True)
        text = _CONFIG.format(upstream=upstream, draft_upstream=draft_upstream)
        (folder / "config" / "config.toml").write_text(text)
        # Nothing of the user's own set-up may count: no settings, no proxies.
        env = {k: v for k, v in os.environ.items() if not k.startswith("RLMC_") and not k.lower().endswith("_proxy")}
        self.folders = {f"RLMC_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "STATE")}
        self.process = Process([sys.executable, "-m", "rlmc.daemon"], folder / "daemon.out", env=env | self.folders)
        self.endpoint: Endpoint
        self.sessions: list[Session] = []

    def wait(self) -> None:
        """Until it answers as the daemon of its own state file."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.alive:
            state = read_state(self._folder / "state" / "daemon.json")
            endpoint = find(state) if state is not None else None
            if endpoint is not None:
                self.endpoint = endpoint
                return
            time.sleep(0.05)
        raise RuntimeError(f"the daemon did not start: {self._last_words()}")

    def _last_words(self) -> str:
        """From its log, else from what it printed before it had one."""
        log = self._folder / "state" / "daemon.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return lines[-1] if lines else self.process.last_words()

    @property
    def port(self) -> int:
        return self.endpoint.port

    def open_session(self, outcome: str, overrides: Mapping[str, str] | None = None) -> Session:
        session = Session(secrets.token_hex(8), secrets.token_urlsafe(24), outcome)
        wanted = Registration(session.id, session.token, "bench", overrides=dict(overrides or {}))
        try:
            register_session(self.endpoint, wanted)
        except DaemonError as error:
            raise RuntimeError(f"the daemon takes no session: {error}; {self._last_words()}") from error
        self.sessions.append(session)
        return session

    def close_books(self, asked: Mapping[str, int]) -> list[str]:
        """Ends the sessions and compares the ledger with the turns asked of each; what differs."""
        for session in self.sessions:
            end_session(self.endpoint, session.id)
        wanted = {session.id: (session.outcome, asked[session.id]) for session in self.sessions}
        return differences(self._folder / "data" / "ledger.db", wanted)


def differences(ledger: Path, wanted: Mapping[str, tuple[str, int]]) -> list[str]:
    """`wanted` has the outcome and the number of turns by session."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT session_id, outcome, ending, COUNT(*) FROM turns GROUP BY 1, 2, 3").fetchall()
    found = {(session, f"{outcome}, {ending}"): count for session, outcome, ending, count in rows}
    expected = {(session, f"{outcome}, complete"): count for session, (outcome, count) in wanted.items() if count}
    return [
        f"session {key[0]}: {found.get(key, 0)} turns are {key[1]}; {expected.get(key, 0)} should be"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key, 0) != expected.get(key, 0)
    ]
