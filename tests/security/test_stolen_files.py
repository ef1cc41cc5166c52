"""Somebody has the ledger, the log, or a backup of them: what is in these files, and what is not."""

from __future__ import annotations

import http.client
import logging
import re
import sys
import threading
from pathlib import Path

from tests.security.wires import token_of
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import turn_rows
from tests.support.live import Live
from tests.support.wire_client import send

from rlmc.daemon.log import set_up_logging

KEYS = {"x-api-key": "sk-ant-canary-0000000000", "content-type": "application/json"}
WORDS = ("quokka", "zebrafish", "pangolin", "axolotl", "capybara")


def asked(task: str) -> dict[str, object]:
    tool = {"name": "Read", "description": "capybara", "input_schema": {"type": "object"}}
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 64,
        "system": "You are a quokka.",
        "tools": [tool],
        "messages": [{"role": "user", "content": task}],
    }


def read_all(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def played(live: Live) -> list[str]:
    """Turns in two sessions, good and bad ones; every secret that was about."""
    secrets = [live.control_token, "sk-ant-canary-0000000000", "sk-draft-canary-000"]
    replies = {
        0: Reply("The pangolin."),
        1: Reply(status=400, message="axolotl sk-ant-canary-0000000000"),
        2: Reply(break_after=1),
    }
    with FakeUpstream(lambda _b, number: replies[number % 3]) as up:
        for _ in range(2):
            overrides = {"upstream.anthropic.base-url": up.url}
            session = live.open_session(overrides=overrides, keys={"DEEPSEEK_API_KEY": "sk-draft-canary-000"})
            secrets.append(token_of(session))
            for stream in (False, False, True):
                try:
                    send(session.base_url, {**asked("Find the zebrafish."), "stream": stream}, headers=KEYS)
                except (OSError, http.client.HTTPException):
                    assert stream, "only the broken stream breaks"
            session.end()
    return secrets


def test_they_hold_no_word_of_a_conversation_no_key_and_no_token(live: Live) -> None:
    root = logging.getLogger()
    before, level, own = list(root.handlers), root.level, logging.getLogger("rlmc").level
    hooks = sys.excepthook, threading.excepthook
    try:
        set_up_logging(live.folder / "state" / "daemon.log", "debug")
        secrets = played(live)
    finally:
        for handler in set(root.handlers) - set(before):
            handler.close()
        root.handlers[:], root.level = before, level
        logging.getLogger("rlmc").setLevel(own)
        logging.captureWarnings(False)
        sys.excepthook, threading.excepthook = hooks
    kept = read_all(live.folder)
    assert len(turn_rows()) == 6
    assert [word for word in WORDS if word.encode() in kept] == []
    assert [secret for secret in secrets if secret.encode() in kept] == []


def test_what_is_derived_from_words_is_of_one_session_alone(live: Live) -> None:
    """Nobody who guesses a prompt can tell from the files that it was this one."""
    played(live)
    of: dict[str, list[set[str]]] = {}
    for row in turn_rows():
        digests = set(re.findall(r"\b[0-9a-f]{16}\b", f"{row['conversation']} {row['decision']}"))
        of.setdefault(row["session_id"], []).append(digests)
    one, other = of.values()
    assert len(set.intersection(*one)) >= 2, "the same words of one session have the same digests"
    assert set().union(*one).isdisjoint(set().union(*other))
