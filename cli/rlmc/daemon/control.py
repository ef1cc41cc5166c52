"""The command line's client for the daemon's `/-/…`, on the standard library alone.

Rule: whoever answers on the port must prove to be the daemon of the state file before it is told anything, a token or
a key above all. Every wait is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import quote

from rlmc.daemon.attachment import Attachment, open_attachment
from rlmc.daemon.proven import HOST, proven
from rlmc.daemon.question import answer_to
from rlmc.daemon.state import DaemonState, read_state
from rlmc.domain.frozen import dataclass
from rlmc.errors import DaemonError

PROBE_SECONDS = 2.0
_ANSWER_SECONDS = 10.0
_END_SECONDS = 12.0  # ending a session waits until the ledger has everything


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A daemon that has answered. `sessions_alive` is as of that answer, and so is `terminals`, those of them that
    nobody brings back to another daemon."""

    port: int
    pid: int
    version: str
    instance: str = field(repr=False)
    control_token: str = field(repr=False)
    sessions_alive: int = 0
    terminals: int = 0


@dataclass(frozen=True, slots=True)
class Registration:
    """What one `rlmc run` tells the daemon. `upstreams` are the base URLs the agent had before, by vendor, `protocol`
    what it mainly speaks, `keys` credentials by the name of their variable. `bound_pid` is the process the session ends
    with; without one, it lives by an open line."""

    id: str
    token: str = field(repr=False)
    client: str
    name: str | None = None
    directory: str | None = None
    git_branch: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    upstreams: Mapping[str, str] = field(default_factory=dict)
    protocol: str = "anthropic"
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    network: Mapping[str, str] = field(default_factory=dict, repr=False)
    bound_pid: int | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "token": self.token,
            "client": self.client,
            "name": self.name,
            "directory": self.directory,
            "git_branch": self.git_branch,
            "overrides": dict(self.overrides),
            "upstreams": dict(self.upstreams),
            "protocol": self.protocol,
            "keys": dict(self.keys),
            "network": dict(self.network),
            "bound_pid": self.bound_pid,
        }


class Unreachable(DaemonError):
    """Nobody answers: the daemon has ended since."""


def find(state: DaemonState | None = None, timeout: float = PROBE_SECONDS) -> Endpoint | None:
    """The living daemon, or None. The claim in the state file (or `state`) is believed only if it answers as itself."""
    claim = state or read_state()
    if claim is None:
        return None
    try:
        answer = _ask(claim.port, claim.control_token, "GET", "/-/health", timeout=timeout)
        if answer.get("instance") != claim.instance:
            return None
        return Endpoint(
            port=claim.port,
            pid=int(answer["pid"]),
            version=str(answer["version"]),
            instance=claim.instance,
            control_token=claim.control_token,
            sessions_alive=int(answer["sessions_alive"]),
            terminals=int(answer.get("terminals") or 0),
        )
    except (DaemonError, KeyError, ValueError, TypeError):
        return None


def probe() -> dict[str, Any] | None:
    """What the living daemon says of its health, or None when there is none."""
    endpoint = find()
    if endpoint is None:
        return None
    return {
        "port": endpoint.port,
        "pid": endpoint.pid,
        "version": endpoint.version,
        "sessions_alive": endpoint.sessions_alive,
    }


def status() -> dict[str, Any] | None:
    """Everything the living daemon says of itself, or None when there is none."""
    endpoint = find()
    if endpoint is None:
        return None
    try:
        return _ask(endpoint.port, endpoint.control_token, "GET", "/-/status")
    except Unreachable:
        return None


def register_session(endpoint: Endpoint, registration: Registration) -> tuple[str, ...]:
    """Opens a session, or refreshes everything of one that is known. Returns what the daemon wants said."""
    answer = _ask(endpoint.port, endpoint.control_token, "POST", "/-/sessions", registration.as_json())
    return _notes(answer)


def attach(endpoint: Endpoint, session_id: str) -> Attachment:
    """Opens the line that keeps a session alive and whose end tells of the daemon's."""
    path = f"/-/sessions/{quote(session_id)}/attach"
    try:
        return open_attachment(endpoint.port, endpoint.control_token, path, _ANSWER_SECONDS)
    except OSError as error:
        raise Unreachable(f"the daemon on {HOST}:{endpoint.port} does not answer: {error}") from error


def end_session(endpoint: Endpoint, session_id: str) -> dict[str, Any]:
    """Ends a session once the ledger has all of it: {"requests", "turns", "auto_mode_turns", "notes"}."""
    path = f"/-/sessions/{quote(session_id)}/end"
    return _ask(endpoint.port, endpoint.control_token, "POST", path, {}, timeout=_END_SECONDS)


def dashboard_link(endpoint: Endpoint) -> str:
    """An address of the live page that works once."""
    return str(_ask(endpoint.port, endpoint.control_token, "POST", "/-/dashboard", {})["url"])


def resume_quality(endpoint: Endpoint, epoch: str) -> bool:
    """Drafts of this epoch may be served again after a stop. False where the daemon does not know it."""
    return bool(_ask(endpoint.port, endpoint.control_token, "POST", "/-/quality/resume", {"epoch": epoch}).get("ok"))


def request_stop(endpoint: Endpoint) -> None:
    _ask(endpoint.port, endpoint.control_token, "POST", "/-/stop", {})


def notify_reload() -> str | None:
    """Tells a running daemon that the configuration has changed. What it says against it; None if all is well, also
    when no daemon is running."""
    endpoint = find()
    if endpoint is None:
        return None
    try:
        answer = _ask(endpoint.port, endpoint.control_token, "POST", "/-/reload", {})
    except Unreachable:
        return None
    except DaemonError as error:
        return error.message
    return None if answer.get("ok") else str(answer.get("error") or "the daemon did not take the change")


def _notes(answer: Mapping[str, Any]) -> tuple[str, ...]:
    notes = answer.get("notes")
    return tuple(str(note) for note in notes) if isinstance(notes, list) else ()


def _ask(
    port: int, token: str, method: str, path: str, body: object = None, timeout: float = _ANSWER_SECONDS
) -> dict[str, Any]:
    payload = json.dumps(body).encode() if method == "POST" else None
    try:
        with proven(port, token, timeout) as connection:
            status, raw = answer_to(connection, port, token, method, path, payload)
    except OSError as error:
        raise Unreachable(f"the daemon on {HOST}:{port} does not answer: {error or type(error).__name__}") from error
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise DaemonError(f"what answers on {HOST}:{port} is not rlmc's daemon", "see: rlmc status")
    if status != 200:
        raise DaemonError(f"the daemon refused {method} {path}: {answer.get('error') or status}")
    return answer
