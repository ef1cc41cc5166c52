"""The real daemon in a process of its own, and a session for each cell, so that no cell meets what another has left."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rlmc.daemon.control import Endpoint, Registration, find, register_session
from rlmc.daemon.state import read_state

_START_SECONDS = 30.0
# The idle timeout ends a daemon whose tests were killed.
_CONFIG = 'policy = "balanced"\naudits = "off"\nidle-timeout = 300\ndraft-breaker = 0\n'


class Proxy:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def session(self, protocol: str, overrides: Mapping[str, str]) -> str:
        """The base URL an agent would get, without `/v1`."""
        token = secrets.token_urlsafe(24)
        session = Registration(
            secrets.token_hex(8), token, "test", overrides=overrides, protocol=protocol, keys={}, network={}
        )
        register_session(self._endpoint, session)
        return f"http://127.0.0.1:{self._endpoint.port}/s/{token}"


def own_environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's own set-up may count: no settings, no keys, no proxies."""
    theirs = ("RLMC_", "ANTHROPIC", "OPENAI", "CLAUDE", "CODEX", "XDG_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(theirs) and not k.lower().endswith("_proxy")}
    return kept | {f"RLMC_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "STATE")}


@contextmanager
def running_proxy(folder: Path) -> Iterator[Proxy]:
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "config.toml").write_text(_CONFIG)
    with (folder / "daemon.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "rlmc.daemon"], env=own_environment(folder), stdout=out, stderr=out
        )
        try:
            yield Proxy(_answering(process, folder))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _answering(process: subprocess.Popen[bytes], folder: Path) -> Endpoint:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        state = read_state(folder / "state" / "daemon.json")
        endpoint = find(state) if state is not None else None
        if endpoint is not None:
            return endpoint
        time.sleep(0.05)
    raise RuntimeError(f"the daemon did not start: {(folder / 'daemon.out').read_text()[-2000:]}")
