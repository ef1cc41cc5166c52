"""The daemon's sessions: who may speak to it, with which parts, and what it remembers of each conversation."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import field

from rlmc.cascade.session import Memory
from rlmc.domain.frozen import dataclass
from rlmc.server.bound import Bound
from rlmc.server.budgets import Spending
from rlmc.server.parts import Parts
from rlmc.server.reasoning import Reasoning
from rlmc.server.recent import Recent
from rlmc.server.regrets import Regrets
from rlmc.upstream.transport import Network


@dataclass(frozen=True, slots=True)
class Means:
    """What a turn runs with. A turn takes them once, at its beginning, and keeps them to its end.

    `keys` are credentials by the name of their variable; they stay in memory.
    """

    parts: Parts
    keys: Mapping[str, str]
    network: Network


@dataclass(slots=True)
class Session:
    """One `rlmc run`, or one terminal. `existing` are the base URLs its agent had before, by vendor. `memory` is what
    it has learnt since the daemon has known it; `epoch` names that time, `events` counts what happened in it,
    `kept_warm` are the conversations whose cache is looked after, `reasoning` what models thought and may want back,
    `recent` the last requests of all the daemon's sessions.
    `attached` counts the open connections by which a waiting `rlmc run` says that it lives, `bound` is the terminal
    `rlmc env` was called in, `active` counts the agent's requests under way. `degraded_turns` and `stopped_turns` are
    those a passed budget changed.
    """

    id: str
    token: str
    client: str
    means: Means
    overrides: Mapping[str, str]
    existing: Mapping[str, str]
    spending: Spending
    name: str | None = None
    directory: str | None = None
    attached: int = 0
    bound: Bound | None = None
    active: int = 0
    requests: int = 0
    turns: int = 0
    auto_mode_turns: int = 0
    degraded_turns: int = 0
    stopped_turns: int = 0
    login_seen: bool = False
    last_used: float = field(default_factory=time.monotonic)
    memory: Memory = field(default_factory=Memory)
    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    events: int = 0
    ended: bool = False
    kept_warm: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    regrets: Regrets = field(default_factory=Regrets)
    reasoning: Reasoning = field(default_factory=Reasoning)
    recent: Recent = field(default_factory=Recent)
    conversation_keys: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Whether somebody may still send requests: a waiting `rlmc run`, or a terminal."""
        return self.attached > 0 or (self.bound is not None and self.bound.alive())

    @property
    def parts(self) -> Parts:
        return self.means.parts

    @property
    def key(self) -> bytes:
        """What makes the digests of this session's prompts its own: nobody without the token can compute them."""
        return hashlib.blake2b(self.token.encode(), digest_size=32, person=b"rlmc prefixes").digest()

    def next_event(self) -> int:
        """Arrivals and endings of turns are numbered, so that they can be replayed in their order."""
        self.events += 1
        return self.events


class Sessions:
    """A token is looked up by its digest under a key of this process's own: how long that takes tells nothing of the
    tokens that are known, however many. Ended sessions are forgotten."""

    def __init__(self) -> None:
        self._by_id: dict[str, Session] = {}
        self._by_digest: dict[bytes, Session] = {}
        self._key = secrets.token_bytes(32)
        self._recent = Recent()

    def all(self) -> list[Session]:
        return list(self._by_id.values())

    def by_id(self, session_id: str) -> Session | None:
        return self._by_id.get(session_id)

    def by_token(self, token: str) -> Session | None:
        found = self._by_digest.get(self._digest(token))
        if found is None or not hmac.compare_digest(found.token.encode(), token.encode()):
            return None
        return found

    def add(self, session: Session) -> None:
        self.remove(session.id)
        session.recent = self._recent
        self._by_id[session.id] = session
        self._by_digest[self._digest(session.token)] = session

    def remove(self, session_id: str) -> None:
        session = self._by_id.pop(session_id, None)
        if session is not None:
            session.ended = True
        self._recent.forget(session_id)
        if session is not None and self._by_digest.get(self._digest(session.token)) is session:
            del self._by_digest[self._digest(session.token)]

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(), digest_size=16, key=self._key).digest()

    def alive(self) -> int:
        return sum(s.alive for s in self._by_id.values())
