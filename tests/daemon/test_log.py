from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.daemon.log import OLD_FILES, PrivateRotatingHandler, set_up_logging
from rlmc.domain.redaction import redact

TOKENS = st.text("abcXYZ0189-_", min_size=16, max_size=48)


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("rlmc")
    before = (root.handlers[:], root.level, own.level)
    hooks = (sys.excepthook, threading.excepthook)
    yield
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    for handler in root.handlers:
        if isinstance(handler, PrivateRotatingHandler):
            handler.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


@given(TOKENS, st.sampled_from(["", "/", "/v1/messages", "?beta=true", " ", "'", '"']))
def test_no_session_token_is_readable(token: str, rest: str) -> None:
    said = redact(f"POST http://127.0.0.1:1/s/{token}{rest}")
    assert token not in said
    assert said.endswith(f"/s/***{rest}")


@given(
    TOKENS,
    st.sampled_from(
        ["Authorization: Bearer {}", "('authorization', 'Bearer {}')", "x-api-key: {}", '("x-api-key", "{}")', "sk-{}"]
    ),
)
def test_no_key_is_readable(key: str, form: str) -> None:
    assert key not in redact(f"before {form.format(key)} after")


@given(st.text("abc /:.,\n", max_size=60))
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_a_traceback_is_redacted_too(tmp_path: Path) -> None:
    log = set_up_logging(tmp_path / "daemon.log", "info")
    try:
        raise ValueError("bad path /s/this-is-a-session-token/v1")
    except ValueError:
        log.exception("while serving %s", "/s/this-is-a-session-token")
    written = (tmp_path / "daemon.log").read_text()
    assert "ValueError: bad path /s/***/v1" in written
    assert "this-is-a-session-token" not in written


def test_what_nobody_caught_is_redacted_too(tmp_path: Path) -> None:
    set_up_logging(tmp_path / "daemon.log", "info")
    try:
        raise ValueError("api_key=a-secret-of-somebody")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    def fail() -> None:
        raise OSError("https://me:hunter2@proxy.example")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    written = (tmp_path / "daemon.log").read_text()
    assert "ValueError: api_key=***" in written
    assert "https://***@proxy.example" in written
    assert "a-secret" not in written and "hunter2" not in written


def test_own_words_from_the_level_on_and_others_only_when_it_matters(tmp_path: Path) -> None:
    log = set_up_logging(tmp_path / "daemon.log", "info")
    log.getChild("control").info("own info")
    log.debug("own debug")
    logging.getLogger("library").info("library info")
    logging.getLogger("library").warning("library warning")
    written = (tmp_path / "daemon.log").read_text()
    assert "own info" in written
    assert "library warning" in written
    assert "own debug" not in written
    assert "library info" not in written


def test_it_rotates_and_every_file_is_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        handler = PrivateRotatingHandler(tmp_path / "daemon.log", maxBytes=400, backupCount=OLD_FILES)
        log = logging.getLogger("rlmc.test-rotation")
        log.addHandler(handler)
        for number in range(60):
            log.warning("line %d %s", number, "x" * 40)
        log.removeHandler(handler)
        handler.close()
    finally:
        os.umask(old)
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == ["daemon.log", "daemon.log.1", "daemon.log.2"]
    assert all(f.stat().st_size <= 400 for f in files)
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_stdout_moves_on_with_the_log(tmp_path: Path) -> None:
    """A daemon's stdout is the log; after a rotation it must not go on filling the old file."""
    code = (
        "import logging, os, sys; from rlmc.daemon.log import PrivateRotatingHandler;"
        "h = PrivateRotatingHandler(sys.argv[1], maxBytes=50, backupCount=2);"
        "log = logging.getLogger('x'); log.addHandler(h);"
        "log.warning('a' * 40); log.warning('b' * 40); os.write(1, b'from stdout\\n'); os.write(2, b'from stderr\\n')"
    )
    path = tmp_path / "daemon.log"
    with path.open("ab") as out:
        subprocess.run([sys.executable, "-c", code, str(path)], stdout=out, stderr=subprocess.PIPE, check=True)
    assert "from stdout" in path.read_text()
    assert "from stdout" not in (tmp_path / "daemon.log.1").read_text()
    assert "from stderr" not in path.read_text()  # that one was never the log
