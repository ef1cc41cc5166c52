"""The daemon's log: one file of bounded size, readable by its owner alone.

Rule: no secret reaches it. Whatever is written, tracebacks included, passes through `redact` as its last step.
"""

from __future__ import annotations

import logging
import os
import re
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rlmc.daemon.logfile import open_log

MAX_BYTES = 5 * 1024 * 1024
OLD_FILES = 2  # beside the one in use
_STANDARD_STREAMS = (1, 2)

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/s/[^/\s\"'?]+"), "/s/***"),
    (re.compile(r"(?i)\b(bearer|x-api-key\W{1,5})(\s*)[\w.~+/=-]{6,}"), r"\1\2***"),
    (re.compile(r"\bsk-[\w-]{6,}"), "sk-***"),
)


def redact(text: str) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class PrivateRotatingHandler(RotatingFileHandler):
    """Rotates with all files 0600, and takes stdout and stderr along where they are the log as well."""

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(os.fdopen(open_log(Path(self.baseFilename)), "ab"), encoding="utf-8")

    def doRollover(self) -> None:
        followers = [number for number in _STANDARD_STREAMS if self._is_log(number)]
        super().doRollover()
        if followers and self.stream is not None:
            for number in followers:
                os.dup2(self.stream.fileno(), number)

    def _is_log(self, descriptor: int) -> bool:
        try:
            return self.stream is not None and os.path.samestat(os.fstat(descriptor), os.fstat(self.stream.fileno()))
        except OSError:
            return False


def set_up_logging(path: Path, level: str) -> logging.Logger:
    """Everything at warning and above, and rlmc's own words from `level` on, into the file at `path`."""
    handler = PrivateRotatingHandler(path, maxBytes=MAX_BYTES, backupCount=OLD_FILES, encoding="utf-8")
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    log = logging.getLogger("rlmc")
    log.setLevel(level.upper())
    return log
